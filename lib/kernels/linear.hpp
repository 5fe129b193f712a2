// What follows a product.
#pragma once
#include "parallel.hpp"

namespace xtgrad::kernels {

/// Adds `bias`, n elements, to each row of x.
template <class T>
void add_bias(Index rows, Index n, const T* bias, T* x);

}  // namespace xtgrad::kernels
