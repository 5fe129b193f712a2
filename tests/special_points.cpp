// Derivatives at special points, to second order: what a choice must not hide; references are limits and closed forms.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "instruction_sets.hpp"
#include "values.hpp"

namespace xg = xtgrad;
using xg::Tensor;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

bool near(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) < 1e-12 * std::fabs(b); }

template <class F>
Tensor gradient(F f, const Tensor& x) {
    xg::Tape tape;
    const Tensor y = f(x);
    return tape.gradient(y, x);
}

/// The second derivatives of a function of a vector, by each pair of modes.
template <class F>
std::vector<Tensor> hessians(F f, const Tensor& x) {
    const xg::Index n = xg::Index(x.size());
    std::vector<Tensor> forward, reverse;
    for (xg::Index i = 0; i < n; ++i) {
        const Tensor unit = xg::astype(xg::one_hot(Tensor(i), n, x.dtype()), x.dtype());
        for (const bool by_jvp : {true, false}) {
            xg::Tape outer;
            const Tensor g = gradient(f, x);
            if (by_jvp)
                forward.push_back(outer.jvp(g, x, unit));
            else
                reverse.push_back(outer.gradient(xg::sum(g * unit), x));
        }
    }
    return {xg::hessian(f)(x), xg::stack(forward), xg::stack(reverse)};
}

struct Slopes {
    double a, b, aa, ab, ba, bb;
};
/// All first and second derivatives of f(a, b).
template <class F>
Slopes slopes(F f, double at, double to) {
    const Tensor a(at), b(to);
    const auto first = [&](const Tensor& p, const Tensor& q) {
        xg::Tape tape;
        return tape.gradient(f(p, q), {p, q});
    };
    const auto second = [&](std::size_t k) {
        xg::Tape tape;
        return tape.gradient(first(a, b)[k], {a, b});
    };
    const auto g = first(a, b), of_a = second(0), of_b = second(1);
    return {g[0].template item<double>(),    g[1].template item<double>(),    of_a[0].template item<double>(),
            of_a[1].template item<double>(), of_b[0].template item<double>(), of_b[1].template item<double>()};
}

}  // namespace

TEST_CASE("pow: slopes in base and exponent, where either is 0, negative, infinite or NaN") {
    const auto pow = [](const Tensor& a, const Tensor& b) { return xg::pow(a, b); };
    in_each_set([&] {
        const auto at = [&](double a, double b, double da, double db) {
            CAPTURE(a);
            CAPTURE(b);
            const Slopes s = slopes(pow, a, b);
            CHECK(near(s.a, da));
            CHECK(near(s.b, db));
        };
        at(-2, 0.5, not_a_number, not_a_number);
        at(-2, 3, 12, not_a_number);
        at(-2, 2, -4, not_a_number);
        at(-2, 0, 0, not_a_number);
        at(-2, -2000, 0, not_a_number);  // underflow hides no sign
        at(2, 0, 0, std::log(2.));
        at(2, 3, 12, 8 * std::log(2.));
        at(0, 0, 0, 0);
        at(0, 1, 1, 0);
        at(0, 2, 0, 0);
        at(0, 0.5, inf, 0);
        at(0, -1, -inf, -inf);
        at(inf, 0, 0, inf);
        at(inf, -1, 0, 0);
        at(0.5, 2000, 0, 0);
        at(1, 3, 3, 0);
        at(not_a_number, 0, 0, not_a_number);
        at(not_a_number, 2, not_a_number, not_a_number);
        at(2, not_a_number, not_a_number, not_a_number);
        at(1, not_a_number, not_a_number, 0);
    });
    // d2/da2 = b (b-1) a^(b-2), d2/da db = a^(b-1) (1 + b log a), d2/db2 = a^b log^2 a
    for (const auto& [a, b] : {std::pair{2., 0.}, {2., 1.}, {2., -1.}, {0.5, 0.}, {3., 2.}, {1., 0.}, {0.25, -0.5}}) {
        CAPTURE(a);
        CAPTURE(b);
        const Slopes s = slopes(pow, a, b);
        const double mixed = std::pow(a, b - 1) * (1 + b * std::log(a));
        CHECK(near(s.aa, b * (b - 1) * std::pow(a, b - 2)));
        CHECK(near(s.ab, mixed));
        CHECK(near(s.ba, mixed));
        CHECK(near(s.bb, std::pow(a, b) * std::log(a) * std::log(a)));
    }
    const Slopes origin = slopes(pow, 0, 0), square = slopes(pow, 0, 2);
    for (const double d : {origin.aa, origin.ab, origin.ba, origin.bb}) CHECK(d == 0);
    CHECK(square.aa == 2);
    for (const double d : {square.ab, square.ba, square.bb}) CHECK(d == 0);
    const Tensor f = xg::tensor({-2.f, -2.f, -2.f}), e = xg::tensor({0.5f, 3.f, 2.f});
    CHECK(same(gradient([&](auto& x) { return xg::sum(xg::pow(f, x)); }, e), {not_a_number, not_a_number, not_a_number}));
}

