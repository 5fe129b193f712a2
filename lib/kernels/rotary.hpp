// Pairs of elements rotated.
#pragma once
#include "parallel.hpp"

namespace xtgrad::kernels {

/// For rows [batch, rows, heads, 2 half]: in row t, (x_i, x_(i + half)) rotated by the angle of cosine[t * half + i] and
/// sine[t * half + i].
template <class T>
void rotate(Index batch, Index rows, Index heads, Index half, const T* cosine, const T* sine, const T* x, T* out);

}  // namespace xtgrad::kernels
