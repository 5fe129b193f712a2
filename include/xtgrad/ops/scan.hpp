// Running sums and products, and differences. `axis` may be left out as in xtensor: then the elements are taken in row-major
// order and the result has one axis. Booleans count as i64.
#pragma once
#include "reduction.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {
Tensor cumsum(const Tensor&, const Index* axis);
Tensor cumprod(const Tensor&, const Index* axis);
}  // namespace detail

// Overloads for each way to pass a Tensor, as for the reductions.
#define XTGRAD_SCAN(X)                                                                    \
    /** y_i = x_0 + ... + x_i, without growing rounding errors. Throws ShapeError. */     \
    inline Tensor cumsum(X x) { return detail::cumsum(x, nullptr); }                      \
    inline Tensor cumsum(X x, std::ptrdiff_t axis) { return detail::cumsum(x, &axis); }   \
    /** y_i = x_0 x_1 ... x_i; derivatives are right whatever is 0. Throws ShapeError. */ \
    inline Tensor cumprod(X x) { return detail::cumprod(x, nullptr); }                    \
    inline Tensor cumprod(X x, std::ptrdiff_t axis) { return detail::cumprod(x, &axis); }
XTGRAD_SCAN(Tensor&)
XTGRAD_SCAN(const Tensor&)
XTGRAD_SCAN(Tensor&&)
#undef XTGRAD_SCAN

/// y_i = x_(i+1) - x_i along an axis, n times over; of booleans, whether they differ. Throws ShapeError.
Tensor diff(const Tensor& x, std::size_t n = 1, Index axis = -1);

}  // namespace xtgrad
