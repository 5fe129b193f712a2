// Triangular systems, and the Cholesky factor (Giles 2008; Murray, Differentiation of the Cholesky decomposition, 2016).
#include "triangular.hpp"

#include <xtgrad/linalg.hpp>

namespace xtgrad {
namespace detail {
namespace {

Attr attr_of(kernels::Triangular t) {
    Attr attr;
    attr.i = t.lower | t.transposed << 1 | t.unit << 2;
    return attr;
}
kernels::Triangular triangular_of(const Node& n) { return {(n.attr.i & 1) != 0, (n.attr.i & 2) != 0, (n.attr.i & 4) != 0}; }

/// The part of a matrix that is read.
Tensor part(kernels::Triangular t, const Tensor& x) {
    return t.lower ? lower_part(x, !t.unit) : transposed(lower_part(transposed(x), !t.unit));
}

// ---- x = t^-1 b:  b' = t^-T g,  t' = -part(b' x^T),  x. = t^-1 (b. - part(t.) x);  with t^T for t:  t' = -part(x b'^T)

void substitution_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const kernels::Triangular how = triangular_of(n);
    const Tensor &t = n.in[0], &x = n.out;
    const Tensor z = substituted(n.op->name, t, g, {how.lower, !how.transposed, how.unit});
    if (need & 1)
        cotangents[0] = sum_to(-part(how, how.transposed ? matmul(x, transposed(z)) : matmul(z, transposed(x))), t.shape());
    if (need & 2) cotangents[1] = sum_to(z, n.in[1].shape());
}
Tensor substitution_jvp(const Node& n, const Tensor* tangents) {
    const kernels::Triangular how = triangular_of(n);
    Tensor right = tangents[1];
    if (tangents[0].defined()) {
        const Tensor dt = part(how, tangents[0]), moved = -matmul(how.transposed ? transposed(dt) : dt, n.out);
        right = right.defined() ? right + moved : moved;
    }
    return substituted(n.op->name, n.in[0], right, how);
}
constexpr Op substitution_op{"solve_triangular", substitution_vjp, substitution_jvp};

}  // namespace

Tensor substituted(const char* op, const Tensor& t, const Tensor& b, kernels::Triangular how) {
    const Tensor dense = contiguous(t);
    const Systems s(dense, b);
    const Failure zero = with_floating(t.dtype(), [&](auto z) {
        using T = decltype(z);
        return for_matrices(s.count, double(s.n) * double(s.n) * double(s.columns), [&](Index i) -> Index {
            const T* matrix = mutable_data<T>(dense) + s.matrix(i) * s.n * s.n;
            for (Index k = 0; k < s.n && !how.unit; ++k)
                if (matrix[k * (s.n + 1)] == 0) return k + 1;
            kernels::solve_triangular(how, s.n, s.columns, matrix, mutable_data<T>(s.x) + i * s.n * s.columns);
            return 0;
        });
    });
    if (zero)
        fail<Error>(op, Which{Matrices(op, t).batch, s.matrix(zero.matrix)}, " is singular: diagonal element ", zero.code - 1,
                    " of ", t.shape(), " is 0; lstsq and pinv take any matrix");
    if (recording()) record(substitution_op, s.x, t, b, {t, ghost(b), s.x}, attr_of(how));
    return s.x;
}

namespace {

// ---- a = L L^T:  a' = sym(L^-T P(L^T g) L^-1),  L. = L P(L^-1 a. L^-T),  P the lower part with half the diagonal

constexpr kernels::Triangular by_factor{true, false, false}, by_transposed_factor{true, true, false};

Tensor halved_lower_part(const Tensor& x) { return lower_part(x, true) - 0.5 * x * identity_like(x); }

void cholesky_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Tensor& l = n.out;
    const auto from_left = [&](const Tensor& x) { return substituted("cholesky", l, x, by_transposed_factor); };
    cotangents[0] = symmetric_part(from_left(transposed(from_left(halved_lower_part(matmul(transposed(l), g))))));
}
Tensor cholesky_jvp(const Node& n, const Tensor* tangents) {
    const Tensor& l = n.out;
    const auto from_left = [&](const Tensor& x) { return substituted("cholesky", l, x, by_factor); };
    return matmul(l, halved_lower_part(from_left(transposed(from_left(symmetric_part(tangents[0]))))));
}
constexpr Op cholesky_op{"cholesky", cholesky_vjp, cholesky_jvp};

/// The symmetric part as an owner that nobody else sees, not recorded.
Tensor symmetric_copy(const Tensor& a) {
    const Unrecorded copying;
    return copied(symmetric_part(a));
}

}  // namespace
}  // namespace detail

namespace linalg {

using namespace detail;

Tensor solve_triangular(const Tensor& a, const Tensor& b, const TriangularOptions& options) {
    square_matrices("solve_triangular", a);
    const RightSide right("solve_triangular", a, b);
    return right.result(
        substituted("solve_triangular", a, right.matrices, {options.lower, options.transposed, options.unit_diagonal}));
}

Tensor cholesky(const Tensor& a) {
    const Matrices m = square_matrices("cholesky", a);
    Tensor l = symmetric_copy(a);
    check_finite_matrices("cholesky", l, m);  // LAPACKs differ in what they take a NaN for
    const Failure bad = with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        return for_matrices(m.count, cube(m.rows),
                            [&](Index i) { return kernels::cholesky(m.rows, mutable_data<T>(l) + i * m.rows * m.rows); });
    });
    if (bad)
        fail<Error>("cholesky", Which{m.batch, bad.matrix}, " of ", a.shape(),
                    " is not positive definite: its leading minor of order ", bad.code,
                    " is not positive; add a multiple of the identity, or use eigh");
    if (recording()) record(cholesky_op, l, a, {.out = l});
    return l;
}

Tensor solve_cholesky(const Tensor& l, const Tensor& b) {
    square_matrices("solve_cholesky", l);
    const RightSide right("solve_cholesky", l, b);
    const Tensor y = substituted("solve_cholesky", l, right.matrices, by_factor);
    return right.result(substituted("solve_cholesky", l, y, by_transposed_factor));
}

}  // namespace linalg
}  // namespace xtgrad
