#include "linear.hpp"

namespace xtgrad::kernels {

template <class T>
void add_bias(Index rows, Index n, const T* bias, T* x) {
    const Index some = std::max<Index>(1, (1 << 13) / std::max<Index>(1, n));
    const auto part = [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const T* __restrict from = bias;
            T* __restrict to = x + r * n;
            for (Index i = 0; i < n; ++i) to[i] += from[i];
        }
    };
    if (rows * n < parallel_threshold) return part(0, rows);
    parallel_tasks((rows + some - 1) / some, [&](Index i) { part(i * some, std::min(rows, (i + 1) * some)); });
}

template void add_bias(Index, Index, const float*, float*);
template void add_bias(Index, Index, const double*, double*);

}  // namespace xtgrad::kernels
