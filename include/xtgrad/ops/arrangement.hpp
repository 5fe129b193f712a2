// More arrangements: flattened, flipped, rolled, padded, repeated, stacked. xtensor's names and arguments. Views copy nothing.
#pragma once
#include <array>
#include <initializer_list>
#include <span>
#include <tuple>
#include <vector>

#include "manipulation.hpp"

namespace xt {
enum class pad_mode;  // constant, symmetric, reflect, wrap, periodic: in <xtensor/xpad.hpp>
}

namespace [[gnu::visibility("default")]] xtgrad {

/// x with two axes exchanged. A view.
Tensor swapaxes(const Tensor& x, Index axis1, Index axis2);
/// x with one axis, or each of a list, moved from `source` to `destination`; the others keep their order. A view.
Tensor moveaxis(const Tensor& x, const Axes& source, const Axes& destination);

namespace detail {

Tensor flatten(const char* op, const Tensor& x);
Tensor at_least(const char* op, const Tensor& x, std::size_t rank);
Tensor flip(const Tensor& x, const Index* axis);
Tensor rot90(const Tensor& x, Index times, Index axis1, Index axis2);
Tensor roll(const Tensor& x, Index shift);
Tensor roll(const Tensor& x, Index shift, Index axis);
Tensor repeat(const Tensor& x, Index repeats, Index axis);
Tensor repeat(const Tensor& x, const std::vector<std::size_t>& repeats, Index axis);
Tensor tile(const Tensor& x, Axes repeats);
Tensor tile_first(const Tensor& x, Index repeats);
/// Widths before and after each axis, or one pair for all.
Tensor pad(const Tensor& x, std::vector<std::vector<Index>> widths, bool one_for_all, int mode, Literal value);
Tensor hstack(std::span<const Tensor>);
Tensor vstack(std::span<const Tensor>);
void meshgrid(std::span<const Tensor> x, std::span<Tensor> grids);

template <class S>
std::vector<Index> widths_of(const std::vector<S>& widths) {
    const IndexList list(widths);  // clamps what no extent can be
    return {list.begin(), list.end()};
}

template <class X>
concept GridAxis = AnyTensor<X> || XtensorExpression<X>;

}  // namespace detail

// As for the reductions: overloads for each way to pass a Tensor.
#define XTGRAD_ARRANGEMENT(X)                                                                                                  \
    /** The elements in row-major order, one axis. A view when x is dense. */                                                  \
    inline Tensor flatten(X x) { return detail::flatten("flatten", x); }                                                       \
    /** flatten under its other name. */                                                                                       \
    inline Tensor ravel(X x) { return detail::flatten("ravel", x); }                                                           \
    /** With axes of extent 1 added until there are 1, 2 or 3: n becomes (1, n) and (1, n, 1), (m, n) becomes (m, n, 1). */    \
    inline Tensor atleast_1d(X x) { return detail::at_least("atleast_1d", x, 1); }                                             \
    inline Tensor atleast_2d(X x) { return detail::at_least("atleast_2d", x, 2); }                                             \
    inline Tensor atleast_3d(X x) { return detail::at_least("atleast_3d", x, 3); }                                             \
    /** Equal parts along axis 1 or axis 0, views. Throws ShapeError when the extent does not divide. */                       \
    inline std::vector<Tensor> hsplit(X x, std::size_t parts) { return detail::split(x, Index(parts), 1, "hsplit"); }          \
    inline std::vector<Tensor> vsplit(X x, std::size_t parts) { return detail::split(x, Index(parts), 0, "vsplit"); }          \
    /** In reverse order along every axis, or along one. A view. */                                                            \
    inline Tensor flip(X x) { return detail::flip(x, nullptr); }                                                               \
    inline Tensor flip(X x, std::size_t axis) {                                                                                \
        const auto one = static_cast<Index>(axis);                                                                             \
        return detail::flip(x, &one);                                                                                          \
    }                                                                                                                          \
    /** Turned N times by 90 degrees, from the first axis towards the second. A view. */                                       \
    template <std::ptrdiff_t N = 1>                                                                                            \
    Tensor rot90(X x, const std::array<std::ptrdiff_t, 2>& axes = {0, 1}) {                                                    \
        return detail::rot90(x, N, axes[0], axes[1]);                                                                          \
    }                                                                                                                          \
    /** Shifted towards the end, of all elements in row-major order or along an axis; what leaves comes in again. */           \
    inline Tensor roll(X x, Index shift) { return detail::roll(x, shift); }                                                    \
    inline Tensor roll(X x, Index shift, Index axis) { return detail::roll(x, shift, axis); }                                  \
    /** Each slice along an axis several times in a row: as often as the number says, or each its own number. */               \
    inline Tensor repeat(X x, std::size_t repeats, std::size_t axis) {                                                         \
        return detail::repeat(x, static_cast<Index>(repeats), static_cast<Index>(axis));                                       \
    }                                                                                                                          \
    inline Tensor repeat(X x, const std::vector<std::size_t>& repeats, std::size_t axis) {                                     \
        return detail::repeat(x, repeats, static_cast<Index>(axis));                                                           \
    }                                                                                                                          \
    inline Tensor repeat(X x, std::vector<std::size_t>&& repeats, std::size_t axis) {                                          \
        return detail::repeat(x, repeats, static_cast<Index>(axis));                                                           \
    }                                                                                                                          \
    /** The whole of x several times along each axis; a single number counts along the first axis, as in xtensor. */           \
    template <std::integral S>                                                                                                 \
    Tensor tile(X x, S repeats) {                                                                                              \
        return detail::tile_first(x, static_cast<Index>(repeats));                                                             \
    }                                                                                                                          \
    template <std::integral S>                                                                                                 \
    Tensor tile(X x, std::initializer_list<S> repeats) {                                                                       \
        return detail::tile(x, Axes(repeats));                                                                                 \
    }                                                                                                                          \
    template <class C>                                                                                                         \
        requires(std::constructible_from<Axes, const C&> && !std::integral<C>)                                                 \
    Tensor tile(X x, const C& repeats) {                                                                                       \
        return detail::tile(x, Axes(repeats));                                                                                 \
    }                                                                                                                          \
    /** x with a border: {{before, after}, ...} for each axis, {before, after} or a width for all. It holds the value, or x */ \
    /** mirrored or repeated, as the mode says (include <xtensor/xpad.hpp>). Throws ShapeError. */                             \
    template <class S = std::size_t, Arithmetic V = int>                                                                       \
    Tensor pad(X x, const std::vector<std::vector<S>>& widths, xt::pad_mode mode = {}, V value = 0) {                          \
        std::vector<std::vector<Index>> each;                                                                                  \
        for (const auto& pair : widths) each.push_back(detail::widths_of(pair));                                               \
        return detail::pad(x, std::move(each), false, static_cast<int>(mode), value);                                          \
    }                                                                                                                          \
    template <class S = std::size_t, Arithmetic V = int>                                                                       \
    Tensor pad(X x, const std::vector<S>& widths, xt::pad_mode mode = {}, V value = 0) {                                       \
        return detail::pad(x, {detail::widths_of(widths)}, true, static_cast<int>(mode), value);                               \
    }                                                                                                                          \
    template <std::integral S = std::size_t, Arithmetic V = int>                                                               \
    Tensor pad(X x, S width, xt::pad_mode mode = {}, V value = 0) {                                                            \
        return detail::pad(x, {detail::widths_of(std::vector<S>(2, width))}, true, static_cast<int>(mode), value);             \
    }
XTGRAD_ARRANGEMENT(Tensor&)
XTGRAD_ARRANGEMENT(const Tensor&)
XTGRAD_ARRANGEMENT(Tensor&&)
#undef XTGRAD_ARRANGEMENT

/// Joined along axis 1, or 0 where there is but one axis. Takes what concatenate takes.
inline Tensor hstack(const std::vector<Tensor>& x) { return detail::hstack(x); }
template <std::size_t N>
Tensor hstack(const std::array<Tensor, N>& x) {
    return detail::hstack(x);
}
template <class... CT>
    requires detail::TupleOfTensors<CT...>
Tensor hstack(std::tuple<CT...>&& t) {
    return detail::hstack(detail::tensors_of(t));
}

/// Joined along axis 0; a tensor of one axis is a row. Takes what concatenate takes.
inline Tensor vstack(const std::vector<Tensor>& x) { return detail::vstack(x); }
template <std::size_t N>
Tensor vstack(const std::array<Tensor, N>& x) {
    return detail::vstack(x);
}
template <class... CT>
    requires detail::TupleOfTensors<CT...>
Tensor vstack(std::tuple<CT...>&& t) {
    return detail::vstack(detail::tensors_of(t));
}

/// Of n vectors, n tensors with an axis for each ("ij"): the i-th repeats vector i along all axes but i. Views.
inline std::vector<Tensor> meshgrid(const std::vector<Tensor>& x) {
    auto grids = std::vector<Tensor>(x.size());
    detail::meshgrid(x, grids);
    return grids;
}
template <class... E>
    requires(AnyTensor<E> || ...) && (detail::GridAxis<E> && ...)
std::array<Tensor, sizeof...(E)> meshgrid(E&&... x) {
    const std::array<Tensor, sizeof...(E)> vectors{Tensor(x)...};
    std::array<Tensor, sizeof...(E)> grids;
    detail::meshgrid(vectors, grids);
    return grids;
}

}  // namespace xtgrad
