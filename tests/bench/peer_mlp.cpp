// The small network of mlp.cpp, with libtorch.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <memory>
#include <vector>

#include "harness.hpp"

using Parameters = std::vector<at::Tensor>;

at::Tensor data(at::IntArrayRef shape, double scale) {
    std::int64_t size = 1;
    for (const auto extent : shape) size *= extent;
    return (at::arange(size, at::kDouble).sin() * scale).to(at::kFloat).reshape(shape);
}

int main(int argc, char** argv) {
    at::set_num_threads(2);
    const auto list = std::make_shared<Parameters>();
    for (int i = 0; i < 3; ++i) {
        list->push_back(data({32, 32}, 0.3).requires_grad_());
        list->push_back(data({32}, 0.1).requires_grad_());
    }
    const at::Tensor x = data({16, 32}, 1), target = data({16, 32}, 0.5);
    add_case(
        "32-32-32-32, batch 16",
        [=] {
            at::Tensor y = x;
            for (std::size_t i = 0; i < list->size(); i += 2) {
                y = at::addmm((*list)[i + 1], y, (*list)[i]);
                if (i + 2 < list->size()) y = at::tanh(y);
            }
            const at::Tensor loss = at::mse_loss(y, target);
            const auto g = torch::autograd::grad({loss}, *list);
            const at::NoGradGuard guard;
            for (std::size_t i = 0; i < g.size(); ++i) (*list)[i].sub_(g[i], 0.01);
            return Parameters{loss.detach()};
        },
        +[](const at::Tensor& l) { return double(l.item<float>()); });
    benchmark::AddCustomContext("libtorch", TORCH_VERSION);
    return run_cases(argc, argv);
}
