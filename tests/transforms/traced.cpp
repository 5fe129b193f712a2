// Formulas that are traced, beside the same formulas in separate ops: the same lambda, called with tensors.
#include <xtgrad/vectorize.hpp>

#include "near.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <thread>

namespace {

/// The n-th derivative of an elementwise function, reverse over reverse.
template <int n>
Tensor backward(const auto& f, const Tensor& x) {
    if constexpr (n == 0)
        return f(x);
    else
        return xg::grad([&](const Tensor& t) { return xg::sum(backward<n - 1>(f, t)); })(x);
}
/// The same, forward over forward.
template <int n>
Tensor forward(const auto& f, const Tensor& x) {
    if constexpr (n == 0)
        return f(x);
    else
        return xg::jvp([&](const Tensor& t) { return forward<n - 1>(f, t); }, x, xg::ones_like(x)).second;
}

/// Orders 0 to 4 of f as one op against f in separate ops. The fourth is the last that the ops' derivatives have digits for.
void check_orders(const char* name, auto f, double low, double high) {
    CAPTURE(name);
    xg::Rng rng(5);
    const auto one = xg::vectorize(f);
    const auto ops = [&](const Tensor& t) { return f(t); };
    const Tensor x = xg::uniform({37}, xg::f64, rng, low, high);
    const auto order = [&]<int n>(std::integral_constant<int, n>) {
        CAPTURE(n);
        CHECK(near(backward<n>(one, x), backward<n>(ops, x), 1e-11));
        CHECK(near(forward<n>(one, x), backward<n>(ops, x), 1e-11));
        CHECK(
            near(xg::jvp([&](const Tensor& t) { return backward<n>(one, t); }, x, x).second, backward<n + 1>(ops, x) * x, 1e-10));
    };
    order(std::integral_constant<int, 0>());
    order(std::integral_constant<int, 1>());
    order(std::integral_constant<int, 2>());
    order(std::integral_constant<int, 3>());
    CHECK(near(forward<4>(one, x), backward<4>(ops, x), 1e-10));
    const Tensor single = xg::astype(x, xg::f32);
    CHECK(one(single).dtype() == xg::f32);
    CHECK(near(one(single), f(single), 1e-6));
    CHECK(near(backward<1>(one, single), backward<1>(ops, single), 1e-5));
    CHECK(near(forward<2>(one, single), backward<2>(ops, single), 1e-4));
}

const auto bell = [](const auto& x, const auto& y) {
    using std::exp;
    return x * exp(-y * y);
};

bool same_bits(const Tensor& a, const Tensor& b) { return a.shape() == b.shape() && xg::all(xg::equal(a, b)).item<bool>(); }

}  // namespace

#define XG_FUNCTION(name, low, high) \
    check_orders(                    \
        #name,                       \
        [](const auto& t) {          \
            using std::name;         \
            return name(t) * t;      \
        },                           \
        low, high);
TEST_CASE("every function: orders 0 to 4, both modes, f32 and f64"){
    XG_FUNCTION(abs, -2, 2) XG_FUNCTION(floor, -2.9, -2.1) XG_FUNCTION(ceil, -2.9, -2.1) XG_FUNCTION(round, -3.4, -2.6)
        XG_FUNCTION(trunc, -2.9, -2.1) XG_FUNCTION(sqrt, 0.5, 2) XG_FUNCTION(cbrt, 0.5, 2) XG_FUNCTION(exp, -2, 2)
            XG_FUNCTION(exp2, -2, 2) XG_FUNCTION(expm1, -2, 2) XG_FUNCTION(log, 0.5, 3) XG_FUNCTION(log2, 0.5, 3)
                XG_FUNCTION(log10, 0.5, 3) XG_FUNCTION(log1p, -0.5, 2) XG_FUNCTION(sin, -3, 3) XG_FUNCTION(cos, -3, 3)
                    XG_FUNCTION(tan, -1, 1) XG_FUNCTION(asin, -0.7, 0.7) XG_FUNCTION(acos, -0.7, 0.7) XG_FUNCTION(atan, -2, 2)
                        XG_FUNCTION(sinh, -2, 2) XG_FUNCTION(cosh, -2, 2) XG_FUNCTION(tanh, -2, 2) XG_FUNCTION(asinh, -2, 2)
                            XG_FUNCTION(acosh, 1.5, 3) XG_FUNCTION(atanh, -0.6, 0.6) XG_FUNCTION(erf, -2, 2)
                                XG_FUNCTION(erfc, -2, 2) XG_FUNCTION(lgamma, 1, 4)}
