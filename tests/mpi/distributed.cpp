// Run by mpirun with several ranks: each holds the whole batch as well, and compares with what one process makes of it.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cmath>

#include <xtgrad/mpi.hpp>
#include <xtgrad/nn.hpp>
#include <xtgrad/ops.hpp>
#include <xtgrad/optim.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using xg::Index;
using xg::Tensor;

namespace {

const xg::mpi::Communicator* given = nullptr;
const xg::mpi::Communicator& world() { return *given; }

/// Layers of both dtypes, a buffer, and a parameter that no loss depends on.
struct Model {
    nn::Linear in, out;
    Tensor scale, spare, seen;
    Model(xg::Rng& rng, Index hidden = 7)
        : in(5, hidden, rng),
          out(hidden, 3, rng),
          scale(xg::randn({3}, xg::f64, rng)),
          spare(xg::randn({2, 2}, xg::f32, rng)),
          seen(xg::randint({4}, 0, 1000, rng)) {}
    Tensor operator()(const Tensor& x) const {
        return xg::astype(out(xg::tanh(in(x))), xg::f64) * scale + 0. * xg::sum(xg::astype(spare, xg::f64));
    }
    static void visit(auto& self, auto&& field) {
        field("in", self.in);
        field("out", self.out);
        field("scale", self.scale);
        field("spare", self.spare);
        field("seen", nn::buffer(self.seen));
    }
};

xg::data::Batch random_batch(Index n, xg::Rng& rng) { return {xg::randn({n, 5}, xg::f32, rng), xg::randint({n}, 0, 3, rng)}; }

double largest(const Tensor& x) { return x.size() ? xg::amax(xg::abs(xg::astype(x, xg::f64))).item<double>() : 0; }
bool near(const Tensor& a, const Tensor& b, double tolerance) {
    return a.dtype() == b.dtype() && a.shape() == b.shape() && largest(a - b) <= tolerance * (1 + largest(b));
}
bool same_bits(const Tensor& a, const Tensor& b) { return xg::all(xg::equal(a, b)).item<bool>(); }

bool same_on_all_ranks(const Model& model) {
    Model first = model;
    world().broadcast(first);
    const auto mine = nn::named_tensors(model), firsts = nn::named_tensors(first);
    bool same = true;
    for (std::size_t i = 0; i < mine.size(); ++i) same = same && same_bits(mine[i].second, firsts[i].second);
    return same;
}

}  // namespace

TEST_CASE("ranks count up, sums are the same on all of them") {
    const int n = world().size();
    CHECK(world().rank() >= 0);
    CHECK(world().rank() < n);
    CHECK(world().local_size() == n);
    CHECK(world().sum(world().rank() + 1) == n * (n + 1) / 2);
    std::vector<double> values{1, double(world().rank())};
    world().sum(values);
    CHECK(values == std::vector<double>{double(n), n * (n - 1) / 2.});
    world().barrier();
    CHECK(xg::mpi::launched());
}

TEST_CASE("broadcast gives every rank the root's parameters and buffers") {
    for (const int root : {0, world().size() - 1}) {
        xg::Rng mine(100 + world().rank()), its(100 + root);
        Model model(mine);
        const Model wanted(its);
        world().broadcast(model, root);
        const auto got = nn::named_tensors(model), expected = nn::named_tensors(wanted);
        for (std::size_t i = 0; i < got.size(); ++i) {
            INFO(got[i].first);
            CHECK(same_bits(got[i].second, expected[i].second));
        }
    }
}

TEST_CASE("tied fields are broadcast as one, are counted once, and stay tied; ranks that tie others are an error") {
    xg::Rng rng(100 + world().rank());
    nn::Linear in(3, 3, rng), out(3, 3, rng);
    out.weight = in.weight;
    std::vector<nn::Linear> model{in, out};
    world().broadcast(model);
    CHECK(model[0].weight.block() == model[1].weight.block());
    xg::mpi::DataParallel parallel(world());
    xg::optim::SGD optimizer({.lr = 1});
    for (int walk = 0; walk < 2; ++walk) {
        const Tensor before = xg::copy(model[0].weight);
        xg::Tape tape;
        const Tensor loss = xg::sum(3. * model[0].weight + 5. * model[1].weight);
        optimizer.step(model,
                       parallel.gradient(tape, loss + 0. * xg::sum(model[0].bias + model[1].bias), nn::parameters(model), 1));
        CHECK(model[0].weight.block() == model[1].weight.block());
        CHECK(near(before - model[1].weight, xg::full({3, 3}, 8. * world().size(), xg::f32), 1e-5));
    }
    if (world().rank() == world().size() - 1) model = nn::untied(model);
    CHECK_THROWS_WITH_AS(world().broadcast(model), doctest::Contains("[broadcast] rank"), xg::Error);
}

