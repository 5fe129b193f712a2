// Recurrent cells against PyTorch, chains of layers, initial weights.
#include "gradcheck.hpp"
#include "reference.hpp"

#include <xtgrad/nn/init.hpp>
#include <xtgrad/nn/recurrent.hpp>
#include <xtgrad/nn/sequential.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/reduction.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using reference::Named;
using xg::Tensor;

namespace {

xg::Rng rng(6);

double spread(const Tensor& x) { return std::sqrt(xg::mean(xg::square(x)).item<double>()); }
double largest(const Tensor& x) { return xg::amax(xg::abs(x)).item<double>(); }

}  // namespace

TEST_CASE("cells agree with PyTorch over two steps") {
    const Named& file = reference::of("nn");
    reference::check(file, "gru", nn::GRUCell(4, 5, rng), {{"x", {2, 4}}, {"h", {2, 5}}},
                     [](auto& f, Named& v) { return f(v["x"], f(v["x"], v["h"])); });
    reference::check(file, "lstm", nn::LSTMCell(4, 5, rng), {{"x", {2, 4}}, {"h", {2, 5}}, {"c", {2, 5}}}, [](auto& f, Named& v) {
        const auto state = f(v["x"], f(v["x"], {v["h"], v["c"]}));
        return xg::concatenate(std::array{state.h, state.c}, 1);
    });
}

TEST_CASE("cells without bias, and where they start") {
    const nn::GRUCell gru(3, 2, rng, {.bias = false, .dtype = xg::f64});
    const nn::LSTMCell lstm(3, 2, rng, {.bias = false, .dtype = xg::f64});
    CHECK(nn::named_parameters(gru).size() == 2);
    xg::gradcheck([&](const Tensor& x) { return gru(x, gru(x, gru.start(4))); }, xg::randn({4, 3}, xg::f64, rng));
    xg::gradcheck([&](const Tensor& x) { return lstm(x, lstm(x, lstm.start(4))).h; }, xg::randn({4, 3}, xg::f64, rng));
    CHECK(largest(nn::GRUCell(3, 400, rng).weight_ih) <= 0.05);
}

TEST_CASE("cells say what does not fit") {
    CHECK_THROWS_WITH_AS(nn::GRUCell(-4, 3, rng), "[GRUCell] in is -4; give 0 or more", xg::ShapeError);
    CHECK_THROWS_WITH_AS(nn::LSTMCell(4, -3, rng), "[LSTMCell] width is -3; give 0 or more", xg::ShapeError);
    const nn::GRUCell gru(4, 3, rng);
    const nn::LSTMCell lstm(4, 3, rng);
    const Tensor x = xg::zeros({5, 4}, xg::f32);
    CHECK_THROWS_WITH_AS(gru(x, gru.start(2)),
                         "[GRUCell] the state h (2, 3) does not fit the inputs (5, 4); it needs their rows and the width 3, as "
                         "start(rows) makes it",
                         xg::ShapeError);
    const auto five = lstm.start(5), two = lstm.start(2);
    CHECK_THROWS_WITH_AS(lstm(x, {five.h, two.c}),
                         "[LSTMCell] the state c (2, 3) does not fit the inputs (5, 4); it needs their rows and the width 3, as "
                         "start(rows) makes it",
                         xg::ShapeError);
    CHECK_THROWS_AS(lstm(x, two), xg::ShapeError);
    CHECK_THROWS_AS(gru(x, xg::zeros({5, 2}, xg::f32)), xg::ShapeError);
    CHECK_THROWS_AS(gru(x, Tensor()), xg::Error);
    CHECK(gru(x, gru.start(1)).shape() == xg::Shape{5, 3});  // one for all
    CHECK(gru(xg::zeros({4}, xg::f32), gru.start(5)).shape() == xg::Shape{5, 3});
    CHECK(gru(xg::zeros({4}, xg::f32), xg::zeros({3}, xg::f32)).shape() == xg::Shape{3});
}

