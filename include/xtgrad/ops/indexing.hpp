// Parts of a tensor: slices with xtensor's ranges, and rows by index.
#pragma once
#include <optional>
#include <vector>

#include "operands.hpp"

namespace xt {
struct xall_tag;
struct xnewaxis_tag;
struct xellipsis_tag;
template <class A, class B, class C>
struct xrange_adaptor;
namespace placeholders {
template <class... A>
struct rangemaker;
}
}  // namespace xt

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

/// One entry of a list of slices.
struct Slice {
    enum class Kind { index, range, new_axis, ellipsis } kind;
    Index start = 0;  // or the index
    Index stop = 0;
    Index step = 1;
    bool has_start = false, has_stop = false;

    static Slice index(Index i) { return {.kind = Kind::index, .start = i}; }
    static Slice all() { return {.kind = Kind::range}; }
    static Slice range(Index start, Index stop) {
        return {.kind = Kind::range, .start = start, .stop = stop, .has_start = true, .has_stop = true};
    }
    static Slice new_axis() { return {.kind = Kind::new_axis}; }
    static Slice ellipsis() { return {.kind = Kind::ellipsis}; }
};

/// x restricted to the slices; a view.
Tensor sliced(const Tensor& x, const std::vector<Slice>&);
/// x with that part replaced.
Tensor with_slice(const Tensor& x, const Tensor& value, const std::vector<Slice>&);
/// take under the name of the op that calls it.
Tensor taken(const char* op, const Tensor& x, const Tensor& indices, Index axis);

template <class S>
Slice slice_of(const S& s) {
    if constexpr (std::integral<S>) {
        return Slice::index(Axes(s).front());
    } else if constexpr (std::same_as<S, xt::xall_tag>) {
        return Slice::all();
    } else if constexpr (std::same_as<S, xt::xnewaxis_tag>) {
        return Slice::new_axis();
    } else if constexpr (std::same_as<S, xt::xellipsis_tag>) {
        return Slice::ellipsis();
    } else if constexpr (requires { s.start(), s.stop(), s.step(); }) {
        Slice slice = Slice::all();
        if constexpr (std::integral<decltype(s.start())>) slice.start = s.start(), slice.has_start = true;
        if constexpr (std::integral<decltype(s.stop())>) slice.stop = s.stop(), slice.has_stop = true;
        if constexpr (std::integral<decltype(s.step())>) slice.step = s.step();
        return slice;
    } else if constexpr (requires { []<class A, class B, class C>(const xt::placeholders::rangemaker<A, B, C>&) {}(s); }) {
        return []<class A, class B, class C>(xt::placeholders::rangemaker<A, B, C> maker) {
            return slice_of(static_cast<xt::xrange_adaptor<A, B, C>>(maker));
        }(s);
    } else {
        static_assert(sizeof(S) == 0,
                      "slices are integers, xt::range, xt::all(), xt::newaxis() and xt::ellipsis(); for xt::keep use take");
    }
}

}  // namespace detail

// As for the reductions: overloads for each way to pass a Tensor.
#define XTGRAD_VIEW(X)                                                                                       \
    /** Part of x by xtensor's slices, as xt::view; a view. */                                               \
    template <class... S>                                                                                    \
    Tensor view(X x, S&&... slices) {                                                                        \
        return detail::sliced(x, {detail::slice_of(static_cast<const std::remove_cvref_t<S>&>(slices))...}); \
    }
XTGRAD_VIEW(Tensor&)
XTGRAD_VIEW(const Tensor&)
XTGRAD_VIEW(Tensor&&)
#undef XTGRAD_VIEW

/// A copy of x in which view(x, slices...) is `value`, a number or broadcast to it; differentiable in x and in value. What
/// slice assignment is elsewhere. Throws ShapeError, IndexError.
template <class V, class... S>
    requires Operand<V>
[[nodiscard]] Tensor set_view(const Tensor& x, const V& value, S&&... slices) {
    return detail::with_slice(x, detail::as_tensor("set_view", value, x),
                              {detail::slice_of(static_cast<const std::remove_cvref_t<S>&>(slices))...});
}

/// The slices of x along an axis that the indices (i64, any shape) name; their shape takes the axis' place. Negative indices
/// count from the end. Throws IndexError when one is out of range.
Tensor take(const Tensor& x, const Tensor& indices, Index axis = 0);

/// A copy of x to whose slices along an axis the slices of `values` are added; repeated indices add up. The adjoint of take.
Tensor index_add(const Tensor& x, const Tensor& indices, const Tensor& values, Index axis = 0);

/// The rows of a matrix (n, d) that the indices name: shape indices.shape + (d,). What take(weight, indices) is, as models
/// call it.
Tensor embedding(const Tensor& weight, const Tensor& indices);

/// y[i, j] = x[indices[i, j], j] along axis 0, and so on: an element of x for each index (i64). The indices have as many axes
/// as x; extents of the others broadcast. Negative indices count from the end. Throws IndexError when one is out of range.
/// PyTorch's gather.
Tensor take_along_axis(const Tensor& x, const Tensor& indices, Index axis);

/// A copy of x to whose elements take_along_axis(x, indices, axis) `values` are added; repeated indices add up. The adjoint of
/// take_along_axis.
Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& values, Index axis);

/// 1 at each label, else 0: shape labels.shape + (n,). Labels are i64 in [0, n), else IndexError.
Tensor one_hot(const Tensor& labels, Index n, Dtype dtype = Dtype::f32);

}  // namespace xtgrad
