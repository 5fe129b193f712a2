// A default-constructed tensor as each argument of each op; the name in brackets is the one that the user wrote.
#include <doctest/doctest.h>

#include "table.hpp"

using namespace errors;

namespace {

struct EmptyRow {
    std::string op;
    std::function<void(const Arguments&)> call;
};

std::vector<EmptyRow> empty_rows() {
    std::vector<EmptyRow> rows;
    const auto add = [&](std::string op, std::function<void(A)> call) { rows.push_back({std::move(op), std::move(call)}); };
    add("add", [](A t) { t.a + t.none; });
    add("add", [](A t) { t.none + t.a; });
    add("add", [](A t) { t.none + 1.5; });
    add("add", [](A t) { 2 + t.none; });
    add("subtract", [](A t) { t.none - t.none; });
    add("subtract", [](A t) { t.none - 1.5; });
    add("subtract", [](A t) { 1.5 - t.none; });
    add("subtract", [](A t) { 2 - t.none; });
    add("multiply", [](A t) { drop(t.a * t.none); });
    add("multiply", [](A t) { t.none * 1.5; });
    add("multiply", [](A t) { 2 * t.none; });
    add("divide", [](A t) { t.none / t.a; });
    add("divide", [](A t) { t.none / 2.; });
    add("divide", [](A t) { t.none / 3.; });
    add("divide", [](A t) { 1. / t.none; });
    add("pow", [](A t) { xg::pow(t.none, t.a); });
    for (const double p : {0., 1., 2., 2.5}) add("pow", [p](A t) { xg::pow(t.none, p); });
    add("pow", [](A t) { xg::pow(2., t.none); });
    add("maximum", [](A t) { xg::maximum(t.a, t.none); });
    add("maximum", [](A t) { xg::maximum(t.none, 1.); });
    add("minimum", [](A t) { xg::minimum(t.none, t.a); });
    add("minimum", [](A t) { xg::minimum(1., t.none); });
    add("less", [](A t) { drop(t.none < t.a); });
    add("less", [](A t) { drop(t.none < 1.); });
    add("less_equal", [](A t) { drop(t.a <= t.none); });
    add("greater", [](A t) { drop(t.none > t.a); });
    add("greater_equal", [](A t) { drop(t.none >= t.a); });
    add("equal", [](A t) { xg::equal(t.none, t.none); });
    add("not_equal", [](A t) { xg::not_equal(t.none, 1.); });
    add("logical_and", [](A t) { drop(t.m && t.none); });
    add("logical_or", [](A t) { drop(t.none || t.m); });
    add("logical_xor", [](A t) { xg::logical_xor(t.none, t.m); });
    add("logical_not", [](A t) { drop(!t.none); });
    add("where", [](A t) { xg::where(t.none, t.a, t.a); });
    add("where", [](A t) { xg::where(t.m, t.none, t.a); });
    add("where", [](A t) { xg::where(t.m, t.a, t.none); });
    add("where", [](A t) { xg::where(t.m, t.none, 1.); });
    add("clip", [](A t) { xg::clip(t.none, 0., 1.); });
    add("clip", [](A t) { xg::clip(t.a, t.none, 1.); });
    add("clip", [](A t) { xg::clip(t.none, t.a, t.a); });
    add("negative", [](A t) { -t.none; });
    add("abs", [](A t) { xg::abs(t.none); });
    add("square", [](A t) { xg::square(t.none); });
    add("exp", [](A t) { xg::exp(t.none); });
    add("log", [](A t) { xg::log(t.none); });
    add("sqrt", [](A t) { xg::sqrt(t.none); });
    add("erf", [](A t) { xg::erf(t.none); });
    add("sin", [](A t) { xg::sin(t.none); });
    add("cos", [](A t) { xg::cos(t.none); });
    add("tanh", [](A t) { xg::tanh(t.none); });
    add("sigmoid", [](A t) { xg::sigmoid(t.none); });
    add("relu", [](A t) { xg::relu(t.none); });
    add("gelu", [](A t) { xg::gelu(t.none); });
    add("digamma", [](A t) { xg::digamma(t.none); });
    add("gelu_tanh", [](A t) { xg::gelu_tanh(t.none); });
    add("isfinite", [](A t) { xg::isfinite(t.none); });
    add("astype", [](A t) { xg::astype(t.none, xg::f32); });
    add("matmul", [](A t) { xg::matmul(t.a, t.none); });
    add("matmul", [](A t) { xg::matmul(t.none, t.a); });
    add("sum", [](A t) { xg::sum(t.none); });
    add("mean", [](A t) { xg::mean(t.none, 0); });
    add("amax", [](A t) { xg::amax(t.none); });
    add("amin", [](A t) { xg::amin(t.none, {0, 1}); });
    add("logsumexp", [](A t) { xg::logsumexp(t.none, 0, xt::keep_dims); });
    add("any", [](A t) { xg::any(t.none); });
    add("all", [](A t) { xg::all(t.none); });
    add("argmax", [](A t) { xg::argmax(t.none); });
    add("argmax", [](A t) { xg::argmax(t.none, 0); });
    add("softmax", [](A t) { xg::softmax(t.none); });
    add("softmax_vjp", [](A t) { xg::softmax_vjp(t.none, t.a); });
    add("softmax_vjp", [](A t) { xg::softmax_vjp(t.a, t.none); });
    add("log_softmax", [](A t) { xg::log_softmax(t.none, 0); });
    add("layer_norm", [](A t) { xg::layer_norm(t.none); });
    add("layer_norm", [](A t) { xg::layer_norm(t.none, t.v, t.v); });
    add("layer_norm", [](A t) { xg::layer_norm(t.a, t.none); });
    add("layer_norm", [](A t) { xg::layer_norm(t.a, t.v, t.none); });
    add("cross_entropy", [](A t) { xg::cross_entropy(t.none, t.labels); });
    add("cross_entropy", [](A t) { xg::cross_entropy(t.a, t.none); });
    add("reshape", [](A t) { xg::reshape(t.none, {1}); });
    add("broadcast_to", [](A t) { xg::broadcast_to(t.none, {1}); });
    add("copy", [](A t) { xg::copy(t.none); });
    add("transpose", [](A t) { xg::transpose(t.none); });
    add("permute", [](A t) { xg::permute(t.none, {0}); });
    add("sort_with_indices", [](A t) { xg::sort_with_indices(t.none); });
    add("squeeze", [](A t) { xg::squeeze(t.none); });
    add("expand_dims", [](A t) { xg::expand_dims(t.none, 0); });
    add("split", [](A t) { xg::split(t.none, 2); });
    add("concatenate", [](A t) { xg::concatenate({t.none, t.a}); });
    add("concatenate", [](A t) { xg::concatenate({t.a, t.none}); });
    add("stack", [](A t) { xg::stack({t.none, t.a}); });
    add("stack", [](A t) { xg::stack({t.a, t.none}); });
    add("view", [](A t) { xg::view(t.none, 0); });
    add("set_view", [](A t) { static_cast<void>(xg::set_view(t.none, t.a, 0)); });
    add("set_view", [](A t) { static_cast<void>(xg::set_view(t.none, 1., 0)); });
    add("set_view", [](A t) { static_cast<void>(xg::set_view(t.a, t.none, 0)); });
    add("take", [](A t) { xg::take(t.none, t.rows); });
    add("take", [](A t) { xg::take(t.a, t.none); });
    add("index_add", [](A t) { xg::index_add(t.none, t.rows, t.a); });
    add("index_add", [](A t) { xg::index_add(t.a, t.none, t.a); });
    add("index_add", [](A t) { xg::index_add(t.a, t.rows, t.none); });
    add("one_hot", [](A t) { xg::one_hot(t.none, 3); });
    add("zeros_like", [](A t) { xg::zeros_like(t.none); });
    add("ones_like", [](A t) { xg::ones_like(t.none); });
    add("full_like", [](A t) { xg::full_like(t.none, 2.); });
    add("categorical", [](A t) {
        xg::Rng rng(1);
        xg::categorical(t.none, rng);
    });
    add("stop_gradient", [](A t) { xg::stop_gradient(t.none); });
    add("item", [](A t) { static_cast<void>(t.none.item<double>()); });
    add("data", [](A t) { static_cast<void>(t.none.data<double>()); });
    add("dtype", [](A t) { static_cast<void>(t.none.dtype()); });
    add("shape", [](A t) { static_cast<void>(t.none.shape()); });
    add("shape", [](A t) { static_cast<void>(t.none.shape(0)); });
    add("strides", [](A t) { static_cast<void>(t.none.strides()); });
    add("dimension", [](A t) { static_cast<void>(t.none.dimension()); });
    add("size", [](A t) { static_cast<void>(t.none.size()); });
    add("gradient", [](A t) {
        xg::Tape tape;
        tape.gradient(t.none, t.a);
    });
    add("jvp", [](A t) {
        xg::Tape tape;
        tape.jvp(xg::sum(t.a), t.a, t.none);
    });
    return rows;
}

}  // namespace

TEST_CASE("an empty tensor is an error of every op, under the name that the user wrote") {
    for (const EmptyRow& row : empty_rows())
        check_call(row.op + " of an empty tensor", [&](A t, T) { row.call(t); }, error,
                   {"[" + row.op + "]", "empty tensor", "default-constructed", "assign"}, {});
}
