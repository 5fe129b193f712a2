// Reductions over part of the axes of a strided array.
#pragma once
#include <cstdint>

#include "strided.hpp"

namespace xtgrad::kernels {

enum class Reduction { sum, max, min };

/// out[i] = the reduction of x over the reduced space, for each i of the kept one. Max and min keep NaN. Sums are blocked and
/// compensated. The parts are the same for any number of threads. of bool: max is any, min is all. An empty reduced space
/// gives 0, -inf or inf (the lowest and the largest integer).
template <class T>
void reduce(Reduction, const Space& kept, const Index* kept_stride, const Space& reduced, const Index* reduced_stride, const T* x,
            T* out);

/// out[i] = the position of the first largest, NaN above all, among n elements `stride` apart, n > 0.
template <class T>
void argmax(const Space& kept, const Index* kept_stride, Index n, Index stride, const T* x, std::int64_t* out);

}  // namespace xtgrad::kernels
