// Every elementwise rule on every instruction set of this machine, at every length around the vector widths: the kernels
// against the rule on plain doubles, and the rule's slope against differences of its value.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "accuracy.hpp"
#include "instruction_sets.hpp"
#include "kernels/elementwise_table.hpp"
#include "kernels/lanes.hpp"
#include "ops/elementwise.hpp"
#include "rules/all.hpp"

namespace xg = xtgrad;
namespace kernels = xtgrad::kernels;
using xg::Index, xg::Interval, xg::Numbers;

namespace {

using Scalar = xg::Lanes<double, double>;

double number(Scalar x) {
    double v;
    x.store(&v);
    return v;
}

/// A rule on plain doubles, with libm.
struct Reference {
    double (*value)(double a, double b, Numbers);
    double (*slope[2])(double a, double b, double y, Numbers);
};

template <class Op, int k>
double slope(double a, double b, double y, Numbers numbers) {
    if constexpr (k >= Op::inputs)
        return 0;
    else if constexpr (xg::constant_slope<Op, k>())
        return *xg::constant_slope<Op, k>();
    else
        return number(Scalar(1) * xg::slope<Op, k>(Scalar(a), Scalar(b), Scalar(y), numbers));
}

std::vector<Reference> references() {
    std::vector<Reference> list;
    xg::rules::All::each([&]<class Op> {
        list.push_back({[](double a, double b, Numbers n) { return number(xg::value<Op>(Scalar(a), Scalar(b), n)); },
                        {slope<Op, 0>, slope<Op, 1>}});
    });
    return list;
}

const Numbers constants{1.5, 2.5};

template <class T>
std::vector<T> sample(Index n, Interval in, double phase) {
    std::vector<T> x(std::size_t(n) + 64);
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = T(in.low + (in.high - in.low) * (0.5 + 0.5 * std::sin(double(i) * 1.7 + phase)));
    return x;
}

template <class T>
void compare(const std::vector<T>& got, Index n, auto want, double tolerance) {
    double worst = 0;
    for (Index i = 0; i < n; ++i)
        worst = std::max(worst,
                         std::fabs(double(got[std::size_t(i)]) - want(std::size_t(i))) / (1 + std::fabs(want(std::size_t(i)))));
    CHECK(worst <= tolerance);
}

template <class T>
void check(const xg::detail::Elementwise& op, const Reference& reference) {
    const double tolerance = sizeof(T) == 4 ? 3e-6 : 1e-14;
    const auto& row = kernels::elementwise_kernels(op.place);
    const auto& of = sizeof(T) == 4 ? row.f32 : row.f64;
    for (Index n = 0; n <= 67; ++n) {
        const auto a = sample<T>(n, op.points[0], 0.1), b = sample<T>(n, op.points[1], 2.3), g = sample<T>(n, {-1, 1}, 4.5);
        std::vector<T> y(a.size()), out(a.size());
        of.value(n, y.data(), {a.data(), b.data(), nullptr, nullptr}, constants);
        const auto value = [&](std::size_t i) { return reference.value(a[i], b[i], constants); };
        compare(y, n, value, tolerance);
        for (int k = 0; k < op.inputs; ++k) {
            if (!of.vjp[k]) continue;
            of.vjp[k](n, out.data(), {a.data(), b.data(), y.data(), g.data()}, constants);
            compare(
                out, n, [&](std::size_t i) { return double(g[i]) * reference.slope[k](a[i], b[i], value(i), constants); },
                tolerance * 4);
        }
    }
}

/// Each element beside others of all sizes, and NaN, has the bits that it has alone.
template <class T>
void check_neighbours(const xg::detail::Elementwise& op) {
    constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    constexpr std::array points{0.3, nan, -0.7, 70.,   1.2,  -1e4, 1.9, 1e9, -0.1, inf, 0.9, -3e2,  2.5, 1e-30,
                                5.,  -0., 40.,  -150., 1e-7, 1e30, 0.5, 6.4, -9.,  20., 1.6, 0.785, 3.1, -inf};
    const auto& row = kernels::elementwise_kernels(op.place);
    const auto& of = sizeof(T) == 4 ? row.f32 : row.f64;
    const Index n = points.size() * points.size();
    std::vector<T> a(std::size_t(n) + 64, T(nan)), b = a, g(a.size(), T(1.5)), together = a, alone(128);
    for (std::size_t i = 0; i < std::size_t(n); ++i)
        a[i] = T(points[i % points.size()]), b[i] = T(points[(i / points.size() + i) % points.size()]);
    const auto compare = [&](auto run) {
        run(n, together.data(), a, b, g);
        for (std::size_t i = 0; i < std::size_t(n); ++i) {
            run(1, alone.data(), std::vector<T>(64, a[i]), std::vector<T>(64, b[i]), g);
            if (std::isnan(alone[0]) && std::isnan(together[i])) continue;
            INFO(double(a[i]) << ", " << double(b[i]) << ": " << double(together[i]) << ", alone " << double(alone[0]));
            CHECK(std::memcmp(&alone[0], &together[i], sizeof(T)) == 0);
        }
    };
    compare([&](Index count, T* to, const std::vector<T>& x, const std::vector<T>& y, const std::vector<T>&) {
        of.value(count, to, {x.data(), y.data(), nullptr, nullptr}, constants);
    });
    for (int k = 0; k < op.inputs; ++k)
        if (of.vjp[k])
            compare([&](Index count, T* to, const std::vector<T>& x, const std::vector<T>& y, const std::vector<T>& cotangent) {
                std::vector<T> value(std::size_t(count) + 64);
                of.value(count, value.data(), {x.data(), y.data(), nullptr, nullptr}, constants);
                of.vjp[k](count, to, {x.data(), y.data(), value.data(), cotangent.data()}, constants);
            });
}

/// Zeros of both signs, infinities, NaN, the largest and the smallest in all pairs: alike in kind and sign.
template <class T>
void check_extremes(const xg::detail::Elementwise& op, const Reference& reference) {
    constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    constexpr std::array points{0., -0., inf, -inf, nan, 0.5, -0.5, 89.5, -89.5, 700., -700., 1e30, -1e30, 1e-30, -1e-30};
    const Index n = points.size() * points.size();
    std::vector<T> a(std::size_t(n) + 64), b = a, y = a;
    for (std::size_t i = 0; i < std::size_t(n); ++i) a[i] = T(points[i / points.size()]), b[i] = T(points[i % points.size()]);
    const auto& row = kernels::elementwise_kernels(op.place);
    const auto& of = sizeof(T) == 4 ? row.f32 : row.f64;
    const auto alike = [&](const std::vector<T>& got, auto want_of) {
        for (std::size_t i = 0; i < std::size_t(n); ++i) {
            const double want = want_of(i);
            INFO(double(a[i]) << ", " << double(b[i]) << ": " << double(got[i]) << ", not " << want);
            CHECK(std::fpclassify(got[i]) == std::fpclassify(T(want)));
            if (!std::isnan(want)) CHECK(std::signbit(got[i]) == std::signbit(want));
        }
    };
    of.value(n, y.data(), {a.data(), b.data(), nullptr, nullptr}, constants);
    alike(y, [&](std::size_t i) { return reference.value(a[i], b[i], constants); });
    std::vector<T> out(a.size()), one(a.size(), 1);
    for (int k = 0; k < op.inputs; ++k) {
        if (!of.vjp[k]) continue;
        of.vjp[k](n, out.data(), {a.data(), b.data(), y.data(), one.data()}, constants);
        alike(out, [&](std::size_t i) { return reference.slope[k](a[i], b[i], double(y[i]), constants); });
    }
}

}  // namespace

