// Batches: every example once an epoch, the same ones for any prefetch, and after a restart.
#include <xtgrad/data/batches.hpp>

#include <algorithm>
#include <atomic>
#include <limits>
#include <ranges>
#include <thread>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/runtime.hpp>
#include <xtgrad/tape.hpp>

#include "../io/files.hpp"

namespace xg = xtgrad;
using Integers = std::vector<std::int64_t>;

namespace {

/// Rows (i, -i) with target 100 + i.
xg::data::Dataset numbered(xg::Index n) {
    const xg::Tensor i = xg::reshape(xg::arange(double(n)), {-1, 1});
    return {i * xg::tensor({1., -1.}), xg::astype(xg::reshape(i, {-1}) + 100., xg::i64)};
}

/// The targets of each batch; inputs are checked to belong to them.
std::vector<Integers> targets(const xg::data::Batches& batches) {
    std::vector<Integers> result;
    for (const auto& [inputs, labels] : batches) {
        CHECK(inputs.shape() == xg::Shape{labels.shape(0), 2});
        result.push_back(elements<std::int64_t>(labels));
        const auto rows = elements<double>(inputs + 0.);
        for (std::size_t i = 0; i < result.back().size(); ++i) CHECK(rows[2 * i] == double(result.back()[i] - 100));
    }
    CHECK(xg::Index(result.size()) == batches.size());
    return result;
}

Integers joined(const std::vector<Integers>& parts) {
    Integers all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

}  // namespace

static_assert(std::input_iterator<xg::data::Batches::Iterator>);
static_assert(std::ranges::input_range<xg::data::Batches>);

TEST_CASE("in order") {
    const auto data = numbered(7);
    CHECK(targets(xg::data::batches(data, {.size = 3})) == std::vector<Integers>{{100, 101, 102}, {103, 104, 105}, {106}});
    CHECK(targets(xg::data::batches(data, {.size = 3, .drop_last = true})) ==
          std::vector<Integers>{{100, 101, 102}, {103, 104, 105}});
    CHECK(targets(xg::data::batches(data)).size() == 1);
    CHECK(targets(xg::data::batches(data, {.size = 8, .drop_last = true})).empty());
    CHECK(targets(xg::data::batches(numbered(0))).empty());
    CHECK(targets(xg::data::batches(data, {.size = 4, .epochs = 2, .skip = 1})) ==
          std::vector<Integers>{{104, 105, 106}, {100, 101, 102, 103}, {104, 105, 106}});
    CHECK(targets(xg::data::batches(data, {.epochs = 0})).empty());
    CHECK(targets(xg::data::batches(data, {.skip = 5})).empty());
    for (const auto& [inputs, none] : xg::data::batches({.inputs = data.inputs}, {.size = 4})) {
        CHECK(inputs.defined());
        CHECK_FALSE(none.defined());
    }
}

TEST_CASE("all at once, and for ever") {
    constexpr xg::Index most = std::numeric_limits<xg::Index>::max();
    const auto data = numbered(3);
    const std::vector<Integers> whole{{100, 101, 102}};
    CHECK(targets(xg::data::batches(data, {.size = most})) == whole);
    CHECK(targets(xg::data::batches(data, {.size = most, .drop_last = true})).empty());
    CHECK(targets(xg::data::batches(data, {.size = most - 1, .epochs = 2, .skip = 1})) == whole);
    CHECK(targets(xg::data::batches(data, {.skip = most})).empty());
    for (const xg::Index size : {1, 2, 3}) {
        const auto endless = xg::data::batches(data, {.size = size, .epochs = most});
        CHECK(endless.size() == most);
        auto at = endless.begin();
        for (int i = 0; i < 20; ++i) {
            REQUIRE(at != endless.end());
            ++at;
        }
    }
    const auto batches = xg::data::batches(data);
    auto at = batches.begin();
    ++at;
    CHECK(at == batches.end());
    CHECK(contains(message<xg::Error>([&] { ++at; }), "[batches] there is no batch after the last one"));
    CHECK(contains(message<xg::Error>([&] { xg::data::Batches::Iterator()++; }), "no batch after"));
}

TEST_CASE("shuffled, each epoch and each loop in another order") {
    xg::Rng rng(5);
    const auto data = numbered(50);
    const auto batches = xg::data::batches(data, {.size = 8, .shuffle = rng, .epochs = 2});
    const Integers first = joined(targets(batches)), second = joined(targets(batches));
    CHECK(rng.position() == 2);
    Integers epoch(first.begin(), first.begin() + 50), other(first.begin() + 50, first.end());
    CHECK(epoch != other);
    CHECK(first != second);
    for (Integers* e : {&epoch, &other}) {
        std::ranges::sort(*e);
        CHECK(*e == joined(targets(xg::data::batches(data))));
    }

    // Going on after 9 batches, with the generator that the run began with.
    xg::Rng again(5);
    const auto rest = joined(targets(xg::data::batches(data, {.size = 8, .shuffle = again, .epochs = 2, .skip = 9})));
    CHECK(rest == Integers(first.begin() + 50 + 16, first.end()));
}

TEST_CASE("prefetch gives the same batches, transformed in order on another thread") {
    const auto data = numbered(40);
    const auto run = [&](xg::Index prefetch, int threads) {
        xg::set_num_threads(threads);
        xg::Rng rng(2);
        xg::Rng noise = rng.split();
        const auto add_noise = [&](xg::data::Batch batch) {
            batch.inputs = batch.inputs + xg::randn(batch.inputs.shape(), xg::f64, noise);
            return batch;
        };
        std::vector<double> all;
        for (const auto& [inputs, labels] :
             xg::data::batches(data, {.size = 7, .shuffle = rng, .transform = add_noise, .prefetch = prefetch, .epochs = 3})) {
            const auto values = elements<double>(inputs);
            all.insert(all.end(), values.begin(), values.end());
        }
        return all;
    };
    const auto expected = run(0, 1);
    CHECK(expected.size() == 240);
    CHECK(run(1, 1) == expected);
    CHECK(run(5, 2) == expected);
    CHECK(run(100, 2) == expected);
}

TEST_CASE("a transform with a generator for each batch gives the same ones after a restart") {
    const auto run = [data = numbered(40)](xg::Index skip) {
        xg::Rng order(2);
        const auto noisy = [number = skip](xg::data::Batch batch) mutable {
            xg::Rng noise(std::uint64_t(number++));
            batch.inputs = batch.inputs + xg::randn(batch.inputs.shape(), xg::f64, noise);
            return batch;
        };
        std::vector<double> all;
        for (const auto& [inputs, labels] :
             xg::data::batches(data, {.size = 8, .shuffle = order, .transform = noisy, .epochs = 3, .skip = skip})) {
            const auto values = elements<double>(inputs);
            all.insert(all.end(), values.begin(), values.end());
        }
        return all;
    };
    const auto whole = run(0), rest = run(7);
    CHECK(rest == std::vector<double>(whole.end() - std::ptrdiff_t(rest.size()), whole.end()));
    CHECK(rest.size() == 8 * 8 * 2);
}

TEST_CASE("prefetch uses another thread, a few batches ahead") {
    std::atomic<int> made{0};
    std::thread::id maker;
    const auto count = [&](xg::data::Batch batch) {
        maker = std::this_thread::get_id();
        ++made;
        return batch;
    };
    int seen = 0;
    for (const auto& batch : xg::data::batches(numbered(100), {.size = 1, .transform = count, .prefetch = 3})) {
        static_cast<void>(batch);
        ++seen;
        CHECK(made <= seen + 4);
        if (seen == 20) break;  // and the thread ends
    }
    CHECK(made <= 24);
    CHECK(maker != std::this_thread::get_id());
}

TEST_CASE("what a transform throws comes out of the loop") {
    for (const xg::Index prefetch : {0, 2}) {
        int seen = 0;
        const auto fails = [calls = 0](xg::data::Batch batch) mutable {
            if (++calls == 3) throw std::out_of_range("the third");
            return batch;
        };
        CHECK_THROWS_AS(
            [&] {
                for (const auto& batch : xg::data::batches(numbered(9), {.size = 2, .transform = fails, .prefetch = prefetch}))
                    seen += batch.inputs.defined();
            }(),
            std::out_of_range);
        CHECK(seen == 2);
    }
}

TEST_CASE("a tape records nothing of it") {
    xg::Rng rng(1);
    const auto data = numbered(6);
    const xg::Tape tape;
    for (const auto& batch : xg::data::batches(data, {.size = 4, .shuffle = rng})) CHECK(batch.inputs.defined());
    CHECK(tape.nodes() == 0);
}

TEST_CASE("parts of a dataset") {
    xg::Rng rng(9);
    const auto data = numbered(10);
    const auto [first, second] = xg::data::split(data, 0.7, rng);
    CHECK(xg::data::size(first) == 7);
    CHECK(xg::data::size(second) == 3);
    Integers all = elements<std::int64_t>(first.targets);
    const Integers more = elements<std::int64_t>(second.targets);
    CHECK_FALSE(std::ranges::is_sorted(all));
    all.insert(all.end(), more.begin(), more.end());
    std::ranges::sort(all);
    CHECK(all == elements<std::int64_t>(data.targets));
    CHECK(elements<double>(first.inputs)[0] == double(elements<std::int64_t>(first.targets)[0] - 100));
    CHECK(xg::data::size(xg::data::split(data, 0, rng).first) == 0);
    CHECK(xg::data::size(xg::data::split(data, 1, rng).second) == 0);

    const auto middle = xg::data::slice(data, 3, 5);
    CHECK(elements<std::int64_t>(middle.targets) == Integers{103, 104});
    CHECK(middle.targets.data<std::int64_t>() == data.targets.data<std::int64_t>() + 3);
    CHECK(elements<std::int64_t>(xg::data::take(data, xg::tensor({-1, 0})).targets) == Integers{109, 100});
}

TEST_CASE("errors") {
    const auto data = numbered(4);
    xg::Rng rng(1);
    using xg::data::batches;
    CHECK(contains(message<xg::Error>([&] { batches(data, {.size = 0}); }), "[batches] a size of 0"));
    CHECK(contains(message<xg::Error>([&] { batches(data, {.prefetch = -1}); }), "-1 ahead"));
    CHECK(contains(message<xg::Error>([&] { batches(data, {.skip = -1}); }), "-1 skipped"));
    CHECK(contains(message<xg::ShapeError>([&] {
                       batches({data.inputs, xg::ones({3})});
                   }),
                   "inputs (4, 2) and targets (3,) differ"));
    CHECK(contains(message<xg::ShapeError>([&] { batches({xg::Tensor(1.)}); }), "an axis of examples"));
    CHECK(contains(message<xg::Error>([&] { batches({}); }), "empty tensor"));
    CHECK(contains(message<xg::Error>([&] { xg::data::split(data, 1.5, rng); }), "a fraction of 1.5"));
    CHECK(contains(message<xg::IndexError>([&] { xg::data::slice(data, 2, 5); }), "examples 2 to 5 of 4"));
    CHECK_THROWS_AS(xg::data::take(data, xg::tensor({4})), xg::IndexError);
}
