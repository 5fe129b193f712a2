// Other arrangements: all linear, so each tangent is the op itself.
#include <xtgrad/ops/manipulation.hpp>

#include <algorithm>
#include <optional>

#include <xtgrad/ops/indexing.hpp>

#include "../kernels/strided.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "../tensor/strided_operand.hpp"
#include "arrangement.hpp"
#include "elementwise.hpp"

namespace xtgrad {
namespace detail {
namespace {

bool records(const Tensor& x) { return recording() && is_floating(x.dtype()); }

// y = x reshaped;  x' = g reshaped back

void reshape_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = reshape(g, n.in[0].shape()); }
Tensor reshape_jvp(const Node& n, const Tensor* tangents) { return reshape(tangents[0], n.shape()); }
constexpr Op reshape_op{"reshape", reshape_vjp, reshape_jvp};

/// The one extent of -1 inferred.
Shape inferred(const char* op, const Tensor& x, Shape shape) {
    const Index size = element_count(x);
    const auto unknown = std::find(shape.begin(), shape.end(), -1);
    if (unknown != shape.end()) {
        if (std::count(shape.begin(), shape.end(), -1) > 1)
            fail<ShapeError>(op, "more than one -1 in ", shape, "; only one extent can be inferred");
        *unknown = 1;
        const Index rest = checked_size(op, shape.data(), int(shape.size()));
        *unknown = -1;
        if (rest <= 0 || size % rest != 0)
            fail<ShapeError>(op, "cannot infer -1: ", x.shape(), " has ", size, " elements, which ", shape,
                             " does not divide; choose extents whose product is ", size);
        *unknown = size / rest;
    }
    if (checked_size(op, shape.data(), int(shape.size())) != size)
        fail<ShapeError>(op, "sizes differ: ", x.shape(), " has ", size, " elements, ", shape, " has ", size_of(shape),
                         "; one extent may be -1 and is inferred");
    return shape;
}

Tensor reshape_as(const Op& op, const Tensor& x, const Shape& shape) {
    Tensor y = reshaped(contiguous(x), shape);
    if (records(x)) record(op, y, x, {.in0 = ghost(x)});
    return y;
}

/// The strides under which elements that lie like this read, in the same order, as another shape; if there are any.
std::optional<Strides> strides_under(const Shape& from, const Strides& steps, const Shape& shape) {
    Strides result = shape;
    for (std::size_t i = 0, j = 0; j < shape.size();) {
        if (shape[j] == 1) {
            result[j++] = 1;
            continue;
        }
        while (from[i] == 1) ++i;
        // The shortest runs of axes, i to i_end and j to j_end, of equally many elements.
        std::size_t i_end = i + 1, j_end = j + 1, last = i;
        for (Index m = from[i], n = shape[j]; m != n;) {
            if (m > n) {
                n *= shape[j_end++];
                continue;
            }
            if (from[i_end] != 1) {
                if (steps[last] != steps[i_end] * from[i_end]) return {};
                last = i_end;
            }
            m *= from[i_end++];
        }
        result[j_end - 1] = steps[last];
        for (std::size_t k = j_end - 1; k > j; --k) result[k - 1] = result[k] * shape[k];
        i = i_end;
        j = j_end;
    }
    return result;
}

// y = x broadcast;  x' = g summed over what was repeated

void broadcast_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = sum_to(g, n.in[0].shape()); }
Tensor broadcast_jvp(const Node& n, const Tensor* tangents) { return broadcast_to(tangents[0], n.shape()); }
constexpr Op broadcast_op{"broadcast_to", broadcast_vjp, broadcast_jvp};

// y = x with permuted axes;  x' = g permuted back. The node keeps the permutation, four bits an axis.

Attr packed(const Axes& permutation) {
    Attr attr;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < permutation.size(); ++i) bits |= std::uint64_t(permutation[i]) << 4 * i;
    attr.i = Index(bits);
    attr.j = Index(permutation.size());
    return attr;
}
Axes unpacked(const Attr& attr) {
    Axes permutation;
    for (Index i = 0; i < attr.j; ++i) permutation.push_back(Index(std::uint64_t(attr.i) >> 4 * i & 15));
    return permutation;
}
void transpose_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Axes permutation = unpacked(n.attr);
    Axes inverse = permutation;
    for (std::size_t i = 0; i < permutation.size(); ++i) inverse[std::size_t(permutation[i])] = Index(i);
    cotangents[0] = transpose(g, &inverse);
}
Tensor transpose_jvp(const Node& n, const Tensor* tangents) {
    const Axes permutation = unpacked(n.attr);
    return transpose(tangents[0], &permutation);
}
constexpr Op transpose_op{"transpose", transpose_vjp, transpose_jvp};

