// The tape: targets, walks, scopes, options, errors, threads.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

#include <xtensor/xarray.hpp>
#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

namespace {

using Numbers = std::vector<double>;

/// The elements in row-major order. Asks no op, so that no tape sees it.
Numbers numbers(const xg::Tensor& x) {
    if (x.dtype() == xg::f32) {
        const auto v = x.values<float>();
        return Numbers(v.begin(), v.end());
    }
    const auto v = x.values<double>();
    return Numbers(v.begin(), v.end());
}

/// f of each element.
Numbers map(const xg::Tensor& x, auto f) {
    Numbers v = numbers(x);
    for (double& e : v) e = f(e);
    return v;
}

bool near(const xg::Tensor& x, const Numbers& expected, double tolerance = 1e-13) {
    const Numbers v = numbers(x);
    if (v.size() != expected.size()) return false;
    for (std::size_t i = 0; i < v.size(); ++i)
        if (!(std::abs(v[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])))) return false;
    return true;
}
bool near(const xg::Tensor& x, const xg::Tensor& expected, double tolerance = 1e-13) {
    return x.dtype() == expected.dtype() && x.shape() == expected.shape() && near(x, numbers(expected), tolerance);
}

/// What f says when it throws E; "" when it throws nothing. Another exception goes on.
template <class E>
std::string message(auto f) {
    try {
        f();
    } catch (const E& e) {
        return e.what();
    }
    return "";
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Runs f on a thread of its own.
void elsewhere(auto f) { std::thread(std::move(f)).join(); }

/// Does f return true in a process of its own? False when it is killed by a signal.
bool survives(auto f) {
    const pid_t child = fork();
    if (child == 0) {
        for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);
        bool good = false;
        try {
            good = f();
        } catch (...) {
        }
        _exit(good ? 0 : 1);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

xg::Tensor vector3() { return xg::tensor({0.5, -1.25, 2.}); }
xg::Tensor matrix23() { return xg::tensor({{0.5, -1.25, 2.}, {1.5, 0.75, -0.25}}); }

/// A tape that has just died gives no clue on the next one: is everything in order?
bool all_is_well() {
    const xg::Tensor x = vector3();
    xg::Tape tape;
    const xg::Tensor y = xg::sum(x * x * x);
    return near(tape.gradient(y, x), map(x, [](double v) { return 3 * v * v; }));
}

}  // namespace

// ---- targets

TEST_CASE("gradients of a linear model are those of the closed form, for each way to give targets") {
    const xg::Tensor x = xg::tensor({{1., -2.}, {0.5, 3.}, {-1.5, 0.25}, {2., 1.}}),
                     t = xg::tensor({{1., 0., 2.}, {-1., 1., 0.}, {0.5, 2., 1.}, {3., -2., 1.}});
    const xg::Tensor w = matrix23(), b = xg::tensor({0.1, -0.2, 0.3});
    Numbers dx(8), dw(6), db(3);
    const Numbers xv = numbers(x), wv = numbers(w), bv = numbers(b), tv = numbers(t);
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 3; ++j) {
            double r = bv[j] - tv[i * 3 + j];
            for (std::size_t k = 0; k < 2; ++k) r += xv[i * 2 + k] * wv[k * 3 + j];
            db[j] += 2 * r;
            for (std::size_t k = 0; k < 2; ++k) dw[k * 3 + j] += 2 * r * xv[i * 2 + k], dx[i * 2 + k] += 2 * r * wv[k * 3 + j];
        }
    const auto loss = [&] { return xg::sum(xg::square(xg::matmul(x, w) + b - t)); };

    SUBCASE("one tensor") {
        xg::Tape tape;
        const xg::Tensor l = loss(), g = tape.gradient(l, w);
        CHECK(g.shape() == w.shape());
        CHECK(near(g, dw));
    }
    SUBCASE("a list in braces") {
        xg::Tape tape;
        const auto [gx, gw, gb] = tape.gradient(loss(), {x, w, b});
        CHECK(near(gx, dx));
        CHECK(near(gw, dw));
        CHECK(near(gb, db));
    }
    SUBCASE("a vector") {
        xg::Tape tape;
        const std::vector<xg::Tensor> g = tape.gradient(loss(), std::vector{b, x});
        REQUIRE(g.size() == 2);
        CHECK(near(g[0], db));
        CHECK(near(g[1], dx));
    }
    SUBCASE("an array") {
        xg::Tape tape;
        const std::array<xg::Tensor, 2> g = tape.gradient(loss(), std::array{w, b});
        CHECK(near(g[0], dw));
        CHECK(near(g[1], db));
    }
    SUBCASE("no tensors") {
        xg::Tape tape;
        const xg::Tensor l = loss();
        CHECK(tape.gradient(l, std::vector<xg::Tensor>()).empty());
        CHECK_THROWS_AS(tape.gradient(l, w), xg::TapeError);  // consumed, as by any gradient
    }
    SUBCASE("jvp along all three is the sum of the gradients times the tangents") {
        const xg::Tensor ex = x * 0.5 + 0.25, ew = w * -1.5 + 0.5, eb = b + 2.;
        double expected = 0;
        for (std::size_t i = 0; i < 8; ++i) expected += dx[i] * numbers(ex)[i];
        for (std::size_t i = 0; i < 6; ++i) expected += dw[i] * numbers(ew)[i];
        for (std::size_t i = 0; i < 3; ++i) expected += db[i] * numbers(eb)[i];
        for (int way = 0; way < 3; ++way) {
            xg::Tape tape;
            const xg::Tensor l = loss();
            const xg::Tensor dl = way == 0   ? tape.jvp(l, {x, w, b}, {ex, ew, eb})
                                  : way == 1 ? tape.jvp(l, std::vector{x, w, b}, std::vector{ex, ew, eb})
                                             : tape.jvp(l, std::array{x, w, b}, std::array{ex, ew, eb});
            CHECK(dl.item<double>() == doctest::Approx(expected).epsilon(1e-13));
        }
    }
}

TEST_CASE("vjp and jvp multiply by the Jacobian from the left and from the right") {
    const xg::Tensor a = matrix23(), x = vector3(), g = xg::tensor({2., -3.}), dx = xg::tensor({1., 10., 100.});
    const Numbers m = numbers(a);
    {
        xg::Tape tape;
        const xg::Tensor y = xg::matmul(a, x);
        CHECK(near(tape.vjp(y, g, x), {2 * m[0] - 3 * m[3], 2 * m[1] - 3 * m[4], 2 * m[2] - 3 * m[5]}));
    }
    {
        xg::Tape tape;
        const xg::Tensor y = xg::matmul(a, x);
        CHECK(near(tape.jvp(y, x, dx), {m[0] + 10 * m[1] + 100 * m[2], m[3] + 10 * m[4] + 100 * m[5]}));
    }
    {
        xg::Tape tape(xg::persistent);
        const xg::Tensor y = xg::matmul(a, x);
        const auto [ga, gx] = tape.vjp(y, g, {a, x});
        CHECK(near(ga, {2 * 0.5, 2 * -1.25, 2 * 2., -3 * 0.5, -3 * -1.25, -3 * 2.}));
        CHECK(near(tape.vjp(y, g, std::vector{x})[0], gx));
        CHECK(near(tape.vjp(y, g, std::array{x, a})[1], ga));
    }
}

TEST_CASE("intermediates are targets like any others, alone and beside what they come from") {
    const xg::Tensor x = vector3();
    const auto check = [&](auto targets) {
        xg::Tape tape;
        const xg::Tensor h = xg::sin(x), k = h * h, y = xg::sum(k * x);
        const auto g = targets(tape, y, h, k);
        for (std::size_t i = 0; i < 3; ++i) {
            const double v = numbers(x)[i], s = std::sin(v), c = std::cos(v);
            CHECK(numbers(g[0])[i] == doctest::Approx(2 * s * v));              // dh
            CHECK(numbers(g[1])[i] == doctest::Approx(s * s + 2 * s * c * v));  // dx
            CHECK(numbers(g[2])[i] == doctest::Approx(v));                      // dk
        }
    };
    check([&](xg::Tape& tape, auto& y, auto& h, auto& k) { return tape.gradient(y, {h, x, k}); });
    check([&](xg::Tape& tape, auto& y, auto& h, auto& k) {
        const auto g = tape.gradient(y, {k, h, x});
        return std::array{g[1], g[2], g[0]};
    });
}

TEST_CASE("duplicate targets all get the whole gradient") {
    const xg::Tensor x = vector3(), w = x + 1.;
    const Numbers dx = map(x, [](double v) { return v + 1; });
    {
        xg::Tape tape;
        const auto [a, b, c, d] = tape.gradient(xg::sum(x * w), {x, w, x, x});
        CHECK(near(a, dx));
        CHECK(near(b, x));
        CHECK(near(c, dx));
        CHECK(near(d, dx));
    }
    {
        xg::Tape tape;  // a target that is named twice moves along both tangents
        CHECK(tape.jvp(xg::sum(x * w), {x, w, x}, {w, x, w}).item<double>() ==
              doctest::Approx(2 * xg::sum(w * w).item<double>() + xg::sum(x * x).item<double>()));
    }
    {
        xg::Tape tape;
        const xg::Tensor h = x * 2.;
        const auto [a, b] = tape.gradient(xg::sum(h * h), {h, h});
        CHECK(near(a, map(x, [](double v) { return 4 * v; })));
        CHECK(near(b, a));
    }
}

