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
    /// How many columns a panel has, how many rows a tile, how many rows are packed at a time, and how much of k.
    Index panel, tile, rows, inner;
    /// c = a b with a m x k, b k x n, k at most most_inner, any strides; c row-major with rows `step` apart. Each element is
    /// one sum over k in order.
    void (*multiply)(Index m, Index n, Index k, Matrix<T> a, Matrix<T> b, T* c, Index step);
    /// The same for any k where few_readable(a, b); best for a row or two, and for few where b comes from memory.
    void (*multiply_few)(Index m, Index n, Index k, Matrix<T> a, Matrix<T> b, T* c, Index step);
    /// b, k x n, as panels of columns one after the other, the last one filled up: k * (n rounded up) elements.
    void (*pack)(Index n, Index k, Matrix<T> b, T* to);
    /// c = a b, or c += a b, with b as `pack` left it, any k. Each element is a sum of sums over blocks of `inner` of k.
    void (*multiply_packed)(Index m, Index n, Index k, Matrix<T> a, const T* b, T* c, Index step, bool add);
    /// to[j * to_step + i] = from[i * from_step + j]
    void (*transpose)(Index rows, Index columns, const T* from, Index from_step, T* to, Index to_step);
};

inline constexpr Index most_inner = 512;

/// Do b's elements lie side by side along its columns, as a's along its rows?
template <class T>
constexpr bool side_by_side(const Matrix<T>& a, const Matrix<T>& b) noexcept {
    return a.column == 1 && b.row == 1;
}
template <class T>
constexpr bool few_readable(const Matrix<T>& a, const Matrix<T>& b) noexcept {
    return b.column == 1 || side_by_side(a, b);
}

/// Of one instruction set; defined in matrix.cpp.
template <class T, Isa>
const MatrixKernels<T>& matrix_kernels_of();

/// Of the active one.
template <class T>
const MatrixKernels<T>& matrix_kernels() noexcept;

}  // namespace xtgrad::kernels