#undef XG_FUNCTION

TEST_CASE("functions of two numbers, and every operator, to order 4") {
    using std::atan2, std::hypot, std::fmod, std::pow;
    check_orders(
        "atan2", [](const auto& t) { return atan2(t, t + 2) + atan2(0.5, t); }, 0.5, 2);
    check_orders(
        "hypot", [](const auto& t) { return hypot(t, t * t) + hypot(t, 3.); }, 0.5, 2);
    check_orders(
        "fmod", [](const auto& t) { return fmod(5 * t, t + 1) * t; }, 1.05, 1.25);
    check_orders(
        "pow",
        [](const auto& t) { return pow(t, 2.5) + pow(2., t) + pow(t, t) + pow(t, 3) - pow(t, -1.) + pow(t, 2) + pow(t, 1); }, 0.5,
        2);
    check_orders(
        "quotients", [](const auto& t) { return t / 3 + 3 / t - t / (t + 1) + (-t) / (-2 * t - 8) - 1 / (4 * t); }, 0.5, 2);
    check_orders(
        "signs",
        [](const auto& t) { return -t * -t - (-t) + (-t - t) * 0.5 - (3. - t) * (t - 3) + (-t + t * t) + (-t - t * t * t); }, -2,
        2);
    check_orders(
        "scales", [](const auto& t) { return (2 * (0.1 * t + 1) - 0.3) * 4 * t + 0.7 * (0.1 * t) - (t + 1) * 3; }, -2, 2);
    using std::exp;
    check_orders(
        "a product with an exponential of a scaled product",
        [](const auto& t) { return (t + 3) * exp(0.5 - 0.3 * (t * (t + 1))); }, -1, 1);
    check_orders(
        "a scaled product with an exponential of a product", [](const auto& t) { return 0.3 * (exp(t * (t - 1)) * (t + 2)); }, -1,
        1);
    check_orders(
        "a product with an exponential of a square", [](const auto& t) { return exp(t * t) * t * (1 - t); }, -1, 1);
    check_orders(
        "three factors, and a square of two",
        [](const auto& t) { return (t * (t + 1) * (t - 2) * 0.7 + 1) * (0.3 * (t * (t + 1)) * (t * (t + 1))); }, -1, 1);
    check_orders(
        "a scaled square of a product", [](const auto& t) { return 0.3 * pow(t * (t + 1), 2); }, -1, 1);
    const Tensor x = xg::linspace(-1., 1., 21), zero = xg::zeros({21}, xg::f64);
    const auto larger = xg::vectorize([](const auto& a, const auto& b) {
        using std::max, std::min;
        return max(a, b) * 2 + min(a, b) * a;
    });
    CHECK(near(larger(x, zero), 2. * xg::maximum(x, 0.) + xg::minimum(x, 0.) * x));
    CHECK(near(xg::grad([&](const Tensor& t) { return xg::sum(larger(t, zero)); })(x),
               xg::grad([&](const Tensor& t) { return xg::sum(2. * xg::maximum(t, zero) + xg::minimum(t, zero) * t); })(x)));
}

