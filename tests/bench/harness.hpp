// What the benchmark programs share: a case is a name and a function that returns what it computes.
#pragma once
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>

/// Times calls of f, which returns a list of tensors; making and freeing them counts. `magnitude` makes a number of a
/// tensor, so that report.py can tell that both sides compute the same.
template <class F, class Tensor>
void add_case(const std::string& name, F f, double (*magnitude)(const Tensor&)) {
    benchmark::RegisterBenchmark(name.c_str(), [f, magnitude](benchmark::State& state) {
        double check = 0;
        for (const Tensor& result : f()) check += magnitude(result);
        for (auto _ : state) {
            auto results = f();
            benchmark::DoNotOptimize(results);
        }
        state.counters["check"] = check;
    });
}

inline int run_cases(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