TEST_CASE("the gradient of a tensor with respect to itself is one") {
    const xg::Tensor x(1.5), v = vector3(), g = xg::tensor({1., 2., 3.});
    {
        xg::Tape tape;
        CHECK(tape.gradient(x, x).item<double>() == 1);  // although no op ever took it
    }
    {
        xg::Tape tape;
        const xg::Tensor y = x * 3.;
        const auto [dy, dx] = tape.gradient(y, {y, x});
        CHECK(dy.item<double>() == 1);
        CHECK(dx.item<double>() == 3);
    }
    {
        xg::Tape tape(xg::persistent);
        const xg::Tensor y = v * v;
        CHECK(near(tape.vjp(y, g, y), g));
        CHECK(near(tape.vjp(v, g, v), g));
        CHECK(near(tape.jvp(v, v, g), g));
        CHECK(near(tape.jvp(y, y, g), g));
        CHECK(near(tape.jvp(y, {y, v}, {g, g}), {1 * (1 + 1.), 2 * (1 - 2.5), 3 * (1 + 4.)}));
        const auto [dv, dy] = tape.vjp(y, g, {v, y});
        CHECK(near(dv, {1., -5., 12.}));
        CHECK(near(dy, g));
    }
}

TEST_CASE("a tangent for an intermediate is added to the one that reaches it") {
    const xg::Tensor x = vector3(), dx = xg::tensor({1., 10., 100.}), dh = xg::tensor({0.5, 0.25, 4.});
    xg::Tape tape(xg::persistent);
    const xg::Tensor h = x * x, k = h * 3., y = k * h;  // 3 h^2
    CHECK(near(tape.jvp(y, {x, h}, {dx, dh}),
               {6 * 0.25 * (2 * 0.5 * 1 + 0.5), 6 * 1.5625 * (-2 * 1.25 * 10 + 0.25), 6 * 4. * (2 * 2 * 100 + 4.)}));
    CHECK(near(tape.jvp(y, h, dh), {6 * 0.25 * 0.5, 6 * 1.5625 * 0.25, 6 * 4. * 4.}));
    CHECK(near(tape.jvp(y, {h, k}, {dh, dx}),
               {3 * 0.25 * 0.5 + (0.75) * 0.5 + 0.25 * 1, 2 * 3 * 1.5625 * 0.25 + 1.5625 * 10, 6 * 4. * 4. + 4 * 100.}));
}

TEST_CASE("a result of one element needs no cotangent whatever its rank, any other does") {
    const xg::Tensor x = matrix23();
    {
        xg::Tape tape;
        const xg::Tensor y = xg::reshape(xg::sum(x * x), {1, 1, 1});
        CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));
    }
    xg::Tape tape;
    const xg::Tensor y = x * x;
    const std::string text = message<xg::TapeError>([&] { tape.gradient(y, x); });
    CHECK(has(text, "[gradient]"));
    CHECK(has(text, "(2, 3)"));
    CHECK(has(text, "vjp"));
    CHECK(near(tape.vjp(y, xg::ones({2, 3}), x), map(x, [](double v) { return 2 * v; })));
}

TEST_CASE("many targets, leaves and intermediates mixed and some twice, get each their own gradient") {
    constexpr int n = 41;
    std::vector<xg::Tensor> x, targets;
    for (int i = 0; i < n; ++i) x.push_back(xg::Tensor(0.25 * i - 3));
    xg::Tape tape;
    xg::Tensor y(0.);
    Numbers expected;
    for (int i = 0; i < n; ++i) {
        const xg::Tensor h = x[std::size_t(i)] * x[std::size_t(i)];
        y = y + h * double(i);
        if (i % 3 == 0) {
            targets.push_back(h);
            expected.push_back(i);
        }
        for (int k = 0; k < 1 + i % 2; ++k) {
            targets.push_back(x[std::size_t((i * 7) % n)]);
            expected.push_back(2 * (0.25 * ((i * 7) % n) - 3) * ((i * 7) % n));
        }
    }
    const auto g = tape.gradient(y, targets);
    for (std::size_t i = 0; i < g.size(); ++i) CHECK(g[i].item<double>() == doctest::Approx(expected[i]));
}

TEST_CASE("an op of more than 64 inputs gives each wanted one its part") {
    constexpr std::size_t n = 70;
    std::vector<xg::Tensor> x, h;
    for (std::size_t i = 0; i < n; ++i) x.push_back(xg::ones({xg::Index(1 + i % 3), 2}) * double(i));
    xg::Tape tape(xg::persistent);
    for (std::size_t i = 0; i < n; ++i) h.push_back(i % 2 ? x[i] : x[i] * x[i]);
    const xg::Tensor joined = xg::concatenate(h), y = xg::sum(joined * joined);
    const auto expected = [](std::size_t i) { return i % 2 ? 2. * double(i) : 4. * std::pow(double(i), 3); };
    const auto all = tape.gradient(y, x);
    for (std::size_t i = 0; i < n; ++i) CHECK(near(all[i], Numbers(2 * (1 + i % 3), expected(i))));
    for (const std::size_t i : {0u, 2u, 63u, 64u, 65u, 69u}) {
        CHECK(near(tape.gradient(y, x[i]), Numbers(2 * (1 + i % 3), expected(i))));
        CHECK(tape.jvp(y, x[i], xg::ones_like(x[i])).item<double>() == doctest::Approx(double(2 * (1 + i % 3)) * expected(i)));
    }
}

TEST_CASE("an op of the same tensor twice counts it twice") {
    const xg::Tensor x = vector3(), m = xg::tensor({{1., 2.}, {3., 4.}});
    xg::Tape tape(xg::persistent);
    CHECK(near(tape.gradient(xg::sum(x + x), x), {2., 2., 2.}));
    CHECK(near(tape.gradient(xg::sum(x - x), x), {0., 0., 0.}));
    CHECK(near(tape.gradient(xg::sum(x / x), x), {0., 0., 0.}));
    CHECK(near(tape.gradient(xg::sum(xg::maximum(x, x)), x), {1., 1., 1.}));
    CHECK(near(tape.gradient(xg::sum(xg::matmul(m, m)), m), {1 + 2 + 1 + 3., 3 + 4 + 1 + 3., 1 + 2 + 2 + 4., 3 + 4 + 2 + 4.}));
    CHECK(near(tape.gradient(xg::sum(xg::concatenate({x, x * x, x})), x), map(x, [](double v) { return 2 + 2 * v; })));
    CHECK(near(tape.jvp(x * x, x, x), map(x, [](double v) { return 2 * v * v; })));
}

