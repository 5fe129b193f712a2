// Slices by index.
#pragma once
#include <cstdint>

#include "parallel.hpp"

namespace xtgrad::kernels {

/// An array [outer, extent, inner] and indices into its middle axis, all in range (negative ones counted from the end).
struct Gather {
    Index outer, extent, inner, count;
    const std::int64_t* indices;

    Index row(Index i) const { return indices[i] < 0 ? indices[i] + extent : indices[i]; }
};

/// out [outer, count, inner] = x[:, indices, :], elements of `item` bytes.
void take(const Gather&, int item, const void* x, void* out);

/// out [outer, extent, inner] += values [outer, count, inner] at the indices, in their order.
template <class T>
void add_at(const Gather&, T* out, const T* values);

/// The first index out of range, or -1.
Index first_out_of_range(Index count, const std::int64_t* indices, Index extent);

}  // namespace xtgrad::kernels