TEST_CASE("hypot and atan2 at the origin: slopes 0 that stay 0, and beside it those of a cone") {
    for (const bool angle : {false, true}) {
        const auto f = [&](const Tensor& a, const Tensor& b) { return angle ? xg::atan2(a, b) : xg::hypot(a, b); };
        const Slopes s = slopes(f, 0, 0);
        for (const double d : {s.a, s.b, s.aa, s.ab, s.ba, s.bb}) CHECK(d == 0);
        CHECK(std::isnan(slopes(f, not_a_number, 1).a));
    }
    const Slopes s = slopes([](const Tensor& a, const Tensor& b) { return xg::hypot(a, b); }, 3, 4);
    CHECK(near(s.aa, 16. / 125));
    CHECK(near(s.ab, -12. / 125));
    CHECK(near(s.bb, 9. / 125));
}

TEST_CASE("where a value is NaN so are the slopes of what chooses") {
    in_each_set([&] {
        for (const auto& f : {+[](const Tensor& a, const Tensor& b) { return xg::maximum(a, b); },
                              +[](const Tensor& a, const Tensor& b) { return xg::minimum(a, b); }})
            for (const auto& [p, q] : {std::pair{not_a_number, 1.}, {1., not_a_number}, {not_a_number, not_a_number}}) {
                const Tensor a(p), b(q);
                xg::Tape tape;
                const auto [da, db] = tape.gradient(f(a, b), {a, b});
                CHECK(std::isnan(da.item<double>()));
                CHECK(std::isnan(db.item<double>()));
            }
        for (const auto& f : {+[](const Tensor& x) { return xg::relu(x); }, +[](const Tensor& x) { return xg::leaky_relu(x); },
                              +[](const Tensor& x) { return xg::clip(x, -1., 1.); }, +[](const Tensor& x) { return xg::elu(x); },
                              +[](const Tensor& x) { return xg::abs(x); }, +[](const Tensor& x) { return xg::amax(x); },
                              +[](const Tensor& x) { return xg::norm_linf(x); }})
            for (const xg::Dtype d : {xg::f32, xg::f64}) CHECK(same(gradient(f, xg::full({}, not_a_number, d)), {not_a_number}));
        CHECK(same(gradient([](auto& x) { return xg::sum(xg::maximum(x, -inf)); }, xg::tensor({-inf, inf})), {0.5, 1}));
    });
    const Tensor x = xg::tensor({{1., not_a_number, 2.}, {3., 5., 5.}});
    for (const auto& f : {+[](const Tensor& t) { return xg::amax(t, 1); }, +[](const Tensor& t) { return xg::amin(t, 1); }}) {
        const auto g = list(gradient([&](auto& t) { return xg::sum(f(t)); }, x));
        for (const std::size_t i : {0u, 1u, 2u}) CHECK(std::isnan(g[i]));
        CHECK(g[3] + g[4] + g[5] == 1);
        xg::Tape tape;
        const Tensor t = tape.jvp(f(x), x, xg::ones_like(x));
        CHECK(same(t, {not_a_number, 1}));
    }
}

