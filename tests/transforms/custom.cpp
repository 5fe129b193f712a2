// Ops with rules of one's own.
#include "near.hpp"

#include <sstream>

namespace {

Tensor cube(const Tensor& x) {
    return xg::custom(
        "cube", [](const Tensor& t) { return t * t * t; },
        [](const Tensor& g, const Tensor& t, const Tensor&) { return g * 3.0 * t * t; }, x);
}

/// a e^b, whose adjoint reads the result.
Tensor scaled(const Tensor& a, const Tensor& b) {
    return xg::custom(
        "scaled", [](const Tensor& p, const Tensor& q) { return p * xg::exp(q); },
        [](const Tensor& g, const Tensor&, const Tensor& q, const Tensor& y) {
            return std::array<Tensor, 2>{g * xg::exp(q), g * y};
        },
        a, b);
}

/// Forward 0 or 1, backward the identity.
Tensor straight_through(const Tensor& x) {
    return xg::custom(
        "straight_through", [](const Tensor& t) { return xg::where(t > 0., xg::ones_like(t), 0.); },
        [](const Tensor& g, const Tensor&, const Tensor&) { return g; }, x);
}

}  // namespace

TEST_CASE("a custom op of one input, in both modes and to the third order") {
    const Tensor x = normal({3}, 1), dx = normal({3}, 2);
    CHECK(near(cube(x), x * x * x));
    CHECK_NOTHROW(xg::gradcheck(cube, x));
    CHECK(near(xg::jvp(cube, x, dx).second, 3. * x * x * dx));
    const auto total = [](const Tensor& t) { return xg::sum(cube(t)); };
    CHECK(near(xg::grad(total)(x), 3. * x * x));
    CHECK(near(xg::hvp(total)(x, dx), 6. * x * dx));
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(xg::hvp(total)(t, dx)); })(x), 6. * dx));
    xg::Tape tape;
    const Tensor y = cube(x);
    CHECK(tape.nodes() == 1);
    std::ostringstream picture;
    tape.dot(picture);
    CHECK(has(picture.str(), "cube"));
}

TEST_CASE("several inputs, and an adjoint that reads the result") {
    const Tensor a = normal({2, 3}, 1), b = normal({2, 3}, 2);
    CHECK(near(scaled(a, b), a * xg::exp(b)));
    CHECK_NOTHROW(xg::gradcheck(scaled, a, b));
    CHECK(near(xg::jvp([&](const Tensor& q) { return scaled(a, q); }, b, a).second, a * a * xg::exp(b)));
    const auto H = xg::hessian([](const Tensor& p, const Tensor& q) { return xg::sum(scaled(p, q)); })(a, b);
    CHECK(near(xg::reshape(H[0][1], {6, 6}), xg::diag(xg::reshape(xg::exp(b), {6}))));
    CHECK(near(xg::reshape(H[1][1], {6, 6}), xg::diag(xg::reshape(a * xg::exp(b), {6}))));
}

TEST_CASE("a straight-through estimator") {
    const Tensor x = xg::tensor({-1., 0.5, 2.}), w = normal({3}, 1);
    CHECK(near(straight_through(x), xg::tensor({0., 1., 1.})));
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(w * straight_through(t)); })(x), w));
    CHECK(near(xg::jvp(straight_through, x, w).second, w));
}

TEST_CASE("a tangent rule of one's own is used") {
    int called = 0;
    const auto op = [&](const Tensor& a, const Tensor& b) {
        return xg::custom(
            "product", [](const Tensor& p, const Tensor& q) { return p * q; },
            [](const Tensor& g, const Tensor& p, const Tensor& q, const Tensor&) {
                return std::array<Tensor, 2>{g * q, g * p};
            },
            [&called](const Tensor& dp, const Tensor& dq, const Tensor& p, const Tensor& q, const Tensor&) {
                ++called;
                return dp * q + p * dq;
            },
            a, b);
    };
    const Tensor a = normal({2}, 1), b = normal({2}, 2);
    CHECK(near(xg::jvp([&](const Tensor& p) { return op(p, b); }, a, b).second, b * b));
    CHECK(called == 1);
    CHECK_NOTHROW(xg::gradcheck(op, a, b));
}

