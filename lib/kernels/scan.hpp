// Running sums and products along the middle axis of dense [outer, n, inner], from its end when `reverse`.
#pragma once
#include <cstdint>

#include "parallel.hpp"

namespace xtgrad::kernels {

/// An axis, and the lines along it.
struct Lines {
    Index outer = 1, n = 1, inner = 1;

    Index count() const { return outer * inner; }
};

/// y_i = x_0 + ... + x_i, compensated.
template <class T>
void cumsum(const Lines&, bool reverse, const T* x, T* y);

/// y_i = x_0 * ... * x_i
template <class T>
void cumprod(const Lines&, bool reverse, const T* x, T* y);

/// y_i = a_i y_(i-1) + b_i, from 0; in double, since where a is 1 it is a sum.
template <class T>
void recurrence(const Lines&, bool reverse, const T* a, const T* b, T* y);

}  // namespace xtgrad::kernels
