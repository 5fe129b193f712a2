// What a tape has seen: which targets and results it takes, which branches a walk leaves out.
#include <doctest/doctest.h>

#include "common.hpp"

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
    helps(message<xg::TapeError>([&] { tape.jvp(y, x, x); }), "[jvp]");

    const auto [dx, dw, du] = tape.gradient(y, {x, w, unused}, xg::zeros_if_unused);
    CHECK(near(dx, xg::zeros({2, 3})));
    CHECK(near(dw, flat));
    CHECK(near(du, xg::zeros({2, 1, 4}, xg::f32)));
    CHECK(near(tape.vjp(y, xg::Tensor(1.), std::vector{x}, xg::zeros_if_unused)[0], xg::zeros({2, 3})));
    CHECK(tape.jvp(y, x, x, xg::zeros_if_unused).item<double>() == 0);
    CHECK(tape.jvp(y, {x, w}, {x, w}, xg::zeros_if_unused).item<double>() == y.item<double>());
    CHECK(tape.jvp(y, std::vector{w, x}, std::vector{w, x}, xg::zeros_if_unused).item<double>() == y.item<double>());
    CHECK(tape.jvp(y, std::array{w, x}, std::array{w, x}, xg::zeros_if_unused).item<double>() == y.item<double>());
}

TEST_CASE("a target that the tape saw, but not on the way to the result, has gradient zero") {
    const xg::Tensor x = vector3(), early = xg::ones({2, 3}, xg::f32), late = matrix23(), w = vector3();
    xg::Tape tape(xg::persistent);
    const xg::Tensor dead = early * 2.f, y = xg::sum(x * x), after = late * 3., h = xg::exp(y) * w;
    const auto g = tape.gradient(y, {early, x, late, dead, w});
    CHECK(near(g[0], xg::zeros({2, 3}, xg::f32)));
    CHECK(near(g[1], map(x, [](double v) { return 2 * v; })));
    CHECK(near(g[2], xg::zeros({2, 3})));
    CHECK(near(g[3], xg::zeros({2, 3}, xg::f32)));
    CHECK(near(g[4], xg::zeros({3})));
    CHECK(near(tape.gradient(y, late), xg::zeros({2, 3})));
    CHECK(near(tape.gradient(xg::sum(h), {after, w})[0], xg::zeros({2, 3})));
    CHECK(tape.jvp(y, late, late).item<double>() == 0);
    CHECK(near(tape.jvp(h, dead, dead), xg::zeros({3})));
}

TEST_CASE("a target that was made after the result is an error, for it is not what the result was made of") {
    const xg::Tensor x = vector3(), before = vector3();
    xg::Tensor w = before;
    xg::Tape outer(xg::persistent), tape(xg::persistent);
    const xg::Tensor loss = xg::sum(x * w * w);
    w -= 0.1 * w;  // another variable, which has not met the loss
    for (xg::Tape* each : {&outer, &tape})
        for (const std::string& text :
             {message<xg::TapeError>([&] { each->gradient(loss, w); }), message<xg::TapeError>([&] {
                  each->gradient(loss, {x, w});
              }),
              message<xg::TapeError>([&] {
                  each->vjp(loss, xg::Tensor(1.), std::vector{x, before, w});
              }),
              message<xg::TapeError>([&] { each->gradient(loss, w, xg::on_ready([](auto, auto&) { CHECK(false); })); }),
              message<xg::TapeError>([&] { each->jvp(loss, w, x); }), message<xg::TapeError>([&] {
                  each->jvp(loss, {w, x}, {x, x});
              })}) {
            CHECK(has(text, "made after the result"));
            CHECK((has(text, "target ") && has(text, "(3,) f64")));
            CHECK((has(text, "first, then step") && has(text, "zeros_if_unused")));
        }
    CHECK(near(tape.gradient(loss, w, xg::zeros_if_unused), xg::zeros({3})));
    CHECK(tape.jvp(loss, w, x, xg::zeros_if_unused).item<double>() == 0);
    CHECK(near(tape.gradient(loss, before), map(x, [](double v) { return 2 * v * v; })));
    CHECK(near(tape.gradient(xg::sum(w * w), w), map(w, [](double v) { return 2 * v; })));
    w -= 0.1 * tape.gradient(xg::sum(w * w), w);  // stepped by what this tape computed itself
    CHECK(has(message<xg::TapeError>([&] { tape.gradient(loss, w); }), "made after the result"));
    const xg::Tensor g = tape.gradient(loss, before);
    CHECK(has(message<xg::TapeError>([&] { tape.gradient(loss, g); }), "made after the result"));
    // What transforms hand to a function that returns one of its arguments was made one after another, and is no such target.
    const auto first = [](auto& a, auto&) { return xg::Tensor(a); };
    CHECK(xg::grad(first)(xg::Tensor(2.), x)[0].item<double>() == 1);
    CHECK(near(xg::grad(first)(xg::Tensor(2.), x)[1], xg::zeros({3})));
    CHECK(near(xg::jvp(first, {x, x}, {x, w}).second, x));
    CHECK(near(xg::jacobian(first)(x, xg::Tensor(1.))[1], xg::zeros({3})));
    CHECK(near(xg::jacobian(first, xg::JacobianMode::forward)(x, xg::Tensor(1.))[1], xg::zeros({3})));
    const auto stored = [&](auto& a, auto& b) { return xg::checkpoint(first, a, b); };
    CHECK(near(xg::jvp(stored, {x, x}, {x, w}).second, x));
}

TEST_CASE("what was made while the tape paused is a target only if the tape saw it later") {
    const xg::Tensor x = vector3();
    xg::Tape tape(xg::persistent);
    xg::Tensor unmet, met;
    {
        const xg::no_record pause;
        xg::Tape inner;
        unmet = x * 2., met = x * 3.;
    }
    const xg::Tensor y = xg::sum(met * x);
    CHECK(near(tape.gradient(y, met), x));
    CHECK(has(message<xg::TapeError>([&] { tape.gradient(y, unmet); }), "never seen"));
    CHECK(near(tape.gradient(y, unmet, xg::zeros_if_unused), xg::zeros({3})));
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
