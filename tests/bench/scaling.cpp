// What data-parallel training costs: an all-reduce by its size, and a step of a small GPT alone and with its gradients summed.
// usage: mpirun -n N bench_scaling       prints a table
#include <algorithm>
#include <chrono>
#include <cstdio>

#include <xtgrad/mpi.hpp>
#include <xtgrad/nn.hpp>
#include <xtgrad/ops.hpp>
#include <xtgrad/optim.hpp>
#include <xtgrad/runtime.hpp>

namespace xg = xtgrad;
using xg::Tensor;

namespace {

/// 4 layers, 4 heads, 128 channels, context 64, 65 characters: about 0.8 million parameters.
struct Gpt {
    xg::nn::Embedding tokens;
    std::vector<xg::nn::TransformerBlock> blocks;
    xg::nn::LayerNorm norm{128};
    explicit Gpt(xg::Rng& rng) : tokens(65, 128, rng) {
        for (int i = 0; i < 4; ++i) blocks.emplace_back(128, rng, xg::nn::TransformerBlockOptions{.heads = 4, .causal = true});
    }
    Tensor operator()(const Tensor& ids) const {
        Tensor x = tokens(ids);
        for (const auto& block : blocks) x = block(x);
        return xg::linear(norm(x), tokens.weight);
    }
    static void visit(auto& self, auto&& field) {
        field("tokens", self.tokens);
        field("blocks", self.blocks);
        field("norm", self.norm);
    }
};

struct Times {
    double median, least;
};

/// What the slowest rank takes, in milliseconds; the first fifth is not counted.
template <class F>
Times milliseconds(const xg::mpi::Communicator& world, int repetitions, F f) {
    std::vector<double> times;
    for (int i = -repetitions / 4; i < repetitions; ++i) {
        world.barrier();
        const auto begin = std::chrono::steady_clock::now();
        f();
        world.barrier();
        if (i >= 0) times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return {times[times.size() / 2], times[0]};
}

int bench(const xg::mpi::Communicator& world) {
    xg::set_num_threads(1);
    const auto print = [&](const char* what, double size, Times ms) {
        if (world.rank() == 0) std::printf("%-44s %8g %10.3f %10.3f\n", what, size, ms.median, ms.least);
    };
    if (world.rank() == 0)
        std::printf("%d ranks, 1 thread each\n%-44s %8s %10s %10s\n", world.size(), "", "size", "median, ms", "least, ms");
    for (std::size_t bytes = 1 << 10; bytes <= std::size_t(4) << 20; bytes *= 4) {
        std::vector<double> values(bytes / sizeof(double), 1e-300);
        print("all-reduce, KiB", double(bytes) / 1024, milliseconds(world, 40, [&] { world.sum(values); }));
    }
    xg::Rng rng(1);
    Gpt model(rng);
    world.broadcast(model);
    xg::optim::AdamW optimizer({.lr = 1e-4});
    const auto step = [&](xg::Index batch, auto gradients_of) {
        const Tensor ids = xg::randint({batch, 65}, 0, 65, rng);
        xg::Tape tape;
        const Tensor loss =
            xg::cross_entropy(model(xg::view(ids, xt::all(), xt::range(0, 64))), xg::view(ids, xt::all(), xt::range(1, 65)));
        optimizer.step(model, gradients_of(tape, loss, xg::nn::parameters(model)));
    };
    for (const xg::Index batch : {6, 12}) {
        print("step of every rank on its own, examples", double(batch), milliseconds(world, 8, [&] {
                  step(batch, [](xg::Tape& t, const Tensor& loss, const auto& xs) { return t.gradient(loss, xs); });
              }));
        for (const std::size_t bytes : {std::size_t(1) << 18, std::size_t(4) << 20}) {
            xg::mpi::DataParallel parallel(world, bytes);
            char what[64];
            std::snprintf(what, sizeof what, "step together, buckets of %zu KiB, examples", bytes >> 10);
            print(what, double(batch), milliseconds(world, 8, [&] {
                      step(batch, [&](xg::Tape& t, const Tensor& loss, const auto& xs) {
                          return parallel.gradient(t, loss, xs, 1. / world.size());
                      });
                  }));
        }
    }
    if (world.rank() == 0) std::printf("%td parameters\n", xg::nn::count(model));
    return 0;
}

}  // namespace

int main() { return xg::mpi::run(bench); }
