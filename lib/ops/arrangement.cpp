// More arrangements: all linear, so each tangent is the op itself. What is made of other ops is checked before it begins.
#include <xtgrad/ops/arrangement.hpp>

#include <cstring>
#include <numeric>

#include <xtgrad/ops/indexing.hpp>

#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"
#include "arrangement.hpp"

namespace xtgrad {
namespace detail {
namespace {

bool records(const Tensor& x) { return recording() && is_floating(x.dtype()); }

// y = x backwards along a set of axes;  x' = g backwards

Tensor flipped(const Tensor& x, std::uint32_t axes);

void flip_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = flipped(g, std::uint32_t(n.attr.i)); }
Tensor flip_jvp(const Node& n, const Tensor* tangents) { return flipped(tangents[0], std::uint32_t(n.attr.i)); }
constexpr Op flip_op{"flip", flip_vjp, flip_jvp};

Tensor flipped(const Tensor& x, std::uint32_t axes) {
    const Shape shape = x.shape();
    Strides strides = x.strides();
    Index offset = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (!(axes >> i & 1)) continue;
        offset += strides[i] * std::max<Index>(shape[i] - 1, 0);
        strides[i] = -strides[i];
    }
    Tensor y = make_view(x, shape, strides, element_count(x) == 0 ? 0 : offset);
    Attr attr;
    attr.i = Index(axes);
    if (records(x)) record(flip_op, y, x, {}, attr);
    return y;
}

// y[i] = x[i - shift], modulo the extent;  x'[i] = g[i + shift]

Tensor rolled(const Tensor& x, Index shift, std::size_t axis);

void roll_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = rolled(g, g.shape()[std::size_t(n.attr.j)] - n.attr.i, std::size_t(n.attr.j));
}
Tensor roll_jvp(const Node& n, const Tensor* tangents) { return rolled(tangents[0], n.attr.i, std::size_t(n.attr.j)); }
constexpr Op roll_op{"roll", roll_vjp, roll_jvp};

Tensor rolled(const Tensor& x, Index shift, std::size_t axis) {
    const Tensor dense = contiguous(x);
    Tensor y = allocate_like(x, "roll");
    if (const Index n = x.shape()[axis], count = element_count(x); count != 0) {
        const std::size_t slab = std::size_t(dense.strides()[axis] * n) * size_of(x.dtype());
        const std::size_t end = slab / std::size_t(n) * std::size_t(shift % n), begin = slab - end;
        const std::byte* from = dense.block()->data;
        std::byte* to = y.block()->data;
        for (std::size_t all = std::size_t(count) * size_of(x.dtype()); all > 0; all -= slab, from += slab, to += slab) {
            std::memcpy(to, from + begin, end);
            std::memcpy(to + end, from, begin);
        }
    }
    Attr attr;
    attr.i = shift;
    attr.j = Index(axis);
    if (records(x)) record(roll_op, y, x, {}, attr);
    return y;
}

/// i from 0 to n - 1, as i64.
Tensor indices_of(Index n) { return allocate(Dtype::i64, {n}); }

/// Where the elements beyond the ends come from, by xtensor's modes: for position i of an axis of n.
Index source(int mode, Index i, Index n) {
    enum { constant, symmetric, reflect, wrap, periodic };
    const auto modulo = [](Index a, Index b) { return (a % b + b) % b; };
    if (mode == symmetric) {
        const Index j = modulo(i, 2 * n);
        return std::min(j, 2 * n - 1 - j);
    }
    if (mode == reflect) {
        if (n == 1) return 0;
        const Index j = modulo(i, 2 * n - 2);
        return std::min(j, 2 * n - 2 - j);
    }
    if (mode == wrap || mode == periodic) return modulo(i, n);
    return std::clamp<Index>(i, 0, n - 1);  // the edge, in xtensor since 0.25
}

/// The shape of a tensor with axes of extent 1 added as atleast_1d, 2d and 3d do.
Shape grown(Shape shape, std::size_t rank) {
    if (shape.size() < rank && shape.size() < 2 && rank > 1) shape.insert(0, 1);
    while (shape.size() < rank) shape.push_back(1);
    return shape;
}

/// Joined along an axis after atleast_1d or atleast_2d.
Tensor stacked(const char* op, std::span<const Tensor> x, std::size_t rank, bool along_second) {
    if (x.empty()) fail<ShapeError>(op, "of no tensors; give at least one");
    std::vector<Shape> shapes;
    for (const Tensor& t : x) {
        check_defined(op, t);
        check_same_dtype(op, x[0], t);
        shapes.push_back(grown(t.shape(), rank));
    }
    const std::size_t axis = along_second && shapes[0].size() > 1;
    for (Shape& s : shapes) {
        if (s.size() == shapes[0].size()) s[axis] = shapes[0][axis];
        if (s != shapes[0])
            fail<ShapeError>(op, "shapes differ beyond axis ", axis, ": ", x[0].shape(), " and ",
                             x[std::size_t(&s - shapes.data())].shape(), "; only that extent may differ");
    }
    std::vector<Tensor> parts;
    for (const Tensor& t : x) parts.push_back(t.dimension() < rank ? at_least(op, t, rank) : t);
    return concatenate(parts, Index(axis));
}

}  // namespace

