// What nodes keep of their inputs: many of them, one twice, shapes of every kind.
#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "common.hpp"

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
