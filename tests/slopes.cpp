// Slopes where a derivative does not exist, and values at the extremes: what is documented, by closed forms.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

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

/// The derivative of a function of a scalar, a function as well.
template <class F>
auto derivative(F f) {
    return [f](const Tensor& x) {
        xg::Tape tape;
        return tape.gradient(f(x), x);
    };
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

TEST_CASE("sign and rounding: NaN, infinities and signed zeros as in NumPy, ties away from zero, slope 0") {
    const auto signed_zero = [](double v) { return v == 0 && std::signbit(v); };
    for (const auto& f : {+[](const Tensor& x) { return xg::floor(x); }, +[](const Tensor& x) { return xg::ceil(x); },
                          +[](const Tensor& x) { return xg::round(x); }, +[](const Tensor& x) { return xg::trunc(x); }}) {
        for (const double v : {inf, -inf, not_a_number, 3., -7., 1e300, -1e300, 4503599627370497., 0.})
            CHECK(same(f(Tensor(v)).item<double>(), v));
        for (const float v : {8388609.f, -16777217.f, 3e9f, -3e9f, 1e30f}) CHECK(f(Tensor(v)).item<float>() == v);
        CHECK(signed_zero(f(Tensor(-0.)).item<double>()));
        CHECK(signed_zero(f(Tensor(-0.f)).item<double>()));
        CHECK(slope(f, 2.3) == 0);
    }
    CHECK(signed_zero(xg::ceil(Tensor(-0.5)).item<double>()));
    CHECK(signed_zero(xg::trunc(Tensor(-0.5f)).item<double>()));
    CHECK(signed_zero(xg::round(Tensor(-0.25)).item<double>()));
    for (const auto& [x, down, up, near, cut] : {std::array{2.5, 2., 3., 3., 2.}, std::array{-2.5, -3., -2., -3., -2.},
                                                 std::array{0.5, 0., 1., 1., 0.}, std::array{-1.25, -2., -1., -1., -1.}}) {
        CHECK(value([](const Tensor& t) { return xg::floor(t); }, x) == down);
        CHECK(value([](const Tensor& t) { return xg::ceil(t); }, x) == up);
        CHECK(value([](const Tensor& t) { return xg::round(t); }, x) == near);
        CHECK(value([](const Tensor& t) { return xg::trunc(t); }, x) == cut);
    }
    CHECK(xg::round(Tensor(0.49999999999999994)).item<double>() == 0);
    CHECK(xg::round(Tensor(0.49999997f)).item<double>() == 0);
    const auto sign = [](const Tensor& x) { return xg::sign(x); };
    CHECK(value(sign, inf) == 1);
    CHECK(sign(Tensor(-1e-300)).item<double>() == -1);
    CHECK(value(sign, 0) == 0);
    CHECK(std::isnan(value(sign, not_a_number)));
    CHECK(slope(sign, 3) == 0);
    CHECK(xg::sign(xg::tensor({-3, 0, 5})).data<std::int64_t>()[0] == -1);
    CHECK(xg::cube(Tensor(std::int64_t(-3))).item<int>() == -27);
}

TEST_CASE("what leads through a slope of 0 only gets zeros, in both modes and every order") {
    const Tensor x = xg::tensor({0.5, 2.25});
    xg::Tape tape(xg::persistent);
    const Tensor y = xg::sum(xg::floor(x)), z = xg::floor(x) + xg::sign(xg::sin(x));
    const auto zeros = [](const Tensor& t) { return t.shape() == xg::Shape{2} && xg::all(xg::equal(t, 0.)).item<bool>(); };
    CHECK(zeros(tape.gradient(y, x)));
    CHECK(zeros(tape.jvp(z, x, xg::ones_like(x))));
    xg::gradcheck([](const Tensor& t) { return xg::fmod(t, 1.) * xg::round(t); }, xg::tensor({0.7, 2.2}));
    const auto slope_of_floor = derivative([](const Tensor& t) { return xg::sum(xg::floor(t) * t); });
    CHECK(zeros(derivative([&](const Tensor& t) { return xg::sum(slope_of_floor(t)); })(x)));
}

TEST_CASE("functions keep their digits near 0") {
    for (const double x : {1e-300, 1e-20, -1e-20, 1e-10, -3e-8}) {
        CAPTURE(x);
        const auto near = [x](double y, double want) { return std::fabs(y - want) <= 1e-15 * std::fabs(want); };
        CHECK(near(xg::expm1(Tensor(x)).item<double>(), std::expm1(x)));
        CHECK(near(xg::log1p(Tensor(x)).item<double>(), std::log1p(x)));
        CHECK(near(xg::sinh(Tensor(x)).item<double>(), std::sinh(x)));
        CHECK(near(xg::tanh(Tensor(x)).item<double>(), std::tanh(x)));
        CHECK(near(xg::asinh(Tensor(x)).item<double>(), std::asinh(x)));
        CHECK(near(xg::atanh(Tensor(x)).item<double>(), std::atanh(x)));
        CHECK(near(xg::erf(Tensor(x)).item<double>(), std::erf(x)));
        CHECK(near(xg::tan(Tensor(x)).item<double>(), std::tan(x)));
    }
    CHECK(std::signbit(xg::expm1(Tensor(-0.)).item<double>()));
    CHECK(std::signbit(xg::log1p(Tensor(-0.)).item<double>()));
    CHECK(std::signbit(xg::sinh(Tensor(-0.)).item<double>()));
    CHECK(std::signbit(xg::asinh(Tensor(-0.f)).item<double>()));
    CHECK(std::signbit(xg::atanh(Tensor(-0.)).item<double>()));
    CHECK(std::signbit(xg::tanh(Tensor(-0.f)).item<double>()));
    CHECK(std::signbit(xg::erf(Tensor(-0.f)).item<double>()));
    CHECK(std::signbit(xg::cbrt(Tensor(-0.)).item<double>()));
    CHECK(xg::exp(Tensor(-745.)).item<double>() == std::exp(-745.));  // a denormal number
    CHECK(xg::exp(Tensor(-100.f)).item<float>() == std::exp(-100.f));
    CHECK(xg::exp2(Tensor(-1074.)).item<double>() == std::exp2(-1074.));
    CHECK(xg::log(Tensor(5e-324)).item<double>() == doctest::Approx(std::log(5e-324)));
    CHECK(xg::log(Tensor(1e-45f)).item<float>() == doctest::Approx(std::log(1e-45f)));
}

TEST_CASE("activations at the extremes: values, slopes and second slopes") {
    const auto second = [](auto f, double at) { return derivative(derivative(f))(Tensor(at)).template item<double>(); };
    const auto softplus = [](const Tensor& x) { return xg::softplus(x); };
    const auto log_sigmoid = [](const Tensor& x) { return xg::log_sigmoid(x); };
    const auto silu = [](const Tensor& x) { return xg::silu(x); };
    const auto gelu = [](const Tensor& x) { return xg::gelu(x); };
    const auto elu = [](const Tensor& x) { return xg::elu(x); };
    CHECK(value(softplus, 1000) == 1000);
    CHECK(value(softplus, -1000) == 0);
    CHECK(softplus(Tensor(-50.)).item<double>() == doctest::Approx(std::exp(-50.)).epsilon(1e-14));
    CHECK(value(softplus, inf) == inf);
    CHECK(value(softplus, -inf) == 0);
    CHECK(value(log_sigmoid, -1000) == -1000);
    CHECK(value(log_sigmoid, 1000) == 0);
    CHECK(log_sigmoid(Tensor(50.)).item<double>() == doctest::Approx(-std::exp(-50.)).epsilon(1e-14));
    CHECK(value(log_sigmoid, -inf) == -inf);
    CHECK(value(silu, 1000) == 1000);
    CHECK(value(silu, -1000) == 0);
    CHECK(value(silu, -inf) == 0);
    CHECK(value(gelu, -inf) == 0);
    CHECK(value(gelu, inf) == inf);
    CHECK(gelu(Tensor(-10.)).item<double>() == doctest::Approx(-5 * std::erfc(10 / std::sqrt(2.))).epsilon(1e-13));
    CHECK(value(elu, -1000) == -1);
    CHECK(value(elu, 1000) == 1000);
    CHECK(value([](const Tensor& x) { return xg::leaky_relu(x); }, -100) == -1);
    for (const double x : {-1000., -50., 50., 1000., -inf, inf}) {
        CAPTURE(x);
        CHECK(slope(softplus, x) == doctest::Approx(1 / (1 + std::exp(-x))).epsilon(1e-14));
        CHECK(slope(log_sigmoid, x) == doctest::Approx(1 / (1 + std::exp(x))).epsilon(1e-14));
        CHECK(std::fabs(slope(silu, x) - (x > 0)) < 1e-19);
        CHECK(std::fabs(slope(gelu, x) - (x > 0)) < 1e-19);
        CHECK(slope(elu, x) == (x > 0 ? 1 : std::exp(x)));
        CHECK(std::fabs(second(softplus, x)) < 1e-19);
        CHECK(std::fabs(second(log_sigmoid, x)) < 1e-19);
        if (std::fabs(x) < inf) CHECK(std::fabs(second(silu, x)) < 1e-19);
        if (std::fabs(x) < inf) CHECK(std::fabs(second(gelu, x)) < 1e-19);
        CHECK(std::fabs(second(elu, x)) < 1e-19);
    }
    for (const auto& f : {+[](const Tensor& x) { return xg::softplus(x); }, +[](const Tensor& x) { return xg::log_sigmoid(x); },
                          +[](const Tensor& x) { return xg::silu(x); }, +[](const Tensor& x) { return xg::gelu(x); },
                          +[](const Tensor& x) { return xg::elu(x); }, +[](const Tensor& x) { return xg::leaky_relu(x); },
                          +[](const Tensor& x) { return xg::sigmoid(x); }, +[](const Tensor& x) { return xg::gelu_tanh(x); }})
        CHECK(std::isnan(value(f, not_a_number)));
}

TEST_CASE("hypot and atan2 neither overflow nor divide by 0") {
    const auto slopes = [](auto f, double p, double q) {
        const Tensor a(p), b(q);
        xg::Tape tape;
        const auto [da, db] = tape.gradient(f(a, b), {a, b});
        return std::pair(da.template item<double>(), db.template item<double>());
    };
    const auto hypot = [](const Tensor& a, const Tensor& b) { return xg::hypot(a, b); };
    const auto atan2 = [](const Tensor& a, const Tensor& b) { return xg::atan2(a, b); };
    CHECK(xg::hypot(Tensor(3e300), Tensor(-4e300)).item<double>() == doctest::Approx(5e300));
    CHECK(xg::hypot(Tensor(3e-310), Tensor(4e-310)).item<double>() == doctest::Approx(5e-310).epsilon(1e-9));
    CHECK(xg::hypot(Tensor(3e30f), Tensor(4e30f)).item<float>() == doctest::Approx(5e30f));
    CHECK(xg::hypot(Tensor(-inf), Tensor(not_a_number)).item<double>() == inf);
    CHECK(xg::hypot(Tensor(not_a_number), Tensor(inf)).item<double>() == inf);
    CHECK(std::isnan(xg::hypot(Tensor(not_a_number), Tensor(1.)).item<double>()));
    CHECK(std::isnan(xg::hypot(Tensor(0.), Tensor(not_a_number)).item<double>()));
    CHECK(slopes(hypot, 3e300, -4e300).first == doctest::Approx(0.6));
    CHECK(slopes(hypot, 3e300, -4e300).second == doctest::Approx(-0.8));
    CHECK(slopes(hypot, 0, 0) == std::pair(0., 0.));
    CHECK(slopes(atan2, 0, 0) == std::pair(0., 0.));
    CHECK(slopes(atan2, 3e200, 4e200).first == doctest::Approx(4 / 25e200));
    CHECK(slopes(atan2, 3e200, 4e200).second == doctest::Approx(-3 / 25e200));
    CHECK(xg::atan2(Tensor(-0.), Tensor(-1.)).item<double>() == -std::numbers::pi);
    CHECK(xg::atan2(Tensor(inf), Tensor(-inf)).item<double>() == doctest::Approx(3 * std::numbers::pi / 4));
    CHECK(slope([](auto& x) { return xg::asinh(x); }, 1e200) == doctest::Approx(1e-200));
    CHECK(slope([](auto& x) { return xg::acosh(x); }, 1e200) == doctest::Approx(1e-200));
    CHECK(slope([](auto& x) { return xg::atanh(x); }, 1) == inf);
    CHECK(slope([](auto& x) { return xg::asin(x); }, 1) == inf);
    CHECK(slope([](auto& x) { return xg::acos(x); }, -1) == -inf);
    CHECK(slope([](auto& x) { return xg::rsqrt(x); }, 0) == -inf);
    CHECK(slope([](auto& x) { return xg::cbrt(x); }, 0) == inf);
}

TEST_CASE("fmod is exact, also for large quotients, and its slope is the quotient") {
    for (const auto& [a, b] :
         {std::pair{7.5, 2.}, {-7.5, 2.}, {7.5, -2.}, {1e20, 3.}, {0.3, 0.1}, {-0., 5.}, {5., inf}, {2.5, 2.5}}) {
        CAPTURE(a);
        CAPTURE(b);
        const double y = xg::fmod(Tensor(a), Tensor(b)).item<double>();
        CHECK(y == std::fmod(a, b));
        CHECK(std::signbit(y) == std::signbit(a));
        const Tensor p(a), q(b);
        xg::Tape tape;
        const auto [da, db] = tape.gradient(xg::fmod(p, q), {p, q});
        CHECK(da.item<double>() == 1);
        CHECK(db.item<double>() == doctest::Approx(-double(std::trunc(static_cast<long double>(a) / b))));
    }
    CHECK(std::isnan(xg::fmod(Tensor(1.), Tensor(0.)).item<double>()));
    CHECK(std::isnan(xg::fmod(Tensor(inf), Tensor(2.)).item<double>()));
}

TEST_CASE("the derivatives of log Gamma, to every order") {
    constexpr double gamma = std::numbers::egamma, zeta3 = 1.2020569031595942, pi = std::numbers::pi;
    CHECK(xg::digamma(Tensor(1.)).item<double>() == doctest::Approx(-gamma).epsilon(1e-14));
    CHECK(xg::digamma(Tensor(0.5)).item<double>() == doctest::Approx(-gamma - 2 * std::log(2.)).epsilon(1e-14));
    CHECK(xg::digamma(Tensor(-0.5)).item<double>() == doctest::Approx(2 - gamma - 2 * std::log(2.)).epsilon(1e-13));
    CHECK(xg::digamma(Tensor(1e10)).item<double>() == doctest::Approx(std::log(1e10)).epsilon(1e-10));
    CHECK(xg::digamma(Tensor(0.)).item<double>() == -inf);
    CHECK(std::isnan(xg::digamma(Tensor(-2.)).item<double>()));
    CHECK(xg::lgamma(Tensor(inf)).item<double>() == inf);
    CHECK(xg::lgamma(Tensor(-3.)).item<double>() == inf);
    CHECK(xg::lgamma(Tensor(-2.5)).item<double>() == doctest::Approx(std::lgamma(-2.5)));
    const auto first = derivative([](const Tensor& x) { return xg::digamma(x); });
    const auto second = derivative(first);
    const auto third = derivative(second);
    CHECK(first(Tensor(1.)).item<double>() == doctest::Approx(pi * pi / 6).epsilon(1e-14));
    CHECK(first(Tensor(-0.5)).item<double>() == doctest::Approx(pi * pi / 2 + 4).epsilon(1e-13));
    CHECK(second(Tensor(1.)).item<double>() == doctest::Approx(-2 * zeta3).epsilon(1e-14));
    CHECK(second(Tensor(-0.5)).item<double>() == doctest::Approx(-14 * zeta3 + 16).epsilon(1e-12));
    CHECK(third(Tensor(1.)).item<double>() == doctest::Approx(std::pow(pi, 4) / 15).epsilon(1e-14));
    CHECK(third(Tensor(-0.5)).item<double>() == doctest::Approx(std::pow(pi, 4) + 96).epsilon(1e-12));
}

TEST_CASE("isclose, isnan and isinf at the extremes") {
    const auto close = [](double a, double b, bool equal_nan = false) {
        return xg::isclose(Tensor(a), Tensor(b), 1e-5, 1e-8, equal_nan).item<bool>();
    };
    CHECK(close(inf, inf));
    CHECK(!close(inf, -inf));
    CHECK(!close(inf, 1e300));
    CHECK(!close(not_a_number, not_a_number));
    CHECK(close(not_a_number, not_a_number, true));
    CHECK(!close(not_a_number, 1, true));
    CHECK(close(1, 1 + 0.9e-5));
    CHECK(!close(1, 1 + 1.1e-5));
    CHECK(close(0, 0.9e-8));
    CHECK(!close(0, 1.1e-8));
    CHECK(xg::isclose(Tensor(std::int64_t(5)), 5).item<bool>());
    CHECK_THROWS_AS(xg::isclose(Tensor(1.), Tensor(1.), -1.), xg::Error);
    CHECK(!xg::allclose(xg::tensor({1., 2.}), xg::tensor({1., 3.})));
    CHECK(xg::allclose(xg::zeros({0}, xg::f64), xg::zeros({0}, xg::f64)));
    for (const double v : {inf, -inf, not_a_number, 0., 1e308, -5e-324}) {
        CHECK(xg::isnan(Tensor(v)).item<bool>() == std::isnan(v));
        CHECK(xg::isinf(Tensor(v)).item<bool>() == std::isinf(v));
        CHECK(xg::isfinite(Tensor(v)).item<bool>() == std::isfinite(v));
    }
}