constexpr Op squeeze_op{"squeeze", reshape_vjp, reshape_jvp};
constexpr Op expand_dims_op{"expand_dims", reshape_vjp, reshape_jvp};

/// A view that differs from x in axes of extent 1.
Tensor with_axes(const Op& op, const Tensor& x, const Shape& shape, const Strides& strides) {
    Tensor y = make_view(x, shape, strides);
    if (records(x)) record(op, y, x, {.in0 = ghost(x)});
    return y;
}

// y = x1, x2, ... joined along an axis;  xi' = its part of g. The node keeps where the parts end.

Tensor part_of(const Tensor& x, Index axis, Index begin, Index end) {
    std::vector<Slice> slices(std::size_t(axis), Slice::all());
    slices.push_back(Slice::range(begin, end));
    return sliced(x, slices);
}
void concatenate_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    Index begin = 0;
    for (std::size_t i = 0; i < n.extra->tags.size(); ++i) {
        const Index end = begin + n.extra->extents[i];
        if (wants(need, i)) cotangents[i] = part_of(g, n.attr.i, begin, end);
        begin = end;
    }
}
Tensor concatenate_jvp(const Node& n, const Tensor* tangents) {
    std::vector<Tensor> parts;
    for (std::size_t i = 0; i < n.extra->tags.size(); ++i) {
        Shape shape = n.shape();
        shape[std::size_t(n.attr.i)] = n.extra->extents[i];
        parts.push_back(tangents[i].defined() ? tangents[i] : broadcast_to(scalar(0, n.dtype()), shape));
    }
    return concatenate(parts, n.attr.i);
}
constexpr Op concatenate_op{"concatenate", concatenate_vjp, concatenate_jvp};

/// Where a new axis goes among those of x, counted from the front.
Index new_axis(const char* op, Index axis, const Tensor& x) {
    const int rank = x.block()->rank;
    if (axis < -rank - 1 || axis > rank)
        fail<ShapeError>(op, "new axis ", axis, " has no place in ", x.shape(), "; ", Choices{rank + 1});
    return axis < 0 ? axis + rank + 1 : axis;
}

void check_list(const char* op, std::span<const Tensor> x) {
    if (x.empty()) fail<ShapeError>(op, "of no tensors; give at least one");
    for (const Tensor& t : x) {
        check_defined(op, t);
        check_same_dtype(op, x[0], t);
    }
}

Tensor transposed(const char* op, const Tensor& x, const Axes* permutation) {
    check_defined(op, x);
    const Shape shape = x.shape();
    const Strides strides = x.strides();
    Axes axes;
    if (permutation) {
        if (permutation->size() != shape.size())
            fail<ShapeError>(op, "permutation ", *permutation, " needs ", shape.size(), " axes, as ", shape,
                             " has; name each once");
        axes = normalized_axes(op, *permutation, x);
    } else {
        for (std::size_t i = shape.size(); i-- > 0;) axes.push_back(Index(i));
    }
    Shape new_shape = shape;
    Strides new_strides = strides;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        new_shape[i] = shape[std::size_t(axes[i])];
        new_strides[i] = strides[std::size_t(axes[i])];
    }
    Tensor y = make_view(x, new_shape, new_strides);
    if (records(x)) record(transpose_op, y, x, {}, packed(axes));
    return y;
}

}  // namespace

Tensor transpose(const Tensor& x, const Axes* permutation) { return transposed("transpose", x, permutation); }

Tensor squeeze(const Tensor& x, const Axes* axes) {
    check_defined("squeeze", x);
    const Shape shape = x.shape();
    const Strides strides = x.strides();
    std::uint32_t drop = 0;
    if (axes) {
        for (const Index axis : normalized_axes("squeeze", *axes, x)) {
            if (shape[std::size_t(axis)] != 1)
                fail<ShapeError>("squeeze", "axis ", axis, " of ", shape, " has extent ", shape[std::size_t(axis)],
                                 "; only axes of extent 1 can go");
            drop |= 1u << axis;
        }
    } else {
        for (std::size_t i = 0; i < shape.size(); ++i) drop |= std::uint32_t(shape[i] == 1) << i;
    }
    Shape s;
    Strides t;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (drop >> i & 1) continue;
        s.push_back(shape[i]);
        t.push_back(strides[i]);
    }
    return with_axes(squeeze_op, x, s, t);
}

Tensor expand_dims(const Tensor& x, Index axis) {
    check_defined("expand_dims", x);
    Shape shape = x.shape();
    Strides strides = x.strides();
    check_rank("expand_dims", shape.size() + 1);
    const auto at = std::size_t(new_axis("expand_dims", axis, x));
    shape.insert(at, 1);
    strides.insert(at, 1);
    return with_axes(expand_dims_op, x, shape, strides);
}

