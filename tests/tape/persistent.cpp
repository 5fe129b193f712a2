// Consumed tapes, and persistent ones.
#include <doctest/doctest.h>

#include <functional>

#include "common.hpp"

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
