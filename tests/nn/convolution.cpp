// Layers over images and sequences against PyTorch.
#include "gradcheck.hpp"
#include "reference.hpp"

#include <xtgrad/nn/convolution.hpp>
#include <xtgrad/nn/losses.hpp>
#include <xtgrad/nn/sequential.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/ops/rotary.hpp>
#include <xtgrad/runtime.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using reference::Named;
using xg::Tensor;

namespace {

xg::Rng rng(8);

}  // namespace

TEST_CASE("convolutions and pools agree with PyTorch") {
    const Named& file = reference::of("nn");
    const auto check = [&](const std::string& name, const auto& layer, const xg::Shape& shape) {
        reference::check(file, name, layer, {{"x", shape}}, [](auto& f, Named& v) { return f(v["x"]); });
    };
    check("conv1d", nn::Conv1d(4, 6, 3, rng, {.stride = 2, .padding = 3, .dilation = 2, .groups = 2}), {2, 4, 9});
    check("conv2d", nn::Conv2d(3, 4, 3, rng, {.padding = 1}), {2, 3, 5, 4});
    check("conv2d, strided",
          nn::Conv2d(6, 3, {2, 3}, rng, {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}, .groups = 3, .bias = false}),
          {2, 6, 7, 5});
    const auto pool = [&](const std::string& name, const auto& layer) {
        reference::check(file, name, std::vector<Tensor>(), {{"x", {2, 3, 5, 6}}},
                         [&](auto&, Named& v) { return layer(v["x"]); });
    };
    pool("max_pool2d", nn::MaxPool2d{2});
    pool("max_pool2d, overlapping", nn::MaxPool2d{{3, 2}, {.stride = xg::Extent2d(1, 2), .padding = {1, 0}}});
    pool("avg_pool2d", nn::AvgPool2d{2});
    pool("avg_pool2d, overlapping", nn::AvgPool2d{{3, 2}, {.stride = xg::Extent2d(1, 2), .padding = {1, 1}}});
}

TEST_CASE("derivatives through a small network agree with differences") {
    const nn::Conv2d conv(2, 3, {2, 3}, rng, {.padding = {0, 1}, .dtype = xg::f64});
    xg::gradcheck(
        [&](const Tensor& x, const Tensor& w, const Tensor& b) {
            nn::Conv2d changed = conv;
            changed.weight = w, changed.bias = b;
            return xg::avg_pool2d(xg::tanh(changed(x)), 2);
        },
        xg::randn({2, 2, 3, 4}, xg::f64, rng), conv.weight, conv.bias);
}

TEST_CASE("derivatives through convolutions and pools agree with differences") {
    gradcheck(nn::Conv1d(4, 2, 3, rng, {.stride = 2, .padding = 2, .dilation = 2, .groups = 2, .dtype = xg::f64}),
              xg::randn({2, 4, 7}, xg::f64, rng));
    gradcheck(nn::Conv2d(2, 4, {2, 3}, rng, {.stride = {2, 1}, .padding = {0, 1}, .groups = 2, .dtype = xg::f64}),
              xg::randn({2, 2, 3, 4}, xg::f64, rng));
    const Tensor images = xg::randn({2, 2, 5, 4}, xg::f64, rng);
    const xg::PoolOptions overlapping{.stride = xg::Extent2d(1, 2), .padding = {1, 0}};
    xg::gradcheck([&](const Tensor& x) { return nn::MaxPool2d{{3, 2}, overlapping}(x); }, images);
    xg::gradcheck([&](const Tensor& x) { return nn::AvgPool2d{{3, 2}, overlapping}(x); }, images);
}

TEST_CASE("convolution has the same bits for 1 and 2 threads") {
    nn::Sequential net(nn::Conv2d(3, 20, 3, rng, {.padding = 1}), nn::MaxPool2d{2}, nn::Conv2d(20, 24, 3, rng), nn::AvgPool2d{2});
    const Tensor x = xg::randn({21, 3, 18, 17}, xg::f32, rng);
    std::vector<std::vector<Tensor>> results;
    for (const int threads : {1, 2}) {
        xg::set_num_threads(threads);
        auto targets = nn::parameters(net);
        targets.push_back(x);
        xg::Tape tape;
        const Tensor y = net(x);
        results.push_back(tape.vjp(y, y * 0.5, targets));
        results.back().push_back(y);
    }
    for (std::size_t i = 0; i < results[0].size(); ++i) {
        const Tensor a = xg::copy(results[0][i]), b = xg::copy(results[1][i]);
        CHECK(std::equal(a.data<float>(), a.data<float>() + a.size(), b.data<float>()));
    }
}

TEST_CASE("of equal elements a pool takes the first, and a NaN before all") {
    const Tensor x = xg::tensor({{{{1., 2.}, {2., 0.}}, {{3., double(NAN)}, {5., 1.}}}});
    xg::Tape tape;
    const Tensor y = xg::max_pool2d(x, 2);
    CHECK(y.data<double>()[0] == 2);
    CHECK(std::isnan(y.data<double>()[1]));
    const Tensor g = tape.vjp(y, xg::tensor({{{{1.}}, {{7.}}}}), x);
    CHECK(reference::distance(g, xg::tensor({{{{0., 1.}, {0., 0.}}, {{0., 7.}, {0., 0.}}}})) == 0);
}

