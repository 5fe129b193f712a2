// Matrix products by BLAS, with the same bits for any number of threads.
#pragma once
#include "parallel.hpp"

namespace xtgrad::kernels {

/// A strided matrix.
template <class T>
struct Matrix {
    const T* data;
    Index row, column;  // strides
};

/// Can BLAS read it where it is: one of its strides 1, the other not in the way?
bool blas_readable(Index rows, Index columns, Index row_stride, Index column_stride) noexcept;

/// One of many products of the same shape.
template <class T>
struct Product {
    Matrix<T> a, b;
    T* c;  // row-major, dense
};

/// c = a b for products [0, count), a m x k, b k x n, all readable. f(i) gives the i-th. Split into fixed blocks of m and n,
/// never of k, each one single-threaded call.
template <class T>
void gemm(Index count, Index m, Index n, Index k, FunctionRef<Product<T>(Index)> f);

}  // namespace xtgrad::kernels
