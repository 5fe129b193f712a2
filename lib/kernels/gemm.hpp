// Matrix products, with the same bits for any number of threads: small ones by our own kernel, large ones by BLAS.
#pragma once
#include "matrix.hpp"

namespace xtgrad::kernels {

/// Is it a product for our own kernel? That reads any strides; measured by tests/bench/gemm.cpp.
constexpr bool is_small(Index m, Index n, Index k, std::size_t item) noexcept {
    return k <= most_inner && double(m) * double(n) * double(k) * double(item) <= 1 << 23;
}

/// Can BLAS read it where it is: one of its strides 1, the other not in the way?
bool blas_readable(Index rows, Index columns, Index row_stride, Index column_stride) noexcept;

/// One of many products of the same shape.
template <class T>
struct Product {
    Matrix<T> a, b;
    T* c;  // row-major, dense
};

/// c = a b for products [0, count), a m x k, b k x n; BLAS can read those that are not small. f(i) gives the i-th. Split into
/// fixed blocks of m and n, never of k, each one single-threaded call.
template <class T>
void gemm(Index count, Index m, Index n, Index k, FunctionRef<Product<T>(Index)> f);

}  // namespace xtgrad::kernels
