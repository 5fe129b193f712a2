// Slices and rows by index.
#include <xtgrad/ops/indexing.hpp>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../kernels/strided.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "../tensor/strided_operand.hpp"
#include "elementwise.hpp"
#include "indices.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// The part of a tensor that slices name: shape and strides of the view, and where it begins.
struct Part {
    Shape shape;
    Strides strides;
    Index offset = 0;
};

Index checked_index(const char* op, Index i, Index extent, const Shape& shape, std::size_t axis) {
    if (i < -extent || i >= extent)
        fail<IndexError>(op, "index ", i, " is out of range: axis ", axis, " of ", shape, " has extent ", extent, "; ",
                         Choices{extent});
    return i < 0 ? i + extent : i;
}

/// As Python slices: bounds beyond the ends are cut.
void add_range(const char* op, Part& part, const Slice& s, Index extent, Index stride) {
    if (s.step == 0) fail<IndexError>(op, "a range with step 0; use a positive or a negative step");
    const bool up = s.step > 0;
    const Index step = std::clamp(s.step, -extent - 1, extent + 1);  // farther makes no difference
    const auto bound = [&](Index i) {
        return std::clamp(i < 0 ? i + extent : i, up ? Index(0) : Index(-1), up ? extent : extent - 1);
    };
    const Index start = s.has_start ? bound(s.start) : up ? 0 : extent - 1;
    const Index stop = s.has_stop ? bound(s.stop) : up ? extent : -1;
    const Index n = up ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
    part.shape.push_back(std::max<Index>(n, 0));
    part.strides.push_back(stride * step);
    if (n > 0) part.offset += start * stride;
}

Part part_of(const char* op, const Tensor& x, const std::vector<Slice>& slices) {
    check_defined(op, x);
    const Shape shape = x.shape();
    const Strides strides = x.strides();
    std::size_t named = 0, ellipses = 0;
    for (const Slice& s : slices) {
        named += s.kind == Slice::Kind::index || s.kind == Slice::Kind::range;
        ellipses += s.kind == Slice::Kind::ellipsis;
    }
    if (ellipses > 1) fail<IndexError>(op, "more than one ellipsis; one is enough");
    if (named > shape.size())
        fail<IndexError>(op, named, " slices for the ", shape.size(), " axes of ", shape, "; give at most one for each");
    std::size_t rank = shape.size();
    for (const Slice& s : slices)
        rank += s.kind == Slice::Kind::new_axis ? 1 : s.kind == Slice::Kind::index ? std::size_t(-1) : 0;
    check_rank(op, rank);
    Part part;
    std::size_t axis = 0;
    const auto whole = [&](std::size_t n) {
        for (; n > 0; --n, ++axis) {
            part.shape.push_back(shape[axis]);
            part.strides.push_back(strides[axis]);
        }
    };
    for (const Slice& s : slices) switch (s.kind) {
            case Slice::Kind::index:
                part.offset += checked_index(op, s.start, shape[axis], shape, axis) * strides[axis];
                ++axis;
                break;
            case Slice::Kind::range:
                add_range(op, part, s, shape[axis], strides[axis]);
                ++axis;
                break;
            case Slice::Kind::new_axis:
                part.shape.push_back(1);
                part.strides.push_back(0);
                break;
            case Slice::Kind::ellipsis: whole(shape.size() - named); break;
        }
    whole(shape.size() - axis);
    if (size_of(part.shape) == 0) part.offset = 0;
    return part;
}

/// Slices as a node keeps them.
std::unique_ptr<Extra> kept(const std::vector<Slice>& slices) {
    auto extra = std::make_unique<Extra>();
    for (const Slice& s : slices)
        extra->extents.insert(extra->extents.end(),
                              {Index(s.kind), s.start, s.stop, s.step, Index(s.has_start), Index(s.has_stop)});
    return extra;
}
std::vector<Slice> slices_of(const Node& n) {
    std::vector<Slice> slices;
    const auto& e = n.extra->extents;
    for (std::size_t i = 0; i < e.size(); i += 6)
        slices.push_back({Slice::Kind(e[i]), e[i + 1], e[i + 2], e[i + 3], e[i + 4] != 0, e[i + 5] != 0});
    return slices;
}

