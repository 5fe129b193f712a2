// Matrices that fit the caches: products and transpositions. Compiled for each instruction set.
#pragma once
#include "isa.hpp"
#include "parallel.hpp"

namespace xtgrad::kernels {

/// A strided matrix.
template <class T>
struct Matrix {
    const T* data;
    Index row, column;  // strides
};

template <class T>
struct MatrixKernels {
    /// c = a b with a m x k, b k x n, k at most most_inner, any strides; c row-major with rows `step` apart. Each element is
    /// one sum over k in order.
    void (*multiply)(Index m, Index n, Index k, Matrix<T> a, Matrix<T> b, T* c, Index step);
    /// to[j * to_step + i] = from[i * from_step + j]
    void (*transpose)(Index rows, Index columns, const T* from, Index from_step, T* to, Index to_step);
};

inline constexpr Index most_inner = 512;

/// Of one instruction set; defined in matrix.cpp.
template <class T, Isa>
const MatrixKernels<T>& matrix_kernels_of();

/// Of the active one.
template <class T>
const MatrixKernels<T>& matrix_kernels() noexcept;

}  // namespace xtgrad::kernels