TEST_CASE("broadcasting and sizes 0 to 67") {
    const auto f = xg::vectorize(bell);
    for (const xg::Dtype dtype : {xg::f32, xg::f64})
        for (xg::Index n = 0; n <= 67; ++n) {
            CAPTURE(n);
            const Tensor x = xg::astype(normal({2, n}, 1), dtype), row = xg::astype(normal({n}, 2), dtype),
                         column = xg::astype(normal({2, 1}, 3), dtype), one = xg::astype(normal({1}, 4), dtype),
                         wide = xg::broadcast_to(one, {2, n});
            for (const Tensor& y : {x, row, column, one, wide}) {
                const auto both = [&](const auto& h) {
                    auto [z, back] = xg::vjp(h, x, y);
                    auto [dx, dy] = back(xg::ones_like(z) * 0.5);
                    return std::array{z, dx, dy, xg::jvp([&](const Tensor& t) { return h(t, y); }, x, x).second,
                                      xg::jvp([&](const Tensor& t) { return h(x, t); }, y, y).second};
                };
                const auto got = both(f), want = both([](const Tensor& a, const Tensor& b) { return bell(a, b); });
                for (std::size_t i = 0; i < got.size(); ++i) CHECK(near(got[i], want[i], dtype == xg::f32 ? 1e-5 : 1e-13));
            }
        }
}

TEST_CASE("branches become choices, and what is not chosen leaves no trace") {
    const auto bent = xg::vectorize([](auto x) {  // the slope of the branch that is not taken is infinite at 0
        using std::log, std::sqrt;
        if (x > 0 && x < 1) return x * log(x);
        if (x >= 1) return sqrt(x);
        return 0 * x;
    });
    const Tensor x = xg::tensor({-2., 0., 0.25, 0.5, 1., 4.});
    CHECK(near(bent(x), xg::tensor({0., 0., 0.25 * std::log(0.25), 0.5 * std::log(0.5), 1., 2.})));
    CHECK(near(backward<1>(bent, x), xg::tensor({0., 0., std::log(0.25) + 1, std::log(0.5) + 1, 0.5, 0.25})));
    CHECK(near(forward<1>(bent, x), backward<1>(bent, x)));
    CHECK(near(backward<2>(bent, x), xg::tensor({0., 0., 4., 2., -0.25, -0.03125})));
    CHECK(near(backward<4>(bent, x), xg::tensor({0., 0., 128., 16., -0.9375, -15. / 16 * std::pow(4, -3.5)})));
    CHECK(near(forward<4>(bent, x), backward<4>(bent, x)));
    const auto safe = xg::vectorize([](auto t) {
        using std::isnan, std::log, xg::where;
        return where(t > 0, t * log(t), 0.) + where(t != 0, 1 / t, t) + where(isnan(t), 1., t);
    });
    CHECK(near(backward<1>(safe, xg::tensor({0., 1.})), xg::tensor({2., 1.})));
    CHECK(near(backward<2>(safe, xg::tensor({0., 1.})), xg::tensor({0., 3.})));
    // The cotangent of a masked cotangent is a mask too, also where the cotangent is zero.
    xg::Tape tape;
    const Tensor g = xg::zeros({2}, xg::f64), at = xg::tensor({2., 3.});
    const Tensor back = [&] {
        xg::Tape inner;
        return inner.vjp(safe(at), g, at);
    }();
    CHECK(near(tape.gradient(xg::sum(back), g), xg::log(at) + 1. - 1. / (at * at) + 1.));
}

