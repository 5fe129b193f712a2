// Systems of equations and determinants, by LU with pivots (Giles, An extended collection of matrix derivative results, 2008).
#include <xtgrad/linalg.hpp>

#include <cmath>

#include <xtgrad/tape.hpp>

#include "factors.hpp"

namespace xtgrad {
namespace detail {

Factors::Factors(const char* op, const Tensor& a) {
    const Matrices m = square_matrices(op, a);
    lu = copied(a);
    pivots = allocate(Dtype::i64, m.shape(m.rows), op);
    singular = with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        const Index n = m.rows;
        return for_matrices(m.count, cube(n), [&](Index i) {
            return kernels::lu(n, mutable_data<T>(lu) + i * n * n, mutable_data<std::int64_t>(pivots) + i * n);
        });
    });
}

void Factors::keep(Node& n) const {
    if (!n.extra) n.extra = std::make_unique<Extra>();
    n.extra->saved = {lu, pivots};
}

void check_regular(const char* op, const Tensor& a, const Factors& f) {
    if (f.singular)
        fail<Error>(op, Which{Matrices(op, a).batch, f.singular.matrix}, " is singular: pivot ", f.singular.code - 1, " of ",
                    a.shape(), " is 0; lstsq and pinv take any matrix");
}

namespace {

// ---- x = a^-1 b:  b' = a^-T g,  a' = -b' x^T,  x. = a^-1 (b. - a. x);  with a^T for a:  a' = -x b'^T

Attr flag(bool transposed) {
    Attr attr;
    attr.i = transposed;
    return attr;
}

void solve_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Tensor &a = n.in[0], &x = n.out;
    const bool flipped = n.attr.i != 0;
    const Tensor z = solved(a, Factors(n), g, !flipped);
    if (need & 1) cotangents[0] = sum_to(-(flipped ? matmul(x, transposed(z)) : matmul(z, transposed(x))), a.shape());
    if (need & 2) cotangents[1] = sum_to(z, n.in[1].shape());
}
Tensor solve_jvp(const Node& n, const Tensor* tangents) {
    const bool flipped = n.attr.i != 0;
    Tensor right = tangents[1];
    if (tangents[0].defined()) {
        const Tensor moved = -matmul(flipped ? transposed(tangents[0]) : tangents[0], n.out);
        right = right.defined() ? right + moved : moved;
    }
    return solved(n.in[0], Factors(n), right, flipped);
}
constexpr Op solve_op{"solve", solve_vjp, solve_jvp};

}  // namespace

Tensor solved(const Tensor& a, const Factors& f, const Tensor& b, bool transposed) {
    const Systems s(a, b);
    with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* lu = mutable_data<T>(f.lu);
        const auto* pivots = mutable_data<std::int64_t>(f.pivots);
        for_matrices(s.count, double(s.n) * double(s.n) * double(s.columns), [&](Index i) -> Index {
            const Index j = s.matrix(i);
            kernels::lu_solve(s.n, s.columns, lu + j * s.n * s.n, pivots + j * s.n, transposed,
                              mutable_data<T>(s.x) + i * s.n * s.columns);
            return 0;
        });
    });
    if (recording()) f.keep(record(solve_op, s.x, a, b, {a, ghost(b), s.x}, flag(transposed)));
    return s.x;
}

namespace {

/// A number for each matrix, of the diagonal of its factors and the number of its exchanges.
template <class F>
Tensor of_factors(const Tensor& a, const Factors& f, F number) {
    const Matrices m("det", a);
    Tensor out = allocate(a.dtype(), m.batch);
    with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        const Index n = m.rows;
        for (Index i = 0; i < m.count; ++i) {
            const T* lu = mutable_data<T>(f.lu) + i * n * n;
            const auto* pivots = mutable_data<std::int64_t>(f.pivots) + i * n;
            T sign = 1;
            for (Index k = 0; k < n; ++k) sign = pivots[k] == k ? sign : -sign;
            mutable_data<T>(out)[i] = number(sign, n, lu);
        }
    });
    return out;
}

