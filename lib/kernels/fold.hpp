// The loops beneath reduce.hpp: lines of elements, and many neighbouring lines at once. Compiled for each instruction set.
#pragma once
#include <cstdint>
#include <type_traits>

#include "isa.hpp"
#include "parallel.hpp"

namespace xtgrad::kernels {

/// Of booleans max is any and min is all, and there are no others; of i64 there is no sum_squares.
enum class Reduction { sum, product, max, min, sum_squares };
inline constexpr int reduction_count = 5;

/// A row number within a block, as wide as an element, so that both go through one vector.
template <class T>
using Position = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

/// Elements are joined in independent lanes: exact enough for some thousand; reduce.cpp joins the blocks. Max and min keep NaN.
template <class T>
struct FoldKernels {
    /// Of n elements, `step` apart.
    T (*line[reduction_count])(const T* x, Index n, Index step);
    /// out[j] = of x[j], x[j + stride], ..., one of each row, for j < n.
    void (*rows[reduction_count])(const T* x, Index rows, Index stride, Index n, T* out);
    /// The sums of x - shift and of its squares.
    void (*moments_line)(const T* x, Index n, Index step, T shift, T* sum, T* squares);
    void (*moments_rows)(const T* x, Index rows, Index stride, Index n, const T* shift, T* sum, T* squares);
    /// best[j] = the largest or smallest of x[j], x[j + stride], ..., NaN above all; at[j] = the first row that has it.
    void (*argmax_rows)(const T* x, Index rows, Index stride, Index n, T* best, Position<T>* at);
    void (*argmin_rows)(const T* x, Index rows, Index stride, Index n, T* best, Position<T>* at);
    /// The first of n neighbours that is v, or NaN when v is; n when there is none.
    Index (*find)(const T* x, Index n, T v);
    /// out = (x - mean) g, with one mean and g for each element, or for all.
    void (*centered)(Index n, const T* x, const T* mean, const T* g, T* out);
    void (*centered_line)(Index n, const T* x, T mean, T g, T* out);
};

/// Of one instruction set; defined in fold.cpp.
template <class T, Isa>
const FoldKernels<T>& fold_kernels_of();

/// Of the active one.
template <class T>
const FoldKernels<T>& fold_kernels() noexcept;

}  // namespace xtgrad::kernels