Tensor reshape_in_place(const Tensor& x, const Shape& shape) {
    const std::optional<Strides> strides =
        x.block()->dense ? std::nullopt : strides_under(x.shape(), x.strides(), shape);  // dense tensors of no elements, too
    return strides ? with_axes(reshape_op, x, shape, *strides) : reshape_as(reshape_op, x, shape);
}

std::vector<Tensor> split(const Tensor& x, Index parts, Index axis, const char* op) {
    check_defined(op, x);
    axis = normalized_axis(op, axis, x);
    const Index extent = x.shape(axis);
    if (parts < 1 || extent % parts != 0)
        fail<ShapeError>(op, "axis ", axis, " of ", x.shape(), " does not divide into ", parts,
                         " equal parts; use view for unequal ones");
    constexpr Index most = 1 << 16;
    if (parts > std::max(extent, most))
        fail<ShapeError>(op, "axis ", axis, " of ", x.shape(), " into ", parts, " empty parts; use at most ", most);
    std::vector<Tensor> result;
    result.reserve(std::size_t(parts));
    for (Index i = 0; i < parts; ++i) result.push_back(part_of(x, axis, i * (extent / parts), (i + 1) * (extent / parts)));
    return result;
}

Tensor concatenate(std::span<const Tensor> x, Index axis) {
    check_list("concatenate", x);
    Shape shape = x[0].shape();
    const auto at = std::size_t(normalized_axis("concatenate", axis, x[0]));
    std::vector<Index> extents;
    Index total = 0;
    for (const Tensor& t : x) {
        Shape other = t.shape();
        if (other.size() != shape.size())
            fail<ShapeError>("concatenate", "numbers of axes differ: ", shape, " and ", other, "; add axes with expand_dims");
        extents.push_back(other[at]);
        total = std::min(total + other[at], Index(1) << 60);  // more than any tensor has
        other[at] = shape[at];
        if (other != shape)
            fail<ShapeError>("concatenate", "shapes differ beyond axis ", at, ": ", shape, " and ", t.shape(),
                             "; only that extent may differ");
    }
    shape[at] = total;
    Tensor out = allocate(x[0].dtype(), shape, "concatenate");
    const Index item = Index(xtgrad::size_of(out.dtype())), step = out.strides()[at];
    std::byte* to = out.block()->data;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const Tensor dense = contiguous(x[i]);
        kernels::scatter(space_of(dense), dense.block()->data, to, out.block()->strides(), int(item));
        to += extents[i] * step * item;
    }
    if (records(out)) {
        Attr attr;
        attr.i = Index(at);
        record(concatenate_op, out, x, attr).extra->extents = std::move(extents);
    }
    return out;
}

Tensor stack(std::span<const Tensor> x, Index axis) {
    check_list("stack", x);
    check_rank("stack", x[0].dimension() + 1);
    axis = new_axis("stack", axis, x[0]);
    for (const Tensor& t : x)
        if (t.shape() != x[0].shape())
            fail<ShapeError>("stack", "shapes differ: ", x[0].shape(), " and ", t.shape(), "; all need one shape");
    std::vector<Tensor> expanded;
    for (const Tensor& t : x) expanded.push_back(expand_dims(t, axis));
    return concatenate(expanded, axis);
}

}  // namespace detail

Tensor reshape(const Tensor& x, const Shape& shape) {
    detail::check_defined("reshape", x);
    return detail::reshape_as(detail::reshape_op, x, detail::inferred("reshape", x, shape));
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
    using namespace detail;
    check_defined("broadcast_to", x);
    checked_size("broadcast_to", shape.data(), int(shape.size()));
    const Shape from = x.shape();
    if (from == shape) return x;
    bool fits = from.size() <= shape.size();
    const std::size_t skip = fits ? shape.size() - from.size() : 0;
    Strides strides = shape;
    for (std::size_t i = 0; fits && i < shape.size(); ++i) {
        const bool repeats = i < skip || (from[i - skip] == 1 && shape[i] != 1);
        fits = repeats || from[i - skip] == shape[i];
        strides[i] = repeats ? 0 : x.strides()[i - skip];
    }
    if (!fits)
        fail<ShapeError>("broadcast_to", from, " does not broadcast to ", shape,
                         "; extents must be equal or 1, aligned at the last axis");
    Tensor y = make_view(x, shape, strides);
    if (records(x)) record(broadcast_op, y, x, {.in0 = ghost(x)});
    return y;
}

Tensor permute(const Tensor& x, const Axes& permutation) { return detail::transposed("permute", x, &permutation); }

Tensor copy(const Tensor& x) {
    using namespace detail;
    check_defined("copy", x);
    Tensor y = copied(x);
    if (records(x)) record_identity(y, x);
    return y;
}

}  // namespace xtgrad
