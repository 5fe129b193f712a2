// Clipping, accumulation, averages of weights, schedules.
#include "reference.hpp"

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/optim/gradients.hpp>
#include <xtgrad/optim/schedules.hpp>
#include <xtgrad/random.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;
using xg::Tensor;

namespace {

struct Model {
    Tensor weight, mean;
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("mean", nn::buffer(self.mean));
    }
};

std::vector<Tensor> gradients() { return {reference::filled("weight", {3, 5}), reference::filled("bias", {7})}; }

void check_schedule(const std::string& name, const std::function<double(xg::Index)>& f) {
    const Tensor want = reference::of("optim").at("schedule:" + name);
    for (xg::Index i = 0; i < xg::Index(want.size()); ++i) {
        INFO(name << " at " << i);
        CHECK(f(i) == doctest::Approx(want.data<double>()[i]).epsilon(1e-12));
    }
}

struct Growing {
    std::vector<Tensor> layers;
    std::optional<Tensor> extra;
    Tensor last;
    static void visit(auto& self, auto&& field) {
        field("layers", self.layers);
        field("extra", self.extra);
        field("last", self.last);
    }
};

}  // namespace

TEST_CASE("clip_norm agrees with PyTorch and returns the norm before") {
    for (const std::string bound : {"0.7", "70.0"}) {
        auto grads = gradients();
        const double norm = optim::clip_norm(grads, std::stod(bound));
        CHECK(norm == doctest::Approx(reference::of("optim").at("clip_norm:" + bound + ":norm").item<double>()).epsilon(1e-14));
        CHECK(reference::distance(grads[0], reference::of("optim").at("clip_norm:" + bound + ":weight")) < 1e-14);
        CHECK(reference::distance(grads[1], reference::of("optim").at("clip_norm:" + bound + ":bias")) < 1e-14);
    }
}

TEST_CASE("the norm of many f32 is summed in blocks") {
    std::vector<Tensor> grads{xg::full({1001, 1003}, 0.1, xg::f32)};
    CHECK(optim::clip_norm(grads, 1e9) == doctest::Approx(double(0.1f) * std::sqrt(1001. * 1003.)).epsilon(2e-6));
}

TEST_CASE("norms of f32 whose squares f32 cannot hold, among others and alone") {
    const auto norm = [](const std::vector<float>& values) {
        std::vector<Tensor> grads{xg::detail::from_elements(xg::f32, {xg::Index(values.size())}, values.data())};
        return optim::clip_norm(grads, 1e300);
    };
    for (const double value : {1e20, 3e38, 1e-25, 1e-40})
        for (const std::size_t n : {std::size_t(5), std::size_t(64), std::size_t(1500)}) {
            INFO(n << " of " << value);
            CHECK(norm(std::vector<float>(n, float(value))) ==
                  doctest::Approx(double(float(value)) * std::sqrt(double(n))).epsilon(2e-6));
        }
    std::vector<float> mixed(1500, 0);
    mixed[3] = 3e25f, mixed[700] = 4e25f, mixed[1200] = 1e-30f;
    CHECK(norm(mixed) == doctest::Approx(5e25).epsilon(1e-6));
    CHECK(norm(std::vector<float>(1500, 0)) == 0);
    mixed[900] = INFINITY;
    CHECK(norm(mixed) == INFINITY);
    mixed[100] = NAN;
    CHECK(std::isnan(norm(mixed)));

    std::vector<Tensor> grads{xg::full({64}, 1e20, xg::f32)};
    optim::clip_norm(grads, 1);
    CHECK(grads[0].data<float>()[63] == doctest::Approx(0.125));
}

TEST_CASE("clipping works in place where nobody else sees the gradient") {
    auto grads = gradients();
    const Tensor kept = grads[1];
    const auto* block = grads[0].block();
    optim::clip_norm(grads, 0.1);
    CHECK(grads[0].block() == block);
    CHECK(reference::distance(kept, gradients()[1]) == 0);
    CHECK_THROWS_AS(optim::clip_norm(grads, -1), xg::Error);
    CHECK_THROWS_AS(optim::clip_norm(grads, NAN), xg::Error);
    grads.emplace_back();
    CHECK_THROWS_AS(optim::clip_norm(grads, 1), xg::Error);
}

TEST_CASE("clip_norm of a NaN is NaN, of nothing 0") {
    std::vector<Tensor> grads{xg::tensor({1., double(NAN)}), xg::tensor({2.})}, none;
    CHECK(std::isnan(optim::clip_norm(grads, 1)));
    CHECK(std::isnan(grads[1].item<double>()));
    CHECK(optim::clip_norm(none, 1) == 0);
}

