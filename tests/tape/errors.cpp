// Errors of a tape consume nothing and say what to do. A walk that fails midway takes only what it has used.
#include <doctest/doctest.h>

#include <functional>
#include <new>
#include <numeric>
#include <optional>

#include "common.hpp"

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

namespace {

/// An op whose adjoint and tangent are those of the identity once `good`, and else do something wrong.
struct Wrong {
    const char* name;
    std::function<xg::Tensor(const xg::Tensor&)> bad;
    std::function<xg::Tensor(const xg::Tensor&)> good = [](const xg::Tensor& g) { return g; };
};
struct Stop {};

/// All ways for a rule to fail.
const std::vector<Wrong> wrongs{
    {"throws", [](const xg::Tensor&) -> xg::Tensor { throw Stop(); }},
    {"no memory", [](const xg::Tensor&) -> xg::Tensor { throw std::bad_alloc(); }},
    {"of another shape", [](const xg::Tensor& g) { return xg::sum(g, 0); }},
    {"of another dtype", [](const xg::Tensor& g) { return xg::astype(g, xg::f32); }},
    {"an op's own error",
     [](const xg::Tensor& g) {
         return xg::matmul(g, xg::ones({7, 7}));
     }},
};

}  // namespace

TEST_CASE("a rule that fails leaves the tape, and all that the walk has not used") {
    const xg::Tensor x = matrix23();
    using Walk = std::function<xg::Tensor(xg::Tape&, const xg::Tensor&)>;
    const std::vector<std::pair<const char*, Walk>> walks{
        {"[gradient]", [&](xg::Tape& t, const xg::Tensor& y) { return t.gradient(y, x); }},
        {"[vjp]", [&](xg::Tape& t, const xg::Tensor& y) { return t.vjp(y, xg::Tensor(1.), x); }},
        {"[gradient]", [&](xg::Tape& t, const xg::Tensor& y) { return t.gradient(y, x, xg::on_ready([](auto, auto&) {})); }},
        {"[jvp]",
         [&](xg::Tape& t, const xg::Tensor& y) {
             return t.jvp(y, x, xg::ones({2, 3}));
         }},
    };
    for (const Wrong& wrong : wrongs)
        for (const auto& [op, walk] : walks)
            for (int then = 0; then < 5; ++then)
                for (const int kept : {0, 1, 2}) {  // nothing, by an outer tape, by a persistent one
                    CAPTURE(wrong.name);
                    CAPTURE(op);
                    CAPTURE(then);
                    CAPTURE(kept);
                    const bool forward = std::string_view(op) == "[jvp]";
                    const auto derivative = [&](auto f) {
                        const Numbers d = map(x, f);
                        return forward ? Numbers{std::accumulate(d.begin(), d.end(), 0.)} : d;
                    };
                    bool good = false;
                    std::optional<xg::Tape> outer;
                    if (kept == 1) outer.emplace();
                    xg::Tape tape(kept == 2 ? xg::persistent : xg::TapeOption{0});
                    const xg::Tensor before = xg::sum(x * x * x), h = xg::exp(x);
                    const auto rule = [&](const xg::Tensor& g) { return good ? wrong.good(g) : wrong.bad(g); };
                    const xg::Tensor z = xg::custom(
                        "wrong", [](const xg::Tensor& t) { return xg::copy(t); },
                        [&](const xg::Tensor& g, auto&, auto&) { return rule(g); },
                        [&](const xg::Tensor& g, auto&, auto&) { return rule(g); }, h);
                    const xg::Tensor beside = xg::sum(xg::sin(x)), y = xg::sum(z * z * beside), linear = xg::sum(z * 2.);
                    const xg::Tensor other = xg::sum(h);
                    const std::size_t held = tape.nodes();
                    CHECK_THROWS(walk(tape, then == 4 ? linear : y));
                    CHECK(tape.nodes() == held);
                    const auto exp = [](double v) { return std::exp(v); };
                    if (then == 0) {
                        CHECK(near(walk(tape, before), derivative([](double v) { return 3 * v * v; })));
                    } else if (then == 1) {
                        CHECK(near(walk(tape, xg::sum(x * x)), derivative([](double v) { return 2 * v; })));
                    } else if (then == 2) {
                        good = true;
                        const auto again = [&] { return walk(tape, y); };
                        const double sines = beside.item<double>(), squares = xg::sum(h * h).item<double>();
                        if (kept) {
                            CHECK(near(again(),
                                       derivative([&](double v) { return 2 * std::exp(2 * v) * sines + std::cos(v) * squares; }),
                                       1e-12));
                        } else {
                            const std::string text = message<xg::TapeError>(again);
                            CHECK((has(text, op) && has(text, forward ? "[exp] (2, 3)" : "[multiply] (2, 3)")));
                            CHECK((has(text, "failed") && has(text, "persistent")));
                            CHECK(message<xg::TapeError>(again) == text);  // nor does that take anything
                            CHECK(near(walk(tape, before), derivative([](double v) { return 3 * v * v; })));
                        }
                    } else if (then == 3) {  // a walk that did not get so far, the other way through what it passed
                        if (!forward || kept) CHECK(near(walk(tape, other), derivative(exp)));
                    } else {
                        good = true;
                        if (!forward || kept)  // its adjoint read no data behind the op that failed: nothing is lost
                            CHECK(near(walk(tape, linear), derivative([](double v) { return 2 * std::exp(v); })));
                    }
                    if (kept == 1) CHECK(near(outer->gradient(before, x), map(x, [](double v) { return 3 * v * v; })));
                    if (kept == 2) CHECK(near(walk(tape, before), derivative([](double v) { return 3 * v * v; })));
                }
    CHECK(all_is_well());
}