TEST_CASE("what cannot be traced runs by numbers") {
    const auto steps = xg::vectorize([](auto t) { return t * int(t); });
    const Tensor x = xg::tensor({0.5, 1.5, 2.5, 3.5});
    CHECK(near(steps(x), xg::tensor({0., 1.5, 5., 10.5})));
    CHECK(near(backward<1>(steps, x), xg::tensor({0., 1., 2., 3.})));
    CHECK(has(complaint([&] { backward<4>(steps, x); }), "[vectorize] has derivatives up to the third"));
    const auto two = xg::vectorize([](auto s, auto t) {
        using std::lgamma;
        return s * t * lgamma(t + int(s));
    });
    const auto in_ops = [](const Tensor& s, const Tensor& t) { return s * t * xg::lgamma(t + xg::floor(s)); };
    const Tensor y = xg::tensor({0.3, 1.2, 2.1, 0.7}), v = xg::tensor({1., -2., 0.5, 3.}), w = xg::tensor({-1., 0.4, 2., 1.});
    CHECK(near(xg::jvp(two, {x, y}, {v, w}).second, xg::jvp(in_ops, {x, y}, {v, w}).second));
    const auto along = [&](auto f) { return [=](const Tensor& t) { return f(x, t); }; };
    CHECK(near(xg::jvp(along(two), y, w).second, xg::jvp(along(in_ops), y, w).second));
    const auto twice = [&](auto f) { return xg::jvp([&](const Tensor& t) { return xg::jvp(f, t, v).second; }, y, w).second; };
    CHECK(near(twice(along(two)), twice(along(in_ops))));
    const auto second = [&](auto f) { return xg::hvp([&](const Tensor& t) { return xg::sum(f(t)); })(y, w); };
    CHECK(near(second(along(two)), second(along(in_ops))));
    const auto one = xg::vectorize([](auto t) { return t * t + int(t) * 0; });
    CHECK(near(xg::jvp(one, xg::tensor({1.5}), xg::tensor({2.})).second, xg::tensor({6.})));
    int calls = 0;
    const auto picky = xg::vectorize([&](auto t) {  // throws on a path that no element takes
        ++calls;
        if (t < 0) throw xg::Error("negative");
        return t * t;
    });
    CHECK(near(picky(x), x * x));
    CHECK(complaint([&] { picky(-x); }) == "negative");
    const auto counting = xg::vectorize([](auto t) {  // a loop whose length the trace knows
        decltype(t) sum = 0;
        for (decltype(t) i = 0; i < 5; i += 1) sum += t * i;
        return sum;
    });
    calls = 0;
    CHECK(near(backward<5>([&](const Tensor& t) { return counting(t) * counting(t); }, x), xg::zeros_like(x)));
    CHECK(near(counting(x), 10. * x));
}

TEST_CASE("captured values are read at every call, once") {
    double scale = 2;
    int calls = 0;
    const auto f = xg::vectorize([&](auto t) {
        ++calls;
        return scale * t * t;
    });
    const Tensor x = normal({5000}, 1);
    xg::Tape tape(xg::persistent);
    const Tensor y = f(x);
    scale = 3;
    const Tensor z = f(x);
    CHECK(calls == 2);
    scale = 5;
    CHECK(near(y, 2. * x * x));
    CHECK(near(z, 3. * x * x));
    CHECK(near(tape.gradient(xg::sum(y), x), 4. * x));  // of the values that were
    CHECK(near(tape.gradient(xg::sum(z), x), 6. * x));
    CHECK(calls == 2);
}

TEST_CASE("the bits depend neither on threads nor on blocks") {
    const auto f = xg::vectorize(bell);
    for (const xg::Dtype dtype : {xg::f32, xg::f64}) {
        const Tensor x = xg::astype(normal({150001}, 1), dtype), y = xg::astype(normal({150001}, 2), dtype);
        const auto all = [&](const Tensor& a, const Tensor& b) {
            auto [z, back] = xg::vjp(f, a, b);
            auto [dx, dy] = back(b);
            return std::array{z, dx, dy, xg::jvp([&](const Tensor& t) { return f(a, t); }, b, a).second};
        };
        xg::set_num_threads(1);
        const auto want = all(x, y);
        for (const int threads : {2, 3}) {
            xg::set_num_threads(threads);
            const auto got = all(x, y);
            for (std::size_t i = 0; i < want.size(); ++i) CHECK(same_bits(got[i], want[i]));
        }
        const auto part = all(xg::view(x, xt::range(100003, 100020)), xg::view(y, xt::range(100003, 100020)));
        for (std::size_t i = 0; i < want.size(); ++i) CHECK(same_bits(part[i], xg::view(want[i], xt::range(100003, 100020))));
    }
}

