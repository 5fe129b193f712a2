// Batched matmul and einsum, forward, f32, two threads; "rate" in GFLOP/s.
#include <xtgrad/xtgrad.hpp>

#include "harness.hpp"

namespace xg = xtgrad;

namespace {

template <class F>
void add(const char* name, double multiplications, F f) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) {
        for (auto _ : state) benchmark::DoNotOptimize(f());
        state.counters["rate"] = {2e-9 * multiplications, benchmark::Counter::kIsIterationInvariantRate};
    })->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    xg::Rng rng(1);
    const auto random = [&rng](const xg::Shape& shape) { return xg::randn(shape, xg::f32, rng); };
    const xg::Tensor a = random({64, 64, 64}), b = random({64, 64, 64});
    add("matmul, 64 of 64 x 64", 64. * 64 * 64 * 64, [=] { return xg::matmul(a, b); });

    const xg::Index batch = 4, heads = 8, queries = 192, keys = 256, width = 64;
    const double work = double(batch * heads * queries) * double(keys * width);
    const xg::Tensor q = random({batch, queries, heads, width}), k = random({batch, keys, heads, width});
    add("scores by einsum", work, [=] { return xg::einsum("bqhd,bkhd->bhqk", q, k); });
    add("scores by matmul", work, [=] { return xg::matmul(xg::transpose(q, {0, 2, 1, 3}), xg::transpose(k, {0, 2, 3, 1})); });
    return run_cases(argc, argv);
}
