// The program that docs and README promise: data, batches, training, a file, and the same bits after a restart.
#include <cmath>

#include <xtgrad/data.hpp>
#include <xtgrad/io.hpp>
#include <xtgrad/nn.hpp>
#include <xtgrad/ops/activation.hpp>
#include <xtgrad/ops/arithmetic.hpp>
#include <xtgrad/optim.hpp>
#include <xtgrad/runtime.hpp>
#include <xtgrad/tape.hpp>

#include "files.hpp"

namespace xg = xtgrad;

namespace {

struct Mlp {
    xg::nn::Linear up, down;
    xg::Tensor operator()(const xg::Tensor& x) const { return down(xg::gelu(up(x))); }
    static void visit(auto& self, auto&& field) {
        field("up", self.up);
        field("down", self.down);
    }
};

Mlp fresh(std::uint64_t seed) {
    xg::Rng rng(seed);
    return {{2, 16, rng}, {16, 3, rng}};
}

}  // namespace

TEST_CASE("from data to a file and back") {
    const TemporaryFolder folder;
    xg::Rng rng(1);
    Mlp model{{2, 16, rng}, {16, 3, rng}};
    xg::optim::AdamW optimizer({.lr = 1e-2, .weight_decay = 0.01});
    const xg::data::Dataset train = xg::data::moons(300, 0.1, rng);
    double first = 0, last = 0;
    for (int step = 0; auto [points, labels] : xg::data::batches(train, {.size = 64, .shuffle = rng, .epochs = 20})) {
        xg::Tape tape;
        xg::Tensor loss = xg::nn::cross_entropy(model(points), labels);
        auto grads = tape.gradient(loss, xg::nn::parameters(model));
        const double norm = xg::optim::clip_norm(grads, 1.0);
        CHECK(std::isfinite(norm));
        optimizer.options.lr = xg::optim::cosine(step++, {.peak = 3e-2, .floor = 1e-4, .warmup = 10, .steps = 100});
        optimizer.step(model, grads);
        (step == 1 ? first : last) = loss.item<double>();
    }
    CHECK(last < 0.8 * first);

    xg::save(model, folder / "mlp.safetensors", {{"made by", "a test"}});
    Mlp loaded = fresh(2);
    xg::load(loaded, folder / "mlp.safetensors");
    CHECK(elements<float>(loaded(train.inputs)) == elements<float>(model(train.inputs)));
    CHECK(xg::io::Safetensors(folder / "mlp.safetensors").metadata() == xg::io::Metadata{{"made by", "a test"}});

    xg::save(optimizer, folder / "adamw.safetensors");
    xg::optim::AdamW other;
    xg::load(other, folder / "adamw.safetensors");
    CHECK(other.steps.item<int>() == 100);
    CHECK(elements<float>(other.exp_avg.at("up.weight")) == elements<float>(optimizer.exp_avg.at("up.weight")));
    CHECK(other.joined.empty());
    other.exp_avg.erase("up.bias"), other.exp_avg_sq.erase("up.bias");  // as of a parameter that joins now
    other.step(model, model);
    xg::save(other, folder / "joined.safetensors");
    xg::load(optimizer, folder / "joined.safetensors");
    CHECK(optimizer.joined.size() == 1);
    CHECK(optimizer.joined.at("up.bias").item<int>() == 100);
}

TEST_CASE("a run that goes on from its checkpoint ends with the same bits, for 1 and 2 threads") {
    const TemporaryFolder folder;
    xg::Rng data_rng(3);
    const xg::data::Dataset train = xg::data::moons(200, 0.1, data_rng);
    constexpr std::int64_t steps = 30;
    /// Steps until `end`, from a checkpoint if there is one at `from`; a checkpoint at the end.
    const auto run = [&](const std::string& from, const std::string& to, std::int64_t end, int threads) {
        xg::set_num_threads(threads);
        Mlp model = fresh(4);
        xg::optim::AdamW optimizer;
        xg::Checkpoint at{.rng = xg::Rng(5)};
        if (!from.empty()) at = xg::load_checkpoint(from, model, optimizer);
        xg::Rng order(6);
        for (const auto& [points, labels] :
             xg::data::batches(train, {.size = 32, .shuffle = order, .prefetch = 2, .epochs = 9, .skip = at.step})) {
            if (at.step == end) break;
            xg::Tape tape;
            const xg::Tensor noisy = points + xg::randn(points.shape(), xg::f32, at.rng) * 0.01;
            const xg::Tensor loss = xg::nn::cross_entropy(model(noisy), labels);
            const auto grads = tape.gradient(loss, xg::nn::parameters(model));
            optimizer.options.lr = xg::optim::linear(at.step++, {.peak = 1e-2, .steps = steps});
            optimizer.step(model, grads);
        }
        xg::save_checkpoint(to, model, optimizer, at);
        return contents(to);
    };
    const std::string whole = run("", folder / "whole", steps, 2), half = folder / "half";
    run("", half, 13, 1);
    CHECK(run(half, folder / "resumed", steps, 2) == whole);
    CHECK(run(half, folder / "resumed", steps, 1) == whole);
    CHECK(run("", folder / "other", steps - 1, 1) != whole);
}
