// Targets: in which ways they are given, and that each gets its own gradient.
#include <doctest/doctest.h>

#include <cmath>

#include <xtensor/xarray.hpp>

#include "common.hpp"

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
