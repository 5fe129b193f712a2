// a = q r, and the columns that complete an orthonormal set. The two factors are two nodes, which save each other.
#include <xtgrad/linalg.hpp>
#include <xtgrad/ops/indexing.hpp>

#include "orthogonal.hpp"
#include "triangular.hpp"

namespace xtgrad {
namespace detail {
namespace {

constexpr kernels::Triangular by_r{false, false, false}, by_transposed_r{false, true, false};

/// x r^-1 = (r^-T x^T)^T, and x r^-T
Tensor over(const Tensor& x, const Tensor& r, kernels::Triangular how) {
    return transposed(substituted("qr", r, transposed(x), how));
}

// ---- For a with independent columns (Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2010):
//      a' = (q' + q S) r^-T,  S symmetric with the lower triangle of  r r'^T - q'^T q;
//      C = q^T a. r^-1,  W = tril(C, -1) - tril(C, -1)^T:  q. = q W + (a. r^-1 - q C),  r. = (C - W) r

Tensor through_symmetric(const Node& n, const Tensor& m, const Tensor& dq) {
    const Tensor &q = n.in[0], &r = n.in[1];
    const Tensor product = matmul(q, lower_part(m, true) + transposed(lower_part(m, false)));
    return over(dq.defined() ? dq + product : product, r, by_r);
}
void q_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = through_symmetric(n, -matmul(transposed(g), n.in[0]), g);
}
void r_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = through_symmetric(n, matmul(n.in[1], transposed(g)), {});
}

struct Turned {
    Tensor moved, c, w;

    Turned(const Node& n, const Tensor& da) {
        moved = over(da, n.in[1], by_transposed_r);
        c = matmul(transposed(n.in[0]), moved);
        const Tensor below = lower_part(c, false);
        w = below - transposed(below);
    }
};
Tensor q_jvp(const Node& n, const Tensor* tangents) {
    const Turned t(n, tangents[0]);
    return matmul(n.in[0], t.w - t.c) + t.moved;
}
Tensor r_jvp(const Node& n, const Tensor* tangents) {
    const Turned t(n, tangents[0]);
    return matmul(t.c - t.w, n.in[1]);
}
constexpr Op q_op{"qr", q_vjp, q_jvp};
constexpr Op r_op{"qr", r_vjp, r_jvp};

// ---- c, orthonormal and orthogonal to u, turned as little as possible:  c. = -u u.^T c,  u' = -c g^T u

void complement_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = -matmul(n.out, matmul(transposed(g), n.in[0]));
}
Tensor complement_jvp(const Node& n, const Tensor* tangents) { return -matmul(n.in[0], matmul(transposed(tangents[0]), n.out)); }
constexpr Op complement_op{"orthogonal complement", complement_vjp, complement_jvp};

/// The columns of the last axis from `begin` to `end`. A view.
Tensor columns(const Tensor& x, Index begin, Index end) { return sliced(x, {Slice::ellipsis(), Slice::range(begin, end)}); }

/// Of matrices with at least as many rows as columns.
linalg::QR tall_qr(const Tensor& a, bool complete) {
    const Matrices m("qr", a);
    const Index rows = m.rows, k = m.columns, width = complete ? rows : k;
    Tensor all = allocate(a.dtype(), m.shape(rows, width)), q, r = allocate(a.dtype(), m.shape(k, k));
    {
        const Unrecorded copying;
        const Tensor dense = contiguous(a);
        with_floating(a.dtype(), [&](auto z) {
            using T = decltype(z);
            for_matrices(m.count, double(rows) * double(k) * double(width), [&](Index i) -> Index {
                T* to = mutable_data<T>(all) + i * rows * width;
                const T* from = mutable_data<T>(dense) + i * rows * k;
                for (Index row = 0; row < rows; ++row) std::copy_n(from + row * k, k, to + row * width);
                kernels::qr(rows, k, width, to, mutable_data<T>(r) + i * k * k);
                return 0;
            });
        });
        q = width == k ? all : columns(all, 0, k);
    }
    if (recording()) {
        record(q_op, q, a, {q, r, {}});
        record(r_op, r, a, {q, r, {}});
    }
    if (width == k) return {q, r};
    return {concatenate(std::vector{q, complement(q, columns(all, k, width))}, -1),
            concatenate(std::vector{r, zeros(m.shape(width - k, k), a.dtype())}, -2)};
}

}  // namespace

Tensor complement(const Tensor& u, const Tensor& c) {
    if (recording()) record(complement_op, c, u, {.in0 = u, .out = c});
    return c;
}

}  // namespace detail

namespace linalg {

QR qr(const Tensor& a, qrmode mode) {
    using namespace detail;
    const Matrices m("qr", a);
    if (m.rows >= m.columns) {
        const QR f = tall_qr(a, mode == qrmode::complete);
        return {mode == qrmode::r ? Tensor() : f.q, f.r};
    }
    // The columns beyond the first m.rows are q times the rest of r.
    const QR f = tall_qr(columns(a, 0, m.rows), false);
    const Tensor rest = matmul(transposed(f.q), columns(a, m.rows, m.columns));
    return {mode == qrmode::r ? Tensor() : f.q, concatenate(std::vector{f.r, rest}, -1)};
}

}  // namespace linalg
}  // namespace xtgrad
