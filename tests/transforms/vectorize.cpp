// Scalar formulas as ops, beside the same formulas in separate ops.
#include <xtgrad/vectorize.hpp>

#include "near.hpp"

#include <numbers>

namespace {

const auto bell = [](auto x, auto y) {
    using std::exp;
    return x * exp(-y * y);
};
const auto bell_in_ops = [](const Tensor& x, const Tensor& y) { return x * xg::exp(-y * y); };

/// Branches by `if`: x log x, 0 at 0, a parabola below.
const auto bent = [](auto x) {
    using std::log;
    if (x == 0) return decltype(x)(0);
    if (x < 0) return x * x * 0.5;
    return x * log(x);
};
Tensor bent_in_ops(const Tensor& x) {
    const Tensor safe = xg::where(x > 0., x, 1.);
    return xg::where(x > 0., safe * xg::log(safe), x * x * 0.5);
}

/// Values, both modes and second and third order of f against g, elementwise functions of one tensor.
void compare(auto f, auto g, const Tensor& x, double tolerance = 1e-11) {
    const Tensor v = normal(x.shape(), 77);
    const auto total = [](auto h) { return [h](const Tensor& t) { return xg::sum(h(t) * h(t)); }; };
    CHECK(near(f(x), g(x), tolerance));
    CHECK(near(xg::grad(total(f))(x), xg::grad(total(g))(x), tolerance));
    CHECK(near(xg::jvp(f, x, v).second, xg::jvp(g, x, v).second, tolerance));
    CHECK(near(xg::hvp(total(f))(x, v), xg::hvp(total(g))(x, v), tolerance));
    const auto third = [&](auto h) {
        return xg::grad([h, v, total](const Tensor& t) { return xg::sum(xg::hvp(total(h))(t, v) * v); });
    };
    CHECK(near(third(f)(x), third(g)(x), tolerance * 100));
}

}  // namespace

TEST_CASE("value, adjoint and tangent of two arguments") {
    const auto f = xg::vectorize(bell);
    for (const xg::Index n : {1, 7, 5000}) {
        const Tensor x = normal({n}, 1), y = normal({n}, 2), g = normal({n}, 3);
        CHECK(near(f(x, y), bell_in_ops(x, y)));
        auto [z, pullback] = xg::vjp(f, x, y);
        auto [want, pullback_of_ops] = xg::vjp(bell_in_ops, x, y);
        CHECK(near(pullback(g)[0], pullback_of_ops(g)[0]));
        CHECK(near(pullback(g)[1], pullback_of_ops(g)[1]));
        CHECK(near(xg::jvp(f, {x, y}, {g, x}).second, xg::jvp(bell_in_ops, {x, y}, {g, x}).second));
        CHECK(near(xg::jvp([&](const Tensor& t) { return f(x, t); }, y, g).second, -2. * x * y * xg::exp(-y * y) * g));
    }
    CHECK_NOTHROW(xg::gradcheck(f, normal({2, 3}, 1), normal({2, 3}, 2)));
    xg::Tape tape;
    const Tensor x = normal({3}, 1), z = f(x, x);
    CHECK(tape.nodes() == 1);
    CHECK(near(tape.gradient(xg::sum(z), x), xg::exp(-x * x) * (1. - 2. * x * x)));
}

TEST_CASE("broadcasting, numbers, expressions, f32, views, nothing") {
    const auto f = xg::vectorize(bell);
    const Tensor row = normal({3}, 1), column = normal({2, 1}, 2), one = Tensor(0.5);
    CHECK(near(f(row, column), bell_in_ops(row, column)));
    CHECK_NOTHROW(xg::gradcheck(f, row, column));
    CHECK_NOTHROW(xg::gradcheck(f, row, one));
    CHECK_NOTHROW(xg::gradcheck(f, one, one));
    const auto got = xg::hessian([&](auto& p, auto& q) { return xg::sum(f(p, q)); })(row, column);
    const auto want = xg::hessian([&](auto& p, auto& q) { return xg::sum(bell_in_ops(p, q)); })(row, column);
    CHECK(near(got[0][1], want[0][1]));
    CHECK(near(got[1][1], want[1][1]));
    CHECK(near(f(row, 0.5), bell_in_ops(row, one)));
    CHECK(near(f(2, row), bell_in_ops(Tensor(2.), row)));
    const xt::xarray<double> a = {1., 2., 3.};
    CHECK(near(f(row, a), bell_in_ops(row, a)));
    const Tensor single = xg::astype(normal({5000}, 3), xg::f32);
    CHECK(f(single, single).dtype() == xg::f32);
    CHECK(near(xg::astype(f(single, single), xg::f64), xg::astype(bell_in_ops(single, single), xg::f64), 1e-6));
    const Tensor matrix = normal({4, 3}, 4);
    CHECK(near(f(xg::transpose(matrix), xg::transpose(matrix)), bell_in_ops(xg::transpose(matrix), xg::transpose(matrix))));
    CHECK(f(xg::zeros({0, 3}, xg::f64), row).shape() == xg::Shape{0, 3});
    CHECK(xg::grad([&](auto& t) { return xg::sum(f(t, row)); })(xg::zeros({0, 3}, xg::f64)).shape() == xg::Shape{0, 3});
}

