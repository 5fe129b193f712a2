// Factorizations of one dense row-major matrix each, by LAPACK on one thread. To LAPACK a row-major matrix is its transpose:
// each factorization is chosen so that its factors come out row-major without a transposition.
#pragma once
#include <cstdint>

#include "parallel.hpp"

namespace xtgrad::kernels {

/// The row that is exchanged with row i, from 0.
using Pivot = std::int64_t;

/// A triangular matrix, its transpose perhaps; the other triangle is not read.
struct Triangular {
    bool lower, transposed, unit;
};

/// x = op(t)^-1 x, t n x n and x n x k, in place. t has no zero on its diagonal.
template <class T>
void solve_triangular(Triangular, Index n, Index k, const T* t, T* x);

/// A matrix becomes the two triangles of its factorization with pivots. The first pivot that is 0, from 1, or 0.
template <class T>
Index lu(Index n, T* a, Pivot* pivots);

/// x = a^-1 x or a^-T x by the factors of a, x n x k, in place.
template <class T>
void lu_solve(Index n, Index k, const T* factors, const Pivot* pivots, bool transposed, T* x);

/// Eliminates with complete pivoting, and stops at a pivot below `least` times the first: how many there are before it, n of a
/// regular matrix, 0 of zeros. Rows and columns in the order that puts them first, and the sign of both permutations. a is
/// destroyed. (LAPACK's getc2 goes on.)
template <class T>
Index large_pivots(Index n, T* a, T least, Pivot* rows, Pivot* columns, double& sign);

/// The lower triangle becomes L with a = L L^T, the upper zeros. The order of the first minor that is not positive, or 0.
template <class T>
Index cholesky(Index n, T* a);

/// a m x n, m >= n, in the first n columns of q m x width (n <= width <= m), becomes q with orthonormal columns; r n x n.
template <class T>
void qr(Index m, Index n, Index width, T* q, T* r);

/// The eigenvalues of a symmetric matrix in ascending order; its rows become the eigenvectors, if wanted. Nonzero when LAPACK
/// did not converge.
template <class T>
Index eigh(Index n, bool vectors, T* a, T* w);

/// a = u diag(s) vt, s descending; a m x n is destroyed. u m x m and vt n x n when `full`, else m x k and k x n, k = min(m, n);
/// null: only s. Nonzero when LAPACK did not converge.
template <class T>
Index svd(Index m, Index n, bool full, T* a, T* u, T* s, T* vt);

}  // namespace xtgrad::kernels
