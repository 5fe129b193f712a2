// Operands that do not broadcast, dtypes that an op does not take.
#include <cmath>

#include <xtensor/xarray.hpp>

#include "table.hpp"

namespace errors {

std::vector<Row> broadcasting() {
    const Strings remedy{"broadcast", "equal or 1"};
    const auto with = [&](Strings more) {
        more.insert(more.end(), remedy.begin(), remedy.end());
        return more;
    };
    return {
        {"a + b", [](A t, T) { t.a + t.b; }, shape, with({"[add]", "(2, 3)", "(3, 4)"})},
        {"a - cube", [](A t, T) { t.a - t.cube; }, shape, with({"[subtract]", "(2, 3)", "(2, 3, 4)"})},
        {"a * c", [](A t, T) { drop(t.a * t.c); }, shape, with({"[multiply]", "(2, 3)", "(2, 4)"})},
        {"a / d", [](A t, T) { t.a / t.d; }, shape, with({"[divide]", "(2, 3)", "(5, 3)"})},
        {"pow", [](A t, T) { xg::pow(t.a, t.b); }, shape, with({"[pow]", "(2, 3)", "(3, 4)"})},
        {"maximum", [](A t, T) { xg::maximum(t.a, t.b); }, shape, with({"[maximum]", "(2, 3)", "(3, 4)"})},
        {"minimum", [](A t, T) { xg::minimum(t.nothing, t.b); }, shape, with({"[minimum]", "(0, 3)", "(3, 4)"})},
        {"an empty axis and a longer one", [](A t, T) { t.nothing + t.a; }, shape, with({"[add]", "(0, 3)", "(2, 3)"})},
        {"less", [](A t, T) { drop(t.a < t.b); }, shape, with({"[less]", "(2, 3)", "(3, 4)"})},
        {"less_equal", [](A t, T) { drop(t.a <= t.b); }, shape, with({"[less_equal]"})},
        {"greater", [](A t, T) { drop(t.a > t.b); }, shape, with({"[greater]"})},
        {"greater_equal", [](A t, T) { drop(t.a >= t.b); }, shape, with({"[greater_equal]"})},
        {"equal", [](A t, T) { xg::equal(t.a, t.b); }, shape, with({"[equal]"})},
        {"not_equal", [](A t, T) { xg::not_equal(t.a, t.b); }, shape, with({"[not_equal]"})},
        {"logical_and", [](A t, T) { drop(t.m && (t.b > 0.)); }, shape, with({"[logical_and]", "(2, 3)", "(3, 4)"})},
        {"logical_or", [](A t, T) { drop(t.m || (t.b > 0.)); }, shape, with({"[logical_or]"})},
        {"logical_xor", [](A t, T) { xg::logical_xor(t.m, t.b > 0.); }, shape, with({"[logical_xor]"})},
        {"where, the values", [](A t, T) { xg::where(t.m, t.a, t.b); }, shape, with({"[where]", "(2, 3)", "(3, 4)"})},
        {"where, the mask", [](A t, T) { xg::where(t.m, t.b, t.b); }, shape, with({"[where]", "(2, 3)", "(3, 4)"})},
        {"clip, the lower bound", [](A t, T) { xg::clip(t.a, t.b, 5.); }, shape, with({"[clip]", "(2, 3)", "(3, 4)"})},
        {"clip, the upper bound", [](A t, T) { xg::clip(t.a, -5., t.c); }, shape, with({"[clip]", "(2, 3)", "(2, 4)"})},
        {"an xtensor operand", [](A t, T) { t.a + xt::xarray<double>(xt::ones<double>({4})); }, shape,
         with({"[add]", "(2, 3)", "(4,)"})},
        {"a += b",
         [](A t, T) {
             xg::Tensor x = t.a;
             x += t.b;
         },
         shape, with({"[add]"})},
    };
}

std::vector<Row> dtypes() {
    return {
        {"f64 + f32", [](A t, T) { t.a + t.f; }, dtype, {"[add]", "f64", "f32", "(2, 3)", "astype"}},
        {"f32 * i64", [](A t, T) { drop(t.f * t.i); }, dtype, {"[multiply]", "f32", "i64", "astype"}},
        {"f64 - boolean", [](A t, T) { t.a - t.m; }, dtype, {"[subtract]", "boolean", "astype"}},
        {"pow of two dtypes", [](A t, T) { xg::pow(t.a, t.f); }, dtype, {"[pow]", "f64", "f32", "astype"}},
        {"maximum of two dtypes", [](A t, T) { xg::maximum(t.a, t.i); }, dtype, {"[maximum]", "f64", "i64", "astype"}},
        {"f64 < i64", [](A t, T) { drop(t.a < t.i); }, dtype, {"[less]", "f64", "i64", "astype"}},
        {"equal of f32 and f64", [](A t, T) { xg::equal(t.f, t.a); }, dtype, {"[equal]", "f64", "f32", "astype"}},
        {"where, two dtypes", [](A t, T) { xg::where(t.m, t.a, t.f); }, dtype, {"[where]", "f64", "f32", "astype"}},
        {"where, a mask of numbers", [](A t, T) { xg::where(t.a, t.a, t.a); }, dtype, {"[where]", "f64", "boolean", "x > 0"}},
        {"where, an integer where floats are", [](A t, T) { xg::where(t.m, t.i, t.a); }, dtype, {"[where]", "i64", "f64"}},
        {"not of numbers", [](A t, T) { drop(!t.a); }, dtype, {"[logical_not]", "f64", "boolean"}},
        {"and of numbers", [](A t, T) { drop(t.m && t.i); }, dtype, {"[logical_and]", "i64", "boolean"}},
        {"i64 / i64", [](A t, T) { t.i / t.i; }, dtype, {"[divide]", "i64", "astype"}},
        {"i64 / 2", [](A t, T) { t.i / 2; }, dtype, {"[divide]", "i64", "astype"}, {"affine"}},
        {"1 / i64", [](A t, T) { 1 / t.i; }, dtype, {"[divide]", "i64", "astype"}, {"reciprocal"}},
        {"i64 * 2.5", [](A t, T) { t.i * 2.5; }, dtype, {"[multiply]", "2.5", "i64", "astype"}},
        {"0.5 + i64", [](A t, T) { 0.5 + t.i; }, dtype, {"[add]", "0.5", "i64", "astype"}},
        {"0.5 - i64", [](A t, T) { 0.5 - t.i; }, dtype, {"[subtract]", "0.5", "i64", "astype"}},
        {"boolean + 1", [](A t, T) { t.m + 1; }, dtype, {"[add]", "boolean", "astype"}},
        {"boolean * 2", [](A t, T) { t.m * 2; }, dtype, {"[multiply]", "boolean", "astype"}},
        {"2 - boolean", [](A t, T) { 2 - t.m; }, dtype, {"[subtract]", "boolean", "astype"}},
        {"boolean / 2", [](A t, T) { t.m / 2.; }, dtype, {"[divide]", "boolean", "astype"}},
        {"-boolean", [](A t, T) { -t.m; }, dtype, {"[negative]", "boolean", "astype"}},
        {"abs of booleans", [](A t, T) { xg::abs(t.m); }, dtype, {"[abs]", "boolean"}},
        {"square of booleans", [](A t, T) { xg::square(t.m); }, dtype, {"[square]", "boolean"}},
        {"digamma of integers", [](A t, T) { xg::digamma(t.i); }, dtype, {"[digamma]", "i64", "(2, 3)", "astype"}},
        {"exp of integers", [](A t, T) { xg::exp(t.i); }, dtype, {"[exp]", "i64", "(2, 3)", "astype"}},
        {"log of integers", [](A t, T) { xg::log(t.i); }, dtype, {"[log]", "i64", "astype"}},
        {"sqrt of integers", [](A t, T) { xg::sqrt(t.i); }, dtype, {"[sqrt]", "i64", "astype"}},
        {"erf of integers", [](A t, T) { xg::erf(t.i); }, dtype, {"[erf]", "i64", "astype"}},
        {"sin of integers", [](A t, T) { xg::sin(t.i); }, dtype, {"[sin]", "i64", "astype"}},
        {"cos of booleans", [](A t, T) { xg::cos(t.m); }, dtype, {"[cos]", "boolean", "astype"}},
        {"tanh of integers", [](A t, T) { xg::tanh(t.i); }, dtype, {"[tanh]", "i64", "astype"}},
        {"sigmoid of integers", [](A t, T) { xg::sigmoid(t.i); }, dtype, {"[sigmoid]", "i64", "astype"}},
        {"relu of integers", [](A t, T) { xg::relu(t.i); }, dtype, {"[relu]", "i64", "astype"}},
        {"gelu of integers", [](A t, T) { xg::gelu(t.i); }, dtype, {"[gelu]", "i64", "astype"}},
        {"gelu_tanh of integers", [](A t, T) { xg::gelu_tanh(t.i); }, dtype, {"[gelu_tanh]", "i64", "astype"}},
        {"pow of integers", [](A t, T) { xg::pow(t.i, 3); }, dtype, {"[pow]", "i64", "astype"}},
        {"isfinite of integers", [](A t, T) { xg::isfinite(t.i); }, dtype, {"[isfinite]", "i64", "astype"}},
        {"i64 < 0.5", [](A t, T) { drop(t.i < 0.5); }, dtype, {"[less]", "0.5", "i64", "astype"}},
        {"maximum of integers and 2.5", [](A t, T) { xg::maximum(t.i, 2.5); }, dtype, {"[maximum]", "2.5", "i64", "astype"}},
        {"where, half an integer", [](A t, T) { xg::where(t.m, t.i, 0.5); }, dtype, {"[where]", "0.5", "i64", "astype"}},
        {"clip of integers at a half", [](A t, T) { xg::clip(t.i, 0.5, 2.5); }, dtype, {"[clip]", ".5", "i64", "astype"}},
        {"clip of booleans", [](A t, T) { xg::clip(t.m, 0, 1); }, dtype, {"[clip]", "boolean", "astype"}},
        {"clip, a bound that is no number", [](A t, T) { xg::clip(t.a, NAN, 1.); }, error, {"[clip]", "nan"}},
        {"leaky_relu, a slope that is no number",
         [](A t, T) { xg::leaky_relu(t.a, NAN); },
         error,
         {"[leaky_relu]", "slope", "nan", "(-inf, inf)"}},
        {"elu, an infinite alpha", [](A t, T) { xg::elu(t.a, INFINITY); }, error, {"[elu]", "alpha", "inf", "(-inf, inf)"}},
        {"layer_norm, a negative eps",
         [](A t, T) { xg::layer_norm(t.a, {.eps = -1}); },
         error,
         {"[layer_norm]", "eps", "-1", "[0, inf)"}},
        {"layer_norm, eps no number", [](A t, T) { xg::layer_norm(t.a, {.eps = NAN}); }, error, {"[layer_norm]", "eps", "nan"}},
        {"rms_norm, an infinite eps", [](A t, T) { xg::rms_norm(t.a, {.eps = INFINITY}); }, error, {"[rms_norm]", "eps", "inf"}},
        {"linspace to nowhere", [](A, T) { xg::linspace(0, NAN); }, error, {"[linspace]", "nan", "finite"}},
        {"uniform without end",
         [](A, T) {
             xg::Rng rng(1);
             xg::uniform({2}, xg::f64, rng, 0, INFINITY);
         },
         error,
         {"[uniform]", "inf", "finite"}},
    };
}

}  // namespace errors
