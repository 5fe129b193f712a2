// Is every element finite?
#pragma once
#include "parallel.hpp"

namespace xtgrad::kernels {

template <class T>
bool all_finite(Index n, const T* x);

}  // namespace xtgrad::kernels