TEST_CASE("NaN, infinities and signed zeros go as in separate ops") {
    constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const Tensor x = xg::tensor({0., -0., inf, -inf, nan, 1e308, 5e-324});
    const auto f = [](const auto& t) {
        using std::exp, std::sqrt;
        return exp(-t * t) + t / (1 + sqrt(t * t));
    };
    const auto g = [](const auto& t) { return 1 / (-t) + 0.5 * t; };
    const auto alike = [&](const Tensor& got, const Tensor& want) {
        CHECK(xg::all(xg::isclose(got, want, 1e-13, 0., true)).item<bool>());
    };
    alike(xg::vectorize(f)(x), f(x));
    alike(xg::vectorize(g)(x), g(x));
    alike(backward<1>(xg::vectorize(g), x), backward<1>(g, x));
    const auto pole = xg::vectorize([](auto t) { return 1 / -(t * t); });  // of minus zero
    CHECK(pole(xg::tensor({0., 2.})).values<double>()(0) == -inf);
}

/// Sums, differences, products and scales at random, of degree 12 at most, without rounding.
class RandomFormula {
public:
    explicit RandomFormula(unsigned seed) {
        std::mt19937 random(seed);
        const auto below = [&](std::size_t n) { return std::size_t(random() % n); };
        std::vector<int> degrees{1, 1};
        while (degrees.size() < 12) {
            Line l{int(below(5)), degrees.size() - 1 - below(std::min<std::size_t>(degrees.size(), 5)), below(degrees.size()),
                   std::array{-3., -2., -1., -0.5, 0.5, 1., 2., 3.}[below(8)]};
            const int degree = l.what == 0 ? degrees[l.a] + degrees[l.b] : std::max(degrees[l.a], l.what < 3 ? degrees[l.b] : 0);
            if (degree > 6) continue;
            lines_.push_back(l);
            degrees.push_back(degree);
        }
    }
    template <class T>
    T operator()(const T& x, const T& y) const {
        std::vector<T> t{x, y};
        for (const auto& [what, a, b, number] : lines_)
            t.push_back(what == 0   ? t[a] * t[b]
                        : what == 1 ? t[a] + t[b]
                        : what == 2 ? t[a] - t[b]
                        : what == 3 ? t[a] * number
                                    : t[a] + number);
        return t.back() + t[t.size() - 2] * t[t.size() - 3] - x;
    }

private:
    struct Line {
        int what;
        std::size_t a, b;
        double number;
    };
    std::vector<Line> lines_;
};

TEST_CASE("a thousand random polynomials of small whole numbers, exactly") {
    const Tensor x = xg::tensor({3., -2., 1., 0., -1., 2., -3.}), y = xg::tensor({1., 2., -1., -3., 0., 3., -2.}),
                 one = xg::tensor({-2.}), g = xg::tensor({2., -1., 1., 3., -2., 1., -1.});
    for (unsigned seed = 0; seed < 1000; ++seed) {
        CAPTURE(seed);
        const RandomFormula f(seed);
        const auto fused = xg::vectorize([&](const auto& a, const auto& b) { return f(a, b); });
        for (const Tensor& b : {y, one}) {
            const auto all = [&](const auto& h) {
                auto [value, back] = xg::vjp(h, x, b);
                auto [dx, db] = back(g);
                const auto second = [&](const Tensor& t) { return xg::sum(h(t, b) * g); };
                return std::array{value, dx, db, xg::hvp(second)(x, g),
                                  xg::jvp([&](const Tensor& t) { return h(x, t); }, b, b).second};
            };
            const auto got = all(fused), want = all([&](const Tensor& s, const Tensor& t) { return f(s, t); });
            for (std::size_t i = 0; i < want.size(); ++i) {
                CAPTURE(i);
                CHECK(same_bits(got[i], want[i]));
            }
        }
    }
}