Tensor zeros_of(const Tensor& like) { return broadcast_to(scalar(0, like.dtype()), like.shape()); }

// y = part of x;  x' = 0 with that part replaced by g

void view_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = with_slice(zeros_of(n.in[0]), g, slices_of(n));
}
Tensor view_jvp(const Node& n, const Tensor* tangents) { return sliced(tangents[0], slices_of(n)); }
void add_view_vjp(const Node& n, const Tensor& g, const Tensor& sum) {
    const Part part = part_of("view", sum, slices_of(n));
    with_floating(sum.dtype(), [&](auto z) {
        using T = decltype(z);
        const Tensor dense = contiguous(g);
        kernels::scatter_add(space_of(part.shape), mutable_data<T>(dense), mutable_data<T>(sum) + part.offset,
                             part.strides.data());
    });
}
constexpr Op view_op{"view", view_vjp, view_jvp, add_view_vjp};

// y = x with a part replaced by v;  x' = g with that part 0,  v' = that part of g

void set_view_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const auto slices = slices_of(n);
    if (need & 1) cotangents[0] = with_slice(g, scalar(0, g.dtype()), slices);
    if (need & 2) cotangents[1] = sum_to(sliced(g, slices), n.in[1].shape());
}
Tensor set_view_jvp(const Node& n, const Tensor* tangents) {
    const Tensor zero = scalar(0, n.dtype());
    return with_slice(tangents[0].defined() ? tangents[0] : broadcast_to(zero, n.shape()),
                      tangents[1].defined() ? tangents[1] : zero, slices_of(n));
}
constexpr Op set_view_op{"set_view", set_view_vjp, set_view_jvp};

}  // namespace

Tensor sliced(const Tensor& x, const std::vector<Slice>& slices) {
    const Part part = part_of("view", x, slices);
    Tensor y = make_view(x, part.shape, part.strides, part.offset);
    if (recording() && is_floating(x.dtype())) record(view_op, y, x, {.in0 = ghost(x)}, {}, kept(slices));
    return y;
}

Tensor with_slice(const Tensor& x, const Tensor& value, const std::vector<Slice>& slices) {
    check_defined("set_view", x);
    check_defined("set_view", value);
    check_same_dtype("set_view", x, value);
    Tensor y = copied(x);
    const Part part = part_of("set_view", y, slices);
    if (broadcast_shapes("set_view", part.shape, value.shape()) != part.shape)
        fail<ShapeError>("set_view", "the value ", value.shape(), " does not broadcast to the slice ", part.shape,
                         "; give it that shape, or 1 where it repeats");
    const kernels::Space space = space_of(part.shape);
    Tensor dense = value;
    if (value.shape() != part.shape || !value.block()->dense) {
        dense = allocate(value.dtype(), part.shape);
        kernels::copy(space, operand_in(space, value), dense.block()->data);
    }
    const int item = int(xtgrad::size_of(x.dtype()));
    kernels::scatter(space, dense.block()->data, y.block()->data + part.offset * item, part.strides.data(), item);
    if (recording() && is_floating(x.dtype())) record(set_view_op, y, x, value, {.in1 = ghost(value)}, {}, kept(slices));
    return y;
}

namespace {

/// The shape of take(x, indices, axis).
Shape taken_shape(const Shape& x, std::size_t axis, const Shape& indices) {
    Shape s = Shape::of(x.data(), int(axis));
    for (const Index d : indices) s.push_back(d);
    for (std::size_t i = axis + 1; i < x.size(); ++i) s.push_back(x[i]);
    return s;
}

// y = x[i];  x' = g added at i to 0.  y = x + v at i;  x' = g,  v' = g[i].  Each is the other's adjoint; out is the indices.

void take_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = index_add(zeros_of(n.in[0]), n.out, g, n.attr.i);
}
Tensor take_jvp(const Node& n, const Tensor* tangents) { return take(tangents[0], n.out, n.attr.i); }
constexpr Op take_op{"take", take_vjp, take_jvp};

void index_add_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    if (need & 2) cotangents[1] = take(g, n.out, n.attr.i);
    if (need & 1) cotangents[0] = std::move(g);
}
Tensor index_add_jvp(const Node& n, const Tensor* tangents) {
    if (!tangents[1].defined()) return tangents[0];
    const Tensor start = tangents[0].defined() ? tangents[0] : broadcast_to(scalar(0, n.dtype()), n.shape());
    return index_add(start, n.out, tangents[1], n.attr.i);
}
constexpr Op index_add_op{"index_add", index_add_vjp, index_add_jvp};

}  // namespace