TEST_CASE("broadcast of models that differ is an error on every rank, and changes nothing") {
    xg::Rng rng(1);
    const bool last = world().rank() == world().size() - 1;
    Model model(rng, last ? 8 : 7);
    const Tensor before = model.in.weight;
    try {
        world().broadcast(model);
        FAIL("no error");
    } catch (const xg::Error& error) {
        const std::string text = error.what();
        INFO(text);
        CHECK(text.find("[broadcast] rank " + std::to_string(world().size() - 1)) == 0);
        if (last) CHECK(text.find("in.weight f32 (8, 5) where rank 0 has in.weight f32 (7, 5)") != std::string::npos);
    }
    CHECK(model.in.weight.block() == before.block());
    std::vector<Tensor> list(last ? 1 : 2, Tensor(1.));
    CHECK_THROWS_AS(world().broadcast(list), xg::Error);
    CHECK_THROWS_WITH_AS(world().broadcast(list, world().size()), doctest::Contains("there is no rank"), xg::IndexError);
    CHECK_THROWS_AS(world().broadcast(list, -1), xg::IndexError);
}

TEST_CASE("the shards of a batch are its parts in order, with their share as weight") {
    for (Index n = 1; n < 12; ++n) {
        INFO(n);
        const xg::data::Batch batch{xg::arange(n, xg::f64), xg::arange(n, xg::i64)};
        const auto [part, weight] = xg::mpi::shard(world(), batch);
        CHECK(xg::data::size(part) >= 1);
        CHECK(same_bits(part.inputs, xg::astype(part.targets, xg::f64)));
        std::vector<double> times(std::size_t(n), 0.);
        if (weight > 0)
            for (Index i = 0; i < xg::data::size(part); ++i) times[std::size_t(part.targets.data<Index>()[i])] += 1;
        CHECK(weight == (weight > 0 ? double(xg::data::size(part)) / double(n) : 0.));
        world().sum(times);
        CHECK(times == std::vector<double>(std::size_t(n), 1.));
        CHECK(std::abs(world().sum(weight) - 1) < 1e-15);
        CHECK(std::abs(world().sum(weight * xg::mean(part.inputs).item<double>()) - double(n - 1) / 2) < 1e-14);
    }
    CHECK_THROWS_AS(xg::mpi::shard(world(), {xg::zeros({0, 2})}), xg::ShapeError);
    CHECK(!xg::mpi::shard(world(), {xg::zeros({9, 2})}).batch.targets.defined());
}

TEST_CASE("gradients are those of the whole batch, for even and uneven shards and buckets of any size") {
    for (const Index n : {Index(8), Index(11), Index(1), Index(3)}) {
        for (const std::size_t bytes : {std::size_t(1), std::size_t(100), std::size_t(4) << 20}) {
            INFO(n, " examples, buckets of ", bytes);
            xg::Rng rng(7);
            const Model model(rng);
            xg::mpi::DataParallel parallel(world(), bytes);
            for (int walk = 0; walk < 3; ++walk) {
                const auto batch = random_batch(n, rng);
                const auto xs = nn::parameters(model);
                const auto expected = [&] {
                    xg::Tape tape;
                    return tape.gradient(xg::cross_entropy(model(batch.inputs), batch.targets), xs);
                }();
                const auto [part, weight] = xg::mpi::shard(world(), batch);
                xg::Tape tape;
                const auto got = parallel.gradient(tape, xg::cross_entropy(model(part.inputs), part.targets), xs, weight);
                REQUIRE(got.size() == expected.size());
                for (std::size_t i = 0; i < got.size(); ++i) {
                    INFO("parameter ", i, " of ", got.size());
                    CHECK(near(got[i], expected[i], 3e-7));
                }
                const auto [buckets, during_walk] = parallel.overlap();
                CHECK(buckets == (bytes == 1 ? xs.size() : bytes == 100 ? buckets : 2));  // f64 and f32 are not mixed
                if (walk == 0) CHECK(during_walk == 0);
                if (walk > 0) CHECK(during_walk == buckets);
            }
        }
    }
}

