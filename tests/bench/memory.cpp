// Ops that only move data and add it up, and optimizers' steps, beside a copy that reads and writes as many bytes in all; two
// threads. usage: bench_memory [--copies] [Google Benchmark's options]      --copies: the copies instead of the ops
#include <barrier>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "harness.hpp"

namespace xg = xtgrad;
using Inputs = std::vector<xg::Tensor>;
using In = const Inputs&;

namespace {

/// Copies memory, one half on a second thread.
class Copier {
public:
    void operator()(char* to, const char* from, std::size_t size) {
        to_ = to, from_ = from, half_ = size / 2;
        turn_.arrive_and_wait();
        std::memcpy(to + half_, from + half_, size - half_);
        turn_.arrive_and_wait();
    }
    ~Copier() {
        to_ = nullptr;
        turn_.arrive_and_wait();
    }

private:
    char* to_ = nullptr;
    const char* from_ = nullptr;
    std::size_t half_ = 0;
    std::barrier<> turn_{2};
    std::jthread other_{[this] {
        for (turn_.arrive_and_wait(); to_; turn_.arrive_and_wait()) {
            std::memcpy(to_, from_, half_);
            turn_.arrive_and_wait();
        }
    }};
};

bool copies = false;

/// `work`, or a copy that passes over as much memory: so many times an n x n array.
template <class F>
void add_beside_copy(const std::string& name, xg::Index n, double passes, F work) {
    const auto any = +[](const xg::Tensor&) { return 1.; };
    const auto size = std::size_t(passes * double(n * n) * sizeof(float) / 2);
    if (!copies) return add_case(name, work, any);
    add_case(
        name,
        [size, copier = std::make_shared<Copier>(), to = std::make_shared<std::vector<char>>(size),
         from = std::make_shared<std::vector<char>>(size, 1), results = work().size()] {
            (*copier)(to->data(), from->data(), size);
            return std::vector<xg::Tensor>(results);
        },
        any);
}

/// `passes`: how many times an n x n array is read or written, forward; `back`: and then backward.
template <class F>
void add(const std::string& name, xg::Index n, const std::vector<xg::Shape>& shapes, double passes, double back, F f) {
    Inputs in;
    for (const xg::Shape& shape : shapes) in.push_back(xg::full(shape, 1.25, xg::f32));
    const std::string full = name + ", " + std::to_string(n);
    const xg::Tensor g = xg::full(f(in).shape(), 0.5, xg::f32);
    add_beside_copy(full, n, passes, [=] { return Inputs{f(in)}; });
    add_beside_copy(full + ", and back", n, passes + back, [=] {
        xg::Tape tape;
        return tape.vjp(f(in), g, in);
    });
}

/// A parameter of n x n and its gradient: f(model, grads).
template <class F>
void add_step(const std::string& name, xg::Index n, double passes, F f) {
    const auto model = std::make_shared<Inputs>(), grads = std::make_shared<Inputs>();
    model->push_back(xg::full({n, n}, 1.25, xg::f32));
    grads->push_back(xg::full({n, n}, 0.5, xg::f32));
    add_beside_copy(name + ", " + std::to_string(n), n, passes, [=] {
        f(*model, *grads);
        return Inputs();
    });
}

void add_all(xg::Index n) {
    const xg::Tensor rows = xt::xarray<std::int64_t>(xt::arange<std::int64_t>(n) * 37 % n);
    add("add a bias", n, {{n, n}, {n}}, 2, 1, [](In x) { return x[0] + x[1]; });
    add("add a column", n, {{n, n}, {n, 1}}, 2, 1, [](In x) { return x[0] + x[1]; });
    add("sum over axis 0", n, {{n, n}}, 1, 1, [](In x) { return xg::sum(x[0], 0); });
    add("sum over axis 1", n, {{n, n}}, 1, 1, [](In x) { return xg::sum(x[0], 1); });
    add("mean over axis 0", n, {{n, n}}, 1, 1, [](In x) { return xg::mean(x[0], 0); });
    add("mean over axis 1", n, {{n, n}}, 1, 1, [](In x) { return xg::mean(x[0], 1); });
    add("variance over axis 0", n, {{n, n}}, 1, 2, [](In x) { return xg::variance(x[0], {0}); });
    add("variance over axis 1", n, {{n, n}}, 1, 2, [](In x) { return xg::variance(x[0], {1}); });
    add("transposed copy", n, {{n, n}}, 2, 0, [](In x) { return xg::copy(xg::transpose(x[0])); });
    add("take rows", n, {{n, n}}, 2, 2, [=](In x) { return xg::take(x[0], rows); });
    const auto step = [](auto optimizer) {
        const auto own = std::make_shared<decltype(optimizer)>(std::move(optimizer));
        return [=](Inputs& model, Inputs& grads) { own->step(model, grads); };
    };
    add_step("SGD", n, 3, step(xg::optim::SGD({.lr = 1e-6})));
    add_step("SGD with momentum", n, 5, step(xg::optim::SGD({.lr = 1e-6, .momentum = 0.9})));
    add_step("AdamW", n, 7, step(xg::optim::AdamW({.lr = 1e-6})));
    add_step("Lion", n, 5, step(xg::optim::Lion({.lr = 1e-6})));
    // A bound that is the norm: all are scaled, and stay what they are.
    add_step("clip_norm", n, 3, [=](Inputs&, Inputs& grads) { xg::optim::clip_norm(grads, 0.5 * double(n)); });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--copies") {
        copies = true;
        --argc, ++argv;
    }
    xg::set_num_threads(2);
    add_all(1024);
    add_all(4096);
    return run_cases(argc, argv);
}
