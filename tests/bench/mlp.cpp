// Training steps of small networks: forward, backward, and the parameters moved against their gradients. f32, two threads.
// peer_mlp.cpp and peer_mlp.py do the same with libtorch, PyTorch and JAX.
#include <memory>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "harness.hpp"

namespace xg = xtgrad;
using Parameters = std::vector<xg::Tensor>;

/// scale * sin(0), sin(1), ...
xg::Tensor data(const xg::Shape& shape, double scale) {
    double size = 1;
    for (const xg::Index extent : shape) size *= double(extent);
    return xg::reshape(xg::astype(xg::sin(xg::arange(size)) * scale, xg::f32), shape);
}

Parameters parameters(const std::vector<xg::Index>& sizes) {
    Parameters list;
    for (std::size_t i = 1; i < sizes.size(); ++i) {
        list.push_back(data({sizes[i - 1], sizes[i]}, 0.3));
        list.push_back(data({sizes[i]}, 0.1));
    }
    return list;
}

xg::Tensor forward(xg::Tensor x, const Parameters& list) {
    for (std::size_t i = 0; i < list.size(); i += 2) {
        x = xg::matmul(x, list[i]) + list[i + 1];
        if (i + 2 < list.size()) x = xg::tanh(x);
    }
    return x;
}

template <class Loss>
void add(const char* name, const std::vector<xg::Index>& sizes, xg::Index batch, Loss loss) {
    const xg::Tensor x = data({batch, sizes[0]}, 1);
    const auto list = std::make_shared<Parameters>(parameters(sizes));
    add_case(
        name,
        [=] {
            xg::Tape tape;
            const xg::Tensor l = loss(forward(x, *list));
            const Parameters g = tape.gradient(l, *list);
            for (std::size_t i = 0; i < g.size(); ++i) (*list)[i] -= 0.01 * g[i];
            return Parameters{l};
        },
        +[](const xg::Tensor& l) { return double(l.item<float>()); });
}

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    const xg::Tensor target = data({16, 32}, 0.5);
    add("32-32-32-32, batch 16", {32, 32, 32, 32}, 16, [=](const xg::Tensor& y) { return xg::mean(xg::square(y - target)); });
    const xg::Tensor labels = xt::xarray<std::int64_t>(xt::arange<std::int64_t>(128) * 7 % 10);
    add("784-256-10, batch 128", {784, 256, 10}, 128, [=](const xg::Tensor& y) { return xg::cross_entropy(y, labels); });
    return run_cases(argc, argv);
}
