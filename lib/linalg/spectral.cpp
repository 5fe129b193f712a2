// Eigenvalues and singular values. Each of their factors is a node; the nodes of one decomposition save each other.
#include "spectral.hpp"

#include <cmath>

#include <xtgrad/linalg.hpp>
#include <xtgrad/ops/indexing.hpp>

#include "orthogonal.hpp"
#include "spectrum.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// Changes the signs of column j, and of row j of `other`, so that the column's largest component is positive.
template <class T>
void fix_signs(Index rows, Index columns, Index own, T* u, Index size, T* other) {
    for (Index j = 0; j < columns; ++j) {
        T largest = 0;
        for (Index i = 0; i < rows; ++i)
            if (std::abs(u[i * own + j]) > std::abs(largest)) largest = u[i * own + j];
        if (largest >= 0) continue;
        for (Index i = 0; i < rows; ++i) u[i * own + j] = -u[i * own + j];
        for (Index i = 0; i < size; ++i) other[j * size + i] = -other[j * size + i];
    }
}

// ---- a = v diag(w) v^T (Giles 2008), F_ij = 1 / (w_j - w_i), E = v^T sym(a.) v:  v. = v (F o E),  a' = v (F o anti(v^T v')) v^T
//
// Where w_i and w_j are the same, F is 0: a basis of their space turns as little as it can, so that what does not depend on the
// choice of the basis has its derivative. What does, by its cotangent, has none, and gets infinities; a tangent does not tell.

/// Saved: w, v.
Tensor vectors_jvp(const Node& n, const Tensor* tangents) {
    const Tensor& v = n.in[1];
    const Tensor turned = matmul(transposed(v), matmul(symmetric_part(tangents[0]), v));
    return matmul(v, Turning{{v, v, n.in[0], true}, n.tags[0], false, false}.by_gaps(turned, {}));
}
void vectors_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Tensor &w = n.in[0], &v = n.in[1], turn = matmul(transposed(v), g);
    Tensor x = Turning{{v, v, w, true}, n.tags[0], false, true}.by_gaps((turn - transposed(turn)) * 0.5, {});
    if (has_gapless(w, Gap::difference)) x = x + chosen_basis(w, turn);
    cotangents[0] = matmul(matmul(v, x), transposed(v));
}
constexpr Op eigenvectors_op{"eigh", vectors_vjp, vectors_jvp};

[[noreturn]] void fail_convergence(const char* op, const Tensor& a, const Shape& batch, Index matrix) {
    fail<Error>(op, Which{batch, matrix}, " of ", a.shape(), " did not converge; scale it, or decompose it in f64");
}

linalg::Eigen decomposed(const char* op, const Tensor& a, bool vectors) {
    const Matrices m = square_matrices(op, a);
    const Index n = m.rows;
    Tensor w = allocate(a.dtype(), m.shape(n)), v;
    {
        const Unrecorded copying;
        const Tensor rows = copied(symmetric_part(a));
        check_finite_matrices(op, rows, m);
        const Failure bad = with_floating(a.dtype(), [&](auto z) {
            using T = decltype(z);
            return for_matrices(m.count, cube(n), [&](Index i) {
                T* matrix = mutable_data<T>(rows) + i * n * n;
                const Index info = kernels::eigh(n, vectors, matrix, mutable_data<T>(w) + i * n);
                for (Index j = 0; vectors && j < n; ++j) fix_signs(n, 1, 1, matrix + j * n, 0, matrix);
                return info;
            });
        });
        if (bad) fail_convergence(op, a, m.batch, bad.matrix);
        if (vectors) v = contiguous(transposed(rows));
    }
    return {w, v};
}

}  // namespace

// ---- a = u diag(s) v^T (Giles 2008; Townsend, Differentiating the singular value decomposition, 2016), with D = u^T a. v:
//      u. = u (F o sym(D) + G o anti(D)) + (1 - u u^T) a. v s^-1,  F_ij = 1 / (s_j - s_i),  G_ij = 1 / (s_i + s_j);
//      a' = (u ((F + G) o anti(u^T u')) + (1 - u u^T) u' s^-1) v^T. Those of v are the same of a^T.
// Townsend's 1 / (s_j^2 - s_i^2) taken apart: where s_i and s_j are the same, F is 0, as for eigenvectors, and only what u and v
// do together, as in u v^T, is seen by G. Where both are 0, G is, and s^-1 is 0 where s is.

namespace {

/// The factors that a node saves: the one that it is the node of, and the other one, as columns; and s.
struct Factorization {
    const Tensor &own, &other;
    bool flipped;
    Turning turning;

