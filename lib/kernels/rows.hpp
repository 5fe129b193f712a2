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
    /// moments[2 row] = the row's mean, 0 unless centered; moments[2 row + 1] = 1 / sqrt(mean (x - that)^2 + eps).
    void (*moments)(Index rows, Index n, bool centered, T eps, const T* x, T* moments);
    /// x^ weight + bias with x^ = (x - mean) scale; either may be null.
    void (*normalize)(Index rows, Index n, const T* x, const T* moments, const T* weight, const T* bias, T* out);
    /// scale (u - mean u - x^ mean(u x^)), the second term only if centered, with u = g weight; weight may be null.
    /// Unless they are null, adds g x^ to weight_sum and g to bias_sum.
    void (*normalize_vjp)(Index rows, Index n, bool centered, const T* x, const T* moments, const T* weight, const T* g, T* out,
                          T* weight_sum, T* bias_sum);
    /// out[row] = total log sum e^x - own x[label] - each sum weight x, where `shares` has total, own and each of a row;
    /// weight null: 1.
    void (*cross_entropy)(Index rows, Index n, const T* x, const std::int64_t* labels, const T* shares, const T* weight, T* out);
    /// Its slope in x times g: g (total softmax x - own [label] - each weight)
    void (*cross_entropy_vjp)(Index rows, Index n, T g, const T* x, const std::int64_t* labels, const T* shares, const T* weight,
                              T* out);
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