Tensor taken(const char* op, const Tensor& x, const Tensor& indices, Index axis) {
    check_defined(op, x);
    check_indices(op, indices);
    const auto at = std::size_t(normalized_axis(op, axis, x));
    check_rank(op, x.dimension() - 1 + indices.dimension());
    const Tensor dense = contiguous(x), at_indices = contiguous(indices);
    const kernels::Gather g = gather_of(op, x.shape(), at, element_count(indices), at_indices);
    Tensor y = allocate(x.dtype(), taken_shape(x.shape(), at, indices.shape()), op);
    kernels::take(g, int(size_of(x.dtype())), dense.block()->data, y.block()->data);
    if (recording() && is_floating(x.dtype())) {
        Attr attr;
        attr.i = Index(at);
        record(take_op, y, x, {.in0 = ghost(x), .out = indices}, attr);
    }
    return y;
}

}  // namespace detail

Tensor take(const Tensor& x, const Tensor& indices, Index axis) { return detail::taken("take", x, indices, axis); }

Tensor embedding(const Tensor& weight, const Tensor& indices) {
    using namespace detail;
    check_defined("embedding", weight);
    if (weight.dimension() != 2)
        fail<ShapeError>("embedding", "the weight ", weight.shape(),
                         " is no matrix with a row for each index; use take for others");
    return taken("embedding", weight, indices, 0);
}

Tensor index_add(const Tensor& x, const Tensor& indices, const Tensor& values, Index axis) {
    using namespace detail;
    check_defined("index_add", x);
    check_indices("index_add", indices);
    check_defined("index_add", values);
    check_same_dtype("index_add", x, values);
    if (x.dtype() == Dtype::boolean)
        fail<DtypeError>("index_add", "does not take boolean ", x.shape(), "; convert with astype(x, xg::i64)");
    const auto at = std::size_t(normalized_axis("index_add", axis, x));
    const Shape wanted = taken_shape(x.shape(), at, indices.shape());
    if (values.shape() != wanted)
        fail<ShapeError>("index_add", "values ", values.shape(), " need the shape of take(x, indices, axis), ", wanted,
                         "; broadcast them with broadcast_to");
    const Tensor dense = contiguous(values), at_indices = contiguous(indices);
    const kernels::Gather g = gather_of("index_add", x.shape(), at, element_count(indices), at_indices);
    const bool constant = is_constant(x);
    const Tensor start = constant ? x : contiguous(x);
    Tensor y = allocate_like(x, "index_add");
    const auto add = [&](auto z) {
        using T = decltype(z);
        kernels::add_at<T>(g, {mutable_data<T>(start), constant}, mutable_data<T>(dense), mutable_data<T>(y));
    };
    x.dtype() == Dtype::i64 ? add(std::int64_t{}) : with_floating(x.dtype(), add);
    if (recording() && is_floating(x.dtype())) {
        Attr attr;
        attr.i = Index(at);
        record(index_add_op, y, x, values, {.out = indices}, attr);
    }
    return y;
}

Tensor one_hot(const Tensor& labels, Index n, Dtype dtype) {
    using namespace detail;
    check_indices("one_hot", labels);
    if (n < 0) fail<ShapeError>("one_hot", "negative number of classes ", n, "; use 0 or more");
    const Tensor dense = contiguous(labels);
    const auto* label = mutable_data<std::int64_t>(dense);
    const Index count = element_count(dense);
    for (Index i = 0; i < count; ++i)
        if (label[i] < 0 || label[i] >= n)
            fail<IndexError>("one_hot", "label ", label[i], " is out of range for ", n, " classes; ", Labels{n});
    check_rank("one_hot", labels.dimension() + 1);
    Shape shape = labels.shape();
    shape.push_back(n);
    Tensor y = zeros(shape, dtype);
    with_element(dtype, [&](auto z) {
        using T = decltype(z);
        for (Index i = 0; i < count; ++i) mutable_data<T>(y)[i * n + label[i]] = T(1);
    });
    return y;
}

}  // namespace xtgrad
