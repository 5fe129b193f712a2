// Kernels whose results are not differentiated: comparisons, logic, selection, conversion.
#pragma once
#include <cstdint>

#include <xtgrad/detail/predicates.hpp>

#include "parallel.hpp"

namespace xtgrad::kernels {

using detail::Comparison;
using detail::FloatClass;
using detail::Logic;
using detail::Tolerance;

template <class T>
void compare(Comparison, Index n, bool* out, const T* a, const T* b);
void logic(Logic, Index n, bool* out, const bool* a, const bool* b);
void negation(Index n, bool* out, const bool* x);
template <class T>
void classify(FloatClass, Index n, bool* out, const T* x);
template <class T>
void is_close(Tolerance, Index n, bool* out, const T* a, const T* b);
/// out = mask ? a : b, of elements of 1, 4 or 8 bytes.
void select(int item, Index n, void* out, const bool* mask, const void* a, const void* b);
/// Floating to integer truncates; NaN and what is out of range give the smallest integer.
template <class To, class From>
void convert(Index n, To* out, const From* x);

}  // namespace xtgrad::kernels
