// Calls of the tape.
#include "table.hpp"

namespace errors {

std::vector<Row> of_tapes() {
    return {
        {"gradient of many",
         [](A t, T tape) { tape.gradient(t.a * t.a, t.a); },
         tape_error,
         {"[gradient]", "(2, 3)", "sum", "vjp"}},
        {"gradient, made elsewhere",
         [](A t, T tape) { tape.gradient(t.s, t.a); },
         tape_error,
         {"[gradient]", "()", "under this tape"}},
        {"gradient, never seen",
         [](A t, T tape) { tape.gradient(xg::sum(t.a), t.cube); },
         tape_error,
         {"[gradient]", "(2, 3, 4)", "never seen", "does not depend on it", "reshape", "zeros_if_unused"}},
        {"gradient of an integer", [](A t, T tape) { tape.gradient(xg::sum(t.i), t.a); }, dtype, {"[gradient]", "i64", "astype"}},
        {"gradient with respect to a mask",
         [](A t, T tape) { tape.gradient(xg::sum(t.a), t.m); },
         dtype,
         {"[gradient]", "boolean", "(2, 3)", "astype"}},
        {"gradient of an empty tensor", [](A t, T tape) { tape.gradient(t.none, t.a); }, error, {"[gradient]", "empty tensor"}},
        {"gradient with respect to an empty tensor",
         [](A t, T tape) {
             tape.gradient(xg::sum(t.a), {t.a, t.none});
         },
         error,
         {"[gradient]", "empty tensor"}},
        {"vjp, a cotangent of another shape",
         [](A t, T tape) { tape.vjp(t.a * 2., t.v, t.a); },
         shape,
         {"[vjp]", "(3,)", "(2, 3)", "broadcast_to"}},
        {"vjp, a cotangent of another dtype",
         [](A t, T tape) { tape.vjp(t.a * 2., t.f, t.a); },
         dtype,
         {"[vjp]", "f32", "f64", "astype"}},
        {"vjp, an empty cotangent",
         [](A t, T tape) { tape.vjp(t.a * 2., t.none, t.a); },
         error,
         {"[vjp]", "cotangent", "empty tensor"}},
        {"jvp, a tangent of another shape",
         [](A t, T tape) { tape.jvp(t.a * 2., t.a, t.v); },
         shape,
         {"[jvp]", "(3,)", "(2, 3)", "broadcast_to"}},
        {"jvp, a tangent of another dtype",
         [](A t, T tape) { tape.jvp(t.a * 2., t.a, t.f); },
         dtype,
         {"[jvp]", "f32", "f64", "astype"}},
        {"jvp, an integer tangent", [](A t, T tape) { tape.jvp(t.a * 2., t.a, t.i); }, dtype, {"[jvp]", "i64", "astype"}},
        {"jvp, too few tangents",
         [](A t, T tape) {
             tape.jvp(t.a * t.v, std::vector{t.a, t.v}, std::vector{t.a});
         },
         tape_error,
         {"[jvp]", "2 targets", "1 tangents"}},
        {"jvp, never seen",
         [](A t, T tape) { tape.jvp(t.a * 2., t.cube, t.cube); },
         tape_error,
         {"[jvp]", "(2, 3, 4)", "never seen", "zeros_if_unused"}},
        {"gradient, stepped before",
         [](A t, T tape) {
             xg::Tensor w = t.v;
             const xg::Tensor loss = xg::sum(t.a * w);
             w -= 0.1 * w;
             tape.gradient(loss, {t.a, w});
         },
         tape_error,
         {"[gradient]", "target 1", "(3,)", "made after the result", "step", "zeros_if_unused"},
         {"never seen"}},
        {"jvp, stepped before",
         [](A t, T tape) {
             xg::Tensor w = t.v;
             const xg::Tensor loss = xg::sum(t.a * w);
             w *= 2.;
             tape.jvp(loss, w, t.v);
         },
         tape_error,
         {"[jvp]", "target 0", "(3,)", "made after the result", "step", "zeros_if_unused"},
         {"never seen"}},
        {"stop_gradient of an empty tensor",
         [](A t, T) { xg::stop_gradient(t.none); },
         error,
         {"[stop_gradient]", "empty tensor"}},
        {"check_finite",
         [](A t, T) {
             xg::Tape strict(xg::check_finite);
             xg::log(t.a);
         },
         tape_error,
         {"[log]", "NaN", "f64", "(2, 3)"}},
    };
}

}  // namespace errors