Tensor flatten(const char* op, const Tensor& x) {
    check_defined(op, x);
    return reshape(x, {element_count(x)});
}

Tensor at_least(const char* op, const Tensor& x, std::size_t rank) {
    check_defined(op, x);
    return x.dimension() < rank ? reshape_in_place(x, grown(x.shape(), rank)) : x;
}

Tensor flip(const Tensor& x, const Index* axis) {
    check_defined("flip", x);
    const int rank = x.block()->rank;
    return flipped(x, axis ? 1u << normalized_axis("flip", *axis, x) : (1u << rank) - 1);
}

Tensor rot90(const Tensor& x, Index times, Index axis1, Index axis2) {
    check_defined("rot90", x);
    const Axes axes = normalized_axes("rot90", {axis1, axis2}, x);
    const std::uint32_t second = 1u << axes[1], both = second | 1u << axes[0];
    switch ((times % 4 + 4) % 4) {
        case 1: return swapaxes(flipped(x, second), axes[0], axes[1]);
        case 2: return flipped(x, both);
        case 3: return flipped(swapaxes(x, axes[0], axes[1]), second);
        default: return x;
    }
}

Tensor roll(const Tensor& x, Index shift, Index axis) {
    check_defined("roll", x);
    const auto at = std::size_t(normalized_axis("roll", axis, x));
    const Index n = std::max<Index>(x.shape()[at], 1);
    return rolled(x, (shift % n + n) % n, at);
}

Tensor roll(const Tensor& x, Index shift) {
    check_defined("roll", x);
    return reshape(roll(reshape(x, {element_count(x)}), shift, 0), x.shape());
}

Tensor repeat(const Tensor& x, Index repeats, Index axis) {
    check_defined("repeat", x);
    const Shape shape = x.shape();
    const auto at = std::size_t(normalized_axis("repeat", axis, x));
    if (repeats < 0) fail<ShapeError>("repeat", "a negative number of repeats, ", repeats, "; use 0 or more");
    check_rank("repeat", shape.size() + 1);
    Shape apart = shape, repeated = shape, joined = shape;
    apart.insert(at + 1, 1);
    repeated.insert(at + 1, repeats);
    checked_size("repeat", repeated.data(), int(repeated.size()));
    joined[at] *= repeats;
    return reshape(broadcast_to(reshape_in_place(x, apart), repeated), joined);
}

Tensor repeat(const Tensor& x, const std::vector<std::size_t>& repeats, Index axis) {
    check_defined("repeat", x);
    const int at = normalized_axis("repeat", axis, x);
    if (x.shape(at) != Index(repeats.size()))
        fail<ShapeError>("repeat", repeats.size(), " numbers of repeats for axis ", at, " of ", x.shape(),
                         "; give one for each slice, or one number for all");
    Index total = 0;
    for (const std::size_t n : repeats)
        if (__builtin_add_overflow(total, n, &total))
            fail<ShapeError>("repeat", "the numbers of repeats for axis ", at, " of ", x.shape(), " overflow; use smaller ones");
    Shape repeated = x.shape();
    repeated[std::size_t(at)] = total;
    checked_size("repeat", repeated.data(), int(repeated.size()));
    const Tensor indices = allocate(Dtype::i64, {total}, "repeat");
    auto* to = mutable_data<std::int64_t>(indices);
    for (std::size_t i = 0; i < repeats.size(); ++i) to = std::fill_n(to, repeats[i], std::int64_t(i));
    return taken("repeat", x, indices, at);
}

Tensor tile(const Tensor& x, Axes repeats) {
    check_defined("tile", x);
    Shape shape = x.shape();
    while (repeats.size() < shape.size()) repeats.insert(0, 1);
    while (shape.size() < repeats.size()) shape.insert(0, 1);
    std::size_t axes = shape.size();
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (repeats[i] < 0) fail<ShapeError>("tile", "a negative number of repeats in ", repeats, "; use 0 or more");
        axes += repeats[i] != 1 && shape[i] != 1;
    }
    check_rank("tile", axes);
    Shape apart, repeated, joined;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (repeats[i] != 1 && shape[i] != 1) {
            apart.push_back(1);
            repeated.push_back(repeats[i]);
        }
        apart.push_back(shape[i]);
        repeated.push_back(shape[i] == 1 ? repeats[i] : shape[i]);
    }
    checked_size("tile", repeated.data(), int(repeated.size()));
    for (std::size_t i = 0; i < shape.size(); ++i) joined.push_back(shape[i] * repeats[i]);
    return reshape(broadcast_to(reshape_in_place(x, apart), repeated), joined);
}