TEST_CASE("kernels agree with their rule on every instruction set") {
    const auto list = references();
    const auto ops = xg::detail::elementwise_ops();
    REQUIRE(list.size() == ops.size());
    in_each_set([&] {
        for (std::size_t i = 0; i < ops.size(); ++i) {
            INFO(std::string(ops[i]->name));
            check<float>(*ops[i], list[i]);
            check<double>(*ops[i], list[i]);
        }
    });
}

TEST_CASE("zeros keep their sign, infinities and NaN are as the rule says, on every instruction set") {
    const auto list = references();
    const auto ops = xg::detail::elementwise_ops();
    in_each_set([&] {
        for (std::size_t i = 0; i < ops.size(); ++i) {
            INFO(std::string(ops[i]->name));
            check_extremes<float>(*ops[i], list[i]);
            check_extremes<double>(*ops[i], list[i]);
        }
    });
}

TEST_CASE("an element does not depend on its neighbours") {
    in_each_set([] {
        for (const auto* op : xg::detail::elementwise_ops()) {
            INFO(std::string(op->name));
            check_neighbours<float>(*op);
            check_neighbours<double>(*op);
        }
    });
}

TEST_CASE("functions are near their true values on every instruction set, over their whole range") {
    in_each_set([] {
        for (const accuracy::Function& f : accuracy::functions) {
            const accuracy::Worst single = accuracy::worst<float>(f, 3000), twice = accuracy::worst<double>(f, 3000);
            INFO(f.name << ": f32 " << single.error << " ulp at " << single.at << ", f64 " << twice.error << " ulp at "
                        << twice.at);
            CHECK(single.error <= f.limit32);
            CHECK(twice.error <= f.limit64);
        }
    });
}

