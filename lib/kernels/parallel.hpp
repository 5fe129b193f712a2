// The threads that kernels share.
#pragma once
#include <algorithm>
#include <cstddef>

#include "function_ref.hpp"

namespace xtgrad::kernels {

using Index = std::ptrdiff_t;

/// Work below so many elements, or elementary steps, is not worth a parallel region.
inline constexpr Index parallel_threshold = 1 << 15;

void set_threads(int n) noexcept;
int threads() noexcept;

/// f(i) for every i in [0, n), each once, on up to threads() threads; the parts must not depend on their number, then neither do
/// the results. The first exception of f is thrown here, when no part is running any more; parts not yet begun are left out.
void parallel_tasks(Index n, FunctionRef<void(Index)> f);

/// f(begin, end) over [0, n) in parts whose ends are multiples of `step`.
inline void parallel_ranges(Index n, Index step, FunctionRef<void(Index, Index)> f) {
    if (n < parallel_threshold || threads() == 1) {
        if (n > 0) f(0, n);
        return;
    }
    const Index tasks = std::min<Index>((n + step - 1) / step, Index(threads()) * 4);
    const Index part = ((n + tasks - 1) / tasks + step - 1) / step * step;
    parallel_tasks((n + part - 1) / part, [&](Index i) { f(i * part, std::min(n, (i + 1) * part)); });
}

}  // namespace xtgrad::kernels
