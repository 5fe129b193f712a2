// Other arrangements of a tensor's elements. Views copy nothing.
#pragma once
#include <array>
#include <span>
#include <tuple>
#include <vector>

#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// The elements in row-major order under another shape; one extent may be -1 and is inferred. A view when x is dense. Throws
/// ShapeError when the sizes differ.
Tensor reshape(const Tensor& x, const Shape&);

/// x repeated along axes of extent 1 and along new leading ones, NumPy's rules; a view. Throws ShapeError.
Tensor broadcast_to(const Tensor& x, const Shape&);

/// x in memory of its own, row-major.
Tensor copy(const Tensor& x);

namespace detail {

Tensor transpose(const Tensor& x, const Axes* permutation);
Tensor squeeze(const Tensor& x, const Axes* axes);
Tensor expand_dims(const Tensor& x, Index axis);
std::vector<Tensor> split(const Tensor& x, Index parts, Index axis, const char* op = "split");
Tensor concatenate(std::span<const Tensor>, Index axis);
Tensor stack(std::span<const Tensor>, Index axis);

template <class... T>
concept TupleOfTensors = (AnyTensor<T> || ...) && (Operand<T> && ...);

template <class... T>
std::array<Tensor, sizeof...(T)> tensors_of(const std::tuple<T...>& tuple) {
    return std::apply([](const auto&... x) { return std::array{Tensor(x)...}; }, tuple);
}

}  // namespace detail

// As for the reductions: overloads for each way to pass a Tensor. An axis is std::size_t where it is in xtensor, or calls with
// int would be ambiguous for xtensor's arrays; -1 comes through.
#define XTGRAD_MANIPULATION(X)                                                                                    \
    /** The axes in reverse order, or permuted. A view. */                                                        \
    inline Tensor transpose(X x) { return detail::transpose(x, nullptr); }                                        \
    template <class A>                                                                                            \
        requires std::constructible_from<Axes, const A&>                                                          \
    Tensor transpose(X x, A&& permutation) {                                                                      \
        const Axes list(permutation);                                                                             \
        return detail::transpose(x, &list);                                                                       \
    }                                                                                                             \
    template <std::integral I, std::size_t N>                                                                     \
    Tensor transpose(X x, const I(&permutation)[N]) {                                                             \
        const Axes list(permutation);                                                                             \
        return detail::transpose(x, &list);                                                                       \
    }                                                                                                             \
    /** Without axes of extent 1: all of them, or those given. A view. */                                         \
    inline Tensor squeeze(X x) { return detail::squeeze(x, nullptr); }                                            \
    inline Tensor squeeze(X x, std::size_t axis) {                                                                \
        const Axes list(static_cast<Index>(axis));                                                                \
        return detail::squeeze(x, &list);                                                                         \
    }                                                                                                             \
    template <class A>                                                                                            \
        requires(std::constructible_from<Axes, const A&> && !std::integral<std::remove_cvref_t<A>>)               \
    Tensor squeeze(X x, A&& axes) {                                                                               \
        const Axes list(axes);                                                                                    \
        return detail::squeeze(x, &list);                                                                         \
    }                                                                                                             \
    template <std::integral I, std::size_t N>                                                                     \
    Tensor squeeze(X x, const I(&axes)[N]) {                                                                      \
        const Axes list(axes);                                                                                    \
        return detail::squeeze(x, &list);                                                                         \
    }                                                                                                             \
    /** With a new axis of extent 1 before `axis`; -1 appends one. A view. */                                     \
    inline Tensor expand_dims(X x, std::size_t axis) { return detail::expand_dims(x, static_cast<Index>(axis)); } \
    /** Equal parts along an axis, views. Throws ShapeError when the extent does not divide. */                   \
    inline std::vector<Tensor> split(X x, std::size_t parts, std::size_t axis = 0) {                              \
        return detail::split(x, static_cast<Index>(parts), static_cast<Index>(axis));                             \
    }                                                                                                             \
    /** xtensor's name for broadcast_to. */                                                                       \
    template <class S>                                                                                            \
        requires std::constructible_from<Shape, const S&>                                                         \
    Tensor broadcast(X x, const S& shape) {                                                                       \
        return broadcast_to(x, Shape(shape));                                                                     \
    }                                                                                                             \
    template <std::integral I, std::size_t N>                                                                     \
    Tensor broadcast(X x, const I(&shape)[N]) {                                                                   \
        return broadcast_to(x, Shape(shape));                                                                     \
    }
XTGRAD_MANIPULATION(Tensor&)
XTGRAD_MANIPULATION(const Tensor&)
XTGRAD_MANIPULATION(Tensor&&)
#undef XTGRAD_MANIPULATION

/// PyTorch's name for transpose with a permutation.
Tensor permute(const Tensor& x, const Axes& permutation);

/// Joined along an axis that exists. Takes a vector, an array, or xtensor's `xt::xtuple(a, b)`. Throws ShapeError when the
/// other extents differ, DtypeError when the dtypes do.
inline Tensor concatenate(const std::vector<Tensor>& x, Index axis = 0) { return detail::concatenate(x, axis); }
template <std::size_t N>
Tensor concatenate(const std::array<Tensor, N>& x, Index axis = 0) {
    return detail::concatenate(x, axis);
}
template <class... CT>
    requires detail::TupleOfTensors<CT...>
Tensor concatenate(std::tuple<CT...>&& t, std::size_t axis = 0) {
    return detail::concatenate(detail::tensors_of(t), Index(axis));
}

/// Joined along a new axis; all have one shape. Takes what concatenate takes.
inline Tensor stack(const std::vector<Tensor>& x, Index axis = 0) { return detail::stack(x, axis); }
template <std::size_t N>
Tensor stack(const std::array<Tensor, N>& x, Index axis = 0) {
    return detail::stack(x, axis);
}
template <class... CT>
    requires detail::TupleOfTensors<CT...>
Tensor stack(std::tuple<CT...>&& t, std::size_t axis = 0) {
    return detail::stack(detail::tensors_of(t), Index(axis));
}

}  // namespace xtgrad
