// Gradients that are handed out while the walk goes on.
#include <doctest/doctest.h>

#include <cmath>
#include <optional>

#include "common.hpp"

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
        CHECK(near(tape.gradient(y, w), map(x, [](double v) { return std::sin(v * v); })));  // the outer tape kept all
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
