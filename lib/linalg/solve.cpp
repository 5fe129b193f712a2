// Systems of equations, by LU with pivots (Giles, An extended collection of matrix derivative results, 2008).
#include <xtgrad/linalg.hpp>

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

}  // namespace linalg
}  // namespace xtgrad