/// The number of a first singular matrix, or -1.
Attr singular_attr(const Factors& f) {
    Attr attr;
    attr.i = f.singular.matrix;
    return attr;
}

/// a^-T, recorded as a function of a.
Tensor inverse_transposed(const Tensor& a, const Factors& f) { return solved(a, f, identity_like(a), true); }

// ---- y = log |det a|:  a' = g a^-T,  y. = tr(a^-1 a.)

Tensor logdet_slope(const Node& n) {
    if (n.attr.i >= 0)
        fail<Error>("slogdet", Which{Matrices("slogdet", n.in[0]).batch, n.attr.i},
                    " is singular: -inf has no derivative; det has one");
    return inverse_transposed(n.in[0], Factors(n));
}
void logdet_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = as_column(as_column(g)) * logdet_slope(n); }
Tensor logdet_jvp(const Node& n, const Tensor* tangents) { return sum_last(sum_last(logdet_slope(n) * tangents[0])); }
constexpr Op logdet_op{"slogdet", logdet_vjp, logdet_jvp};

// ---- y = det a:  a' = g C,  y. = sum C a.  with the cofactors C = y a^-T; of a singular a = u s v^T they are
//      det(u) det(v) u diag(products of the others of s) v^T

Tensor cofactors(const Node& n) {
    const Tensor& a = n.in[0];
    if (n.attr.i < 0) return as_column(as_column(n.out)) * inverse_transposed(a, Factors(n));
    const linalg::SVD d = linalg::svd(a);
    const Axes last{-1};
    const Tensor others = detail::prod(where(identity_like(a) > 0, 1, as_row(d.s)), &last, false);
    const Tensor sign = stop_gradient(linalg::det(d.u) * linalg::det(d.vt));
    return as_column(as_column(sign)) * matmul(d.u * as_row(others), d.vt);
}
void det_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = as_column(as_column(g)) * cofactors(n); }
Tensor det_jvp(const Node& n, const Tensor* tangents) { return sum_last(sum_last(cofactors(n) * tangents[0])); }
constexpr Op det_op{"det", det_vjp, det_jvp};

}  // namespace
}  // namespace detail

namespace linalg {

using namespace detail;

Tensor solve(const Tensor& a, const Tensor& b) {
    square_matrices("solve", a);
    const RightSide right("solve", a, b);
    const Factors f("solve", a);
    check_regular("solve", a, f);
    return right.result(solved(a, f, right.matrices, false));
}

Tensor inv(const Tensor& a) {
    const Factors f("inv", a);
    check_regular("inv", a, f);
    return solved(a, f, identity_like(a), false);
}

Tensor det(const Tensor& a) {
    const Factors f("det", a);
    Tensor out = of_factors(a, f, [](auto y, Index n, const auto* lu) {
        for (Index k = 0; k < n; ++k) y *= lu[k * n + k];
        return y;
    });
    if (recording()) f.keep(record(det_op, out, a, {.in0 = a, .out = out}, singular_attr(f)));
    return out;
}

SignAndLog slogdet(const Tensor& a) {
    const Factors f("slogdet", a);
    const Tensor sign = of_factors(a, f, [](auto y, Index n, const auto* lu) {
        for (Index k = 0; k < n; ++k) y *= lu[k * n + k] > 0 ? 1 : lu[k * n + k] < 0 ? -1 : lu[k * n + k];
        return y;
    });
    const Tensor logdet = of_factors(a, f, [](auto y, Index n, const auto* lu) {
        y = 0;
        for (Index k = 0; k < n; ++k) y += std::log(std::abs(lu[k * n + k]));
        return y;
    });
    if (recording()) f.keep(record(logdet_op, logdet, a, {.in0 = a}, singular_attr(f)));
    return {sign, logdet};
}

}  // namespace linalg
}  // namespace xtgrad