TEST_CASE("numbers at the limits of integers have the right result, or are an error") {
    const Tensor x = xg::ones({1, 1, 4, 4}), w = xg::ones({1, 1, 2, 2});
    constexpr auto far = std::numeric_limits<xg::Index>::max();
    const auto only = [](const Tensor& y) { return y.shape() == xg::Shape{1, 1, 1, 1} ? y.item<double>() : NAN; };
    CHECK(only(xg::conv2d(x, w, {.stride = far, .padding = 2})) == 0);  // of the padding alone
    CHECK(only(xg::conv2d(x, w, {.stride = far, .padding = 1})) == 1);
    CHECK(only(xg::conv2d(x, w, {.stride = far})) == 4);
    CHECK(xg::conv2d(x, xg::ones({1, 1, 1, 1}), {.dilation = far}).shape() == x.shape());
    CHECK(xg::conv2d(xg::ones({1, 0, 4, 4}), xg::ones({0, 0, 2, 2}), {.groups = far}).shape() == xg::Shape{1, 0, 3, 3});
    CHECK_THROWS_AS(xg::conv2d(x, w, {.padding = far}), xg::ShapeError);
    CHECK_THROWS_AS(xg::conv2d(x, w, {.dilation = xg::Index(1) << 62}), xg::ShapeError);
    CHECK_THROWS_AS(xg::conv2d(x, w, {.groups = far}), xg::ShapeError);
    const Tensor row = xg::tensor({{{{1., 2., 3., 4., 5., 6.}}}});
    constexpr auto wide = xg::Index(1) << 40;
    CHECK(only(xg::max_pool2d(row, {wide, wide}, {.stride = far, .padding = wide / 2})) == 6);
    CHECK(only(xg::avg_pool2d(row, {2, wide}, {.stride = far, .padding = {1, wide / 2}})) == 21 / (2. * double(wide)));
    CHECK_THROWS_WITH_AS(xg::max_pool2d(row, {3, 1}, {.padding = {xg::Index(1) << 62, 0}}),
                         "[max_pool2d] a padding of 4611686018427387904 x 0 is more than half the window of 3 x 1; some windows "
                         "would see nothing else",
                         xg::Error);
    CHECK_THROWS_AS(xg::max_pool2d(xg::ones({1, 1, 0, 6}), {2, 1}, {.padding = {1, 0}}), xg::ShapeError);
    CHECK_THROWS_AS(xg::rotary(xg::ones({3, 4}), {.heads = far}), xg::ShapeError);
    CHECK(xg::rotary(xg::ones({3, 0}), {.heads = far}).shape() == xg::Shape{3, 0});
}

TEST_CASE("what does not fit is an error") {
    const Tensor x = xg::zeros({2, 3, 4, 5}), w = xg::zeros({6, 3, 2, 2});
    CHECK_THROWS_WITH_AS(
        xg::conv2d(x, xg::zeros({6, 2, 2, 2})),
        "[conv2d] the weight (6, 2, 2, 2) does not fit the inputs (2, 3, 4, 5) in 1 groups; it needs the shape (F, C / "
        "groups, ...), and F a multiple of groups",
        xg::ShapeError);
    CHECK_THROWS_AS(xg::conv2d(x, xg::zeros({6, 3, 5, 2})), xg::ShapeError);
    CHECK_THROWS_AS(xg::conv2d(x, xg::zeros({6, 3, 2})), xg::ShapeError);
    CHECK_THROWS_AS(xg::conv2d(x, w, xg::zeros({5})), xg::ShapeError);
    CHECK_THROWS_AS(xg::conv2d(x, w, xg::zeros({6}, xg::f32)), xg::DtypeError);
    CHECK_THROWS_AS(xg::conv2d(x, w, {.stride = 0}), xg::Error);
    CHECK_THROWS_AS(xg::conv2d(x, w, {.padding = -1}), xg::Error);
    CHECK_THROWS_AS(xg::conv2d(x, w, {.groups = 2}), xg::ShapeError);
    CHECK_THROWS_AS(xg::conv1d(x, w), xg::ShapeError);
    CHECK_THROWS_AS(xg::max_pool2d(x, 6), xg::ShapeError);
    CHECK_THROWS_AS(xg::max_pool2d(x, 2, {.padding = 2}), xg::Error);
    CHECK_THROWS_AS(xg::avg_pool2d(xg::zeros({3, 4, 5}), 2), xg::ShapeError);
    CHECK_THROWS_AS(nn::Conv2d(3, 4, 2, rng, {.groups = 2}), xg::Error);
    CHECK_THROWS_WITH_AS(nn::Conv1d(3, 4, -2, rng), "[Conv1d] window is -2; give 0 or more", xg::ShapeError);
    CHECK_THROWS_WITH_AS(nn::Conv2d(-3, 4, 2, rng), "[Conv2d] in is -3; give 0 or more", xg::ShapeError);
    CHECK_THROWS_WITH_AS(nn::Conv2d(3, 4, {2, -1}, rng), "[Conv2d] window.width is -1; give 0 or more", xg::ShapeError);
}

TEST_CASE("layers begin as PyTorch's") {
    const nn::Conv2d conv(32, 64, 3, rng, {.groups = 2});
    CHECK(conv.weight.shape() == xg::Shape{64, 16, 3, 3});
    CHECK(xg::amax(xg::abs(conv.weight)).item<double>() == doctest::Approx(1 / 12.).epsilon(0.01));
    CHECK(xg::amax(xg::abs(conv.bias)).item<double>() <= 1 / 12.);
    CHECK(nn::count(conv) == 64 * 16 * 9 + 64);
    CHECK(xg::all(xg::equal(nn::Conv2d(0, 4, 3, rng).bias, 0.)).item<bool>());
}
