// Triangles and diagonals: all linear, so each tangent is the op itself.
#include <xtgrad/ops/diagonals.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <xtgrad/ops/reduction.hpp>

#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "../tensor/strided_operand.hpp"

namespace xtgrad {
namespace detail {
namespace {

bool records(const Tensor& x) { return recording() && is_floating(x.dtype()); }

// y = x above or below a diagonal, else 0;  x' = the same of g

void triangle_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = triangle(Triangle(n.attr.j), g, n.attr.i);
}
Tensor triangle_jvp(const Node& n, const Tensor* tangents) { return triangle(Triangle(n.attr.j), tangents[0], n.attr.i); }
constexpr Op tril_op{"tril", triangle_vjp, triangle_jvp};
constexpr Op triu_op{"triu", triangle_vjp, triangle_jvp};

/// Which diagonals, as a node keeps it.
Attr attr_of(Index offset, Index axis1 = 0, Index axis2 = 1) {
    Attr attr;
    attr.i = offset;
    attr.j = axis1 | axis2 << 4;
    return attr;
}

/// The diagonals of two axes: where they lie in a tensor of this shape and strides.
struct Diagonals {
    Shape shape;
    Strides strides;
    Index offset;

    Diagonals(const Shape& of, const Strides& steps, Index k, Index axis1, Index axis2) {
        const auto row = std::size_t(axis1), column = std::size_t(axis2);
        for (std::size_t i = 0; i < of.size(); ++i) {
            if (i == row || i == column) continue;
            shape.push_back(of[i]);
            strides.push_back(steps[i]);
        }
        const Index at = std::clamp(k, -of[row], of[column]);  // farther is outside as well
        const Index down = std::max<Index>(-at, 0), right = std::max<Index>(at, 0);
        shape.push_back(std::min(of[row] - down, of[column] - right));
        strides.push_back(steps[row] + steps[column]);
        offset = size_of(shape) == 0 ? 0 : down * steps[row] + right * steps[column];
    }
};

// y = the diagonals of x;  x' = g on the diagonals, else 0.  Each is the other's adjoint.

Tensor on_diagonal(const Tensor& x, const Shape&, const Attr&);

void diagonal_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = on_diagonal(g, n.in[0].shape(), n.attr); }
Tensor diagonal_jvp(const Node& n, const Tensor* tangents) {
    return detail::diagonal(tangents[0], n.attr.i, n.attr.j & 15, n.attr.j >> 4);
}
constexpr Op diagonal_op{"diagonal", diagonal_vjp, diagonal_jvp};

void diag_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = detail::diagonal(g, n.attr.i, n.attr.j & 15, n.attr.j >> 4);
}
Tensor diag_jvp(const Node& n, const Tensor* tangents) { return on_diagonal(tangents[0], n.shape(), n.attr); }
constexpr Op diag_op{"diag", diag_vjp, diag_jvp};

Tensor on_diagonal(const Tensor& x, const Shape& shape, const Attr& attr) {
    Tensor y = allocate(x.dtype(), shape, "diag");
    const std::size_t item = xtgrad::size_of(x.dtype());
    if (const Index count = element_count(y)) std::memset(y.block()->data, 0, std::size_t(count) * item);
    const Diagonals part(shape, y.strides(), attr.i, attr.j & 15, attr.j >> 4);
    const Tensor dense = contiguous(x);
    kernels::scatter(space_of(dense), dense.block()->data, y.block()->data + part.offset * Index(item), part.strides.data(),
                     int(item));
    if (records(x)) record(diag_op, y, x, {}, attr);
    return y;
}

}  // namespace

Tensor triangle(Triangle which, const Tensor& x, Index k) {
    const bool lower = which == Triangle::lower;
    const Op& op = lower ? tril_op : triu_op;
    check_defined(op.name, x);
    const Shape shape = x.shape();
    if (shape.size() < 2) fail<ShapeError>(op.name, "needs two axes, got ", shape, "; reshape it to a matrix");
    Tensor y = copied(x);
    const Index rows = shape[0], columns = shape[1], at = std::clamp(k, -rows, columns);  // farther makes no difference
    const Index row = element_count(x) == 0 ? 0 : y.strides()[0], step = row == 0 ? 0 : y.strides()[1];
    const auto item = Index(xtgrad::size_of(x.dtype()));
    for (Index i = 0; i < rows && row != 0; ++i) {
        const Index begin = lower ? std::clamp<Index>(i + at + 1, 0, columns) : 0;
        const Index end = lower ? columns : std::clamp<Index>(i + at, 0, columns);
        std::memset(y.block()->data + (i * row + begin * step) * item, 0, std::size_t((end - begin) * step * item));
    }
    Attr attr;
    attr.i = k;
    attr.j = Index(which);
    if (records(x)) record(op, y, x, {}, attr);
    return y;
}

Tensor diagonal(const Tensor& x, Index offset, Index axis1, Index axis2) {
    check_defined("diagonal", x);
    const Axes axes = normalized_axes("diagonal", {axis1, axis2}, x);
    const Diagonals part(x.shape(), x.strides(), offset, axes[0], axes[1]);
    Tensor y = make_view(x, part.shape, part.strides, part.offset);
    if (records(x)) record(diagonal_op, y, x, {.in0 = ghost(x)}, attr_of(offset, axes[0], axes[1]));
    return y;
}

Tensor diag(const Tensor& x, Index k) {
    check_defined("diag", x);
    if (x.dimension() == 2) return detail::diagonal(x, k, 0, 1);
    if (x.dimension() != 1)
        fail<ShapeError>("diag", "takes a vector or a matrix, got ", x.shape(), "; use diagonal for more axes");
    constexpr Index far = std::numeric_limits<Index>::max() / 2;  // no matrix is so large
    const Index n = x.shape()[0] + std::abs(std::clamp(k, -far, far));
    return on_diagonal(x, {n, n}, attr_of(k));
}

}  // namespace detail

Tensor trace(const Tensor& x, Index offset, Index axis1, Index axis2) {
    using namespace detail;
    check_defined("trace", x);
    const Axes axes = normalized_axes("trace", {axis1, axis2}, x);
    const Axes last{-1};
    return detail::sum(detail::diagonal(x, offset, axes[0], axes[1]), &last, false);
}

}  // namespace xtgrad
