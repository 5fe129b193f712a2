// Slopes where a derivative does not exist, and values at the extremes: what is documented, by closed forms.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;
using xg::Tensor;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class F>
double slope(F f, double at) {
    const Tensor x(at);
    xg::Tape tape;
    const Tensor y = xg::sum(f(x));
    return tape.gradient(y, x).item<double>();
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

template <class F>
double value(F f, double at) {
    const double y64 = f(Tensor(at)).template item<double>(), y32 = f(Tensor(float(at))).template item<double>();
    CHECK((same(y32, y64) || std::fabs(y32 - y64) < 1e-6 * (1 + std::fabs(y64))));
    return y64;
}

}  // namespace

TEST_CASE("abs and relu have slope 0 at 0") {
    CHECK(slope([](auto& x) { return xg::abs(x); }, 0) == 0);
    CHECK(slope([](auto& x) { return xg::abs(x); }, -3) == -1);
    CHECK(slope([](auto& x) { return xg::relu(x); }, 0) == 0);
    CHECK(slope([](auto& x) { return xg::relu(x); }, 2) == 1);
}

TEST_CASE("maximum and minimum share the slope at a tie") {
    const Tensor a = xg::tensor({1., 2., 3.}), b = xg::tensor({1., 3., 2.});
    xg::Tape tape(xg::persistent);
    const Tensor high = xg::sum(xg::maximum(a, b)), low = xg::sum(xg::minimum(a, b));
    const auto [ha, hb] = tape.gradient(high, {a, b});
    const auto [la, lb] = tape.gradient(low, {a, b});
    CHECK(xg::all(xg::equal(ha, xg::tensor({0.5, 0., 1.}))).item<bool>());
    CHECK(xg::all(xg::equal(hb, xg::tensor({0.5, 1., 0.}))).item<bool>());
    CHECK(xg::all(xg::equal(la, xg::tensor({0.5, 1., 0.}))).item<bool>());
    CHECK(xg::all(xg::equal(lb, xg::tensor({0.5, 0., 1.}))).item<bool>());
}

TEST_CASE("amax and amin share the slope among ties") {
    const Tensor x = xg::tensor({{1., 5., 5.}, {2., 2., 2.}});
    xg::Tape tape(xg::persistent);
    const Tensor high = xg::sum(xg::amax(x, 1)), low = xg::sum(xg::amin(x, 1));
    CHECK(xg::all(xg::equal(tape.gradient(high, x), xg::tensor({{0., 0.5, 0.5}, {1. / 3, 1. / 3, 1. / 3}}))).item<bool>());
    CHECK(xg::all(xg::equal(tape.gradient(low, x), xg::tensor({{1., 0., 0.}, {1. / 3, 1. / 3, 1. / 3}}))).item<bool>());
}

TEST_CASE("clip has slope 1 at its bounds, between numbers and between tensors") {
    for (const auto& [at, want] : {std::pair{-1.1, 0.}, {-1., 1.}, {0., 1.}, {2., 1.}, {2.1, 0.}}) {
        CHECK(slope([](auto& x) { return xg::clip(x, -1., 2.); }, at) == want);
        CHECK(slope([](auto& x) { return xg::clip(x, Tensor(-1.), Tensor(2.)); }, at) == want);
    }
    const Tensor x = xg::tensor({-3., 0.5, 7.}), low(-1.), high(2.);
    xg::Tape tape;
    const auto [dx, dl, dh] = tape.gradient(xg::sum(xg::clip(x, low, high)), {x, low, high});
    CHECK(xg::all(xg::equal(dx, xg::tensor({0., 1., 0.}))).item<bool>());
    CHECK(dl.item<double>() == 1);
    CHECK(dh.item<double>() == 1);
}

TEST_CASE("sqrt has slope inf at 0") {
    CHECK(slope([](auto& x) { return xg::sqrt(x); }, 0) == inf);
}

TEST_CASE("powers at 0 have the slopes of polynomials") {
    CHECK(slope([](auto& x) { return xg::pow(x, 0); }, 0) == 0);
    CHECK(slope([](auto& x) { return xg::pow(x, 1); }, 0) == 1);
    CHECK(slope([](auto& x) { return xg::pow(x, 2); }, 0) == 0);
    CHECK(slope([](auto& x) { return xg::pow(x, 3); }, -2) == 12);
    CHECK(slope([](auto& x) { return xg::pow(x, xg::full({}, 0.)); }, 0) == 0);
    const Tensor x(0.);
    xg::Tape outer;
    const Tensor g = [&] {
        xg::Tape inner;
        return inner.gradient(xg::pow(x, 2), x);
    }();
    CHECK(outer.gradient(g, x).item<double>() == 2);
    CHECK(xg::pow(Tensor(not_a_number), 0).item<double>() == 1);
    CHECK(xg::pow(Tensor(0.), 0).item<double>() == 1);
    CHECK(xg::pow(Tensor(-8.), 3).item<double>() == -512);
    CHECK(std::isnan(xg::pow(Tensor(-8.), 0.5).item<double>()));
}

