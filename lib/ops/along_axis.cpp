// Elements by index, along an axis.
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tape/record.hpp"
#include "indices.hpp"

namespace xtgrad {
namespace detail {
namespace {

// y[i, j] = x[at[i, j], j];  x' = g added there to 0.  y = x + v there;  x' = g,  v'[i, j] = g[at[i, j], j].
// Each is the other's adjoint; out is the indices.

void take_along_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Tensor zero = broadcast_to(scalar(0, g.dtype()), n.in[0].shape());
    cotangents[0] = scatter_add(zero, n.out, g, n.attr.i);
}
Tensor take_along_jvp(const Node& n, const Tensor* tangents) { return take_along_axis(tangents[0], n.out, n.attr.i); }
constexpr Op take_along_op{"take_along_axis", take_along_vjp, take_along_jvp};

void scatter_add_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    if (need & 2) cotangents[1] = take_along_axis(g, n.out, n.attr.i);
    if (need & 1) cotangents[0] = std::move(g);
}
Tensor scatter_add_jvp(const Node& n, const Tensor* tangents) {
    if (!tangents[1].defined()) return tangents[0];
    const Tensor start = tangents[0].defined() ? tangents[0] : broadcast_to(scalar(0, n.dtype()), n.shape());
    return scatter_add(start, n.out, tangents[1], n.attr.i);
}
constexpr Op scatter_add_op{"scatter_add", scatter_add_vjp, scatter_add_jvp};

Attr attr_of(std::size_t axis) {
    Attr attr;
    attr.i = Index(axis);
    return attr;
}

/// What shapes broadcast to in every axis but one, in which the result has extent 1.
Shape common_shape(const char* op, const Shape& x, const Shape& indices, std::size_t axis) {
    bool fits = x.size() == indices.size();
    Shape common = x;
    for (std::size_t i = 0; fits && i < x.size(); ++i) {
        if (i != axis && x[i] == 1) common[i] = indices[i];
        fits = i == axis || indices[i] == 1 || indices[i] == common[i];
    }
    if (!fits)
        fail<ShapeError>(op, "indices ", indices, " do not go along axis ", axis, " of ", x,
                         "; they need as many axes, and the other extents must be equal or 1");
    common[axis] = 1;
    return common;
}

Shape with_extent(Shape shape, std::size_t axis, Index extent) {
    shape[axis] = extent;
    return shape;
}

}  // namespace
}  // namespace detail

Tensor take_along_axis(const Tensor& x, const Tensor& indices, Index axis) {
    using namespace detail;
    check_defined("take_along_axis", x);
    check_indices("take_along_axis", indices);
    const auto at = std::size_t(normalized_axis("take_along_axis", axis, x));
    const Shape common = common_shape("take_along_axis", x.shape(), indices.shape(), at);
    const Index count = indices.shape()[at], extent = x.shape()[at];
    const Tensor all_indices = contiguous(broadcast_to(indices, with_extent(common, at, count)));
    const kernels::Gather g = gather_of("take_along_axis", with_extent(common, at, extent), at, count, all_indices);
    Tensor y = allocate(x.dtype(), all_indices.shape(), "take_along_axis");
    const Tensor whole = broadcast_to(x, with_extent(common, at, extent)), dense = contiguous(whole);
    kernels::take_along(g, int(size_of(x.dtype())), dense.block()->data, y.block()->data);
    if (recording() && is_floating(x.dtype()))
        record(take_along_op, y, whole, {.in0 = ghost(whole), .out = all_indices}, attr_of(at));
    return y;
}

Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& values, Index axis) {
    using namespace detail;
    check_defined("scatter_add", x);
    check_indices("scatter_add", indices);
    check_defined("scatter_add", values);
    check_same_dtype("scatter_add", x, values);
    if (x.dtype() == Dtype::boolean)
        fail<DtypeError>("scatter_add", "does not take boolean ", x.shape(), "; convert with astype(x, xg::i64)");
    const auto at = std::size_t(normalized_axis("scatter_add", axis, x));
    const Shape common = common_shape("scatter_add", x.shape(), indices.shape(), at);
    const Index count = indices.shape()[at];
    const Shape wanted = with_extent(common, at, count);
    if (common != with_extent(x.shape(), at, 1) || values.shape() != wanted)
        fail<ShapeError>("scatter_add", "values ", values.shape(), " at indices ", indices.shape(), " do not fit along axis ", at,
                         " of ", x.shape(), "; they need the shape of take_along_axis(x, indices, axis)");
    const Tensor all_indices = contiguous(broadcast_to(indices, wanted)), dense = contiguous(values);
    const kernels::Gather g = gather_of("scatter_add", x.shape(), at, count, all_indices);
    const bool constant = is_constant(x);
    const Tensor start = constant ? x : contiguous(x);
    Tensor y = allocate_like(x, "scatter_add");
    const auto add = [&](auto z) {
        using T = decltype(z);
        kernels::add_along<T>(g, {mutable_data<T>(start), constant}, mutable_data<T>(dense), mutable_data<T>(y));
    };
    x.dtype() == Dtype::i64 ? add(std::int64_t{}) : with_floating(x.dtype(), add);
    if (recording() && is_floating(x.dtype())) record(scatter_add_op, y, x, values, {.out = all_indices}, attr_of(at));
    return y;
}

}  // namespace xtgrad
