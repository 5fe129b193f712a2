// y = a b,  a' = g b^T,  b' = a^T g,  y. = a. b + a b.
#include <xtgrad/ops/linear.hpp>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../kernels/gemm.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "elementwise.hpp"
#include "product.hpp"

namespace xtgrad::detail {
namespace {

Tensor swapped(const Tensor& x) {
    Axes axes;
    for (std::size_t i = 0; i < x.dimension(); ++i) axes.push_back(Index(i));
    std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
    return transpose(x, &axes);
}

void matmul_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Tensor &a = n.in[0], &b = n.in[1];
    if (need & 1) cotangents[0] = sum_to(matmul(g, swapped(b)), a.shape());
    // One large product instead of many small ones that are added up.
    const bool shared_matrix = b.dimension() == 2 && a.dimension() > 2 && element_count(a) != 0;
    if (need & 2)
        cotangents[1] = shared_matrix ? matmul(swapped(rows_of(a)), rows_of(g)) : sum_to(matmul(swapped(a), g), b.shape());
}
Tensor matmul_jvp(const Node& n, const Tensor* tangents) {
    Tensor sum;
    if (tangents[0].defined()) sum = matmul(tangents[0], n.in[1]);
    if (tangents[1].defined()) accumulate(sum, matmul(n.in[0], tangents[1]));
    return sum;
}
constexpr Op matmul_op{"matmul", matmul_vjp, matmul_jvp};

/// A tensor as a batch of matrices; copied if `any_strides` is not enough for who multiplies.
struct Batch {
    Tensor x;
    Index rows, columns, row, column;

    Batch(const Tensor& t, bool any_strides) : x(t) {
        const std::size_t r = t.dimension();
        const Shape shape = t.shape();
        rows = shape[r - 2];
        columns = shape[r - 1];
        row = t.strides()[r - 2];
        column = t.strides()[r - 1];
        if (any_strides || kernels::blas_readable(rows, columns, row, column)) return;
        x = copied(t);
        row = columns;
        column = 1;
    }
    /// Where matrix i of the batch of this shape begins, in elements.
    Index offset(const Shape& batch, Index i) const {
        const Shape shape = x.shape();
        const Strides strides = x.strides();
        const std::size_t own = shape.size() - 2, skip = batch.size() - own;
        Index offset = 0;
        for (std::size_t d = batch.size(); d-- > 0; i /= batch[d])
            if (d >= skip && shape[d - skip] != 1) offset += i % batch[d] * strides[d - skip];
        return offset;
    }
};

template <class T>
void multiply(const Tensor& left, const Tensor& right, const Tensor& bias, const Shape& batch, Tensor& out) {
    const bool ours = kernels::is_ours(left.shape(-2), right.shape(-1), left.shape(-1), sizeof(T));
    const Batch a(left, ours), b(right, ours);
    const T *p = mutable_data<T>(a.x), *q = mutable_data<T>(b.x);
    const T* each_row = bias.defined() ? mutable_data<T>(bias) : nullptr;
    T* c = mutable_data<T>(out);
    const auto product = [&](Index i) {
        return kernels::Product<T>{{p + a.offset(batch, i), a.row, a.column},
                                   {q + b.offset(batch, i), b.row, b.column},
                                   c + i * a.rows * b.columns,
                                   each_row};
    };
    kernels::gemm<T>(size_of(batch), a.rows, b.columns, a.columns, product);
}

void check_inner(const Tensor& a, const Tensor& b) {
    const Shape p = a.shape(), q = b.shape();
    const Index k = p.back(), rows = q.size() == 1 ? q[0] : q[q.size() - 2];
    if (k == rows) return;
    const bool matrices = p.size() == 2 && q.size() == 2;
    const char* hint = matrices && k == q[1]      ? "; did you mean matmul(a, transpose(b))?"
                       : matrices && p[0] == rows ? "; did you mean matmul(transpose(a), b)?"
                                                  : "; the last extent of a needs to be the last but one of b, or its only one";
    fail<ShapeError>("matmul", "inner dimensions differ: ", p, " x ", q, hint);
}

/// What the leading axes broadcast to.
Shape batch_shape(const Shape& p, const Shape& q) {
    try {
        return broadcast_shapes("matmul", Shape::of(p.data(), int(p.size()) - 2), Shape::of(q.data(), int(q.size()) - 2));
    } catch (const ShapeError&) {
        fail<ShapeError>("matmul", "leading axes do not broadcast: ", p, " x ", q,
                         "; extents before the last two must be equal or 1");
    }
}

}  // namespace

Tensor rows_of(const Tensor& x) {
    Index rows = 1;
    for (std::size_t d = 0; d + 1 < x.dimension(); ++d) rows *= x.shape()[d];
    return reshape(x, {rows, x.shape().back()});
}

Tensor product(const Tensor& a, const Tensor& b, const Tensor& bias) {
    const Shape p = a.shape(), q = b.shape();
    const Shape batch = batch_shape(p, q);
    Shape shape = batch;
    shape.push_back(p[p.size() - 2]);
    shape.push_back(q.back());
    constexpr Index most = (Index(1) << 31) - 1;
    if (std::max({p.back(), p[p.size() - 2], q.back()}) > most)
        fail<ShapeError>("matmul", "extents beyond 2^31 - 1: ", p, " x ", q, "; split the product");
    Tensor out = allocate(a.dtype(), shape, "matmul");
    with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        if (q.size() == 2 && p.size() > 2 && a.block()->dense) {  // all rows of the batch at once
            multiply<T>(reshaped(a, {size_of(batch) * p[p.size() - 2], p.back()}), b, bias, {}, out);
        } else {
            multiply<T>(a, b, bias, batch, out);
        }
    });
    return out;
}

Tensor matmul(const Tensor& a, const Tensor& b) {
    check_floating("matmul", a);
    check_floating("matmul", b);
    check_same_dtype("matmul", a, b);
    if (a.dimension() == 0 || b.dimension() == 0)
        fail<ShapeError>("matmul", "needs at least one axis on each side, got ", a.shape(), " x ", b.shape(),
                         "; multiply by a scalar with *");
    check_inner(a, b);
    if (a.dimension() == 1) {
        if (b.dimension() == 1) return reshape(matmul(expand_dims(a, Index(0)), expand_dims(b, Index(1))), {});
        const Tensor y = matmul(expand_dims(a, Index(0)), b);
        const Axes axis{-2};
        return squeeze(y, &axis);
    }
    if (b.dimension() == 1) {
        const Tensor y = matmul(a, expand_dims(b, Index(1)));
        const Axes axis{-1};
        return squeeze(y, &axis);
    }
    Tensor out = product(a, b);
    if (recording()) record(matmul_op, out, a, b, {a, b, {}});
    return out;
}

}  // namespace xtgrad::detail
