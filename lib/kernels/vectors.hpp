// How wide vectors are, how many rows of them a tile of a product keeps in registers, and products of them.
#pragma once
#include <xsimd/xsimd.hpp>

#include "parallel.hpp"

namespace xtgrad::kernels {
namespace {

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
constexpr Index width = Batch<T>::size;
template <class T>
constexpr int tile_rows = Batch<T>::size * sizeof(T) == 64 ? 12 : 6;  // of 32 or 16 registers

/// sum x y
template <class T>
T dot(Index n, const T* x, const T* y) {
    constexpr Index w = width<T>;
    Batch<T> sums[4] = {Batch<T>(T(0)), Batch<T>(T(0)), Batch<T>(T(0)), Batch<T>(T(0))};
    Index l = 0;
    for (; l + 4 * w <= n; l += 4 * w)
#pragma GCC unroll 4
        for (Index i = 0; i < 4; ++i)
            sums[i] = xsimd::fma(Batch<T>::load_unaligned(x + l + i * w), Batch<T>::load_unaligned(y + l + i * w), sums[i]);
    for (; l + w <= n; l += w) sums[0] = xsimd::fma(Batch<T>::load_unaligned(x + l), Batch<T>::load_unaligned(y + l), sums[0]);
    alignas(64) T lanes[w];
    ((sums[0] + sums[1]) + (sums[2] + sums[3])).store_aligned(lanes);
    T sum = 0;
    for (; l < n; ++l) sum += x[l] * y[l];
    for (const T lane : lanes) sum += lane;
    return sum;
}

}  // namespace
}  // namespace xtgrad::kernels