TEST_CASE("shapes that a node cannot keep compactly come back whole") {
    const xg::Shape shape{128, 130, 129, 128, 131, 128, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const xg::Tensor x = xg::zeros(shape, xg::f32), s = xg::ones(xg::Shape{1}, xg::f32);
    xg::Tape tape(xg::persistent);
    const xg::Tensor spread = xg::broadcast_to(s, shape), e = xg::exp(x), joined = xg::concatenate({spread, e}, -1),
                     y = xg::sum(joined * joined) + xg::sum(s);
    const auto [dx, ds, de, dspread] = tape.gradient(y, {x, s, e, spread});
    CHECK(dx.shape() == shape);
    CHECK(de.shape() == shape);
    CHECK(dspread.shape() == shape);
    CHECK(near(ds, {1.}));
    CHECK(tape.jvp(spread, s, s).shape() == shape);
    CHECK(tape.jvp(joined, s, s).shape() == joined.shape());
    std::ostringstream picture;
    tape.dot(picture);
    CHECK(has(picture.str(), "(128, 130, 129, 128, 131, 128, 0, 1"));
}

TEST_CASE("tensors without elements have gradients without elements") {
    const xg::Tensor x = xg::zeros({0, 3}), w = xg::ones({3, 2});
    xg::Tape tape;
    const auto [dx, dw] = tape.gradient(xg::sum(xg::tanh(xg::matmul(x, w))), {x, w});
    CHECK(dx.shape() == x.shape());
    CHECK(near(dw, Numbers(6, 0.)));
}

// An xtensor array that slipped in as a target would be a fresh tensor that no tape ever saw.
template <class X>
concept GradientTarget = requires(xg::Tape& tape, const xg::Tensor& y, const X& x) { tape.gradient(y, x); };
template <class X>
concept VjpTarget = requires(xg::Tape& tape, const xg::Tensor& y, const X& x) { tape.vjp(y, y, x); };
template <class X>
concept JvpTarget = requires(xg::Tape& tape, const xg::Tensor& y, const X& x) { tape.jvp(y, x, y); };
template <class X>
concept ListTarget = requires(xg::Tape& tape, const xg::Tensor& y, const X& x) {
    tape.gradient(y, {y, x});
};

TEST_CASE("an xtensor expression is no target") {
    CHECK(GradientTarget<xg::Tensor>);
    CHECK(ListTarget<xg::Tensor>);
    CHECK_FALSE(GradientTarget<xt::xarray<double>>);
    CHECK_FALSE(VjpTarget<xt::xarray<double>>);
    CHECK_FALSE(JvpTarget<xt::xarray<double>>);
    CHECK_FALSE(ListTarget<xt::xarray<double>>);
    CHECK_FALSE(std::is_copy_constructible_v<xg::Tape>);
    CHECK_FALSE(std::is_move_constructible_v<xg::Tape>);
}

namespace {

/// A program of scalars, and beside it what a tape should know: for each tensor its parents and the slopes.
struct Program {
    struct Entry {
        xg::Tensor t;
        std::vector<std::pair<std::size_t, double>> parents;
    };
    std::vector<Entry> entries;
    std::uint64_t state;

    explicit Program(std::uint64_t seed) : state(seed * 2654435761u + 12345) {}
    std::size_t random(std::size_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return std::size_t(state >> 33) % n;
    }
    std::size_t some() { return random(entries.size()); }
    double value(std::size_t i) const { return numbers(entries[i].t)[0]; }
    void add(xg::Tensor t, std::vector<std::pair<std::size_t, double>> parents = {}) {
        entries.push_back({std::move(t), std::move(parents)});
    }

    void step() {
        const std::size_t a = some(), b = some();
        const xg::Tensor s = entries[a].t, t = entries[b].t;
        switch (random(9)) {
            case 0: return add(s + t, {{a, 1.}, {b, 1.}});
            case 1: return add(s - t, {{a, 1.}, {b, -1.}});
            case 2: return add(xg::sin(s), {{a, std::cos(value(a))}});
            case 3: return add(s * 0.5 + 0.25, {{a, 0.5}});
            case 4: return add(xg::tanh(s * t), {{a, slope(a, b) * value(b)}, {b, slope(a, b) * value(a)}});
            case 5: return add(xg::stop_gradient(s));
            case 6: {
                const xg::no_record pause;
                return add(xg::cos(s));
            }
            case 7: {
                xg::Tape inner;  // what it records, the outer one does too
                const xg::Tensor u = xg::cos(s);
                add(u, {{a, -std::sin(value(a))}});
                const xg::Tensor g = inner.gradient(u, s);  // -sin s, and its slope is -cos s
                return add(g, {{a, -std::cos(value(a))}});
            }
            default: return add(xg::sum(xg::broadcast_to(s, {2, 3})), {{a, 6.}});
        }
    }
    double slope(std::size_t a, std::size_t b) const {
        const double y = std::tanh(value(a) * value(b));
        return 1 - y * y;
    }
    Numbers adjoints(std::size_t y) const {
        Numbers of(entries.size(), 0.);
        of[y] = 1;
        for (std::size_t i = y + 1; i-- > 0;)
            for (const auto& [parent, by] : entries[i].parents) of[parent] += of[i] * by;
        return of;
    }
    Numbers tangents(const Numbers& seeds) const {
        Numbers of = seeds;
        for (std::size_t i = 0; i < entries.size(); ++i)
            for (const auto& [parent, by] : entries[i].parents) of[i] += of[parent] * by;
        return of;
    }
};

}  // namespace

TEST_CASE("random programs give the gradients and tangents of a naive tape") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        Program p(seed);
        for (int i = 0; i < 3; ++i) p.add(xg::Tensor(0.25 + 0.5 * i));
        xg::Tape tape(xg::persistent);
        for (int round = 0; round < 4; ++round) {
            for (int i = 0; i < 12; ++i) p.step();
            std::size_t y = p.some();
            while (p.entries[y].parents.empty()) y = p.some();
            std::vector<xg::Tensor> targets, dxs;
            std::vector<std::size_t> which;
            Numbers seeds(p.entries.size(), 0.);
            for (std::size_t i = 0, n = 1 + p.random(14); i < n; ++i) {
                which.push_back(p.some());
                targets.push_back(p.entries[which.back()].t);
                dxs.push_back(xg::Tensor(1. + double(i)));
                seeds[which.back()] += 1. + double(i);
            }
            const auto g = tape.gradient(p.entries[y].t, targets, xg::zeros_if_unused);
            const Numbers expected = p.adjoints(y);
            for (std::size_t i = 0; i < g.size(); ++i)
                CHECK(g[i].item<double>() == doctest::Approx(expected[which[i]]).epsilon(1e-10));
            for (std::size_t i = 0; i < which.size(); ++i)  // jvp has no zeros_if_unused: make sure that all are seen
                static_cast<void>(targets[i] * 1.);
            CHECK(tape.jvp(p.entries[y].t, targets, dxs).item<double>() == doctest::Approx(p.tangents(seeds)[y]).epsilon(1e-10));
        }
    }
}

// ---- what a tape has seen

TEST_CASE("a target that the tape never saw is an error that says why, or zeros on demand") {
    const xg::Tensor x = matrix23(), flat = xg::reshape(x, {6});
    const xg::Tensor w = xg::ones({6}, xg::f64), unused = xg::ones({2, 1, 4}, xg::f32);
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = xg::sum(flat * w);
    const auto helps = [](const std::string& text, const char* op) {
        CHECK(has(text, op));
        CHECK(has(text, "(2, 3)"));
        CHECK((has(text, "reshape") && has(text, "view")));
        CHECK(has(text, "optimizer"));
        CHECK(has(text, "zeros_if_unused"));
    };
    helps(message<xg::TapeError>([&] { tape.gradient(y, x); }), "[gradient]");
    helps(message<xg::TapeError>([&] { tape.gradient(y, {w, x}); }), "target 1");
    helps(message<xg::TapeError>([&] { tape.gradient(y, std::vector{w, w, w, w, w, w, w, w, w, x}); }), "target 9");
    helps(message<xg::TapeError>([&] { tape.vjp(y, xg::Tensor(1.), x); }), "[vjp]");
    CHECK(has(message<xg::TapeError>([&] { tape.jvp(y, x, x); }), "[jvp]"));

    const auto [dx, dw, du] = tape.gradient(y, {x, w, unused}, xg::zeros_if_unused);
    CHECK(near(dx, xg::zeros({2, 3})));
    CHECK(near(dw, flat));
    CHECK(near(du, xg::zeros({2, 1, 4}, xg::f32)));
    CHECK(near(tape.vjp(y, xg::Tensor(1.), std::vector{x}, xg::zeros_if_unused)[0], xg::zeros({2, 3})));
}

TEST_CASE("a target that the tape saw, but not on the way to the result, has gradient zero") {
    const xg::Tensor x = vector3(), early = xg::ones({2, 3}, xg::f32), late = matrix23(), w = vector3();
    xg::Tape tape(xg::persistent);
    const xg::Tensor dead = early * 2.f, y = xg::sum(x * x), after = late * 3., h = xg::exp(y) * w;
    const auto g = tape.gradient(y, {early, x, late, dead, after, h, w});
    CHECK(near(g[0], xg::zeros({2, 3}, xg::f32)));
    CHECK(near(g[1], map(x, [](double v) { return 2 * v; })));
    CHECK(near(g[2], xg::zeros({2, 3})));
    CHECK(near(g[3], xg::zeros({2, 3}, xg::f32)));
    CHECK(near(g[4], xg::zeros({2, 3})));
    CHECK(near(g[5], xg::zeros({3})));
    CHECK(near(g[6], xg::zeros({3})));
    CHECK(near(tape.gradient(y, late), xg::zeros({2, 3})));
    CHECK(near(tape.gradient(y, h), xg::zeros({3})));
    CHECK(tape.jvp(y, late, late).item<double>() == 0);
    CHECK(tape.jvp(y, h, w).item<double>() == 0);
    CHECK(near(tape.jvp(h, dead, dead), xg::zeros({3})));
}

TEST_CASE("the tape does not go back in time: a use after the result does not count") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = xg::sum(x * x), z = y * y, later = xg::sum(x * 1000.) * y;
    CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));
    CHECK(near(tape.gradient(z, x), map(x, [&](double v) { return 4 * v * y.item<double>(); }), 1e-12));
    CHECK(near(tape.gradient(later, x), map(x, [&](double v) { return 1000 * y.item<double>() + 2000 * v * 1.25; }), 1e-12));
}

TEST_CASE("a result that was not made under the tape is an error") {
    const xg::Tensor x = vector3(), w = x * 2., before = xg::sum(x * w);
    const auto refused = [&](xg::Tape& tape, const xg::Tensor& y) {
        for (const std::string& text :
             {message<xg::TapeError>([&] { tape.gradient(y, x); }), message<xg::TapeError>([&] { tape.jvp(y, x, x); }),
              message<xg::TapeError>([&] { tape.gradient(y, x, xg::zeros_if_unused); })}) {
            CHECK(has(text, "()"));
            CHECK(has(text, "under this tape"));
        }
    };
    SUBCASE("made before it") {
        xg::Tape tape;
        const xg::Tensor y = xg::sum(x * x);
        refused(tape, before);
        CHECK(near(tape.gradient(y, x), w));
    }
    SUBCASE("a constant") {
        xg::Tape tape;
        const xg::Tensor y = xg::sum(x * x);
        refused(tape, xg::Tensor(3.));
        CHECK(near(tape.gradient(y, x), w));
    }
    SUBCASE("made under another tape, which is dead") {
        xg::Tensor other;
        {
            xg::Tape tape;
            other = xg::sum(x * x);
        }
        xg::Tape tape;
        const xg::Tensor y = xg::sum(x * x);
        refused(tape, other);
        CHECK(near(tape.gradient(y, x), w));
    }
    SUBCASE("made under an older tape, before this one") {
        xg::Tape outer;
        const xg::Tensor other = xg::sum(x * x);
        xg::Tape tape;
        const xg::Tensor y = xg::sum(x * x);
        refused(tape, other);
        CHECK(near(tape.gradient(y, x), w));
        CHECK(near(outer.gradient(other, x), w));
    }
    SUBCASE("made on another thread under a tape of its own") {
        xg::Tape tape;
        const xg::Tensor y = xg::sum(x * x);
        xg::Tensor other;
        elsewhere([&] {
            xg::Tape theirs;
            other = xg::sum(x * x);
        });
        refused(tape, other);
        CHECK(near(tape.gradient(y, x), w));
    }
    SUBCASE("made on another thread, which no tape of this thread records") {
        xg::Tape tape;
        const xg::Tensor y = xg::sum(x * x);
        xg::Tensor other;
        elsewhere([&] { other = xg::sum(x * x); });
        refused(tape, other);
        CHECK(near(tape.gradient(y, x), w));
    }
}