TEST_CASE("the forward function is not recorded: a root by Newton's method, its derivative by the implicit function") {
    const auto root = [](const Tensor& a) {
        return xg::custom(
            "root",
            [](const Tensor& t) {
                Tensor y = t;
                const auto slope = xg::grad([](auto& s) { return xg::sum(s * s); });
                for (int i = 0; i < 40; ++i) y -= (y * y - t) / slope(y);
                return y;
            },
            [](const Tensor& g, const Tensor&, const Tensor& y) { return g / (2. * y); }, a);
    };
    const Tensor a = positive({3}, 1);
    xg::Tape tape;
    const Tensor y = root(a);
    CHECK(tape.nodes() == 1);
    CHECK(near(y, xg::sqrt(a)));
    CHECK(near(tape.gradient(xg::sum(y), a), 0.5 / xg::sqrt(a)));
    CHECK_NOTHROW(xg::gradcheck(root, a));
}

TEST_CASE("empty cotangents are zero; integer inputs have none") {
    const Tensor x = normal({3}, 1), index = xg::tensor({2, 0});
    const auto pick = [&](const Tensor& t) {
        return xg::custom(
            "pick", [](const Tensor& s, const Tensor& i) { return xg::take(s, i); },
            [](const Tensor& g, const Tensor& s, const Tensor& i, const Tensor&) {
                return std::array<Tensor, 2>{xg::index_add(xg::zeros_like(s), i, g, 0), Tensor()};
            },
            t, index);
    };
    CHECK(near(pick(x), xg::take(x, index)));
    CHECK_NOTHROW(xg::gradcheck([&](const Tensor& t) { return pick(t); }, x));
    const auto none = [](const Tensor& t) {
        return xg::custom(
            "none", [](const Tensor& s) { return s; }, [](const Tensor&, const Tensor&, const Tensor&) { return Tensor(); }, t);
    };
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(none(t)); })(x), xg::zeros_like(x)));
    CHECK(near(xg::jvp(none, x, x).second, xg::zeros_like(x)));
    CHECK_FALSE(none(x).block() == x.block());
}

TEST_CASE("errors name the op") {
    const Tensor x = normal({3}, 1);
    const auto wrong = [](auto adjoint) {
        return [adjoint](const Tensor& t) {
            return xg::custom(
                "mine", [](const Tensor& s) { return s * 2.; }, adjoint, t);
        };
    };
    const auto shape = wrong([](const Tensor& g, const Tensor&, const Tensor&) { return xg::sum(g); });
    CHECK(has(complaint<xg::ShapeError>([&] { xg::grad([&](auto& t) { return xg::sum(shape(t)); })(x); }),
              "[mine] the adjoint's cotangent of input 0 has the shape (); it needs that of the input, (3,)"));
    CHECK(has(complaint<xg::ShapeError>([&] { xg::jvp(shape, x, x); }), "[mine]"));
    const auto dtype = wrong([](const Tensor& g, const Tensor&, const Tensor&) { return xg::astype(g, xg::f32); });
    CHECK(has(complaint<xg::DtypeError>([&] { xg::grad([&](auto& t) { return xg::sum(dtype(t)); })(x); }), "[mine]"));
    CHECK(has(complaint([&] {
                  xg::custom(
                      "mine", [](auto&) { return Tensor(); }, [](auto& g, auto&, auto&) { return g; }, x);
              }),
              "[mine] the forward function returned an empty tensor"));
    CHECK(has(complaint([&] {
                  xg::custom(
                      "mine", [](auto& t) { return t; }, [](auto& g, auto&, auto&) { return g; }, Tensor());
              }),
              "[mine]"));
    const auto tangent = [](const Tensor& t) {
        return xg::custom(
            "mine", [](auto& s) { return s * 2.; }, [](auto& g, auto&, auto&) { return g * 2.; },
            [](auto& d, auto&, auto&) { return xg::sum(d); }, t);
    };
    CHECK(has(complaint<xg::ShapeError>([&] { xg::jvp(tangent, x, x); }), "[mine] the tangent of result 0 has the shape ()"));
}
