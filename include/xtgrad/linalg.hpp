// Linear algebra: the names of xtensor-blas and NumPy, differentiable to any order in both modes. The last two axes are the
// matrix, those before them a batch. f32 and f64; other dtypes are a DtypeError, shapes that do not fit a ShapeError, and a
// matrix for which there is no result an Error that says which of the batch. Nothing depends on the number of threads.
//
// A NaN or an infinity in a matrix is an Error for cholesky, eigh, svd, expm and what is made of them (eigvalsh, pinv, lstsq, the
// norms of singular values), which would not converge or could take it for a result; solve, inv, det, slogdet, qr,
// solve_triangular, matrix_power and the other norms compute on with it, as NumPy and PyTorch do, and their results hold a NaN.
#pragma once
#include <vector>

#include "ops/diagonals.hpp"
#include "ops/linear.hpp"

namespace [[gnu::visibility("default")]] xtgrad {
namespace linalg {

using xtgrad::dot;
using xtgrad::outer;
using xtgrad::tensordot;
using xtgrad::trace;
using xtgrad::vdot;

/// The Kronecker product: each element of a times the whole of b. Missing leading axes have extent 1.
Tensor kron(const Tensor& a, const Tensor& b);

/// a^n of square matrices; by the inverse when n < 0.
Tensor matrix_power(const Tensor& a, long n);

/// The matrix exponential of square matrices, by Pade approximants, scaling and squaring (Higham, SIAM J. Matrix Anal. Appl.
/// 26, 2005). Its derivative is a block of the exponential of a block triangle (Mathias, SIAM J. Matrix Anal. Appl. 17, 1996).
Tensor expm(const Tensor& a);

/// x with a x = b for square a, by LU with pivots. b is a vector (n), or matrices (..., n, k) whose leading axes broadcast with
/// those of a. The adjoint uses the factors again. Throws Error when a matrix is singular.
Tensor solve(const Tensor& a, const Tensor& b);

/// The inverse of square matrices. Throws Error when one is singular; a solve needs none.
Tensor inv(const Tensor& a);

/// The determinant of square matrices, 0 of a singular one. Its slope is the matrix of cofactors; it has derivatives of every
/// order at matrices of any rank, and they are accurate beside singular ones, too.
Tensor det(const Tensor& a);

/// The sign of the determinant and the logarithm of its absolute value, which neither overflows nor underflows. Of a singular
/// matrix 0 and -inf, without a derivative: an Error when one is asked for (PyTorch and JAX give infinities or NaN). The sign has
/// slope 0.
struct SignAndLog {
    Tensor sign, logdet;
};
SignAndLog slogdet(const Tensor& a);

/// L with a = L L^T, lower triangular with a positive diagonal, of positive definite matrices. The symmetric part (a + a^T) / 2
/// is what is factored, so that the derivative is that of a function of all elements, and symmetric. Throws Error when a matrix
/// is not positive definite.
Tensor cholesky(const Tensor& a);

/// x with a x = b for positive definite a = L L^T, given L, as cholesky makes it; b as for solve.
Tensor solve_cholesky(const Tensor& l, const Tensor& b);

struct TriangularOptions {
    bool lower = true;           ///< the triangle that is read; the other may hold anything
    bool transposed = false;     ///< solve a^T x = b
    bool unit_diagonal = false;  ///< the diagonal is not read and taken as 1
};
/// x with a x = b for triangular a, by substitution; b as for solve. Throws Error when the diagonal has a zero.
Tensor solve_triangular(const Tensor& a, const Tensor& b, const TriangularOptions& options = {});

enum class qrmode {
    reduced,   ///< q (m, k), r (k, n), k = min(m, n)
    complete,  ///< q (m, m), r (m, n)
    r          ///< only r; q is not defined
};
/// a = q r with orthonormal columns of q and an upper triangle r, by Householder reflections; the diagonal of r has the signs
/// that LAPACK gives it. There is a derivative where the first k columns of a are independent (Walter and Lehmann, 2010).
struct QR {
    Tensor q, r;
};
QR qr(const Tensor& a, qrmode mode = qrmode::reduced);

/// The eigenvalues w of symmetric matrices, ascending, and their eigenvectors, the columns of v: a = v diag(w) v^T. The symmetric
/// part (a + a^T) / 2 is what is decomposed. Each eigenvector has the sign that makes its largest component positive.
///
/// Eigenvalues have derivatives where they are simple, and so has any symmetric function of them everywhere: its gradient and its
/// second derivatives, divided differences of the gradient, whose limits at repeated values are found in the record (Daleckii and
/// Krein, 1956; Lewis and Sendov, 2001). That takes a gradient first, as in hessian and hvp: of a tangent the second derivative
/// at repeated values is NaN, as are third ones. The derivative of eigenvectors divides by the gaps between eigenvalues (Giles,
/// 2008). Values are repeated when they differ by rounding, (n + 8) eps times the largest; of their vectors those functions have
/// derivatives, to second order, that do not depend on the choice of a basis, as a projector or a trace. For others a gradient is
/// infinite; a tangent turns the basis as little as possible. What weighs vectors with a function of the values, v h(w) v^T,
/// counts as such a function with constant weights: at repeated values its derivative lacks h'. For a smooth function of the
/// matrix use expm, solve and products instead.
struct Eigen {
    Tensor values, vectors;
};
Eigen eigh(const Tensor& a);
/// The eigenvalues alone.
Tensor eigvalsh(const Tensor& a);

/// a = u diag(s) vt, s descending, by divide and conquer: u (m, m) and vt (n, n), or u (m, k), vt (k, n), k = min(m, n) when not
/// full_matrices; neither is defined when not compute_uv. Each column of u has the sign that makes its largest component
/// positive. What is said of eigh's derivatives holds for singular values, their vectors and gaps, and for values of 0 where the
/// function is even in them; but no gradient is infinite, since of u and v together more can be asked, as u vt. Second
/// derivatives of vectors are NaN where a value is 0 and a not square. The columns beyond k span a complement, and only functions
/// of that space as a whole have derivatives.
struct SVD {
    Tensor u, s, vt;
};
SVD svd(const Tensor& a, bool full_matrices = true, bool compute_uv = true);

/// The Moore-Penrose inverse; singular values up to rcond times the largest count as zero. There is a derivative where the rank
/// does not change (Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973). Throws Error when rcond is negative or NaN.
Tensor pinv(const Tensor& a, double rcond = 1e-15);

/// The x of least |a x - b|, of those the shortest; b as for solve, a of any rank. Singular values up to rcond times the largest
/// count as zero; a negative rcond is the machine's epsilon times the larger extent. The residuals are |a x - b|^2 for each
/// column of b, none ((0)) where every x would do, or the rank is less than n, as in NumPy. The rank (i64) has no derivative.
/// Throws Error when rcond is NaN.
struct LeastSquares {
    Tensor solution, residuals, rank, singular_values;
};
LeastSquares lstsq(const Tensor& a, const Tensor& b, double rcond = -1);

enum class normorder {
    frob,    ///< Frobenius: the root of the sum of squares
    nuc,     ///< nuclear: the sum of the singular values
    inf,     ///< of a vector the largest element, of a matrix the largest row, in absolute values
    neg_inf  ///< the smallest
};
/// The root of the sum of squares of all elements.
Tensor norm(const Tensor& x);
/// The norms of NumPy: of a vector (sum |x|^ord)^(1/ord), and for 0 the number of elements that are not 0; of a matrix 1 and -1
/// the largest and smallest column in absolute values, 2 and -2 the largest and smallest singular value. x has one or two axes.
/// Where the norm of a vector is 0 its slope is 0, of every order (PyTorch's convention). For an ord below 2 that is no whole
/// number, an element that is 0 counts as a constant: its slopes are infinite from some order on. Throws Error when ord is NaN.
Tensor norm(const Tensor& x, double ord);
Tensor norm(const Tensor& x, normorder ord);
/// Of the vectors along one axis, or of the matrices that two span; the axes go, or stay with extent 1.
Tensor norm(const Tensor& x, double ord, const Axes& axes, bool keep_dims = false);
Tensor norm(const Tensor& x, normorder ord, const Axes& axes, bool keep_dims = false);

}  // namespace linalg
}  // namespace xtgrad