TEST_CASE("tensors kept after their tape are plain leaves") {
    const xg::Tensor x = vector3();
    xg::Tensor y, z;
    {
        xg::Tape tape;
        y = x * x;
        z = tape.vjp(y, x, x);
    }
    xg::Tape tape(xg::persistent);
    const xg::Tensor u = xg::sum(y * z);
    const auto [dy, dz] = tape.gradient(u, {y, z});
    CHECK(near(dy, z));
    CHECK(near(dz, y));
    CHECK(has(message<xg::TapeError>([&] { tape.gradient(u, x); }), "never seen"));
}

// ---- consumed and persistent tapes

TEST_CASE("gradient, vjp and jvp consume a tape, which then records nothing and says so") {
    const xg::Tensor x = vector3(), one(1.);
    const std::vector<std::function<void(xg::Tape&, const xg::Tensor&)>> walks{
        [&](xg::Tape& t, const xg::Tensor& y) { t.gradient(y, x); }, [&](xg::Tape& t, const xg::Tensor& y) { t.vjp(y, one, x); },
        [&](xg::Tape& t, const xg::Tensor& y) { t.jvp(y, x, x); }};
    for (const auto& first : walks) {
        xg::Tape outer, tape;
        const xg::Tensor y = xg::sum(x * x);
        first(tape, y);
        const std::size_t held = outer.nodes();
        for (const auto& second : walks) {
            const std::string text = message<xg::TapeError>([&] { second(tape, y); });
            CHECK(has(text, "consumed"));
            CHECK(has(text, "persistent"));
        }
        CHECK_THROWS_AS(static_cast<void>(tape.nodes()), xg::TapeError);
        const xg::Tensor z = y * y;
        CHECK(outer.nodes() == held + 1);
        CHECK_THROWS_AS(tape.gradient(z, x), xg::TapeError);
        CHECK(near(outer.gradient(z, x), map(x, [&](double v) { return 4 * v * y.item<double>(); }), 1e-12));
    }
}

TEST_CASE("a persistent tape is walked again and again, forward and backward, and goes on recording") {
    const xg::Tensor x = vector3(), dx = xg::tensor({1., 10., 100.}), w = xg::tensor({2., 3., 4.});
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = x * x * w, s = xg::sum(y);
    const std::size_t held = tape.nodes();
    const Numbers expected{2 * 0.5 * 2, -2 * 1.25 * 3, 2 * 2. * 4};
    for (int i = 0; i < 5; ++i) {
        CHECK(near(tape.gradient(s, x), expected));
        CHECK(near(tape.vjp(y, dx, x), {expected[0], 10 * expected[1], 100 * expected[2]}));
        CHECK(near(tape.jvp(y, x, dx), {expected[0], 10 * expected[1], 100 * expected[2]}));
        CHECK(near(tape.gradient(s, w), map(x, [](double v) { return v * v; })));
        CHECK(tape.nodes() == held);
    }
    const xg::Tensor later = xg::sum(xg::square(s) + x);  // after the walks, from before and after them
    CHECK(tape.nodes() > held);
    const double t = s.item<double>();
    CHECK(near(tape.gradient(later, x), {6 * t * expected[0] + 1, 6 * t * expected[1] + 1, 6 * t * expected[2] + 1}, 1e-12));
    CHECK(near(tape.gradient(s, x), expected));
    CHECK(tape.jvp(later, x, dx).item<double>() ==
          doctest::Approx(6 * t * (expected[0] + 10 * expected[1] + 100 * expected[2]) + 111));
}

TEST_CASE("walks of a persistent tape do not change what it saved") {
    const xg::Tensor x = matrix23();
    xg::Tape tape(xg::persistent);
    const xg::Tensor e = xg::exp(x), y = xg::sum(xg::softmax(e * x, 0) * e + xg::transpose(xg::reshape(e, {3, 2})));
    const xg::Tensor first = tape.gradient(y, x), e_before = xg::copy(e);
    std::vector<xg::Tensor> copies;
    for (int i = 0; i < 4; ++i) {
        const xg::Tensor again = tape.gradient(y, x);
        CHECK(numbers(again) == numbers(first));
        CHECK(numbers(tape.jvp(y, x, first)) == numbers(tape.jvp(y, x, again)));
    }
    CHECK(numbers(e) == numbers(e_before));
}

TEST_CASE("a persistent tape's own gradient in its own range is an error, but a fine target") {
    const xg::Tensor x = vector3(), one(1.);
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = xg::sum(x * x * x);
    const xg::Tensor g = tape.gradient(y, x), v = tape.vjp(y, one, x), j = tape.jvp(y, x, x),
                     linear = tape.gradient(xg::sum(x), x);
    for (const xg::Tensor& own : {g, v, xg::broadcast_to(j, {3}), linear}) {
        const xg::Tensor h = own * 2., z = xg::sum(h * x);
        for (const std::string& text :
             {message<xg::TapeError>([&] { tape.gradient(z, x); }), message<xg::TapeError>([&] { tape.jvp(z, x, x); }),
              message<xg::TapeError>([&] { tape.gradient(z, x, xg::zeros_if_unused); })})
            CHECK(has(text, "nest a second Tape"));
        CHECK(near(tape.gradient(z, h), x));
        CHECK(near(tape.gradient(y, x), g));  // nothing was consumed
    }
    const xg::Tensor z = xg::sum(g * x);
    CHECK(near(tape.gradient(z, g), x));
    CHECK(has(message<xg::TapeError>([&] { tape.vjp(g, x, x); }), "nest a second Tape"));
    CHECK(has(message<xg::TapeError>([&] { tape.gradient(xg::sum(g), x); }), "nest a second Tape"));
}

TEST_CASE("a persistent tape's own gradient beside another target is not silently a constant") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    const xg::Tensor g = tape.gradient(xg::sum(x * x * x), x), z = xg::sum(g * g);
    CHECK(near(tape.gradient(z, g), map(g, [](double v) { return 2 * v; })));
    // z depends on x through g, which the tape cannot know: zeros for x would be wrong.
    CHECK(has(message<xg::TapeError>([&] { tape.gradient(z, {g, x}); }), "nest a second Tape"));
    CHECK(has(message<xg::TapeError>([&] { tape.jvp(z, {g, x}, {g, x}); }), "nest a second Tape"));
}

TEST_CASE("what depends on a tape's own gradient is itself a fine target") {
    const xg::Tensor x = vector3(), ones = xg::ones({3});
    xg::Tape tape(xg::persistent);
    const xg::Tensor h = tape.gradient(xg::sum(x * x * x), x) * 2.;
    CHECK(near(tape.vjp(h, ones, h), ones));
    CHECK(near(tape.jvp(h, h, ones), ones));
}

TEST_CASE("hundreds of walks of one persistent tape hold hardly more than the first") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = xg::sum(x * x * x);
    tape.gradient(y, x);
    const std::size_t before = tape.bytes();
    for (int i = 0; i < 300; ++i) CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 3 * v * v; })));
    CHECK(tape.bytes() <= before + 300 * 256);
}

// ---- scopes

TEST_CASE("tapes die in any order and the rest go on") {
    const xg::Tensor x = vector3();
    std::array<int, 3> order{0, 1, 2};
    do {
        std::array<std::optional<xg::Tape>, 3> tapes;
        std::array<xg::Tensor, 3> y;
        for (std::size_t i = 0; i < 3; ++i) {
            tapes[i].emplace();
            y[i] = xg::sum(x * x * double(i + 1));
        }
        const xg::Tensor last = y[2] * 2.;
        tapes[std::size_t(order[0])].reset();
        const xg::Tensor more = last * 3.;
        const auto a = std::size_t(order[1]), b = std::size_t(order[2]);
        CHECK(near(tapes[a]->gradient(a == 2 ? more : y[a], x),
                   map(x, [&](double v) { return 2 * v * (a == 2 ? 18 : double(a + 1)); })));
        tapes[a].reset();
        CHECK(near(tapes[b]->gradient(more, x), map(x, [](double v) { return 36 * v; })));
        tapes[b].reset();
        CHECK(all_is_well());
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("tapes that are never asked leave nothing behind") {
    const xg::Tensor x = vector3();
    for (int i = 0; i < 100; ++i) {
        std::optional<xg::Tape> a(std::in_place, xg::persistent), b;
        xg::Tensor y = x * x;
        b.emplace();
        y = y * y;
        if (i % 2) a.reset();
        y = y * x;
        b.reset();
    }
    CHECK(all_is_well());
}

TEST_CASE("an exception unwinds through nested tapes") {
    const xg::Tensor x = vector3();
    xg::Tape outer(xg::persistent);
    const xg::Tensor y = xg::sum(x * x);
    for (int depth = 1; depth < 4; ++depth) {
        const std::function<void(int)> fall = [&](int left) {
            xg::Tape tape(left % 2 ? xg::persistent : xg::check_finite);
            const xg::Tensor z = x * x;
            std::optional<xg::no_record> pause;
            if (left == 2) pause.emplace();
            if (left > 1) return fall(left - 1);
            xg::matmul(x, xg::ones({5, 2}));  // throws
        };
        CHECK_THROWS_AS(fall(depth), xg::ShapeError);
        CHECK(near(outer.gradient(y * 3., x), map(x, [](double v) { return 6 * v; })));
    }
    CHECK(near(outer.gradient(y, x), map(x, [](double v) { return 2 * v; })));
}

TEST_CASE("no_record pauses the tapes of the thread, and only for its scope") {
    const xg::Tensor x = vector3();
    xg::Tape outer(xg::persistent), tape(xg::persistent);
    const xg::Tensor y = xg::sum(x * x);
    const std::size_t held = tape.nodes();
    xg::Tensor constant;
    {
        const xg::no_record pause;
        constant = x * y;
        CHECK(tape.nodes() == held);
        {
            const xg::no_record again;
            constant = constant * 1.;
        }
        constant = constant * 1.;  // still paused
        CHECK(tape.nodes() == held);
        CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));  // walks are no recording
    }
    const xg::Tensor z = xg::sum(x * constant);
    CHECK(tape.nodes() == held + 2);
    CHECK(near(tape.gradient(z, x), constant));
    CHECK(near(outer.gradient(z, {x, constant})[1], x));
    CHECK(near(tape.gradient(xg::sum(constant), x), xg::zeros({3})));
}

