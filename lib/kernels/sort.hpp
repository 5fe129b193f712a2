// The order of the elements of each line, and elements by such an order. Arrays are dense [outer, n, inner]; an order is dense
// [outer, k, inner] and holds positions along the middle axis, none twice in a line.
#pragma once
#include "scan.hpp"

namespace xtgrad::kernels {

/// Bytes of memory that `order` needs besides.
template <class T>
std::size_t order_scratch(const Lines&);

/// Where the k smallest elements are, smallest first, or the k largest, largest first; k <= n. NaN is larger than all; of
/// equal ones the first comes first.
template <class T>
void order(const Lines&, Index k, bool descending, const T* x, std::int64_t* order, void* scratch);

/// out[o, i, j] = x[o, order[o, i, j], j]
template <class T>
void gather_lines(const Lines&, Index k, const std::int64_t* order, const T* x, T* out);

/// out[o, order[o, i, j], j] = x[o, i, j]
template <class T>
void scatter_lines(const Lines&, Index k, const std::int64_t* order, const T* x, T* out);

}  // namespace xtgrad::kernels
