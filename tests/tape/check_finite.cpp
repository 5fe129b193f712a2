// Tapes that look for NaN and infinities.
#include <doctest/doctest.h>

#include <cmath>

#include "common.hpp"

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

TEST_CASE("check_finite sees a sum of cotangents overflow where no part does") {
    const xg::Tensor x(0.), row = xg::zeros({1, 2});
    {
        xg::Tape tape(xg::check_finite);
        const xg::Tensor y = x * 1e308 + x * 1e308;
        CHECK(has(message<xg::TapeError>([&] { tape.gradient(y, x); }), "[affine]"));
    }
    {
        xg::Tape tape(xg::check_finite);  // a target that is an intermediate
        const xg::Tensor h = x + 0., y = h * 1e308 + h * 1e308;
        CHECK(has(message<xg::TapeError>([&] { tape.gradient(y, h); }), "[affine]"));
    }
    {
        xg::Tape tape(xg::check_finite);  // what broadcasting repeated
        const xg::Tensor y = row * xg::full({3, 2}, 1e308);
        CHECK(has(message<xg::TapeError>([&] { tape.vjp(y, xg::ones({3, 2}), row); }), "[multiply]"));
    }
    CHECK(all_is_well());
}

TEST_CASE("check_finite is a property of one tape") {
    const xg::Tensor x = xg::tensor({1., -1., 2.});
    xg::Tape plain(xg::persistent);
    {
        xg::Tape checking(xg::check_finite);
        {
            const xg::no_record pause;
            xg::Tape inner;  // records, and nobody looks
            CHECK_NOTHROW(xg::log(x));
            CHECK_NOTHROW(inner.gradient(xg::sum(xg::log(x * 0.)), x, xg::zeros_if_unused));
        }
        CHECK_THROWS_AS(xg::log(x), xg::TapeError);
    }
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