TEST_CASE("a tape inside no_record records, those outside do not see it") {
    const xg::Tensor x = vector3();
    xg::Tape outer(xg::persistent);
    const xg::Tensor y = xg::sum(x * x);
    const std::size_t held = outer.nodes();
    xg::Tensor g, inner_result;
    {
        const xg::no_record pause;
        xg::Tape inner;
        inner_result = xg::sum(x * x * x);
        g = inner.gradient(inner_result, x);
        CHECK(near(g, map(x, [](double v) { return 3 * v * v; })));
    }
    CHECK(outer.nodes() == held);
    CHECK(has(message<xg::TapeError>([&] { outer.gradient(inner_result, x); }), "no_record"));
    const xg::Tensor z = xg::sum(g * x);  // g is a constant here
    CHECK(near(outer.gradient(z, x), g));
    CHECK(near(outer.gradient(y, x), map(x, [](double v) { return 2 * v; })));
    CHECK(has(message<xg::TapeError>([&] {
                  xg::Tensor unseen = vector3();
                  const xg::no_record pause;
                  const xg::Tensor use = unseen * 2.;
                  outer.gradient(y, unseen);
              }),
              "never seen"));
}

TEST_CASE("no_record outlives and is outlived by tapes") {
    const xg::Tensor x = vector3();
    std::optional<xg::Tape> old, made_inside;
    std::optional<xg::no_record> pause;
    old.emplace();
    pause.emplace();
    made_inside.emplace();
    const xg::Tensor y = xg::sum(x * x);
    old.reset();
    pause.reset();
    const xg::Tensor z = y * 3.;
    CHECK(near(made_inside->gradient(z, x), map(x, [](double v) { return 6 * v; })));
    made_inside.reset();
    {
        xg::no_record alone;  // without any tape
        CHECK(all_is_well());
    }
    CHECK(all_is_well());
}

TEST_CASE("a walk inside no_record consumes the tape for good") {
    const xg::Tensor x = vector3();
    xg::Tape outer;
    {
        xg::Tape tape;
        const xg::Tensor y = xg::sum(x * x);
        {
            const xg::no_record pause;
            CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));
        }
        CHECK_THROWS_AS(tape.gradient(y, x), xg::TapeError);
    }
    const xg::Tensor z = xg::sum(x * x * x);
    CHECK(near(outer.gradient(z, x), map(x, [](double v) { return 3 * v * v; })));
}

TEST_CASE("random scopes: each tape holds what was computed while it lived, not paused and not consumed") {
    std::uint64_t state = 1;
    const auto random = [&](std::size_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return std::size_t(state >> 33) % n;
    };
    struct Known {
        std::unique_ptr<xg::Tape> tape;
        std::size_t born;       // scopes that had begun before
        std::size_t nodes = 0;  // that it should hold
        int doublings = 0;      // since `from`, none of them missed
        xg::Tensor from;
        bool persistent;
    };
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        std::vector<Known> tapes;
        struct Pause {
            std::unique_ptr<xg::no_record> scope;
            std::size_t born;
        };
        std::vector<Pause> pauses;
        std::size_t time = 0;
        xg::Tensor x(1.);
        const auto paused = [&](const Known& k) { return !pauses.empty() && pauses.back().born > k.born; };
        for (int step = 0; step < 60; ++step) {
            const std::size_t what = random(14);
            if (what == 0) {
                const bool persistent = random(2);
                tapes.push_back(
                    {std::make_unique<xg::Tape>(persistent ? xg::persistent : xg::TapeOption{0}), ++time, 0, 0, x, persistent});
            } else if (what == 1 && pauses.size() < 3) {
                pauses.push_back({std::make_unique<xg::no_record>(), ++time});
            } else if (what == 2 && !pauses.empty()) {
                pauses.pop_back();
            } else if (what == 3 && !tapes.empty()) {
                tapes.erase(tapes.begin() + std::ptrdiff_t(random(tapes.size())));
            } else if (what == 4 && !tapes.empty()) {
                const std::size_t i = random(tapes.size());
                Known& k = tapes[i];
                if (k.doublings == 0 || paused(k)) continue;
                CHECK(k.tape->gradient(x, k.from).item<double>() == std::ldexp(1., k.doublings));
                for (Known& other : tapes)  // the others have seen the walk
                    if (other.tape != k.tape && !paused(other)) other.nodes = other.tape->nodes();
                if (!k.persistent) tapes.erase(tapes.begin() + std::ptrdiff_t(i));
            } else {
                x = x * 2.;
                for (Known& k : tapes) {
                    if (paused(k)) {
                        k.doublings = 0;
                        k.from = x;
                    } else {
                        ++k.nodes;
                        ++k.doublings;
                    }
                }
            }
            for (const Known& k : tapes)
                if (!paused(k)) CHECK(k.tape->nodes() == k.nodes);
        }
        while (!pauses.empty()) pauses.pop_back();
    }
    CHECK(all_is_well());
}

TEST_CASE("stop_gradient is a constant with the same values") {
    const xg::Tensor x = vector3();
    xg::Tape outer(xg::persistent), tape(xg::persistent);
    const xg::Tensor h = x * x, s = xg::stop_gradient(h), y = xg::sum(h * s);
    CHECK(near(s, h));
    CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v * v * v; })));
    CHECK(near(outer.gradient(y, x), map(x, [](double v) { return 2 * v * v * v; })));
    CHECK(near(tape.gradient(y, s), h));
    CHECK(near(tape.gradient(xg::sum(s) + xg::sum(x), x), {1., 1., 1.}));
    CHECK_THROWS_AS(tape.gradient(xg::sum(xg::stop_gradient(x) * 2.), xg::stop_gradient(x)), xg::TapeError);
}

// ---- check_finite

TEST_CASE("check_finite names the first op that makes a NaN or an infinity, and the tape goes on") {
    const xg::Tensor x = xg::tensor({0.5, -1.25, 2.}), big = xg::full({2, 3}, 200., xg::f32);
    xg::Tape tape(xg::check_finite);
    const auto first = [](auto f) { return message<xg::TapeError>(f); };
    std::string text = first([&] { xg::exp(xg::log(x * x) + xg::log(x)); });
    CHECK(has(text, "[log]"));
    CHECK(has(text, "NaN"));
    CHECK(has(text, "(3,)"));
    CHECK(has(first([&] { xg::log(xg::exp(big)); }), "[exp]"));
    CHECK(has(first([&] { xg::log(xg::exp(big)); }), "f32"));
    CHECK(has(first([&] { x / (x - x); }), "[divide]"));
    CHECK(has(first([&] { xg::matmul(xg::full({2, 3}, 1e300), xg::full({3, 4}, 1e300)); }), "[matmul]"));
    CHECK(has(first([&] { xg::sum(xg::full({7}, 1e308) * 1.); }), "[sum]"));
    const xg::Tensor y = xg::sum(x * x);
    CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));
    CHECK(std::isnan(numbers(xg::log(x))[1]));  // consumed: nobody checks
}

TEST_CASE("check_finite also names ops on the way back and along a tangent") {
    const xg::Tensor x = xg::tensor({4., 0., 1.});
    {
        xg::Tape tape(xg::check_finite);
        const xg::Tensor y = xg::sum(xg::sin(xg::sqrt(x) * 2.));
        const std::string text = message<xg::TapeError>([&] { tape.gradient(y, x); });
        CHECK(has(text, "[sqrt]"));
        CHECK(has(text, "cotangent"));
    }
    CHECK(all_is_well());
    {
        xg::Tape tape(xg::check_finite | xg::persistent);
        const xg::Tensor z = xg::sum(x * x), y = xg::sqrt(x) * 2.;
        const std::string text = message<xg::TapeError>([&] { tape.jvp(y, x, x + 1.); });
        CHECK(has(text, "[sqrt]"));
        CHECK(has(text, "tangent"));
        CHECK(near(tape.gradient(z, x), map(x, [](double v) { return 2 * v; })));  // persistent: it goes on
        CHECK(has(message<xg::TapeError>([&] { tape.gradient(xg::sum(y), x); }), "[sqrt]"));
        CHECK(near(tape.jvp(z, x, x), {2 * (16 + 0 + 1.)}));
    }
    CHECK(all_is_well());
}

TEST_CASE("check_finite is a property of one tape") {
    const xg::Tensor x = xg::tensor({1., -1., 2.});
    xg::Tape plain(xg::persistent);
    {
        xg::Tape checking(xg::check_finite);
        CHECK_THROWS_AS(xg::log(x), xg::TapeError);
        const xg::no_record pause;
        CHECK_NOTHROW(xg::log(x));
    }
    CHECK_NOTHROW(xg::log(x));
    const xg::Tensor y = xg::sum(xg::where(x > 0., xg::sqrt(xg::maximum(x, xg::full({3}, 0.))), 0.));
    CHECK_NOTHROW(plain.gradient(y, x));
    xg::Tape outer(xg::check_finite);
    xg::Tape inner;  // its adjoint is recorded by the outer one, which looks
    const xg::Tensor z = xg::sum(xg::sqrt(x * 0.));
    CHECK(has(message<xg::TapeError>([&] { inner.gradient(z, x); }), "NaN or an infinity"));
    const xg::Tensor w = xg::sum(x * x);
    CHECK(near(outer.gradient(w, x), map(x, [](double v) { return 2 * v; })));
}

