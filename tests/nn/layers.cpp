// Layers against PyTorch.
#include "gradcheck.hpp"
#include "reference.hpp"

#include <cmath>

#include <xtgrad/nn/init.hpp>
#include <xtgrad/nn/layers.hpp>
#include <xtgrad/nn/recurrent.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/runtime.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using reference::Named;
using xg::Tensor;

namespace {

xg::Rng rng(3);

/// The api's model.
struct Mlp {
    xg::nn::Linear up, down;
    xg::Tensor operator()(const xg::Tensor& x) const { return down(xg::gelu(up(x))); }
    static void visit(auto& self, auto&& field) {
        field("up", self.up);
        field("down", self.down);
    }
};

}  // namespace

TEST_CASE("layers agree with PyTorch") {
    const auto layer = [](auto& f, Named& v) { return f(v["x"]); };
    reference::check(reference::of("nn"), "linear", nn::Linear(4, 5, rng), {{"x", {2, 3, 4}}}, layer);
    reference::check(reference::of("nn"), "embedding", nn::Embedding(7, 3, rng), {}, [](auto& f, Named&) {
        return f(xg::tensor({{3, 0}, {3, 6}}));
    });
    reference::check(reference::of("nn"), "layer_norm", nn::LayerNorm(4, {.eps = 1e-3}), {{"x", {2, 3, 4}}}, layer);
    reference::check(reference::of("nn"), "rms_norm", nn::RMSNorm(4), {{"x", {2, 3, 4}}}, layer);
}

TEST_CASE("batch normalization agrees with PyTorch, and so do its running statistics") {
    for (const auto& [name, shape] :
         {std::pair<std::string, xg::Shape>{"batch_norm", {4, 3}}, {"batch_norm of images", {2, 3, 4, 5}}}) {
        nn::BatchNorm norm(3, {.momentum = 0.2, .dtype = xg::f64});
        norm.mean = reference::filled("mean", {3});
        norm.variance = 1 + reference::filled("variance", {3});
        const std::string training = name + ", training";
        reference::check(reference::of("nn"), training, norm, {{"x", shape}}, [&](nn::BatchNorm& f, Named& v) {
            const Tensor y = f(v["x"], nn::training);
            norm.mean = f.mean;
            norm.variance = f.variance;
            norm.batches = f.batches;
            return y;
        });
        CHECK(reference::distance(norm.mean, reference::of("nn").at(training + ":mean")) < 1e-14);
        CHECK(reference::distance(norm.variance, reference::of("nn").at(training + ":variance")) < 1e-14);
        CHECK(norm.batches.item<int>() == 1);
        reference::check(reference::of("nn"), name, norm, {{"x", shape}},
                         [](const nn::BatchNorm& f, Named& v) { return f(v["x"]); });
    }
}

TEST_CASE("running statistics are buffers, and a batch that is too small changes nothing") {
    nn::BatchNorm norm(3);
    CHECK(nn::parameters(norm).size() == 2);
    CHECK(nn::named_tensors(norm).size() == 5);
    const Tensor before = norm.mean;
    CHECK_THROWS_AS(norm(xg::ones({1, 3}, xg::f32), nn::training), xg::ShapeError);
    CHECK_THROWS_AS(norm(xg::ones({5, 4}, xg::f32), nn::training), xg::ShapeError);
    CHECK_THROWS_AS(norm(xg::ones({5, 3}), nn::training), xg::DtypeError);
    CHECK(norm.mean.block() == before.block());
    CHECK(norm.batches.item<int>() == 0);
}

TEST_CASE("derivatives through layers agree with differences") {
    const nn::Linear linear(4, 3, rng, {.dtype = xg::f64});
    gradcheck(linear, xg::randn({2, 4}, xg::f64, rng));
    gradcheck(nn::Linear(4, 3, rng, {.bias = false, .dtype = xg::f64}), xg::randn({2, 5, 4}, xg::f64, rng));
    nn::BatchNorm norm(2, {.dtype = xg::f64});
    gradcheck(norm, xg::randn({3, 2, 4}, xg::f64, rng));
    xg::gradcheck(
        [&](const Tensor& x, const Tensor& w) {
            nn::BatchNorm changed = norm;
            changed.weight = w;
            return changed(x, nn::training);
        },
        xg::randn({3, 2, 4}, xg::f64, rng), xg::randn({2}, xg::f64, rng));
    nn::LayerNorm layer_norm(4, {.dtype = xg::f64});
    layer_norm.weight = xg::randn({4}, xg::f64, rng);
    layer_norm.bias = xg::randn({4}, xg::f64, rng);
    gradcheck(layer_norm, xg::randn({2, 3, 4}, xg::f64, rng));
    nn::RMSNorm rms_norm(4, {.dtype = xg::f64});
    rms_norm.weight = xg::randn({4}, xg::f64, rng);
    gradcheck(rms_norm, xg::randn({2, 3, 4}, xg::f64, rng));
    gradcheck(nn::Embedding(5, 3, rng, {.dtype = xg::f64}), {}, [](const nn::Embedding& f, const auto&) {
        return xg::square(f(xg::tensor({{4, 0}, {4, 2}})));
    });
}

