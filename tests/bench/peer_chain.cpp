// chain.cpp, with libtorch.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/forward_grad.h>
#include <torch/version.h>

#include <vector>

#include "harness.hpp"

using Results = std::vector<at::Tensor>;

at::Tensor chain(const at::Tensor& x, const at::Tensor& w) {
    at::Tensor y = x;
    for (int i = 0; i < 500; ++i) y = at::sin(y) * w;
    return at::sum(y);
}

double magnitude(const at::Tensor& x) { return x.abs().sum().item<double>(); }

int main(int argc, char** argv) {
    at::set_num_threads(1);
    const at::Tensor x = at::tensor({0.5f, 1.f, 1.5f, 2.f}), w = at::tensor({1.f, 1.001f, 0.999f, 1.002f});
    const at::Tensor v = at::tensor({1.f, -1.f, 2.f, -2.f});
    const at::Tensor x_target = x.clone().requires_grad_(), w_target = w.clone().requires_grad_();

    const auto add = [](const char* name, auto f) { add_case(name, f, magnitude); };
    add("forward", [&] {
        const at::NoGradGuard guard;
        return Results{chain(x, w)};
    });
    add("forward, recorded", [&] { return Results{chain(x_target, w).detach()}; });
    add("forward + backward to x", [&] { return torch::autograd::grad({chain(x_target, w)}, {x_target}); });
    add("forward + backward to x, w", [&] { return torch::autograd::grad({chain(x_target, w_target)}, {x_target, w_target}); });
    add("Hessian-vector product", [&] {
        const auto level = torch::autograd::ForwardADLevel::get_next_idx();
        at::Tensor tangent;
        {
            const at::Tensor dual = at::_make_dual(x_target, v, std::int64_t(level));
            const at::Tensor g = torch::autograd::grad({chain(dual, w)}, {dual})[0];
            tangent = std::get<1>(at::_unpack_dual(g, std::int64_t(level)));
        }
        torch::autograd::ForwardADLevel::release_idx(level);
        return Results{tangent};
    });
    benchmark::AddCustomContext("libtorch", TORCH_VERSION);
    return run_cases(argc, argv);
}