TEST_CASE("a walk computes nothing for branches that do not lead to the result") {
    const xg::Tensor x = xg::tensor({4., 0., 1.});
    const auto adjoint_nodes = [&](bool forward, bool beside) {
        xg::Tape outer, tape;
        const xg::Tensor h = x * 2., aside = beside ? xg::sqrt(xg::exp(h)) * xg::sin(h) : h, y = xg::sum(h * h);
        const std::size_t before = outer.nodes();
        forward ? tape.jvp(y, x, x) : tape.gradient(y, x);
        return outer.nodes() - before;
    };
    CHECK(adjoint_nodes(false, true) == adjoint_nodes(false, false));
    CHECK(adjoint_nodes(true, true) == adjoint_nodes(true, false));
    // Nor for inputs that nobody asked for, nor for what lies before the target.
    const auto nodes_for = [&](int target) {
        const xg::Tensor a = xg::ones({2, 3}), b = xg::ones({3, 4});
        xg::Tape outer, tape;
        const xg::Tensor h = xg::tanh(xg::exp(a)), y = xg::matmul(h, b);
        const std::size_t before = outer.nodes();
        tape.vjp(y, y, target == 0 ? h : target == 1 ? b : a);
        return outer.nodes() - before;
    };
    CHECK(nodes_for(0) == nodes_for(1));
    CHECK(nodes_for(2) >= nodes_for(0) + 2);
    // Nor does an infinite slope beside the way disturb anybody.
    xg::Tape tape(xg::check_finite | xg::persistent);
    const xg::Tensor aside = xg::sqrt(x), y = xg::sum(x * x);
    CHECK(near(tape.gradient(y, x), {8., 0., 2.}));
    CHECK(message<xg::TapeError>([&] { CHECK(near(tape.jvp(y, x, x), {34.})); }) == "");
}

// ---- on_ready

TEST_CASE("on_ready is called once for each target, with what gradient returns") {
    const xg::Tensor x = vector3(), w = matrix23(), unused = xg::ones({4}), seen = xg::ones({5});
    for (const bool persistent : {false, true}) {
        xg::Tape tape(persistent ? xg::persistent : xg::TapeOption{0});
        const xg::Tensor dead = seen * 2., h = xg::matmul(w, x), k = xg::tanh(h), y = xg::sum(k * k);
        const std::vector<xg::Tensor> targets{x, unused, h, x, y, w, seen, dead, k, h, w, x};
        std::vector<int> calls(targets.size(), 0);
        std::vector<xg::Tensor> handed(targets.size());
        const auto g = tape.gradient(y, targets, xg::zeros_if_unused, xg::on_ready([&](std::size_t i, const xg::Tensor& t) {
                                         REQUIRE(i < targets.size());
                                         ++calls[i];
                                         handed[i] = t;
                                     }));
        for (std::size_t i = 0; i < targets.size(); ++i) {
            CHECK(calls[i] == 1);
            CHECK(near(handed[i], g[i]));
            CHECK(g[i].shape() == targets[i].shape());
        }
        CHECK(g[4].item<double>() == 1);
        CHECK(near(g[1], xg::zeros({4})));
        CHECK(near(g[6], xg::zeros({5})));
        const Numbers u = map(h, [](double v) { return 2 * std::tanh(v) * (1 - std::tanh(v) * std::tanh(v)); });
        CHECK(near(g[2], u));
        CHECK(near(g[9], u));
    }
}

namespace {

/// The order in which gradients of y are handed out, as letters of the targets.
std::string order_of(xg::Tape& tape, const xg::Tensor& y, const std::vector<xg::Tensor>& targets, const std::string& letters) {
    std::string order;
    tape.gradient(y, targets, xg::on_ready([&](std::size_t i, const xg::Tensor&) { order += letters[i]; }));
    return order;
}

}  // namespace

TEST_CASE("a gradient is handed out before the walk goes on to earlier ops") {
    // Layers: the last layer's weight is complete first, and while it is handed out the first layer has not been
    // walked.
    const xg::Tensor x = vector3();
    std::vector<xg::Tensor> w;
    for (int i = 0; i < 5; ++i) w.push_back(xg::full({3}, 0.5 + i));
    {
        xg::Tape tape;
        xg::Tensor h = x;
        for (const xg::Tensor& each : w) h = xg::tanh(h * each);
        CHECK(order_of(tape, xg::sum(h), w, "01234") == "43210");
    }
    {
        // An outer tape counts the adjoint ops that have run at each call.
        xg::Tape outer;
        std::vector<std::size_t> walked;
        std::size_t at_end = 0;
        {
            xg::Tape tape;
            xg::Tensor h = x;
            for (const xg::Tensor& each : w) h = xg::tanh(h * each);
            const xg::Tensor y = xg::sum(h);
            tape.gradient(y, w, xg::on_ready([&](std::size_t, const xg::Tensor&) { walked.push_back(outer.nodes()); }));
            at_end = outer.nodes();
        }
        REQUIRE(walked.size() == 5);
        for (std::size_t i = 1; i < 5; ++i) CHECK(walked[i] >= walked[i - 1] + 3);
        CHECK(walked[4] <= at_end);
    }
}

TEST_CASE("an intermediate's gradient is handed out as soon as its first use is walked") {
    const xg::Tensor x(0.5), w(1.5);
    xg::Tape tape;
    const xg::Tensor early = xg::sin(x);
    xg::Tensor h = w;
    for (int i = 0; i < 10; ++i) h = h * w;
    const xg::Tensor y = early * h;  // early's gradient is complete after this op, the last one, before all of w's ops
    CHECK(order_of(tape, y, {w, early}, "we") == "ew");
}

TEST_CASE("a use that does not lead to the result does not hold a gradient back") {
    const xg::Tensor x(0.5), w(1.5);
    xg::Tape tape;
    const xg::Tensor dead = xg::exp(x);
    xg::Tensor h = w;
    for (int i = 0; i < 10; ++i) h = h * w;
    CHECK(order_of(tape, h * x, {w, x}, "wx") == "xw");
}

TEST_CASE("an exception in on_ready leaves the program usable") {
    const xg::Tensor x = vector3(), w = xg::tensor({2., 3., 4.});
    struct Stop {};
    const auto stop = xg::on_ready([](std::size_t i, const xg::Tensor&) {
        if (i == 1) throw Stop();
    });
    xg::Tape outer(xg::persistent);
    {
        xg::Tape tape(xg::persistent);
        const xg::Tensor y = xg::sum(xg::sin(x * x) * w);
        const xg::Tensor before = tape.gradient(y, x);
        std::vector<xg::Tensor> result{x};
        CHECK_THROWS_AS(result = tape.gradient(y, std::vector{x, w}, stop), Stop);
        CHECK(result.size() == 1);
        CHECK(near(tape.gradient(y, x), before));  // persistent: as if nothing had been
        CHECK(near(outer.gradient(y, x), before));
    }
    {
        xg::Tape tape;
        const xg::Tensor y = xg::sum(xg::sin(x * x) * w);
        CHECK_THROWS_AS(tape.gradient(y, std::vector{x, w}, stop), Stop);
        CHECK_THROWS_AS(tape.gradient(y, x), xg::TapeError);
        CHECK(near(outer.gradient(y, w), map(x, [](double v) { return std::sin(v * v); })));
    }
    CHECK(all_is_well());
}

TEST_CASE("on_ready may use tensors and tapes of its own") {
    const xg::Tensor x = vector3(), w = xg::tensor({2., 3., 4.});
    std::optional<xg::Tape> survivor;
    xg::Tensor late;
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = xg::sum(x * x * w);
    const auto step = xg::on_ready([&](std::size_t i, const xg::Tensor& g) {
        CHECK(all_is_well());
        xg::Tensor moved = x - g * 0.1;  // an optimizer's step
        if (i == 0) {
            survivor.emplace();
            late = g * moved;
        }
    });
    const auto [dx, dw] = tape.gradient(y, {x, w}, step);
    CHECK(near(dw, map(x, [](double v) { return v * v; })));
    CHECK(near(dx, {2 * 0.5 * 2, -2 * 1.25 * 3, 2 * 2. * 4}));
    const xg::Tensor after = xg::sum(late * x);
    CHECK(near(survivor->gradient(after, x), late));
    survivor.reset();
    CHECK(near(tape.gradient(y, w), dw));
}

TEST_CASE("on_ready may rebind the very targets, as an optimizer does that steps while the walk goes on") {
    const auto step = [](std::size_t n, bool intermediates, bool clear) {
        const xg::Tensor x = vector3();
        std::vector<xg::Tensor> params, tail;
        xg::Tape tape;
        xg::Tensor y = x;
        for (std::size_t i = 0; i < n; ++i) {
            params.push_back(intermediates && i % 2 ? xg::tanh(y) : xg::full({3}, 1. + 0.1 * double(i)));
            y = y * params.back();
        }
        params.push_back(params[0]);  // one of them twice
        std::vector<xg::Tensor> targets = params, handed(params.size());
        std::vector<int> calls(params.size(), 0);
        const xg::Tensor s = xg::sum(y);
        const auto g = tape.gradient(s, targets, xg::zeros_if_unused, xg::on_ready([&](std::size_t i, const xg::Tensor& t) {
                                         ++calls[i];
                                         handed[i] = t;
                                         if (clear)
                                             targets.clear();
                                         else
                                             targets[i] = targets[i] - t * 0.1;
                                     }));
        bool good = true;
        for (std::size_t i = 0; i < params.size(); ++i) {
            // The same, from a tape on which nobody rebinds.
            xg::Tape quiet;
            xg::Tensor z = x, target;
            for (std::size_t k = 0; k < n; ++k) {
                const xg::Tensor p = intermediates && k % 2 ? xg::tanh(z) : params[k] * 1.;
                if (k == i % n) target = p;
                z = z * p;
            }
            good &= calls[i] == 1 && near(handed[i], g[i]) && near(g[i], quiet.gradient(xg::sum(z), target), 1e-12);
        }
        return good && all_is_well();
    };
    for (const std::size_t n : {3u, 20u})
        for (const bool intermediates : {false, true})
            for (const bool clear : {false, true}) {
                CAPTURE(n);
                CAPTURE(intermediates);
                CAPTURE(clear);
                CHECK(survives([&] { return step(n, intermediates, clear); }));
            }
    CHECK(survives([] {
        xg::Tensor x = vector3();
        const xg::Tensor before = x;
        xg::Tape tape;
        const xg::Tensor h = x * x, y = xg::sum(h * h);
        const xg::Tensor g = tape.gradient(y, x, xg::on_ready([&](std::size_t, const xg::Tensor& t) { x -= t * 0.1; }));
        return near(g, map(before, [](double v) { return 4 * v * v * v; }));
    }));
}

