// Slices and elements by index.
#pragma once
#include <cstdint>

#include "parallel.hpp"

namespace xtgrad::kernels {

/// An array [outer, extent, inner] and indices into its middle axis, all in range (negative ones counted from the end):
/// `count` of them for whole slices, [outer, count, inner] for elements.
struct Gather {
    Index outer, extent, inner, count;
    const std::int64_t* indices;

    Index row(Index i) const { return indices[i] + (indices[i] >> 63 & extent); }
};

/// What is added to: an array, or one number in place of all its elements.
template <class T>
struct Start {
    const T* data;
    bool constant;
};

/// out [outer, count, inner] = x[:, indices, :], elements of `item` bytes.
void take(const Gather&, int item, const void* x, void* out);

/// out [outer, extent, inner] = start, plus values [outer, count, inner] at the indices, in their order; more than a few of f32
/// are added up in double.
template <class T>
void add_at(const Gather&, Start<T>, const T* values, T* out);

/// out[o, i, j] = x[o, indices[o, i, j], j], elements of `item` bytes.
void take_along(const Gather&, int item, const void* x, void* out);

/// out = start, plus values[o, i, j] at [o, indices[o, i, j], j], in the order of i and as exactly.
template <class T>
void add_along(const Gather&, Start<T>, const T* values, T* out);

/// The first index out of range, or -1.
Index first_out_of_range(Index count, const std::int64_t* indices, Index extent);

}  // namespace xtgrad::kernels