Tensor tile_first(const Tensor& x, Index repeats) {
    check_defined("tile", x);
    Axes list{repeats};
    while (list.size() < x.dimension()) list.push_back(1);
    return tile(x, list);
}

Tensor pad(const Tensor& x, std::vector<std::vector<Index>> widths, bool one_for_all, int mode, Literal literal) {
    check_defined("pad", x);
    Shape shape = x.shape();
    if (one_for_all) widths.assign(shape.size(), std::vector<Index>(widths[0]));
    if (widths.size() != shape.size())
        fail<ShapeError>("pad", "widths for ", widths.size(), " axes, but ", shape, " has ", shape.size(),
                         "; give {before, after} for each axis, or once for all");
    std::vector<Slice> inside;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (widths[i].size() != 2)
            fail<ShapeError>("pad", widths[i].size(), " widths for axis ", i, " of ", x.shape(), "; give {before, after}");
        const Index before = widths[i][0], after = widths[i][1];
        if (before < 0 || after < 0)
            fail<ShapeError>("pad", "negative widths {", before, ", ", after, "} for axis ", i, " of ", x.shape(),
                             "; take a part with view");
        const Shape sum{before, shape[i], after};
        if (std::max({before, shape[i], after}) > Index(1) << 59)
            fail<ShapeError>("pad", "the size of ", sum, " together overflows; use smaller widths");
        if (mode != 0 && shape[i] == 0 && before + after != 0)
            fail<ShapeError>("pad", "axis ", i, " of ", x.shape(), " has nothing to pad with; use pad_mode::constant");
        inside.push_back(Slice::range(before, before + shape[i]));
        shape[i] += before + after;
    }
    checked_size("pad", shape.data(), int(shape.size()));
    if (mode == 0) {
        const Tensor value = number_like("pad", x, literal);
        return with_slice(make_view(value, shape, Strides(std::vector<Index>(shape.size(), 0))), x, inside);
    }
    Tensor y = x;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == x.shape()[i]) continue;
        const Tensor indices = indices_of(shape[i]);
        for (Index j = 0; j < shape[i]; ++j)
            mutable_data<std::int64_t>(indices)[j] = source(mode, j - widths[i][0], x.shape()[i]);
        y = taken("pad", y, indices, Index(i));
    }
    return y;
}

Tensor hstack(std::span<const Tensor> x) { return stacked("hstack", x, 1, true); }
Tensor vstack(std::span<const Tensor> x) { return stacked("vstack", x, 2, false); }

void meshgrid(std::span<const Tensor> x, std::span<Tensor> grids) {
    check_rank("meshgrid", x.size());
    Shape shape;
    for (const Tensor& t : x) {
        check_defined("meshgrid", t);
        if (t.dimension() != 1) fail<ShapeError>("meshgrid", "takes vectors, got ", t.shape(), "; flatten it first");
        shape.push_back(t.shape()[0]);
    }
    checked_size("meshgrid", shape.data(), int(shape.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
        Shape own(std::vector<Index>(x.size(), 1));
        own[i] = shape[i];
        grids[i] = broadcast_to(reshape_in_place(x[i], own), shape);
    }
}

}  // namespace detail

Tensor swapaxes(const Tensor& x, Index axis1, Index axis2) {
    using namespace detail;
    check_defined("swapaxes", x);
    const int rank = x.block()->rank;
    const int first = normalized_axis("swapaxes", axis1, x), second = normalized_axis("swapaxes", axis2, x);
    Axes axes(std::vector<Index>(std::size_t(rank), 0));
    std::iota(axes.begin(), axes.end(), Index(0));
    std::swap(axes[std::size_t(first)], axes[std::size_t(second)]);
    return transpose(x, &axes);
}

Tensor moveaxis(const Tensor& x, const Axes& source, const Axes& destination) {
    using namespace detail;
    check_defined("moveaxis", x);
    const int rank = x.block()->rank;
    const Axes from = normalized_axes("moveaxis", source, x), to = normalized_axes("moveaxis", destination, x);
    if (from.size() != to.size())
        fail<ShapeError>("moveaxis", "from ", source, " to ", destination, "; give as many destinations as sources");
    Axes axes(std::vector<Index>(std::size_t(rank), -1));
    for (std::size_t i = 0; i < to.size(); ++i) axes[std::size_t(to[i])] = from[i];
    Index next = 0;
    for (Index& axis : axes) {
        if (axis >= 0) continue;
        while (std::find(from.begin(), from.end(), next) != from.end()) ++next;
        axis = next++;
    }
    return transpose(x, &axes);
}

}  // namespace xtgrad
