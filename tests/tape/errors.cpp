// Errors of a tape consume nothing and say what to do.
#include <doctest/doctest.h>

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