TEST_CASE("clip_value cuts each element") {
    std::vector<Tensor> grads{xg::tensor({{-3., 0.5}, {2., -0.25}}), xg::tensor({0.7f, -0.8f, 0.1f})};
    optim::clip_value(grads, 0.6);
    CHECK(reference::distance(grads[0], xg::tensor({{-0.6, 0.5}, {0.6, -0.25}})) == 0);
    CHECK(grads[1].data<float>()[1] == -0.6f);
    CHECK(grads[1].data<float>()[2] == 0.1f);
}

TEST_CASE("accumulated gradients are added up, and their mean begins anew") {
    optim::Accumulator total;
    const auto first = gradients();
    total.add(first);
    total.add({first[0] * 2., first[1] * -3.});
    total.add({first[0] * 4., first[1]});
    CHECK(total.count() == 3);
    CHECK_THROWS_AS(total.add({first[0]}), xg::Error);
    CHECK_THROWS_AS(total.add({first[1], first[0]}), xg::ShapeError);
    const auto mean = total.mean();
    CHECK(reference::distance(mean[0], first[0] * (7. / 3)) < 1e-15);
    CHECK(reference::distance(mean[1], first[1] * (-1. / 3)) < 1e-15);
    CHECK(reference::distance(first[0], gradients()[0]) == 0);
    CHECK(total.count() == 0);
    total.add(first);
    CHECK(reference::distance(total.sum()[1], first[1]) == 0);
}

TEST_CASE("a moving average follows the weights, copies the buffers, and leaves the model alone") {
    Model model{xg::tensor({1., 2., 3.}), xg::tensor({5.})};
    optim::MovingAverage average(model, 0.75);
    double expected = 2;
    for (int t = 1; t < 5; ++t) {
        model.weight = xg::tensor({0., double(t * t), 1.});
        model.mean = xg::tensor({double(t)});
        average.update(model);
        expected = 0.75 * expected + 0.25 * t * t;
    }
    CHECK(average.model.weight.data<double>()[1] == doctest::Approx(expected).epsilon(1e-15));
    CHECK(average.model.mean.item<double>() == 4);
    CHECK(model.weight.data<double>()[1] == 16);
    CHECK(nn::named_parameters(average)[0].first == "model.weight");
}

TEST_CASE("a moving average of a model whose fields changed is an error that names the first difference, and changes nothing") {
    const Growing start{{xg::tensor({1., 2.})}, {}, xg::tensor({3., 4.})};
    const Growing full{start.layers, xg::tensor({5., 6.}), start.last};
    const auto refuses = [](const Growing& from, Growing trained, const std::string& message) {
        optim::MovingAverage average(from, 0.5);
        trained.layers[0] = xg::tensor({7., 8.});
        CHECK_THROWS_WITH_AS(average.update(trained), message.c_str(), xg::Error);
        CHECK(reference::distance(average.model.layers[0], from.layers[0]) == 0);
    };
    const std::string advice = "; a model keeps its fields, else begin a new average";
    refuses(start, full, "[MovingAverage] the trained model has extra where the average has last" + advice);
    refuses(full, start, "[MovingAverage] the trained model has last where the average has extra" + advice);
    Growing other = start;
    other.layers.push_back(xg::tensor({1.}));
    refuses(start, other, "[MovingAverage] the trained model has layers.1 where the average has last" + advice);
    other = start;
    other.last = Tensor();
    refuses(start, other, "[MovingAverage] the trained model has nothing more where the average has last" + advice);
    other.last = xg::zeros({3});
    refuses(start, other,
            "[MovingAverage] last (3,) does not fit (2,); give those of this model, in the order of nn::parameters");
    other.last = xg::zeros({2}, xg::f32);
    refuses(start, other, "[MovingAverage] last f32 does not fit f64; give those of this model, in the order of nn::parameters");
}

TEST_CASE("schedules agree with PyTorch") {
    check_schedule("cosine", [](xg::Index i) { return optim::cosine(i, {.peak = 1, .floor = 0.1, .steps = 39}); });
    check_schedule("linear", [](xg::Index i) { return optim::linear(i, {.peak = 1, .floor = 0.2, .steps = 39}); });
    check_schedule("step_decay", [](xg::Index i) { return optim::step_decay(i, {.peak = 1, .every = 7, .factor = 0.3}); });
    check_schedule("warmup", [](xg::Index i) { return optim::constant(i, {.peak = 1, .warmup = 8}); });
    check_schedule("one_cycle", [](xg::Index i) {
        return optim::one_cycle(i, {.peak = 1, .steps = 41, .rise = 0.25, .start = 0.05, .end = 0.05 / 1000});
    });
}

