// How wide vectors are, and how many rows of them a tile of a product keeps in registers.
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

}  // namespace
}  // namespace xtgrad::kernels