TEST_CASE("the api's model is an aggregate of layers") {
    Mlp model{{784, 128, rng}, {128, 10, rng}};
    CHECK(nn::count(model) == 784 * 128 + 128 + 128 * 10 + 10);
    CHECK(model(xg::zeros({5, 784}, xg::f32)).shape() == xg::Shape{5, 10});
    CHECK(nn::named_parameters(model)[2].first == "down.weight");
}

TEST_CASE("layers begin as PyTorch's") {
    const nn::Linear linear(400, 300, rng);
    const double bound = 1 / std::sqrt(400.);
    for (const Tensor& x : {linear.weight, linear.bias}) {
        CHECK(x.dtype() == xg::f32);
        CHECK(xg::amax(xg::abs(x)).item<double>() <= bound);
        CHECK(xg::amax(xg::abs(x)).item<double>() > 0.98 * bound);
    }
    CHECK(xg::mean(xg::square(linear.weight)).item<double>() == doctest::Approx(bound * bound / 3).epsilon(0.02));
    const nn::Embedding embedding(300, 100, rng);
    CHECK(xg::mean(xg::square(embedding.weight)).item<double>() == doctest::Approx(1).epsilon(0.03));
    CHECK(!nn::Linear(3, 2, rng, {.bias = false}).bias.defined());
    CHECK(!nn::LayerNorm(3, {.bias = false}).bias.defined());
}

TEST_CASE("a layer without inputs has a bias of 0, as PyTorch's") {
    const nn::Linear linear(0, 3, rng);
    CHECK(linear.weight.shape() == xg::Shape{3, 0});
    CHECK(xg::all(xg::equal(linear.bias, 0.)).item<bool>());
    CHECK(xg::all(xg::equal(linear(xg::zeros({2, 0}, xg::f32)), 0.)).item<bool>());
}

TEST_CASE("dropout leaves elements out in training only") {
    const nn::Dropout dropout{.p = 0.25};
    const Tensor x = xg::ones({100, 100}, xg::f32);
    CHECK(dropout(x).block() == x.block());
    xg::Rng a(1), b(1);
    const Tensor y = dropout(x, a);
    CHECK(xg::count_nonzero(y).item<double>() / 1e4 == doctest::Approx(0.75).epsilon(0.02));
    CHECK(xg::amax(y).item<double>() == doctest::Approx(1 / 0.75));
    CHECK(reference::distance(xg::astype(y, xg::f64), xg::astype(dropout(x, b), xg::f64)) == 0);
    CHECK(reference::distance(xg::astype(y, xg::f64), xg::astype(dropout(x, b), xg::f64)) > 0);  // the generator went on
    CHECK_THROWS_AS(xg::dropout(x, 1.5, a), xg::Error);
    CHECK(xg::count_nonzero(xg::dropout(x, 1, a)).item<int>() == 0);
}

TEST_CASE("an embedding is tied to a head by using its weight twice") {
    const nn::Embedding table(5, 3, rng, {.dtype = xg::f64});
    const auto f = [&](const Tensor& weight) {
        nn::Embedding changed = table;
        changed.weight = weight;
        return xg::linear(xg::square(changed(xg::tensor({4, 0}))), changed.weight);
    };
    xg::gradcheck(f, table.weight);
}

TEST_CASE("layers say what does not fit") {
    const nn::Linear linear(4, 3, rng);
    CHECK_THROWS_WITH_AS(
        linear(xg::zeros({2, 5}, xg::f32)),
        "[linear] the weight (3, 4) does not fit the inputs (2, 5); it needs the shape (out, in) with in their last extent",
        xg::ShapeError);
    CHECK_THROWS_AS(linear(xg::zeros({2, 4})), xg::DtypeError);
    CHECK_THROWS_AS(xg::linear(xg::zeros({2, 4}), xg::zeros({3, 4}), xg::zeros({4})), xg::ShapeError);
    CHECK_THROWS_AS(nn::Linear()(xg::zeros({2, 4})), xg::Error);
    CHECK_THROWS_WITH_AS(nn::Linear(-1, 3, rng), "[Linear] in is -1; give 0 or more", xg::ShapeError);
    CHECK_THROWS_WITH_AS(nn::Linear(1, -3, rng), "[Linear] out is -3; give 0 or more", xg::ShapeError);
}

TEST_CASE("initial weights where there are no inputs, and a gain that is no number") {
    for (const auto& make : {nn::xavier_uniform, nn::xavier_normal, nn::kaiming_uniform, nn::kaiming_normal}) {
        CHECK(make({3, 0}, xg::f32, rng, 1).shape() == xg::Shape{3, 0});
        CHECK(make({0, 0, 5}, xg::f64, rng, 1).shape() == xg::Shape{0, 0, 5});
        for (const double gain : {double(NAN), double(INFINITY)}) CHECK_THROWS_AS(make({3, 2}, xg::f32, rng, gain), xg::Error);
    }
    CHECK(nn::GRUCell(2, 0, rng).weight_ih.shape() == xg::Shape{0, 2});
}