TEST_CASE("buckets set out while the walk goes on") {
    constexpr int layers = 6;
    xg::Rng rng(3);
    std::vector<Tensor> weights;
    for (int i = 0; i < layers; ++i) weights.push_back(xg::randn({40, 40}, xg::f64, rng) * 0.2);
    xg::mpi::DataParallel parallel(world(), 40 * 40 * 8);
    for (int walk = 0; walk < 2; ++walk) {
        xg::Tape tape;
        Tensor x = xg::ones({3, 40});
        for (const Tensor& w : weights) x = xg::tanh(xg::matmul(x, w));
        const auto gradients = parallel.gradient(tape, xg::sum(x), weights, 1);
        CHECK(gradients.size() == layers);
    }
    CHECK(parallel.overlap().buckets == layers);
    CHECK(parallel.overlap().during_walk == layers);
}

TEST_CASE("ranks may complete their gradients in any order") {
    const std::vector<Tensor> xs{Tensor(2.), xg::full({3}, 3.), xg::full({2, 2}, 5.), Tensor(7.)};
    xg::mpi::DataParallel parallel(world(), 1);
    for (int walk = 0; walk < 3; ++walk) {
        xg::Tape tape;
        Tensor loss = xg::zeros({});
        for (std::size_t i = 0; i < xs.size(); ++i) {
            const Tensor& x = xs[(i + std::size_t(world().rank() + walk)) % xs.size()];
            loss = loss + xg::sum(x * x);
        }
        const auto got = parallel.gradient(tape, loss, xs, 1);
        for (std::size_t i = 0; i < xs.size(); ++i) CHECK(same_bits(got[i], xs[i] * 2. * double(world().size())));
    }
}

TEST_CASE("the loss curve is that of one process with the whole batch, and all ranks keep the same bits") {
    constexpr int steps = 40;
    const auto train = [&](bool alone) {
        xg::Rng rng(alone ? 5 : 5 + world().rank()), data(11);
        Model model(rng);
        if (!alone) world().broadcast(model);
        xg::optim::AdamW optimizer({.lr = 0.02});
        xg::mpi::DataParallel parallel(world(), 100);
        std::vector<double> curve;
        for (int step = 0; step < steps; ++step) {
            const auto batch = random_batch(step % 7 + 5, data);  // uneven more often than not
            auto shard = xg::mpi::shard(world(), batch);
            if (alone) shard = {batch, 1};
            xg::Tape tape;
            const Tensor loss = xg::cross_entropy(model(shard.batch.inputs), shard.batch.targets);
            const auto xs = nn::parameters(model);
            auto gradients = alone ? tape.gradient(loss, xs) : parallel.gradient(tape, loss, xs, shard.weight);
            xg::optim::clip_norm(gradients, 0.5);
            optimizer.step(model, gradients);
            curve.push_back(alone ? loss.item<double>() : world().sum(shard.weight * loss.item<double>()));
        }
        return std::pair(curve, model);
    };
    const auto [expected, one] = train(true);
    const auto [got, model] = train(false);
    for (int step = 0; step < steps; ++step) {
        INFO("step ", step);
        CHECK(got[std::size_t(step)] == doctest::Approx(expected[std::size_t(step)]).epsilon(2e-5));
    }
    CHECK(same_on_all_ranks(model));
    CHECK(near(model.scale, nn::named_tensors(one)[4].second, 1e-4));
}

TEST_CASE("wrong uses are errors, and the ranks go on together") {
    CHECK_THROWS_AS(xg::mpi::DataParallel(world(), 0), xg::Error);
    CHECK_THROWS_WITH_AS(xg::mpi::run([](const auto&) { return 0; }), doctest::Contains("begun before"), xg::Error);
    xg::mpi::DataParallel parallel(world());
    const std::vector<Tensor> xs{xg::ones({3})};
    xg::Tape tape;
    const Tensor y = xs[0] * 2.;
    CHECK_THROWS_AS(parallel.gradient(tape, y, xs, 1), xg::ShapeError);
    CHECK_THROWS_AS(parallel.gradient(tape, xg::sum(y), {Tensor(Index(1))}, 1), xg::DtypeError);
    CHECK_THROWS_AS(parallel.gradient(tape, xg::sum(y), {xg::ones({2})}, 1), xg::TapeError);
    {
        const Tensor odd = xg::ones({world().rank() == 0 ? 3 : 4});
        xg::Tape other;
        CHECK_THROWS_WITH_AS(parallel.gradient(other, xg::sum(odd * odd), std::vector<Tensor>{odd}, 1),
                             doctest::Contains("rank 0"), xg::Error);
    }
    CHECK(same_bits(parallel.gradient(tape, xg::sum(y), xs, 1)[0], xg::full({3}, 2. * world().size())));
}

int main(int argc, char** argv) {
    return xg::mpi::run([&](const xg::mpi::Communicator& communicator) {
        given = &communicator;
        const int failed = doctest::Context(argc, argv).run();
        return int(communicator.sum(failed) > 0);
    });
}
