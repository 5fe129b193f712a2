// Triangles and diagonals of matrices. Diagonal k begins k columns to the right of the first element, -k rows below it;
// k may lie outside the matrix, whose diagonal is empty then.
#pragma once
#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

enum class Triangle { lower, upper };
Tensor triangle(Triangle, const Tensor& x, Index k);
Tensor diag(const Tensor& x, Index k);
Tensor diagonal(const Tensor& x, Index offset, Index axis1, Index axis2);

}  // namespace detail

// As for the reductions: overloads for each way to pass a Tensor.
#define XTGRAD_DIAGONALS(X)                                                                                         \
    /** x with zeros above, or below, diagonal k of its first two axes (xtensor's choice; NumPy takes the last). */ \
    inline Tensor tril(X x, int k = 0) { return detail::triangle(detail::Triangle::lower, x, k); }                  \
    inline Tensor triu(X x, int k = 0) { return detail::triangle(detail::Triangle::upper, x, k); }                  \
    /** The matrix with a vector on diagonal k and zeros elsewhere; or diagonal k of a matrix, a view. */           \
    inline Tensor diag(X x, int k = 0) { return detail::diag(x, k); }                                               \
    /** The diagonals of the matrices that two axes span, as the last axis. A view. */                              \
    inline Tensor diagonal(X x, int offset = 0, std::size_t axis1 = 0, std::size_t axis2 = 1) {                     \
        return detail::diagonal(x, offset, static_cast<Index>(axis1), static_cast<Index>(axis2));                   \
    }                                                                                                               \
    /** With k of another type: what is too large for an Index is the largest. */                                   \
    template <std::integral K>                                                                                      \
    Tensor tril(X x, K k) {                                                                                         \
        return detail::triangle(detail::Triangle::lower, x, Axes(k)[0]);                                            \
    }                                                                                                               \
    template <std::integral K>                                                                                      \
    Tensor triu(X x, K k) {                                                                                         \
        return detail::triangle(detail::Triangle::upper, x, Axes(k)[0]);                                            \
    }                                                                                                               \
    template <std::integral K>                                                                                      \
    Tensor diag(X x, K k) {                                                                                         \
        return detail::diag(x, Axes(k)[0]);                                                                         \
    }                                                                                                               \
    template <std::integral K>                                                                                      \
    Tensor diagonal(X x, K offset, std::size_t axis1 = 0, std::size_t axis2 = 1) {                                  \
        return detail::diagonal(x, Axes(offset)[0], static_cast<Index>(axis1), static_cast<Index>(axis2));          \
    }
XTGRAD_DIAGONALS(Tensor&)
XTGRAD_DIAGONALS(const Tensor&)
XTGRAD_DIAGONALS(Tensor&&)
#undef XTGRAD_DIAGONALS

/// The sums of those diagonals.
Tensor trace(const Tensor& x, Index offset = 0, Index axis1 = 0, Index axis2 = 1);

}  // namespace xtgrad