TEST_CASE("branches: lanes that agree, lanes that do not, to the third order") {
    const auto f = xg::vectorize(bent);
    const Tensor mixed = xg::concatenate({normal({50}, 1), xg::zeros({1}, xg::f64)});
    CHECK(near(f(mixed), bent_in_ops(mixed)));
    const Tensor positive_only = xg::abs(normal({40}, 2)) + 0.1;
    compare(f, bent_in_ops, xg::concatenate({positive_only, -positive_only}));
    compare(f, bent_in_ops, positive_only);
    compare(f, bent_in_ops, -positive_only);
    const Tensor large = normal({20000}, 5);
    CHECK(near(f(large), bent_in_ops(large)));
    const Tensor small = xg::astype(large, xg::f32);
    CHECK(near(xg::astype(f(small), xg::f64), xg::astype(bent_in_ops(small), xg::f64), 1e-6));

    const auto root = xg::vectorize([](auto x) {  // a loop whose length depends on the number
        auto y = x;
        using std::abs;
        while (abs(y * y - x) > 1e-13 * x) y = 0.5 * (y + x / y);
        return y;
    });
    const Tensor x = positive({30}, 6);
    CHECK(near(root(x), xg::sqrt(x)));
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(root(t)); })(x), 0.5 / xg::sqrt(x), 1e-6));
    const auto steps = xg::vectorize([](auto t) { return t * int(t) + (t > 1 ? 1.0 : 0.0); });
    const Tensor t = xg::tensor({0.5, 1.5, 2.5});
    CHECK(near(steps(t), xg::tensor({0., 2.5, 6.})));
    CHECK(near(xg::grad([&](auto& s) { return xg::sum(steps(s)); })(t), xg::tensor({0., 1., 2.})));
    const auto chosen = xg::vectorize([](auto s) {
        using xg::where;
        return where(s > 1, s * s, where(s < 0.6, 3., 2.) * s);
    });
    CHECK(near(chosen(t), xg::tensor({1.5, 2.25, 6.25})));
    CHECK(near(xg::grad([&](auto& s) { return xg::sum(chosen(s)); })(t), xg::tensor({3., 3., 5.})));
}

