// Transposing squares of vectors in registers, and what is made of it: sums over lanes, transposed copies, and lines packed side
// by side.
#pragma once
#include <utility>

#include "batch.hpp"
#include "matrix.hpp"
#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

template <class T>
using Native [[gnu::vector_size(sizeof(T) * width<T>)]] = T;

/// Exchanges one bit of the row's number with that bit of the lane's.
template <Index bit, class T, std::size_t... lane>
XG_INLINE void exchange(Native<T>& a, Native<T>& b, std::index_sequence<lane...>) {
    constexpr Index n = width<T>;
    const Native<T> low = __builtin_shufflevector(a, b, (Index(lane) & bit ? n + (Index(lane) & ~bit) : Index(lane))...);
    b = __builtin_shufflevector(a, b, (Index(lane) & bit ? n + Index(lane) : Index(lane) | bit)...);
    a = low;
}
template <Index bit, class T>
XG_INLINE void exchange_all(Native<T>* v) {
#pragma GCC unroll 16
    for (Index i = 0; i < width<T>; ++i)
        if (!(i & bit)) exchange<bit, T>(v[i], v[i | bit], std::make_index_sequence<width<T>>());
    if constexpr (2 * bit < width<T>) exchange_all<2 * bit, T>(v);
}

/// v[0] = the sums of v[0], v[1], ... over their lanes, one in each lane. xsimd 8.1's haddp permutes them for AVX-512.
template <Index bit, class T>
XG_INLINE void add_across(Native<T>* v) {
#pragma GCC unroll 16
    for (Index i = 0; i < width<T>; i += 2 * bit) {
        exchange<bit, T>(v[i], v[i | bit], std::make_index_sequence<width<T>>());
        v[i] += v[i | bit];
    }
    if constexpr (2 * bit < width<T>) add_across<2 * bit, T>(v);
}

/// A square of which `rows` rows exist, to all columns of another.
template <class T>
XG_INLINE void transpose_square(Index rows, const T* from, Index from_step, T* to, Index to_step) {
    constexpr Index n = width<T>;
    Native<T> v[n];
#pragma GCC unroll 16
    for (Index i = 0; i < n; ++i) v[i] = Native<T>(Batch<T>::load_unaligned(from + (i < rows ? i : rows - 1) * from_step).data);
    exchange_all<1, T>(v);
#pragma GCC unroll 16
    for (Index i = 0; i < n; ++i) Batch<T>(typename Batch<T>::register_type(v[i])).store_unaligned(to + i * to_step);
}

template <class T>
void transpose(Index rows, Index columns, const T* from, Index from_step, T* to, Index to_step) {
    constexpr Index n = width<T>;
    Index i = 0;
    for (; i + n <= rows; i += n) {
        Index j = 0;
        for (; j + n <= columns; j += n)
            transpose_square<T>(n, from + i * from_step + j, from_step, to + j * to_step + i, to_step);
        for (; j < columns; ++j)
            for (Index l = i; l < i + n; ++l) to[j * to_step + l] = from[l * from_step + j];
    }
    for (Index j = 0; j < columns; ++j)
        for (Index l = i; l < rows; ++l) to[j * to_step + l] = from[l * from_step + j];
}

/// Element l of each of n lines side by side, `height` apart from element l + 1 of them, a multiple of a vector. x.row goes
/// from line to line, x.column along them. In the places of the lines that there are not stands something that was read.
template <Index height, class T>
void pack_lines(Index n, Index k, Matrix<T> x, T* to) {
    constexpr Index w = width<T>, ahead = 8;  // so many elements ahead memory is asked: strides are too long for it to guess
    for (Index g = 0; g < height; g += w) {
        const Index lines = g >= n ? 1 : n - g;
        const T* from = x.data + (g < n ? g : n - 1) * x.row;
        Index l = 0;
        if (x.row == 1) {
            for (; l < k; ++l) {
                __builtin_prefetch(from + (l + ahead) * x.column);
                Batch<T>::load_unaligned(from + l * x.column).store_aligned(to + l * height + g);
            }
        } else {
            if (x.column == 1)
                for (; l + w <= k; l += w) transpose_square<T>(lines, from + l, x.row, to + l * height + g, height);
            for (; l < k; ++l)
                for (Index i = 0; i < w; ++i) to[l * height + g + i] = from[(i < lines ? i : lines - 1) * x.row + l * x.column];
        }
    }
}

}  // namespace
}  // namespace xtgrad::kernels