TEST_CASE("inside other transforms, from several threads, and one node for each call") {
    const auto f = xg::vectorize([](auto a, auto b) {
        using std::sin;
        return sin(a) * b + a / b;
    });
    const auto ops = [](const Tensor& a, const Tensor& b) { return xg::sin(a) * b + a / b; };
    const Tensor x = normal({4}, 1), y = positive({4}, 2);
    const auto composed = [&](const auto& h) { return [&](const Tensor& t) { return xg::sum(h(h(t, y), xg::exp(t))); }; };
    CHECK(near(xg::hessian(composed(f))(x), xg::hessian(composed(ops))(x)));
    CHECK(near(xg::hvp(composed(f))(x, y), xg::hvp(composed(ops))(x, y)));
    CHECK(near(xg::jacobian([&](const Tensor& t) { return f(t, y); })(x),
               xg::jacobian([&](const Tensor& t) { return ops(t, y); })(x)));
    CHECK(near(xg::checkpoint([&](const Tensor& t) { return f(t, y); }, x), ops(x, y)));
    CHECK(near(xg::grad([&](const Tensor& t) { return xg::sum(xg::checkpoint([&](const Tensor& u) { return f(u, y); }, t)); })(x),
               xg::cos(x) * y + 1. / y));
    CHECK_NOTHROW(xg::gradcheck(f, x, y));
    const auto third = [](const auto& h) {  // mixed
        return [&](const Tensor& a, const Tensor& b) {
            return xg::jvp(
                       [&](const Tensor& t) { return xg::grad([&](const Tensor& s) { return xg::sum(h(s, b) * h(s, t)); })(a); },
                       b, a)
                .second;
        };
    };
    CHECK(near(third(f)(x, y), third(ops)(x, y)));
    CHECK(near(xg::grad([&](const Tensor& t) { return xg::sum(third(f)(x, t)); })(y),
               xg::grad([&](const Tensor& t) { return xg::sum(third(ops)(x, t)); })(y)));

    xg::Tape tape;
    const Tensor z = f(x, x);
    CHECK(tape.nodes() == 1);
    CHECK(near(tape.gradient(xg::sum(z), x), xg::cos(x) * x + xg::sin(x)));

    std::array<Tensor, 4> results;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < results.size(); ++i)
        threads.emplace_back([&, i] { results[i] = xg::grad([&](const Tensor& t) { return xg::sum(f(t, y)); })(x); });
    for (auto& t : threads) t.join();
    for (const Tensor& r : results) CHECK(near(r, xg::cos(x) * y + 1. / y));
}

TEST_CASE("results that are arguments or constants, and many arguments") {
    const Tensor x = normal({3}, 1), y = normal({2, 1}, 2);
    const auto first = xg::vectorize([](auto a, auto) { return a; });
    CHECK(near(first(x, y), xg::broadcast_to(x, {2, 3})));
    const auto [dx, dy] = xg::grad([&](const Tensor& a, const Tensor& b) { return xg::sum(first(a, b)); })(x, y);
    CHECK(near(dx, xg::full({3}, 2., xg::f64)));
    CHECK(near(dy, xg::zeros({2, 1}, xg::f64)));
    CHECK(near(backward<2>(xg::vectorize([](auto a) { return a; }), x), xg::zeros({3}, xg::f64)));
    xg::Tape tape;
    const Tensor same = xg::vectorize([](auto a) { return a; })(x);
    CHECK(near(tape.gradient(xg::sum(same * x), same), x));  // another variable
    const auto many = [](const auto&... t) { return (t * ...) + (t + ...); };
    const auto at = [&](const auto& f, const Tensor& t) { return f(t, x, t, x, t, t, x, x, t, x); };
    CHECK(near(backward<4>([&](const Tensor& t) { return at(xg::vectorize(many), t); }, x),
               backward<4>([&](const Tensor& t) { return at(many, t); }, x), 1e-11));
    const auto long_one = [](const auto& t) {
        auto s = t * 0.99;
        for (int i = 0; i < 300; ++i) s = s + t * (1. / (i + 2)) - s * s * 0.01;
        return s;
    };
    CHECK(near(backward<2>(xg::vectorize(long_one), x * 0.01), backward<2>(long_one, x * 0.01), 1e-11));
}
