// Reductions over part of the axes of a strided array: how they fall into lines, blocks and tasks. The parts are the same for
// any number of threads, and so are the bits.
#pragma once
#include <cstdint>

#include "fold.hpp"
#include "strided.hpp"

namespace xtgrad::kernels {

/// A strided array whose axes are either kept or reduced.
template <class T>
struct Reducible {
    Space kept, reduced;
    Index kept_stride[max_dims], reduced_stride[max_dims];
    const T* x;
};

/// out[i] = the reduction, for each i of the kept space. Max and min keep NaN. Sums are blocked and compensated. Of nothing: 0
/// and 1, -inf or inf (the lowest and the largest integer).
template <class T>
void reduce(Reduction, const Reducible<T>&, T* out);

/// How many are true.
void count(const Reducible<bool>&, std::int64_t* out);

/// The mean and the sum of (x - mean)^2, which does not cancel.
template <class T>
void moments(const Reducible<T>&, T* mean, T* squares);

/// out = (x - mean) g, of a dense array; mean and g are dense in its shape with 1 for each reduced axis, which have the stride 0
/// in `stride`.
template <class T>
void centered(const Space&, const Index* stride, const T* x, const T* mean, const T* g, T* out);

/// out[i] = the position of the first largest or smallest along the one reduced axis, which is not empty; NaN above all.
template <class T>
void arg_extremum(bool largest, const Reducible<T>&, std::int64_t* out);

}  // namespace xtgrad::kernels
