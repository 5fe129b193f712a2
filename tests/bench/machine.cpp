// What the machine can do: copying memory, and the BLAS that xtgrad links.
#include <benchmark/benchmark.h>
#include <cblas.h>

#include <cstring>
#include <vector>

namespace {

void copy(benchmark::State& state) {
    std::vector<char> from(std::size_t(64) << 20, 1), to(from.size());
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), from.size());
        benchmark::ClobberMemory();
    }
    state.counters["rate"] = {2e-9 * double(from.size()), benchmark::Counter::kIsIterationInvariantRate};
}
BENCHMARK(copy)->Name("memory copy, read + write, GB/s")->ThreadRange(1, 2)->UseRealTime();

void sgemm(benchmark::State& state) {
    constexpr int n = 1024;
    const std::vector<float> a(n * n, 1), b(n * n, 1);
    std::vector<float> c(n * n);
    for (auto _ : state)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
    state.counters["rate"] = {2e-9 * n * n * n, benchmark::Counter::kIsIterationInvariantRate};
}
BENCHMARK(sgemm)->Name("sgemm of 1024 x 1024, GFLOP/s")->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