TEST_CASE("a walk inside on_ready of the same tape is refused or right, and crashes nothing") {
    const auto nested = [](xg::TapeOption option) {
        const xg::Tensor x = vector3(), w = xg::tensor({2., 3., 4.});
        const Numbers dx{2 * 0.5 * 2, -2 * 1.25 * 3, 2 * 2. * 4};
        bool good = true;
        {
            xg::Tape tape(option);
            const xg::Tensor h = x * x, y = xg::sum(xg::exp(h * 0.) * h * w);
            const auto [gx, gw] = tape.gradient(y, {x, w}, xg::on_ready([&](std::size_t, const xg::Tensor&) {
                                                    try {
                                                        good &= near(tape.gradient(y, x), dx);
                                                    } catch (const xg::TapeError&) {
                                                    }
                                                }));
            good &= near(gx, dx) && near(gw, map(x, [](double v) { return v * v; }));
        }
        return good && all_is_well();
    };
    CHECK(survives([&] { return nested(xg::persistent); }));
    CHECK(survives([&] { return nested(xg::TapeOption{0}); }));
}

// ---- what a tape says of itself

TEST_CASE("nodes counts ops, bytes counts what they hold, each buffer once") {
    const xg::Tensor a = xg::ones({300, 200}), b = xg::ones({200, 7});
    xg::Tape tape(xg::persistent);
    CHECK(tape.nodes() == 0);
    const std::size_t empty = tape.bytes();
    xg::Tensor y = xg::matmul(a, b);
    CHECK(tape.nodes() == 1);
    const std::size_t data = 8 * (300 * 200 + 200 * 7), one = tape.bytes() - empty;
    CHECK(one >= data);
    CHECK(one < data + 2000);
    const xg::Tensor z = xg::matmul(a, b), mask = a > 0.;
    CHECK(tape.nodes() == 2);
    CHECK(tape.bytes() - empty < data + 4000);
    y = y + z;  // an addition keeps nothing
    CHECK(tape.nodes() == 3);
    CHECK(tape.bytes() - empty < data + 6000);
    const xg::Tensor t = xg::transpose(a);
    CHECK(tape.bytes() - empty < data + 8000);
    CHECK(near(tape.gradient(xg::sum(y), b), Numbers(1400, 600.)));
}

TEST_CASE("nodes and bytes of an older tape hold those of a younger one") {
    const xg::Tensor x = vector3();
    xg::Tape outer;
    const xg::Tensor y = x * x;
    xg::Tape inner;
    const xg::Tensor z = xg::sum(y * x);
    CHECK(inner.nodes() == 2);
    CHECK(outer.nodes() == 3);
    CHECK(outer.bytes() > inner.bytes());
}

TEST_CASE("nodes leaves out what is computed while the tape is paused, also during the pause") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    const xg::Tensor y = xg::sum(x * x);
    {
        const xg::no_record pause;
        xg::Tape inner;
        const xg::Tensor z = xg::exp(x);
        CHECK(inner.nodes() == 1);
        CHECK(tape.nodes() == 2);
    }
    CHECK(tape.nodes() == 2);
    tape.gradient(y, x, xg::on_ready([&](std::size_t, const xg::Tensor&) { CHECK(tape.nodes() == 2); }));
    CHECK(tape.nodes() == 2);
}

namespace {

struct Picture {
    std::string text;
    std::map<std::string, std::string> label;       // of each vertex
    std::vector<std::array<std::string, 3>> edges;  // from, to, label

    explicit Picture(const xg::Tape& tape) {
        std::ostringstream os;
        tape.dot(os);
        text = os.str();
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            const std::string id = word(line, line.find_first_not_of(' ')), named = quoted(line);
            if (const auto arrow = line.find(" -> "); arrow != std::string::npos)
                edges.push_back({id, word(line, arrow + 4), named});
            else if (id.size() > 1 && std::isdigit(id[1]))
                label[id] = named;
        }
    }
    static std::string word(const std::string& line, std::size_t at) {
        return line.substr(std::min(at, line.size()), line.find_first_of(" ;", at) - at);
    }
    /// What stands in label="...".
    static std::string quoted(const std::string& line) {
        const auto at = line.find("label=\"");
        return at == std::string::npos ? "" : line.substr(at + 7, line.find('"', at + 7) - at - 7);
    }
    /// The vertex of the only op of this name.
    std::string find(const std::string& name) const {
        std::string found;
        for (const auto& [id, text_of] : label)
            if (text_of.starts_with(name + "\\n")) {
                CHECK(found.empty());
                found = id;
            }
        CHECK_FALSE(found.empty());
        return found;
    }
    bool has_edge(const std::string& from, const std::string& to, const std::string& number) const {
        return std::find(edges.begin(), edges.end(), std::array{from, to, number}) != edges.end();
    }
    std::size_t ops() const {
        std::size_t n = 0;
        for (const auto& [id, text_of] : label) n += id[0] == 'n';
        return n;
    }
};

bool valid_for_graphviz(const std::string& text) {
    if (std::system("command -v dot > /dev/null 2>&1") != 0) return true;
    const std::string path = "xtgrad_tape_" + std::to_string(getpid()) + ".dot";
    std::ofstream(path) << text;
    const bool valid = std::system(("dot -Tsvg " + path + " > /dev/null 2>&1").c_str()) == 0;
    std::remove(path.c_str());
    return valid;
}

}  // namespace

TEST_CASE("dot draws ops with names and shapes, and edges with the input that they are") {
    const xg::Tensor a = matrix23(), b = xg::ones({3, 4}), c = xg::ones({4}), d = xg::ones({2, 1});
    xg::Tape tape(xg::persistent);
    const xg::Tensor p = xg::matmul(a, b), s = xg::sin(d), e = xg::exp(c), difference = s - e, y = xg::sum(p * difference);
    const Picture picture(tape);
    CHECK(picture.ops() == tape.nodes());
    CHECK(picture.label.at(picture.find("matmul")) == "matmul\\n(2, 4) f64");
    CHECK(picture.label.at(picture.find("subtract")) == "subtract\\n(2, 4) f64");
    CHECK(picture.label.at(picture.find("sum")) == "sum\\n() f64");
    CHECK(picture.has_edge(picture.find("sin"), picture.find("subtract"), "0"));
    CHECK(picture.has_edge(picture.find("exp"), picture.find("subtract"), "1"));
    CHECK(picture.has_edge(picture.find("matmul"), picture.find("multiply"), "0"));
    CHECK(picture.has_edge(picture.find("subtract"), picture.find("multiply"), "1"));
    CHECK(picture.has_edge(picture.find("multiply"), picture.find("sum"), ""));
    CHECK(has(picture.text, "(3, 4)"));  // the leaf b
    CHECK(picture.edges.size() == 9);
    CHECK(valid_for_graphviz(picture.text));
}

TEST_CASE("dot draws what the tape holds, not what it paused for") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    CHECK(Picture(tape).ops() == 0);
    CHECK(valid_for_graphviz(Picture(tape).text));
    const xg::Tensor y = xg::sum(xg::sin(x));
    {
        const xg::no_record pause;
        xg::Tape inner;
        const xg::Tensor hidden = xg::cos(x);
    }
    tape.gradient(y, x);
    const xg::Tensor z = y * y;
    const Picture picture(tape);
    CHECK(tape.nodes() == 3);
    CHECK(picture.ops() == tape.nodes());
    CHECK_FALSE(has(picture.text, "cos"));
    CHECK(valid_for_graphviz(picture.text));
}

// ---- errors consume nothing