    Factorization(const Node& n, bool adjoint)
        : own(n.in[0]),
          other(n.in[1]),
          flipped(n.attr.i != 0),
          turning{{own, other, n.extra->saved[0], false}, n.tags[0], flipped, adjoint} {}
    Tensor oriented(const Tensor& x) const { return flipped ? transposed(x) : x; }
    bool is_square() const { return own.shape(-2) == own.shape(-1); }
    Tensor outside(const Tensor& x) const { return turning.by_values(x - matmul(own, matmul(transposed(own), x))); }
};

void factor_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Factorization f(n, true);
    const Tensor turn = matmul(transposed(f.own), g), half = (turn - transposed(turn)) * 0.5;
    Tensor x = matmul(f.own, f.turning.by_gaps(half, half));
    if (!f.is_square()) x = x + f.outside(g);
    cotangents[0] = f.oriented(matmul(x, transposed(f.other)));
}
Tensor factor_jvp(const Node& n, const Tensor* tangents) {
    const Factorization f(n, false);
    const Tensor moved = matmul(f.oriented(tangents[0]), f.other), d = matmul(transposed(f.own), moved), even = symmetric_part(d);
    Tensor x = matmul(f.own, f.turning.by_gaps(even, d - even));
    if (!f.is_square()) x = x + f.outside(moved);
    return x;
}
constexpr Op factor_op{"svd", factor_vjp, factor_jvp};

Tensor columns(const Tensor& x, Index begin, Index end) { return sliced(x, {Slice::ellipsis(), Slice::range(begin, end)}); }

}  // namespace

Singular singular_decomposition(const char* op, const Tensor& a, bool full, bool factors) {
    const Matrices m(op, a);
    const Index k = std::min(m.rows, m.columns), left = full ? m.rows : k, right = full ? m.columns : k;
    Singular d{{}, allocate(a.dtype(), m.shape(k)), {}};
    Tensor vt;
    if (factors) d.u = allocate(a.dtype(), m.shape(m.rows, left)), vt = allocate(a.dtype(), m.shape(right, m.columns));
    const Unrecorded copying;
    const Tensor work = copied(a);
    check_finite_matrices(op, work, m);
    const Failure bad = with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        const double steps = double(m.rows) * double(m.columns) * double(k);
        return for_matrices(m.count, steps, [&](Index i) {
            T* u = factors ? mutable_data<T>(d.u) + i * m.rows * left : nullptr;
            T* v = factors ? mutable_data<T>(vt) + i * right * m.columns : nullptr;
            const Index info = kernels::svd(m.rows, m.columns, full, mutable_data<T>(work) + i * m.rows * m.columns, u,
                                            mutable_data<T>(d.s) + i * k, v);
            if (factors) fix_signs(m.rows, k, left, u, m.columns, v);
            return info;
        });
    });
    if (bad) fail_convergence(op, a, m.batch, bad.matrix);
    if (factors) d.v = contiguous(transposed(vt));
    return d;
}

Singular recorded(const Tensor& a, const Singular& d) {
    if (!recording()) return d;
    const Index k = d.s.shape(-1);
    const auto first = [k](const Tensor& x) {
        const Unrecorded copying;
        return x.shape(-1) == k ? x : contiguous(columns(x, 0, k));
    };
    const Singular thin{first(d.u), d.s, first(d.v)};
    record_values(a, {thin.u, thin.v, d.s, false});
    const auto factor = [&](const Tensor& own, const Tensor& other, bool flipped) {
        Attr attr;
        attr.i = flipped;
        auto extra = std::make_unique<Extra>();
        extra->saved = {d.s};
        record(factor_op, own, a, {own, other, {}}, attr, std::move(extra));
    };
    factor(thin.u, thin.v, false);
    factor(thin.v, thin.u, true);
    const auto whole = [k](const Tensor& x, const Tensor& x_thin) {
        if (x.shape(-1) == k) return x_thin;
        const Tensor rest = [&] {
            const Unrecorded copying;
            return contiguous(columns(x, k, x.shape(-1)));
        }();
        return concatenate(std::vector{x_thin, complement(x_thin, rest)}, -1);
    };
    return {whole(d.u, thin.u), d.s, whole(d.v, thin.v)};
}

}  // namespace detail

namespace linalg {

using namespace detail;

Eigen eigh(const Tensor& a) {
    Eigen d = decomposed("eigh", a, true);
    if (recording()) {
        record(eigenvectors_op, d.vectors, a, {d.values, d.vectors, {}});
        record_values(a, {d.vectors, d.vectors, d.values, true});
    }
    return d;
}

Tensor eigvalsh(const Tensor& a) {
    if (recording()) return eigh(a).values;
    return decomposed("eigvalsh", a, false).values;
}

SVD svd(const Tensor& a, bool full_matrices, bool compute_uv) {
    if (!compute_uv && !recording()) return {{}, singular_decomposition("svd", a, false, false).s, {}};
    const Singular d = recorded(a, singular_decomposition("svd", a, full_matrices && compute_uv, true));
    if (!compute_uv) return {{}, d.s, {}};
    return {d.u, d.s, transposed(d.v)};
}

}  // namespace linalg
}  // namespace xtgrad
