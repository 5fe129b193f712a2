// Sorting, and the few largest. Values are x at an order of positions along an axis, none twice in a line: linear in x.
#include <xtgrad/ops/sorting.hpp>

#include <xtgrad/ops/creation.hpp>

#include "../kernels/sort.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "lines.hpp"

namespace xtgrad {
namespace detail {
namespace {

Attr axis_attr(Index axis) {
    Attr attr;
    attr.i = axis;
    return attr;
}
/// x's shape with another extent along an axis.
Shape resized(Shape shape, Index axis, Index extent) {
    shape[std::size_t(axis)] = extent;
    return shape;
}

// y = x at the order;  x' = 0 with g at the order;  y. = x. at the order. Each is the other's adjoint; out is the order.

Tensor gathered(const Op& op, const Tensor& x, const Tensor& order, Index axis);
Tensor scattered(const Tensor& g, const Tensor& order, Index axis, Index extent);

void gather_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = scattered(g, n.out, n.attr.i, n.in[0].shape(n.attr.i));
}
Tensor gather_jvp(const Node& n, const Tensor* tangents) { return gathered(*n.op, tangents[0], n.out, n.attr.i); }
constexpr Op sort_op{"sort", gather_vjp, gather_jvp};
constexpr Op topk_op{"topk", gather_vjp, gather_jvp};
constexpr Op scatter_adjoint_op{"sort_vjp_vjp", gather_vjp, gather_jvp};

void scatter_vjp(const Node& n, Tensor h, Need, Tensor* cotangents) {
    cotangents[0] = gathered(scatter_adjoint_op, h, n.out, n.attr.i);
}
Tensor scatter_jvp(const Node& n, const Tensor* tangents) {
    return scattered(tangents[0], n.out, n.attr.i, n.shape()[std::size_t(n.attr.i)]);
}
constexpr Op scatter_op{"sort_vjp", scatter_vjp, scatter_jvp};

Tensor gathered(const Op& op, const Tensor& x, const Tensor& order, Index axis) {
    const Tensor dense = contiguous(x);
    Tensor out = allocate(x.dtype(), order.shape());
    with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::gather_lines(lines_of(x.shape(), axis), order.shape(axis), mutable_data<std::int64_t>(order),
                              mutable_data<T>(dense), mutable_data<T>(out));
    });
    if (recording() && is_floating(x.dtype())) record(op, out, x, {.in0 = ghost(x), .out = order}, axis_attr(axis));
    return out;
}

Tensor scattered(const Tensor& g, const Tensor& order, Index axis, Index extent) {
    const Tensor dense = contiguous(g);
    Tensor out = zeros(resized(g.shape(), axis, extent), g.dtype());
    with_floating(g.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::scatter_lines(lines_of(out.shape(), axis), order.shape(axis), mutable_data<std::int64_t>(order),
                               mutable_data<T>(dense), mutable_data<T>(out));
    });
    if (recording()) record(scatter_op, out, g, {.out = order}, axis_attr(axis));
    return out;
}

/// Where the first k of each line are.
Tensor order_of(const Tensor& x, Index axis, Index k, bool descending) {
    const Tensor dense = contiguous(x);
    const kernels::Lines lines = lines_of(x.shape(), axis);
    Tensor order = allocate(Dtype::i64, resized(x.shape(), axis, k));
    with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const Tensor scratch = allocate(Dtype::i64, Shape{Index(kernels::order_scratch<T>(lines) / sizeof(std::int64_t))});
        kernels::order(lines, k, descending, mutable_data<T>(dense), mutable_data<std::int64_t>(order), scratch.block()->data);
    });
    return order;
}

Index checked_axis(const char* op, const Tensor& x, Index axis) {
    check_defined(op, x);
    return normalized_axis(op, axis, x);
}

std::pair<Tensor, Tensor> sorted(const char* op, const Tensor& x, Index axis) {
    axis = checked_axis(op, x, axis);
    const Tensor order = order_of(x, axis, x.shape(axis), false);
    return {gathered(sort_op, x, order, axis), order};
}

}  // namespace
}  // namespace detail

std::pair<Tensor, Tensor> sort_with_indices(const Tensor& x, Index axis) { return detail::sorted("sort_with_indices", x, axis); }

Tensor sort(const Tensor& x, Index axis) { return detail::sorted("sort", x, axis).first; }

Tensor argsort(const Tensor& x, Index axis) {
    axis = detail::checked_axis("argsort", x, axis);
    return detail::order_of(x, axis, x.shape(axis), false);
}

std::pair<Tensor, Tensor> topk(const Tensor& x, Index k, Index axis, bool largest) {
    using namespace detail;
    axis = checked_axis("topk", x, axis);
    if (k < 0 || k > x.shape(axis))
        fail<ShapeError>("topk", "k is ", k, ", but axis ", axis, " of ", x.shape(), " has extent ", x.shape(axis), "; use 0 to ",
                         x.shape(axis));
    const Tensor order = order_of(x, axis, k, largest);
    return {gathered(topk_op, x, order, axis), order};
}

}  // namespace xtgrad
