// ADBench's Gaussian mixture, n 1000, K 25, and LSTM of 2 layers of 14 and 1024 characters: the function and its gradient, f64,
// two threads. peer_adbench.py does the same with PyTorch.
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

/// f of the parameters, and its gradient.
template <class F>
void add(const std::string& name, const std::vector<Tensor>& parameters, F f) {
    const auto magnitude = +[](const Tensor& t) { return xg::sum(xg::abs(t)).item<double>(); };
    add_case(
        name + ", function", [=] { return std::vector{f(parameters)}; }, magnitude);
    add_case(
        name + ", gradient",
        [=] {
            xg::Tape tape;
            return tape.gradient(f(parameters), parameters);
        },
        magnitude);
}

void add_mixture(Index d) {
    const Index k = 25;
    add("GMM d " + std::to_string(d), {data({k}, 1, 0), data({k, d}, 1, 100), data({k, d * (d + 1) / 2}, 0.5, 5000)},
        [x = data({1000, d}, 1, 20000)](const std::vector<Tensor>& p) {
            return adbench::gmm({p[0], p[1], p[2]}, x, {1, 0});
        });
}

void add_lstm() {
    add("LSTM", {data({4, 56}, 1, 0), data({3, 14}, 1, 1000)},
        [state = data({4, 14}, 1, 2000), sequence = data({1024, 14}, 1, 3000)](const std::vector<Tensor>& p) {
            return adbench::lstm(p[0], p[1], state, sequence);
        });
}

}  // namespace

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    add_mixture(10);
    add_mixture(32);
    add_lstm();
    return run_cases(argc, argv);
}