TEST_CASE("every function has the derivatives of its op") {
    const Tensor x = positive({6}, 1), unit = x * 0.4;
    compare(
        xg::vectorize([](auto t) {
            using std::exp, std::log, std::sqrt;
            return exp(t) * log(t) / sqrt(t);
        }),
        [](const Tensor& t) { return xg::exp(t) * xg::log(t) / xg::sqrt(t); }, x);
    compare(
        xg::vectorize([](auto t) {
            using std::sin, std::cos, std::tan;
            return sin(t) + cos(2 * t) - tan(t / 4.f);
        }),
        [](const Tensor& t) { return xg::sin(t) + xg::cos(2 * t) - xg::tan(t / 4.); }, x);
    compare(
        xg::vectorize([](auto t) {
            using std::asin, std::acos, std::atan;
            return asin(t) * 2 - acos(t) + atan(t);
        }),
        [](const Tensor& t) { return xg::asin(t) * 2. - xg::acos(t) + xg::atan(t); }, unit);
    compare(
        xg::vectorize([](auto t) {
            using std::sinh, std::cosh, std::tanh;
            return sinh(t) + cosh(t) * tanh(t);
        }),
        [](const Tensor& t) { return xg::sinh(t) + xg::cosh(t) * xg::tanh(t); }, x);
    compare(
        xg::vectorize([](auto t) {
            using std::asinh, std::acosh, std::atanh;
            return asinh(t) + acosh(t + 1) + atanh(t / 5);
        }),
        [](const Tensor& t) { return xg::asinh(t) + xg::acosh(t + 1.) + xg::atanh(t / 5.); }, unit);
    compare(
        xg::vectorize([](auto t) {
            using std::exp2, std::expm1, std::log2, std::log10, std::log1p;
            return exp2(t) + expm1(t) + log2(t) + log10(t) + log1p(t);
        }),
        [](const Tensor& t) { return xg::exp2(t) + xg::expm1(t) + xg::log2(t) + xg::log10(t) + xg::log1p(t); }, x);
    compare(
        xg::vectorize([](auto t) {
            using std::erf, std::erfc, std::lgamma, std::cbrt;
            return erf(t) + erfc(2 * t) + lgamma(t) + cbrt(t);
        }),
        [](const Tensor& t) { return xg::erf(t) + xg::erfc(2. * t) + xg::lgamma(t) + xg::cbrt(t); }, x, 1e-9);
    compare(
        xg::vectorize([](auto t) {
            using std::pow;
            return pow(t, 2.5) + pow(2., t) + pow(t, t) + pow(t, 3);
        }),
        [](const Tensor& t) { return xg::pow(t, 2.5) + xg::pow(2., t) + xg::pow(t, t) + xg::pow(t, 3.); }, x, 1e-10);
    compare(
        xg::vectorize([](auto t) {
            using std::abs, std::atan2, std::hypot, std::fmod;
            return abs(-t) + atan2(t, 2) + hypot(t, 3.) * fmod(5 * t, 2);
        }),
        [](const Tensor& t) { return xg::abs(-t) + xg::atan2(t, 2.) + xg::hypot(t, 3.) * xg::fmod(5. * t, 2.); }, x);
    compare(
        xg::vectorize([](auto t) {
            using std::max, std::min;
            using T = decltype(t);
            return max(t, T(1)) * min(t, T(1.2)) * t;
        }),
        [](const Tensor& t) { return xg::maximum(t, 1.) * xg::minimum(t, 1.2) * t; }, x);
    compare(
        xg::vectorize([](auto t) {
            using std::floor, std::ceil, std::round, std::trunc;
            return t * (floor(t) + ceil(t * 3) - round(t * 4) + trunc(-t));
        }),
        [](const Tensor& t) { return t * (xg::floor(t) + xg::ceil(t * 3.) - xg::round(t * 4.) + xg::trunc(-t)); }, x);
    compare(
        xg::vectorize([](auto t) {
            auto s = t;
            s += 1;
            s *= t;
            s -= 0.5;
            s /= t + 2;
            return -s + +t;
        }),
        [](const Tensor& t) { return t - ((t + 1.) * t - 0.5) / (t + 2.); }, x);
    compare(
        xg::vectorize([c = 3.](auto t) { return c / t - c; }), [](const Tensor& t) { return 3. / t - 3.; }, x);
}

TEST_CASE("a formula of no argument's value, and of three arguments") {
    const Tensor x = normal({4}, 1), y = positive({4}, 2), z = normal({3, 1}, 3);
    CHECK(near(xg::vectorize([](auto) { return 2; })(x), xg::full({4}, 2., xg::f64)));
    CHECK(near(xg::grad([](auto& t) { return xg::sum(xg::vectorize([](auto) { return 2.; })(t)); })(x), xg::zeros_like(x)));
    const auto f = xg::vectorize([](auto a, auto b, auto c) {
        using std::log;
        return a * c + log(b) * c * c;
    });
    CHECK_NOTHROW(xg::gradcheck(f, x, y, z));
}

TEST_CASE("bits do not depend on the number of threads") {
    const auto f = xg::vectorize(bell);
    const Tensor x = normal({30000}, 1);
    xg::set_num_threads(1);
    const Tensor one = xg::grad([&](auto& t) { return xg::sum(f(t, t)); })(x);
    xg::set_num_threads(4);
    const Tensor four = xg::grad([&](auto& t) { return xg::sum(f(t, t)); })(x);
    CHECK(xg::all(xg::equal(one, four)).item<bool>());
}

TEST_CASE("errors of vectorize") {
    const auto f = xg::vectorize(bell);
    const Tensor x = normal({3}, 1);
    CHECK(has(complaint<xg::ShapeError>([&] { f(x, normal({2}, 2)); }), "[vectorize] shapes do not broadcast"));
    CHECK(has(complaint<xg::DtypeError>([&] { f(x, xg::astype(x, xg::f32)); }), "[vectorize] mixes"));
    CHECK(has(complaint<xg::DtypeError>([&] { f(xg::tensor({1, 2}), xg::tensor({1, 2})); }), "[vectorize] needs f32 or f64"));
    CHECK(has(complaint([&] { f(x, Tensor()); }), "[vectorize]"));
    const auto cube = xg::vectorize([](auto t) { return t * t * t; });
    const auto summed = [](auto g) { return [g](const Tensor& t) { return xg::sum(xg::grad(g)(t)); }; };
    const auto total = [cube](const Tensor& t) { return xg::sum(cube(t)); };
    CHECK(near(summed(summed(summed(total)))(x), Tensor(18.)));
    CHECK(near(summed(summed(summed(summed(total))))(x), Tensor(0.)));
    CHECK(complaint([&] { xg::vectorize([](auto) -> double { throw xg::Error("mine"); })(normal({50000}, 3)); }) == "mine");
}