TEST_CASE("derivatives through cells agree with differences, over two steps") {
    const auto draw = [](const xg::Shape& shape) { return xg::randn(shape, xg::f64, rng); };
    gradcheck(nn::GRUCell(3, 2, rng, {.dtype = xg::f64}), {draw({4, 3}), draw({4, 2})},
              [](const nn::GRUCell& f, const auto& v) { return f(v[0], f(v[0], v[1])); });
    gradcheck(nn::LSTMCell(3, 2, rng, {.dtype = xg::f64}), {draw({4, 3}), draw({4, 2}), draw({4, 2})},
              [](const nn::LSTMCell& f, const auto& v) {
                  const auto state = f(v[0], f(v[0], {v[1], v[2]}));
                  return xg::concatenate(std::array{state.h, state.c}, 1);
              });
}

TEST_CASE("a chain is its parts one after another, in evaluation and in training") {
    nn::Sequential net(
        nn::Linear(3, 4, rng), nn::BatchNorm(4), nn::ReLU(), nn::Dropout{.p = 0.4}, [](const Tensor& x) { return x * 2.; },
        nn::Linear(4, 2, rng));
    const Tensor x = xg::randn({5, 3}, xg::f32, rng);
    const auto& [up, norm, relu, dropout, twice, down] = net.parts;
    const auto same = [](const Tensor& a, const Tensor& b) { return largest(a - b) == 0; };
    CHECK(same(net(x), down(xg::relu(norm(up(x))) * 2.)));
    nn::BatchNorm other = norm;
    xg::Rng a(2), b(2);
    const Tensor y = net(x, a);
    CHECK(same(y, down(dropout(xg::relu(other(up(x), nn::training)), b) * 2.)));
    CHECK(same(norm.mean, other.mean));
    std::string names;
    for (const auto& [name, tensor] : nn::named_parameters(net)) names += name + ' ';
    CHECK(names == "0.weight 0.bias 1.weight 1.bias 5.weight 5.bias ");
}

TEST_CASE("functions as layers") {
    const Tensor x = xg::tensor({{-1., 2.}, {0.5, -3.}});
    const auto same = [](const Tensor& a, const Tensor& b) { return reference::distance(a, b) == 0; };
    CHECK(same(nn::GELU()(x), xg::gelu(x)));
    CHECK(same(nn::SiLU()(x), xg::silu(x)));
    CHECK(same(nn::Tanh()(x), xg::tanh(x)));
    CHECK(same(nn::Sigmoid()(x), xg::sigmoid(x)));
    CHECK(nn::Flatten()(xg::zeros({2, 3, 4})).shape() == xg::Shape{2, 12});
    CHECK(nn::Flatten()(xg::zeros({0, 3})).shape() == xg::Shape{0, 0});
}

TEST_CASE("initial weights have the spread of their formula") {
    // (out, in, window): fan_in = 50 * 6, fan_out = 100 * 6
    const xg::Shape shape{100, 50, 2, 3};
    const double in = 300, out = 600;
    const Tensor xavier = nn::xavier_uniform(shape, xg::f64, rng, nn::tanh_gain);
    CHECK(spread(xavier) == doctest::Approx(5. / 3 * std::sqrt(2 / (in + out))).epsilon(0.01));
    CHECK(largest(xavier) <= 5. / 3 * std::sqrt(6 / (in + out)));
    CHECK(spread(nn::xavier_normal(shape, xg::f32, rng)) == doctest::Approx(std::sqrt(2 / (in + out))).epsilon(0.02));
    const Tensor kaiming = nn::kaiming_uniform(shape, xg::f32, rng);
    CHECK(spread(kaiming) == doctest::Approx(std::sqrt(2 / in)).epsilon(0.01));
    CHECK(largest(kaiming) <= std::sqrt(6 / in) * (1 + 1e-6));
    CHECK(spread(nn::kaiming_normal(shape, xg::f64, rng, 1)) == doctest::Approx(std::sqrt(1 / in)).epsilon(0.02));
    CHECK_THROWS_AS(nn::xavier_uniform({5}, xg::f32, rng), xg::ShapeError);
}