TEST_CASE("a singular matrix is an error of the walk, which another result survives") {
    const xg::Tensor m = xg::ones({2, 2});
    xg::Tape tape;
    const xg::Tensor y = xg::linalg::slogdet(m).logdet, z = xg::sum(m * m);
    const std::string text = message<xg::Error>([&] { tape.gradient(y, m); });
    CHECK(has(text, "singular"));
    CHECK(message<xg::Error>([&] { tape.gradient(y, m); }) == text);
    CHECK(near(tape.gradient(z, m), {2., 2., 2., 2.}));
}

TEST_CASE("check_finite and on_ready stop a walk without consuming the tape") {
    const xg::Tensor x = xg::tensor({4., 0., 1.}), w = vector3();
    {
        xg::Tape tape(xg::check_finite);
        const xg::Tensor z = xg::sum(x * x), y = xg::sum(xg::sqrt(x) * 2.);
        CHECK(has(message<xg::TapeError>([&] { tape.gradient(y, x); }), "[sqrt]"));
        CHECK(has(message<xg::TapeError>([&] { tape.jvp(y, x, w); }), "[sqrt]"));
        CHECK_THROWS_AS(xg::log(x), xg::TapeError);  // it goes on, and checks
        CHECK(near(tape.gradient(z, x), {8., 0., 2.}));
    }
    {
        xg::Tape tape;
        const xg::Tensor h = xg::exp(w), y = xg::sum(h * h * x);
        std::vector<xg::Tensor> handed;
        const auto stop = xg::on_ready([&](std::size_t, const xg::Tensor& g) {
            handed.push_back(g);
            throw Stop();
        });
        CHECK_THROWS_AS(tape.gradient(y, std::vector{x, w}, stop), Stop);
        CHECK(handed.size() == 1);
        CHECK(near(handed[0], map(w, [](double v) { return std::exp(2 * v); })));
        CHECK(has(message<xg::TapeError>([&] { tape.gradient(y, x); }), "[multiply]"));
        CHECK(near(tape.gradient(xg::sum(h), w), map(w, [](double v) { return std::exp(v); })));
    }
    CHECK(all_is_well());
}

TEST_CASE("a walk lets go of what it has used as it passes, and keeps what it has not") {
    const xg::Tensor x = vector3();
    std::vector<xg::Tensor> w;
    for (int i = 0; i < 4; ++i) w.push_back(xg::full({3}, 0.5 + i));
    const auto users = [&](std::size_t i) { return w[i].block()->references.load(); };
    const auto free = users(0);
    xg::Tape tape;
    const xg::Tensor aside = w[3] * x;
    xg::Tensor h = x;
    for (std::size_t i = 0; i < 3; ++i) h = xg::tanh(h * w[i]);
    const auto held = users(0);
    CHECK(held > free);
    const xg::Tensor y = xg::sum(h);
    std::string order;
    tape.gradient(y, {h, x}, xg::on_ready([&](std::size_t i, const xg::Tensor&) {
                      for (std::size_t k = 0; k < 4; ++k) order += users(k) > free ? 'x' : '.';
                      order += i == 0 ? ' ' : '|';
                  }));
    CHECK(order == "xxxx ...x|");
    for (std::size_t k = 0; k < 4; ++k) CHECK(users(k) == free);
}
