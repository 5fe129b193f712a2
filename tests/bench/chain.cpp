// What an op costs beyond its arithmetic: 1000 ops, sin and * by turns, on 4 f32, and a sum; one thread. peer_chain.cpp
// does the same with libtorch. One case alone: bench_chain --benchmark_filter=forward$
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "harness.hpp"

namespace xg = xtgrad;
using Results = std::vector<xg::Tensor>;

xg::Tensor chain(const xg::Tensor& x, const xg::Tensor& w) {
    xg::Tensor y = x;
    for (int i = 0; i < 500; ++i) y = xg::sin(y) * w;
    return xg::sum(y);
}

double magnitude(const xg::Tensor& x) { return xg::sum(xg::abs(x)).item<double>(); }

int main(int argc, char** argv) {
    xg::set_num_threads(1);
    // Near 1, so that the derivatives do not vanish on the way.
    const xg::Tensor x = xg::tensor({0.5f, 1.f, 1.5f, 2.f}), w = xg::tensor({1.f, 1.001f, 0.999f, 1.002f});
    const xg::Tensor v = xg::tensor({1.f, -1.f, 2.f, -2.f});

    const auto add = [](const char* name, auto f) { add_case(name, f, magnitude); };
    add("forward", [&] { return Results{chain(x, w)}; });
    add("forward, recorded", [&] {
        xg::Tape tape;
        return Results{chain(x, w)};
    });
    add("forward + backward to x", [&] {
        xg::Tape tape;
        return Results{tape.gradient(chain(x, w), x)};
    });
    add("forward + backward to x, w", [&] {
        xg::Tape tape;
        return tape.gradient(chain(x, w), Results{x, w});
    });
    add("Hessian-vector product", [&] {
        xg::Tape outer;
        const xg::Tensor g = [&] {
            xg::Tape inner;
            return inner.gradient(chain(x, w), x);
        }();
        return Results{outer.jvp(g, x, v)};
    });
    benchmark::AddCustomContext("instruction set", xg::instruction_set());
    return run_cases(argc, argv);
}