TEST_CASE("schedules with a warm-up, and after their end") {
    const optim::ScheduleOptions o{.peak = 2, .floor = 0.5, .warmup = 4, .steps = 14};
    for (const auto schedule : {optim::linear, optim::cosine}) {
        CHECK(schedule(0, o) == 0.5);
        CHECK(schedule(3, o) == 2);
        CHECK(schedule(4, o) == 2);
        CHECK(schedule(9, o) == doctest::Approx(1.25));
        CHECK(schedule(14, o) == doctest::Approx(0.5));
        CHECK(schedule(100, o) == doctest::Approx(0.5));
    }
    CHECK(optim::linear(7, o) == doctest::Approx(2 - 0.3 * 1.5));
    CHECK(optim::cosine(7, o) == doctest::Approx(0.5 + 0.75 * (1 + std::cos(0.3 * 3.14159265358979))));
    CHECK(optim::warmup(2, 6) == 0.5);
    CHECK(optim::warmup(6, 6) == 1);
    CHECK(optim::step_decay(0, {.peak = 1, .every = 3, .warmup = 2}) == 0.5);
    CHECK(optim::one_cycle(1000, {.peak = 1, .steps = 10}) == doctest::Approx(4e-6));
    CHECK(optim::cosine(0, {.peak = 3, .steps = 0}) == 0);
}

TEST_CASE("schedules say which options cannot be") {
    CHECK_THROWS_WITH_AS(optim::step_decay(5, {.every = 0}), "[step_decay] every is 0; it lies in [1, inf)", xg::Error);
    CHECK_THROWS_WITH_AS(optim::cosine(-1, {.warmup = 0}), "[cosine] step is -1; it lies in [0, inf)", xg::Error);
    for (const auto schedule : {optim::constant, optim::linear, optim::cosine}) {
        CHECK_THROWS_AS(schedule(-1, {}), xg::Error);
        CHECK_THROWS_AS(schedule(0, {.warmup = -1}), xg::Error);
        CHECK_THROWS_AS(schedule(0, {.steps = -1}), xg::Error);
        CHECK_THROWS_AS(schedule(0, {.peak = NAN}), xg::Error);
        CHECK_THROWS_AS(schedule(0, {.floor = INFINITY}), xg::Error);
        CHECK(schedule(2, {.peak = 1, .warmup = 10, .steps = 5}) == 0.3);  // a run that ends in its warm-up
        CHECK(std::isfinite(schedule(std::numeric_limits<xg::Index>::max(), {})));
    }
    CHECK_THROWS_AS(optim::warmup(-1, 3), xg::Error);
    CHECK_THROWS_AS(optim::warmup(0, -1), xg::Error);
    CHECK_THROWS_AS(optim::step_decay(-1, {}), xg::Error);
    CHECK_THROWS_AS(optim::step_decay(0, {.warmup = -2}), xg::Error);
    CHECK_THROWS_AS(optim::step_decay(0, {.factor = -0.5}), xg::Error);
    CHECK_THROWS_AS(optim::step_decay(0, {.factor = NAN}), xg::Error);
    CHECK(optim::step_decay(5, {.peak = 1, .factor = 0}) == 0);
    CHECK_THROWS_AS(optim::one_cycle(-1, {.steps = 5}), xg::Error);
    CHECK_THROWS_WITH_AS(optim::one_cycle(0, {.steps = 0}), "[one_cycle] steps is 0; it lies in [1, inf)", xg::Error);
    CHECK_THROWS_WITH_AS(optim::one_cycle(0, {.rise = 1.5}), "[one_cycle] rise is 1.5; it lies in [0, 1]", xg::Error);
    CHECK_THROWS_AS(optim::one_cycle(0, {.rise = NAN}), xg::Error);
    CHECK_THROWS_AS(optim::one_cycle(0, {.end = INFINITY}), xg::Error);
    CHECK(optim::one_cycle(9, {.peak = 1, .steps = 10, .rise = 1}) == 1);
    CHECK(std::isfinite(optim::one_cycle(0, {.rise = 0})));
}