TEST_CASE("truncated normals lie within their bounds and are distributed as normals there") {
    const auto check = [](const nn::TruncatedNormalOptions& o) {
        INFO(o.low << " to " << o.high);
        const Tensor x = nn::truncated_normal({200000}, xg::f64, rng, o);
        const double a = (o.low - o.mean) / o.stddev, b = (o.high - o.mean) / o.stddev;
        // The mean of a truncated normal: (phi(a) - phi(b)) / (Phi(b) - Phi(a))
        const auto density = [](double t) { return std::exp(-t * t / 2) / std::sqrt(2 * 3.141592653589793); };
        const double mass = (std::erfc(a / std::sqrt(2.)) - std::erfc(b / std::sqrt(2.))) / 2;
        const double mean = (density(a) - density(b)) / mass, square = 1 + (a * density(a) - b * density(b)) / mass;
        CHECK(xg::amin(x).item<double>() >= o.low);
        CHECK(xg::amax(x).item<double>() <= o.high);
        const Tensor normal = (x - o.mean) / o.stddev;
        CHECK(xg::mean(normal).item<double>() == doctest::Approx(mean).epsilon(0.01));
        CHECK(xg::mean(xg::square(normal)).item<double>() == doctest::Approx(square).epsilon(0.01));
    };
    check({});
    check({.mean = 1, .stddev = 0.5, .low = 0.9, .high = 3});
    check({.low = 6, .high = 7});
    check({.low = -9, .high = -5});
    check({.low = 36, .high = 36.05});
    CHECK_THROWS_AS(nn::truncated_normal({2}, xg::f64, rng, {.low = 1, .high = 1}), xg::Error);
    CHECK_THROWS_AS(nn::truncated_normal({2}, xg::f64, rng, {.mean = NAN}), xg::Error);
    CHECK_THROWS_AS(nn::truncated_normal({2}, xg::f64, rng, {.stddev = INFINITY}), xg::Error);
}

TEST_CASE("truncated normals of a tail whose mass f64 cannot hold are distributed as there") {
    // With the density exp(-a s - s^2 / 2) the mean distance from the near bound is 1/a - 2/a^3 + 10/a^5 - ..., its mean square
    // 2/a^2 - 10/a^4 + ... (both in the limit of no far bound).
    const auto distances = [](const nn::TruncatedNormalOptions& o) {
        const Tensor x = nn::truncated_normal({200000}, xg::f64, rng, o);
        CHECK(xg::amin(x).item<double>() >= o.low);
        CHECK(xg::amax(x).item<double>() <= o.high);
        return o.low > o.mean ? (x - o.low) / o.stddev : (o.high - x) / o.stddev;
    };
    const auto check = [](const Tensor& s, double a) {
        CHECK(xg::mean(s).item<double>() == doctest::Approx(1 / a - 2 / (a * a * a)).epsilon(0.01));
        CHECK(xg::mean(xg::square(s)).item<double>() == doctest::Approx(2 / (a * a) - 10 / (a * a * a * a)).epsilon(0.02));
    };
    check(distances({.low = 37, .high = INFINITY}), 37);
    check(distances({.low = 40, .high = 41}), 40);
    check(distances({.mean = 3, .stddev = 0.5, .low = -1000, .high = -47}), 100);
    // So narrow an interval that the density hardly falls.
    CHECK(xg::mean(distances({.low = 50, .high = 50 + 1e-6})).item<double>() == doctest::Approx(5e-7).epsilon(0.01));
    xg::Rng a(3), b(3);
    CHECK(largest(nn::truncated_normal({50}, xg::f32, a, {.low = 40, .high = 41}) -
                  nn::truncated_normal({50}, xg::f32, b, {.low = 40, .high = 41})) == 0);
    CHECK(largest(nn::truncated_normal({50}, xg::f64, rng, {.low = 1e200, .high = INFINITY})) == 1e200);
}