TEST_CASE("a branch not taken does not spoil the gradient") {
    const Tensor x = xg::tensor({0., 4.});
    xg::Tape tape;
    const Tensor safe = xg::where(x > 0, x, 1.);
    const Tensor y = xg::sum(xg::where(x > 0, xg::sqrt(safe), 0.));
    CHECK(xg::all(xg::equal(tape.gradient(y, x), xg::tensor({0., 0.25}))).item<bool>());
}

TEST_CASE("NaN and infinities go through as in NumPy") {
    const auto max = [](const Tensor& x) { return xg::maximum(x, 1.); };
    const auto min = [](const Tensor& x) { return xg::minimum(x, 1.); };
    CHECK(std::isnan(value(max, not_a_number)));
    CHECK(std::isnan(value(min, not_a_number)));
    CHECK(std::isnan(value([](const Tensor& x) { return xg::maximum(Tensor(x) * 0 + 1, x); }, not_a_number)));
    CHECK(std::isnan(value([](const Tensor& x) { return xg::relu(x); }, not_a_number)));
    CHECK(std::isnan(value([](const Tensor& x) { return xg::clip(x, -1., 1.); }, not_a_number)));
    CHECK(value([](const Tensor& x) { return xg::exp(x); }, -inf) == 0);
    CHECK(value([](const Tensor& x) { return xg::exp(x); }, inf) == inf);
    CHECK(value([](const Tensor& x) { return xg::exp(x); }, -800) == 0);
    CHECK(value([](const Tensor& x) { return xg::exp(x); }, 800) == inf);
    CHECK(std::isnan(value([](const Tensor& x) { return xg::exp(x); }, not_a_number)));
    CHECK(value([](const Tensor& x) { return xg::log(x); }, 0) == -inf);
    CHECK(value([](const Tensor& x) { return xg::log(x); }, inf) == inf);
    CHECK(std::isnan(value([](const Tensor& x) { return xg::log(x); }, -1)));
    CHECK(value([](const Tensor& x) { return xg::tanh(x); }, 1000) == 1);
    CHECK(value([](const Tensor& x) { return xg::tanh(x); }, -inf) == -1);
    CHECK(value([](const Tensor& x) { return xg::sigmoid(x); }, -1000) == 0);
    CHECK(value([](const Tensor& x) { return xg::sigmoid(x); }, inf) == 1);
    CHECK(value([](const Tensor& x) { return xg::erf(x); }, inf) == 1);
    CHECK(value([](const Tensor& x) { return xg::gelu(x); }, 50) == 50);
    CHECK(value([](const Tensor& x) { return xg::gelu_tanh(x); }, -50) == 0);
    CHECK(value([](const Tensor& x) { return xg::abs(x); }, -inf) == inf);
    CHECK(value([](const Tensor& x) { return xg::sin(x); }, 1000) == doctest::Approx(std::sin(1000.)));
    CHECK(std::isnan(xg::amax(xg::tensor({1., not_a_number, 3.})).item<double>()));
    CHECK(std::isnan(xg::amin(xg::tensor({not_a_number, 1., 3.})).item<double>()));
    CHECK(xg::argmax(xg::tensor({1., not_a_number, 3., not_a_number})).item<int>() == 1);
    CHECK(xg::sum(xg::tensor({1., inf, 3.})).item<double>() == inf);
    CHECK(std::isnan(xg::sum(xg::tensor({1., inf, -inf})).item<double>()));
}

TEST_CASE("reductions of extremes neither overflow nor lose digits") {
    CHECK(xg::logsumexp(xg::tensor({1000., 1000.})).item<double>() == doctest::Approx(1000 + std::log(2.)));
    CHECK(xg::logsumexp(xg::tensor({-inf, -inf})).item<double>() == -inf);
    CHECK(xg::logsumexp(xg::tensor({-inf, 3.})).item<double>() == 3);
    CHECK(xg::logsumexp(xg::tensor({inf, 3.})).item<double>() == inf);
    CHECK(xg::logsumexp(xg::zeros({0})).item<double>() == -inf);
    CHECK(std::isnan(xg::mean(xg::zeros({0})).item<double>()));
    const Tensor logits = xg::tensor({{1000., 0., -1000.}});
    CHECK(xg::cross_entropy(logits, xg::tensor({2})).item<double>() == 2000);
    CHECK(xg::all(xg::equal(xg::softmax(logits), xg::tensor({{1., 0., 0.}}))).item<bool>());
    CHECK(xg::all(xg::equal(xg::log_softmax(logits), xg::tensor({{0., -1000., -2000.}}))).item<bool>());
    CHECK(xg::all(xg::equal(xg::softmax(xg::tensor({0., -inf})), xg::tensor({1., 0.}))).item<bool>());
    CHECK(xg::sum(xg::full({10'000'000}, 0.1, xg::f32)).item<double>() ==
          doctest::Approx(10'000'000 * double(0.1f)).epsilon(1e-6));
}
