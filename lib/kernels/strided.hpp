// Everything that a contiguous kernel does not do: strides, broadcasting, blocks, threads.
#pragma once
#include <span>

#include "function_ref.hpp"
#include "parallel.hpp"

namespace xtgrad::kernels {

inline constexpr int max_dims = 16;

/// The index space of an op: the shape of its dense, row-major output.
struct Space {
    int rank = 0;
    Index shape[max_dims] = {};
    Index count = 1;
};

/// One operand in that space; strides count elements, 0 repeats.
struct Strided {
    const std::byte* data = nullptr;
    int item = 0;  // bytes of an element: 1, 4 or 8
    bool dense = false;
    Index stride[max_dims] = {};
};

/// Drops axes of extent 1 and joins neighbours that all operands walk through alike.
void simplify(Space&, std::span<Strided> operands);

/// Calls f(first, n, p) for blocks that cover [0, count), in parallel when there are many elements. p[k] are n consecutive
/// elements of operand k (null if it has no data), in place when it is dense, else copied to a buffer that stays in L1. Up to
/// `lanes` - 1 elements beyond n may be read. All blocks but the last end at a multiple of `lanes`.
void for_blocks(Space, std::span<Strided> operands, FunctionRef<void(Index first, Index n, const void* const* p)> f);

/// to[i] = the i-th element of the operand in row-major order.
void copy(const Space&, const Strided& from, void* to);

/// Writes dense elements to the positions of a strided target, which overlap nowhere.
void scatter(const Space&, const void* from, std::byte* to, const Index* stride, int item);

/// Adds dense elements to those positions. T: float, double.
template <class T>
void scatter_add(const Space&, const T* from, T* to, const Index* stride);

}  // namespace xtgrad::kernels