TEST_CASE("a rule's slope is the slope of its value") {
    const auto list = references();
    const auto ops = xg::detail::elementwise_ops();
    for (std::size_t i = 0; i < ops.size(); ++i) {
        INFO(std::string(ops[i]->name));
        const auto a = sample<double>(40, ops[i]->points[0], 0.7), b = sample<double>(40, ops[i]->points[1], 1.9);
        constexpr double h = 1e-5;
        for (std::size_t k = 0; k < 40; ++k) {
            const auto f = [&](double x, double z) { return list[i].value(x, z, constants); };
            const double y = f(a[k], b[k]);
            const double by_a = (f(a[k] + h, b[k]) - f(a[k] - h, b[k])) / (2 * h),
                         by_b = (f(a[k], b[k] + h) - f(a[k], b[k] - h)) / (2 * h);
            if (std::fabs(a[k] - b[k]) < 1e-3 || std::fabs(a[k]) < 1e-3 || std::fabs(a[k] - 1.5) < 1e-3 ||
                std::fabs(a[k] - 2.5) < 1e-3)
                continue;  // kinks
            CHECK(std::fabs(list[i].slope[0](a[k], b[k], y, constants) - by_a) < 1e-8 * (1 + std::fabs(by_a)));
            if (ops[i]->inputs == 2)
                CHECK(std::fabs(list[i].slope[1](a[k], b[k], y, constants) - by_b) < 1e-8 * (1 + std::fabs(by_b)));
        }
    }
}

TEST_CASE("row kernels agree on every instruction set, at every length") {
    in_each_set([] {
        for (Index n = 1; n <= 67; ++n) {
            xg::Rng rng{std::uint64_t(n)};
            const xg::Tensor x = xg::randn({3, n}, xg::f64, rng) * 2., g = xg::randn({3, n}, xg::f64, rng),
                             labels = xg::randint({3}, 0, n, rng);
            const auto near = [](const xg::Tensor& a, const xg::Tensor& b) {
                return xg::amax(xg::abs(a - b)).item<double>() < 1e-13;
            };
            const xg::Tensor e = xg::exp(x), s = e / xg::sum(e, 1, xt::keep_dims);
            CHECK(near(xg::softmax(x), s));
            CHECK(near(xg::softmax_vjp(s, g), s * (g - xg::sum(g * s, 1, xt::keep_dims))));
            CHECK(near(xg::log_softmax(x), xg::log(s)));
            const xg::Tensor d = x - xg::mean(x, 1, xt::keep_dims), r = 1. / xg::sqrt(xg::mean(d * d, 1, xt::keep_dims) + 1e-5);
            CHECK(near(xg::layer_norm(x), d * r));
            const xg::Tensor picked = xg::sum(xg::log(s) * xg::one_hot(labels, n, xg::f64), 1);
            CHECK(near(xg::cross_entropy(x, labels), -xg::mean(picked)));
            const xg::Tensor f = xg::astype(xg::softmax(xg::astype(x, xg::f32)), xg::f64);
            CHECK(xg::amax(xg::abs(f - s)).item<double>() < 1e-6);
        }
    });
}

TEST_CASE("integers wrap around, on every instruction set, alone, in blocks and wherever they are added up") {
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    using xg::Tensor;
    const auto is = [](const Tensor& x, const std::vector<std::int64_t>& want) {
        const Tensor dense = xg::copy(x);
        CHECK(std::vector<std::int64_t>(dense.data<std::int64_t>(), dense.data<std::int64_t>() + dense.size()) == want);
    };
    in_each_set([&] {
        const Tensor x = xg::tensor({least, most, std::int64_t(-1)});
        is(-x, {least, -most, 1});
        is(xg::abs(x), {least, most, 1});
        is(x + x, {0, -2, -2});
        is(x - 1, {most, most - 1, -2});
        is(1 - x, {least + 1, 1 - most, 2});
        is(x * x, {0, 1, 1});
        is(x * 3, {least, most - 2, -3});
        is(xg::square(x), {0, 1, 1});
        is(xg::cube(x), {0, most, -1});
        is(xg::sign(x), {-1, 1, -1});
        is(xg::minimum(x, 5), {least, 5, -1});
        is(xg::minimum(x, xg::tensor({std::int64_t(5), least, most})), {least, least, -1});
        is(xg::maximum(x, least), {least, most, -1});
        is(xg::clip(x, least, 4), {least, 4, -1});
        is(xg::diff(x), {-1, least});
        is(xg::sum(x + 0), {-2});
        is(xg::prod(x), {least});
        is(xg::cumsum(x), {least, -1, -2});
        is(xg::cumprod(x), {least, least, least});
        for (const Index n : {Index(3), Index(5000)}) {
            const Tensor many = xg::full({n}, most), zero = xg::zeros({n}, xg::i64), wide = xg::full({n, 20}, most);
            const auto want = std::int64_t(std::uint64_t(n) * std::uint64_t(most));
            is(xg::sum(many), {want});
            is(xg::sum(xg::transpose(xg::broadcast_to(many, {2, n})), 0), {want, want});
            is(xg::index_add(xg::zeros({1}, xg::i64), zero, many), {want});
            is(xg::scatter_add(xg::zeros({1}, xg::i64), zero, many, 0), {want});
            is(xg::index_add(xg::zeros({1, 20}, xg::i64), zero, wide), std::vector<std::int64_t>(20, want));
            is(xg::view(xg::cumsum(many), n - 1), {want});
            is(xg::trace(xg::full({2, 2}, most)), {-2});
        }
    });
}
