// The largest error of elementwise functions in units of the last place, against libm's long double, and the time an element
// takes, on the active instruction set (XTGRAD_ISA chooses another). usage: bench_accuracy [FUNCTION...]
#include "../accuracy.hpp"

#include <chrono>
#include <cstdio>
#include <cstring>

using namespace accuracy;

namespace {

/// Nanoseconds an element takes in the first cache, between -5 and 5.
template <class T>
double cost(const Function& f) {
    using Clock = std::chrono::steady_clock;
    const double low = std::max(f.low, -5.), high = std::min(f.high, 5.);
    std::vector<T> points(2048);
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = T(low + (high - low) * (0.5 + double(i)) / double(points.size()));
    const Tensor x = tensor(points);
    double best = INFINITY;
    for (int round = 0; round < 20; ++round) {
        const auto start = Clock::now();
        for (int i = 0; i < 10; ++i) f.op(x);
        best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
    }
    return best / 10 / double(points.size());
}

}  // namespace

int main(int argc, char** argv) {
    xg::set_num_threads(1);
    std::printf("instruction set: %s\nerror in ulp and time of an element in ns\n%-16s%23s%6s%6s%24s%6s%6s\n",
                xg::instruction_set(), "", "f32 of x in", "error", "time", "f64 of x in", "error", "time");
    for (const Function& f : functions) {
        if (argc > 1 && std::none_of(argv + 1, argv + argc, [&](const char* name) { return !std::strcmp(name, f.name); }))
            continue;
        constexpr int half = 1 << 17;
        const Worst single = worst<float>(f, half), twice = worst<double>(f, half);
        std::printf("%-16s%10.3g .. %-9.3g%6.2f%6.2f%11.3g .. %-9.3g%6.2f%6.2f\n", f.name, f.low32, f.high32, single.error,
                    cost<float>(f), f.low, f.high, twice.error, cost<double>(f));
    }
}
