// Matrix products, with the same bits for any number of threads: by our own kernels, large ones with 5 to 31 rows or 2 to 31
// columns by BLAS.
#pragma once
#include "matrix.hpp"

namespace xtgrad::kernels {

/// Is it a product that fits the caches?
constexpr bool is_small(Index m, Index n, Index k, std::size_t item) noexcept {
    return k <= most_inner && double(m) * double(n) * double(k) * double(item) <= 1 << 23;
}
/// Is it a product for our own kernels? They read any strides; measured by tests/bench/gemm.cpp.
constexpr bool is_ours(Index m, Index n, Index k, std::size_t item) noexcept {
    return is_small(m, n, k, item) || std::min(m, n) >= 32;
}

/// Can BLAS read it where it is: one of its strides 1, the other not in the way?
bool blas_readable(Index rows, Index columns, Index row_stride, Index column_stride) noexcept;

/// One of many products of the same shape.
template <class T>
struct Product {
    Matrix<T> a, b;
    T* c;                     // row-major, dense
    const T* bias = nullptr;  // added to each row of c
};

/// c = a b + bias for products [0, count), a m x k, b k x n; BLAS can read those that are not ours. f(i) gives the i-th. Split
/// into fixed blocks of m and n for BLAS, each one single-threaded call. The calling thread keeps a few MB for the next one, or
/// does with less where there is no memory, to the same bits.
template <class T>
void gemm(Index count, Index m, Index n, Index k, FunctionRef<Product<T>(Index)> f);

/// One that is ours and not small, with memory for so many elements, as aligned as vectors want it: at least least_memory.
template <class T>
void multiply_large(Index m, Index n, Index k, const Product<T>&, T* memory, Index elements);

inline constexpr Index least_memory = 1 << 15;

}  // namespace xtgrad::kernels
