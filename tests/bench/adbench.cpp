// ADBench's Gaussian mixture, n 1000, K 25, f64, two threads: the function, and its gradient. peer_adbench.py does the same with
// PyTorch.
#include "../adbench.hpp"

#include "harness.hpp"

namespace xg = xtgrad;
using xg::Index, xg::Tensor;

namespace {

/// scale * sin(first), sin(first + 1), ...
Tensor data(const xg::Shape& shape, double scale, double first) {
    double size = 1;
    for (const Index extent : shape) size *= double(extent);
    return xg::reshape(xg::sin(xg::arange(first, first + size)) * scale, shape);
}

void add(const std::string& name, Index d) {
    const Index k = 25;
    const adbench::Mixture m{data({k}, 1, 0), data({k, d}, 1, 100), data({k, d * (d + 1) / 2}, 0.5, 5000)};
    const Tensor x = data({1000, d}, 1, 20000);
    const auto magnitude = +[](const Tensor& t) { return xg::sum(xg::abs(t)).item<double>(); };
    add_case(
        name + ", function",
        [=] {
            return std::vector{adbench::gmm(m, x, {1, 0})};
        },
        magnitude);
    add_case(
        name + ", gradient",
        [=] {
            xg::Tape tape;
            return tape.gradient(adbench::gmm(m, x, {1, 0}), std::vector{m.alphas, m.means, m.icf});
        },
        magnitude);
}

}  // namespace

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    add("GMM d 10", 10);
    add("GMM d 32", 32);
    return run_cases(argc, argv);
}