TEST_CASE("after every kind of error the same tape gives the right gradient") {
    const xg::Tensor x = matrix23(), w = xg::tensor({2., 3., 4.}), unseen = xg::ones({2}), outside(1.), wide = xg::ones({3, 2}),
                     f = xg::ones({2, 3}, xg::f32);
    const xg::Tensor labels = xg::tensor({0, 1, 2}), none;
    const auto bad = [&](int which, xg::Tape& tape, const xg::Tensor& y, const xg::Tensor& z) {
        switch (which) {
            case 0: tape.gradient(z, x); break;
            case 1: tape.gradient(outside, x); break;
            case 2: tape.gradient(y, unseen); break;
            case 3: tape.gradient(y, {x, unseen, w}); break;
            case 4: tape.gradient(none, x); break;
            case 5: tape.gradient(y, none); break;
            case 6: tape.gradient(y, labels); break;
            case 7: tape.gradient(labels, x); break;
            case 8: tape.vjp(z, wide, x); break;
            case 9: tape.vjp(z, f, x); break;
            case 10: tape.vjp(z, none, x); break;
            case 11: tape.vjp(z, labels, x); break;
            case 12: tape.jvp(y, x, wide); break;
            case 13: tape.jvp(y, x, f); break;
            case 14: tape.jvp(y, x, none); break;
            case 15: tape.jvp(y, std::vector{x, w}, std::vector{x}); break;
            case 16: tape.jvp(y, unseen, unseen); break;
            case 17: tape.jvp(outside, x, x); break;
            case 18: tape.jvp(none, x, x); break;
            case 19: tape.jvp(y, {x, labels}, {x, labels}); break;
            case 20: elsewhere([&] { CHECK_THROWS_AS(tape.gradient(y, x), xg::TapeError); }); throw xg::TapeError("");
            case 21: tape.gradient(y, std::vector{w, unseen}, xg::on_ready([](auto, auto&) { CHECK(false); })); break;
            default: throw std::logic_error("no such case");
        }
    };
    for (const xg::TapeOption option : {xg::TapeOption{0}, xg::persistent, xg::check_finite}) {
        xg::Tape outer, tape(option);
        const xg::Tensor z = x * w, y = xg::sum(z * z);
        const std::size_t held = tape.nodes(), outer_held = outer.nodes();
        const auto expected = [&](double v, double u) { return 2 * v * u * u; };
        for (int i = 0; i < 22; ++i) {
            CAPTURE(i);
            CHECK_THROWS_AS(bad(i, tape, y, z), xg::Error);
            CHECK(tape.nodes() == held);
            CHECK(outer.nodes() == outer_held);
        }
        const auto [dx, dw] = tape.gradient(y, {x, w});
        for (std::size_t i = 0; i < 6; ++i) CHECK(numbers(dx)[i] == doctest::Approx(expected(numbers(x)[i], numbers(w)[i % 3])));
        CHECK(near(outer.gradient(y, x), dx));
    }
}

TEST_CASE("tape errors name the call, what is wrong and what to do") {
    const xg::Tensor x = matrix23(), labels = xg::tensor({0, 1, 2}), f = xg::ones({2, 3}, xg::f32);
    xg::Tape tape;
    const xg::Tensor z = x * x, y = xg::sum(z);
    std::string text = message<xg::ShapeError>([&] { tape.vjp(z, xg::ones({3}), x); });
    CHECK((has(text, "[vjp]") && has(text, "(3,)") && has(text, "(2, 3)") && has(text, "broadcast_to")));
    text = message<xg::DtypeError>([&] { tape.vjp(z, f, x); });
    CHECK((has(text, "[vjp]") && has(text, "f32") && has(text, "f64") && has(text, "astype")));
    text = message<xg::ShapeError>([&] { tape.jvp(z, x, xg::ones({3, 2})); });
    CHECK((has(text, "[jvp]") && has(text, "(3, 2)") && has(text, "(2, 3)") && has(text, "broadcast_to")));
    text = message<xg::DtypeError>([&] { tape.jvp(z, x, f); });
    CHECK((has(text, "[jvp]") && has(text, "f32") && has(text, "f64") && has(text, "astype")));
    text = message<xg::DtypeError>([&] { tape.gradient(y, labels); });
    CHECK((has(text, "[gradient]") && has(text, "i64") && has(text, "(3,)") && has(text, "astype")));
    text = message<xg::TapeError>([&] { tape.jvp(z, std::vector{x, y}, std::vector{x}); });
    CHECK((has(text, "[jvp]") && has(text, "2") && has(text, "1") && has(text, "one tangent for each")));
    text = message<xg::Error>([&] { tape.gradient(xg::Tensor(), x); });
    CHECK((has(text, "[gradient]") && has(text, "empty tensor") && has(text, "assign")));
    CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));
}

// ---- threads

TEST_CASE("a tape belongs to its thread; a call from another is an error and consumes nothing") {
    const xg::Tensor x = vector3();
    xg::Tape tape;
    const xg::Tensor y = xg::sum(x * x);
    for (const bool busy : {false, true})
        elsewhere([&] {
            std::optional<xg::Tape> own;
            if (busy) own.emplace();
            const xg::Tensor mine = xg::sum(x * x * x);
            std::ostringstream os;
            for (const std::string& text :
                 {message<xg::TapeError>([&] { tape.gradient(y, x); }),
                  message<xg::TapeError>([&] { tape.vjp(y, xg::Tensor(1.), x); }),
                  message<xg::TapeError>([&] { tape.jvp(y, x, x); }), message<xg::TapeError>([&] { tape.gradient(mine, x); }),
                  message<xg::TapeError>([&] { static_cast<void>(tape.nodes()); }),
                  message<xg::TapeError>([&] { static_cast<void>(tape.bytes()); }),
                  message<xg::TapeError>([&] { tape.dot(os); })})
                CHECK(has(text, "another thread"));
            if (busy) CHECK(near(own->gradient(mine, x), map(x, [](double v) { return 3 * v * v; })));
        });
    CHECK(tape.nodes() == 2);
    CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));
}

TEST_CASE("what another thread computes is not recorded, and a no_record there pauses nobody here") {
    const xg::Tensor x = vector3();
    xg::Tape tape;
    xg::Tensor theirs;
    elsewhere([&] {
        const xg::no_record pause;
        theirs = x * x;
    });
    CHECK(tape.nodes() == 0);
    const xg::Tensor y = xg::sum(x * theirs);
    CHECK(tape.nodes() == 2);
    CHECK(near(tape.gradient(y, x), theirs));
}

TEST_CASE("a tape may die on another thread than its own") {
    const xg::Tensor x = vector3();
    for (int round = 0; round < 20; ++round) {
        auto doomed = std::make_unique<xg::Tape>(round % 3 ? xg::persistent : xg::check_finite);
        std::optional<xg::Tape> other;
        if (round % 2) other.emplace();
        const xg::Tensor y = xg::sum(x * x);
        if (round % 5 == 1) doomed->gradient(y, x);
        elsewhere([t = std::move(doomed)]() mutable { t.reset(); });
        const xg::Tensor z = y * 2.;
        if (other) CHECK(near(other->gradient(z, x), map(x, [](double v) { return 4 * v; })));
        CHECK(all_is_well());
        const xg::no_record pause;
        CHECK(all_is_well());
    }
}

TEST_CASE("a tape whose thread has ended can be asked, in vain, and destroyed") {
    const xg::Tensor x = vector3();
    std::vector<std::unique_ptr<xg::Tape>> orphans;
    xg::Tensor y;
    for (int i = 0; i < 4; ++i)
        elsewhere([&] {
            orphans.push_back(std::make_unique<xg::Tape>());
            y = xg::sum(x * x);
        });
    for (const auto& tape : orphans) CHECK_THROWS_AS(tape->gradient(y, x), xg::TapeError);
    {
        xg::Tape mine;
        for (const auto& tape : orphans) CHECK_THROWS_AS(tape->gradient(y, x), xg::TapeError);
        orphans.pop_back();
        const xg::Tensor z = xg::sum(y * x);
        CHECK(near(mine.gradient(z, x), Numbers(3, y.item<double>())));
    }
    elsewhere([&] { orphans.clear(); });
    CHECK(all_is_well());
}

TEST_CASE("tapes and tensors may be thread_local, made in either order") {
    const xg::Tensor x = vector3();
    elsewhere([&] {
        thread_local std::optional<xg::Tape> tape;  // dies after the record
        thread_local xg::Tensor kept;
        tape.emplace();
        kept = x * x;
    });
    elsewhere([&] {
        const xg::Tensor first = x * x;
        { xg::Tape early; }
        thread_local xg::Tensor kept;
        thread_local std::optional<xg::Tape> tape;  // dies before the record
        tape.emplace();
        kept = xg::sum(x * x * x);
    });
    bool good = false;
    elsewhere([&] {
        struct Late {  // uses the library while the thread ends
            xg::Tensor x;
            bool* good;
            ~Late() {
                *good = numbers(x * x + xg::ones({1000, 3}))[0] == 1.25;
                message<xg::TapeError>([&] { xg::Tape tape; });
            }
        };
        thread_local Late late{x, &good};
        xg::Tape tape;
        const xg::Tensor y = xg::sum(late.x * late.x);
        CHECK(near(tape.gradient(y, late.x), map(x, [](double v) { return 2 * v; })));
    });
    CHECK(good);
    CHECK(all_is_well());
}

TEST_CASE("threads differentiate with the same parameters at once") {
    const xg::Tensor w = matrix23(), b = xg::tensor({0.25, -0.5});
    std::vector<std::thread> threads;
    std::vector<std::vector<xg::Tensor>> results(4);
    std::vector<std::size_t> held(4);
    for (std::size_t i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            const xg::Tensor x = vector3() * double(i + 1);
            for (int round = 0; round < 50; ++round) {
                xg::Tape tape;
                const xg::Tensor y = xg::sum(xg::square(xg::matmul(w, x) + b));
                held[i] = tape.nodes();
                const auto [dw, db] = tape.gradient(y, {w, b});
                results[i] = {dw, db};
            }
        });
    for (auto& t : threads) t.join();
    const Numbers m = numbers(w), x = numbers(vector3());
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(held[i] == held[0]);
        for (std::size_t r = 0; r < 2; ++r) {
            double sum = numbers(b)[r];
            for (std::size_t k = 0; k < 3; ++k) sum += m[r * 3 + k] * x[k] * double(i + 1);
            CHECK(numbers(results[i][1])[r] == doctest::Approx(2 * sum));
            for (std::size_t k = 0; k < 3; ++k)
                CHECK(numbers(results[i][0])[r * 3 + k] == doctest::Approx(2 * sum * x[k] * double(i + 1)));
        }
    }
}
