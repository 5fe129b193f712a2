// What the benchmark programs share: a case is a name and a function that returns what it computes.
#pragma once
#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <string>

/// Times calls of f, which returns a list of tensors; making and freeing them counts. `magnitude` makes a number of a
/// tensor, so that report.py can tell that both sides compute the same.
template <class F, class Tensor>
void add_case(const std::string& name, F f, double (*magnitude)(const Tensor&)) {
    const auto first = std::make_shared<std::optional<double>>();  // of the first call: f may go on from where it was
    benchmark::RegisterBenchmark(name.c_str(), [f, magnitude, first](benchmark::State& state) {
        if (!*first) {
            *first = 0;
            for (const Tensor& result : f()) **first += magnitude(result);
        }
        for (auto _ : state) {
            auto results = f();
            benchmark::DoNotOptimize(results);
        }
        state.counters["check"] = **first;
    });
}

inline int run_cases(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
