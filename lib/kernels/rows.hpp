// Functions of dense rows [rows, n]. Compiled for each instruction set.
#pragma once
#include <cstdint>

#include "isa.hpp"
#include "parallel.hpp"

namespace xtgrad::kernels {

/// out may be one of the operands.
template <class T>
struct RowKernels {
    void (*softmax)(Index rows, Index n, const T* x, T* out);
    /// y (g - sum g y)
    void (*softmax_vjp)(Index rows, Index n, const T* y, const T* g, T* out);
    void (*log_softmax)(Index rows, Index n, const T* x, T* out);
    /// g - e^y sum g
    void (*log_softmax_vjp)(Index rows, Index n, const T* y, const T* g, T* out);
    /// (x - mean) / sqrt(variance + eps)
    void (*layer_norm)(Index rows, Index n, T eps, const T* x, T* out);
    /// (g - mean g - x^ mean(g x^)) / sqrt(variance + eps), with x^ the normalized row
    void (*layer_norm_vjp)(Index rows, Index n, T eps, const T* x, const T* g, T* out);
    /// out[row] = log sum e^x - x[label]
    void (*cross_entropy)(Index rows, Index n, const T* x, const std::int64_t* labels, T* out);
    /// scale (softmax x - one hot)
    void (*cross_entropy_vjp)(Index rows, Index n, T scale, const T* x, const std::int64_t* labels, T* out);
};

/// Of one instruction set; defined in rows.cpp.
template <class T, Isa>
const RowKernels<T>& row_kernels_of();

/// Of the active one.
template <class T>
const RowKernels<T>& row_kernels() noexcept;

/// f(first, count) over all rows, in fixed parts.
inline void for_rows(Index rows, Index n, FunctionRef<void(Index, Index)> f) {
    if (rows * n < parallel_threshold) {
        if (rows > 0) f(0, rows);
        return;
    }
    const Index part = std::max<Index>(1, (1 << 13) / std::max<Index>(1, n));
    parallel_tasks((rows + part - 1) / part, [&](Index i) { f(i * part, std::min(part, rows - i * part)); });
}

}  // namespace xtgrad::kernels
