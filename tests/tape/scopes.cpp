// Scopes: in which order tapes die, exceptions, pauses.
#include <doctest/doctest.h>

#include <functional>
#include <optional>

#include "common.hpp"

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
