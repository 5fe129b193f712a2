// The Moore-Penrose inverse, and least squares by it.
#include <limits>

#include <xtgrad/linalg.hpp>

#include "spectral.hpp"

namespace xtgrad {
namespace detail {
namespace {

// ---- p = a^+ of constant rank (Golub and Pereyra 1973), E = 1 - a p, F = 1 - p a:
//      p. = -p a. p + p p^T a.^T E + F a.^T p^T p;   a' = -p^T g p^T + E g^T p p^T + p^T p g^T F

Tensor left_rest(const Tensor& x, const Tensor& a, const Tensor& p) { return x - matmul(a, matmul(p, x)); }
Tensor right_rest(const Tensor& x, const Tensor& a, const Tensor& p) { return x - matmul(matmul(x, p), a); }

void pinv_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Tensor &a = n.in[0], &p = n.out, pt = transposed(p), gt = transposed(g);
    Tensor sum = -matmul(pt, matmul(g, pt));
    sum = sum + matmul(matmul(left_rest(gt, a, p), p), pt);
    cotangents[0] = sum + matmul(pt, matmul(p, right_rest(gt, a, p)));
}
Tensor pinv_jvp(const Node& n, const Tensor* tangents) {
    const Tensor &a = n.in[0], &p = n.out, pt = transposed(p), dat = transposed(tangents[0]);
    Tensor sum = -matmul(p, matmul(tangents[0], p));
    sum = sum + matmul(p, matmul(pt, dat - matmul(matmul(dat, a), p)));
    return sum + matmul(matmul(dat - matmul(p, matmul(a, dat)), pt), p);
}
constexpr Op pinv_op{"pinv", pinv_vjp, pinv_jvp};

/// Which singular values count, boolean, of the shape of s.
Tensor counting(const Singular& d, double rcond) {
    if (d.s.size() == 0) return d.s > 0;
    const Axes last{-1};
    return d.s > detail::amax(d.s, &last, true) * rcond;
}

void check_tolerance(const char* op, double rcond, double least) {
    if (!(rcond >= least))
        fail<Error>(op, "the tolerance is ", rcond, "; singular values up to rcond times the largest count as zero, give ",
                    least < 0 ? "a number, or a negative one for the default" : "a number from 0 on");
}

Tensor pinv_of(const Tensor& a, const Singular& d, double rcond) {
    Tensor p = [&] {
        const Unrecorded composing;
        const Tensor counts = counting(d, rcond);
        const Tensor inverse = where(counts, 1 / where(counts, d.s, 1), 0);
        return contiguous(matmul(d.v * as_row(inverse), transposed(d.u)));
    }();
    if (recording()) record(pinv_op, p, a, {.in0 = a, .out = p});
    return p;
}

}  // namespace
}  // namespace detail

namespace linalg {

using namespace detail;

Tensor pinv(const Tensor& a, double rcond) {
    check_tolerance("pinv", rcond, 0);
    return pinv_of(a, singular_decomposition("pinv", a, false, true), rcond);
}

LeastSquares lstsq(const Tensor& a, const Tensor& b, double rcond) {
    const Matrices m("lstsq", a);
    const RightSide right("lstsq", a, b);
    check_tolerance("lstsq", rcond, -std::numeric_limits<double>::infinity());
    const double epsilon = with_floating(a.dtype(), [](auto z) { return double(std::numeric_limits<decltype(z)>::epsilon()); });
    if (rcond < 0) rcond = epsilon * double(std::max(m.rows, m.columns));
    const Singular d = recorded(a, singular_decomposition("lstsq", a, false, true));
    const Axes last{-1}, rows{-2};
    const Tensor rank = detail::count_nonzero(counting(d, rcond), &last, false);
    const Tensor x = matmul(pinv_of(a, d, rcond), right.matrices);
    const bool determined = m.rows > m.columns && detail::all_true(rank >= m.columns);
    Tensor residuals = zeros({0}, a.dtype());
    if (determined) residuals = detail::sum(square(matmul(a, x) - right.matrices), &rows, false);
    return {right.result(x), residuals, rank, d.s};
}

}  // namespace linalg
}  // namespace xtgrad
