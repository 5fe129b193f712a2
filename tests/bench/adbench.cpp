// ADBench's objectives, f64, two threads: a Gaussian mixture, n 1000, K 25, and an LSTM of 2 layers of 14 and 1024 characters,
// each with its gradient; bundle adjustment, 49 cameras, 7776 points and 31843 observations, and a hand of 544 vertices, with
// their Jacobians. peer_adbench.py does the same with PyTorch.
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

using Tensors = std::vector<Tensor>;

double magnitude(const Tensor& t) { return xg::sum(xg::abs(t)).item<double>(); }

/// f of the parameters, and its gradient.
template <class F>
void add(const std::string& name, const Tensors& parameters, F f) {
    add_case(
        name + ", function", [=] { return Tensors{f(parameters)}; }, magnitude);
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
        [x = data({1000, d}, 1, 20000)](const Tensors& p) {
            return adbench::gmm({p[0], p[1], p[2]}, x, {1, 0});
        });
}

void add_lstm() {
    add("LSTM", {data({4, 56}, 1, 0), data({3, 14}, 1, 1000)},
        [state = data({4, 14}, 1, 2000), sequence = data({1024, 14}, 1, 3000)](const Tensors& p) {
            return adbench::lstm(p[0], p[1], state, sequence);
        });
}

/// Each observation has two residuals, which depend on its own camera, point and weight alone: two reverse walks make all of
/// the sparse Jacobian's blocks (11, p), (3, p) and (p).
void add_bundle() {
    constexpr Index cameras = 49, points = 7776, p = 31843;
    const Tensor seen = data({2, p}, 1, 60000);
    const auto modulo = [](Index n) { return xg::astype(xg::fmod(xg::arange(double(p)), double(n)), xg::i64); };
    const Tensors of_each{xg::take(data({11, cameras}, 0.05, 0) + 0.1, modulo(cameras), 1),
                          xg::take(data({3, points}, 1, 1000) + 3., modulo(points), 1), data({p}, 0.2, 30000) + 1.};
    const auto f = [=](const Tensors& x) { return adbench::reprojection(x[0], x[1], x[2], seen); };
    add_case(
        "BA, function", [=] { return Tensors{f(of_each)}; }, magnitude);
    const Tensor first = xg::broadcast_to(xg::tensor({{1.}, {0.}}), {2, p}),
                 second = xg::broadcast_to(xg::tensor({{0.}, {1.}}), {2, p});
    add_case(
        "BA, Jacobian",
        [=] {
            xg::Tape tape(xg::persistent);
            const Tensor residuals = f(of_each);
            Tensors blocks = tape.vjp(residuals, first, of_each);
            for (Tensor& block : tape.vjp(residuals, second, of_each)) blocks.push_back(std::move(block));
            return blocks;
        },
        magnitude);
}

/// 26 parameters, 1632 results: the Jacobian by its columns, all forward.
void add_hand() {
    constexpr Index vertices = 544;
    const adbench::Hand model{.parents = {-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19, 0},
                              .bases = xg::eye(4) + data({22, 4, 4}, 0.1, 0),
                              .inverses = xg::eye(4) + data({22, 4, 4}, 0.1, 400),
                              .positions = data({vertices, 3}, 1, 1000),
                              .weights = data({22, vertices}, 0.1, 5000)};
    const auto f = [=, points = data({vertices, 3}, 1, 30000)](const Tensor& theta) {
        return adbench::hand(theta, model, points);
    };
    const Tensor theta = data({26}, 0.5, 1);
    add_case(
        "HAND, function", [=] { return Tensors{f(theta)}; }, magnitude);
    add_case(
        "HAND, Jacobian", [=] { return Tensors{xg::jacobian(f)(theta)}; }, magnitude);
}

}  // namespace

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    add_mixture(10);
    add_mixture(32);
    add_lstm();
    add_bundle();
    add_hand();
    return run_cases(argc, argv);
}