TEST_CASE("a divisor that the function around it cancels: squares of norms at 0, in every pair of modes") {
    const auto norm = [](const Tensor& x) { return xg::norm_l2(x); };
    for (const xg::Dtype d : {xg::f64, xg::f32}) {
        const Tensor zero = xg::zeros({3}, d), equal = xg::full({2}, 1.5, d);
        const std::vector<double> twice{2, 0, 0, 0, 2, 0, 0, 0, 2}, none(9);
        for (const Tensor& h : hessians([&](auto& x) { return xg::square(norm(x)); }, zero)) CHECK(same(h, twice));
        for (const Tensor& h : hessians([&](auto& x) { return xg::pow(norm(x), 2); }, zero)) CHECK(same(h, twice));
        for (const Tensor& h : hessians(
                 [&](auto& x) {
                     const Tensor y = norm(x);
                     return y * y;
                 },
                 zero))
            CHECK(same(h, twice));
        for (const Tensor& h : hessians([&](auto& x) { return xg::sum(-3. * xg::square(xg::abs(x))); }, zero))
            CHECK(same(h, {-6, 0, 0, 0, -6, 0, 0, 0, -6}));
        for (const Tensor& h : hessians([&](auto& x) { return xg::square(xg::hypot(xg::view(x, 0), xg::view(x, 2))); }, zero))
            CHECK(same(h, {2, 0, 0, 0, 0, 0, 0, 0, 2}));
        for (const Tensor& h : hessians([&](auto& x) { return xg::square(xg::stddev(x)); }, equal))
            CHECK(same(h, {0.5, -0.5, -0.5, 0.5}));
        for (const Tensor& h : hessians(
                 [&](auto& x) {
                     return xg::sum(xg::square(xg::norm_l2(xg::reshape(x, {3, 1}), 1)));
                 },
                 zero))
            CHECK(same(h, twice));
        for (const Tensor& h : hessians([&](auto& x) { return xg::cube(norm(x)); }, zero)) CHECK(same(h, none));
        for (const Tensor& h : hessians(norm, zero)) CHECK(same(h, none));
    }
    for (const Tensor& h : hessians([&](auto& x) { return xg::square(norm(x)) + 5. * xg::sum(x); }, xg::tensor({3., -4.})))
        CHECK(same(h, {2, 0, 0, 2}));
    // not cancelled: cos |x| away from 0, by d2/dx2 = -cos x
    for (const Tensor& h : hessians([&](auto& x) { return xg::cos(norm(x)); }, xg::tensor({0.7})))
        CHECK(near(h.item<double>(), -std::cos(0.7)));
    // the norm itself stays a target
    const Tensor x = xg::tensor({3., 4.});
    xg::Tape tape;
    const Tensor y = norm(x);
    const auto [dx, dy] = tape.gradient(xg::square(y), {x, y});
    CHECK(same(dx, {6, 8}));
    CHECK(dy.item<double>() == 10);
}

TEST_CASE("clip with crossing bounds is xtensor's: low below low, else high; numbers and tensors alike") {
    const Tensor x = xg::tensor({-3., 0., 1.5, 2., 7.}), low = xg::full({5}, 2.), high = xg::full({}, 1.);
    in_each_set([&] {
        const auto of_numbers = [](const Tensor& t) { return xg::clip(t, 2., 1.); };
        const auto of_tensors = [&](const Tensor& t) { return xg::clip(t, low, high); };
        CHECK(same(of_numbers(x), {2, 2, 2, 1, 1}));
        CHECK(same(of_tensors(x), {2, 2, 2, 1, 1}));
        CHECK(same(xg::clip(xg::tensor({-3, 2, 7}), 2, 1), {2, 1, 1}));
        CHECK(same(gradient([&](auto& t) { return xg::sum(of_numbers(t)); }, x), {0, 0, 0, 0, 0}));
        CHECK(same(gradient([&](auto& t) { return xg::sum(of_tensors(t)); }, x), {0, 0, 0, 0, 0}));
    });
}
