#include "parallel.hpp"

#include <atomic>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace xtgrad::kernels {
namespace {

int available() noexcept {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

std::atomic<int> wanted{0};  // 0: as many as there are

}  // namespace

void set_threads(int n) noexcept { wanted.store(n, std::memory_order_relaxed); }

int threads() noexcept {
    const int n = wanted.load(std::memory_order_relaxed);
    return n ? n : available();
}

void parallel_tasks(Index n, FunctionRef<void(Index)> f) {
#ifdef _OPENMP
    const int team = int(std::min<Index>(n, threads()));
    if (team > 1 && !omp_in_parallel()) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
        for (Index i = 0; i < n; ++i) f(i);
        return;
    }
#endif
    for (Index i = 0; i < n; ++i) f(i);
}

}  // namespace xtgrad::kernels
