// Attention and blocks against PyTorch; generation with a cache.
#include "gradcheck.hpp"
#include "reference.hpp"

#include <cmath>

#include <xtgrad/nn/transformer.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/ops/rotary.hpp>
#include <xtgrad/runtime.hpp>
#include <xtgrad/xtensor.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using reference::Named;
using xg::Tensor;

namespace {

xg::Rng rng(4);

const auto apply = [](auto& f, Named& v) { return f(v["x"]); };

}  // namespace

TEST_CASE("attention agrees with PyTorch") {
    using MHA = nn::MultiHeadAttention;
    reference::check(reference::of("nn"), "self attention", MHA(6, rng, {.heads = 3}), {{"x", {2, 4, 6}}}, apply);
    reference::check(reference::of("nn"), "causal attention", MHA(6, rng, {.heads = 2, .causal = true}), {{"x", {2, 4, 6}}},
                     apply);
    reference::check(reference::of("nn"), "cross attention", MHA(6, rng, {.heads = 3, .memory = 5}),
                     {{"x", {2, 4, 6}}, {"memory", {2, 3, 5}}},
                     [](auto& f, Named& v) { return f(v["x"], {.memory = v["memory"]}); });
    const Tensor mask = xg::tensor({{true, false, true}, {true, true, false}, {false, true, true}});
    reference::check(reference::of("nn"), "masked attention", MHA(6, rng, {.heads = 2}), {{"x", {2, 3, 6}}},
                     [&](auto& f, Named& v) { return f(v["x"], {.mask = mask}); });
    reference::check(reference::of("nn"), "grouped attention", MHA(8, rng, {.heads = 4, .kv_heads = 2, .causal = true}),
                     {{"x", {2, 5, 8}}}, apply);
    reference::check(reference::of("nn"), "rotary attention",
                     MHA(16, rng, {.heads = 4, .kv_heads = 2, .causal = true, .rotary = true}), {{"x", {2, 5, 16}}}, apply);
}

TEST_CASE("blocks agree with PyTorch") {
    reference::check(reference::of("nn"), "gelu block", nn::TransformerBlock(6, rng, {.heads = 2, .causal = true, .hidden = 10}),
                     {{"x", {2, 4, 6}}}, apply);
    const nn::TransformerBlockOptions options{.heads = 2,
                                              .kv_heads = 1,
                                              .causal = true,
                                              .rotary = true,
                                              .norm = nn::NormKind::rms,
                                              .activation = nn::Activation::swiglu,
                                              .hidden = 12,
                                              .bias = false};
    reference::check(reference::of("nn"), "swiglu block", nn::TransformerBlock(8, rng, options), {{"x", {2, 5, 8}}}, apply);
}

TEST_CASE("positions and feed-forward parts agree with PyTorch") {
    reference::check(reference::of("nn"), "learned positions", nn::LearnedPositions(7, 3, rng), {{"x", {2, 4, 3}}},
                     [](auto& f, Named& v) { return f(v["x"], 2); });
    for (const auto& [name, activation] : {std::pair("relu", nn::Activation::relu), std::pair("gelu", nn::Activation::gelu),
                                           std::pair("gelu_tanh", nn::Activation::gelu_tanh),
                                           std::pair("silu", nn::Activation::silu), std::pair("swiglu", nn::Activation::swiglu)})
        reference::check(reference::of("nn"), std::string("mlp of ") + name, nn::Mlp(4, 6, rng, {.activation = activation}),
                         {{"x", {2, 3, 4}}}, apply);
}

TEST_CASE("generation with a cache gives what all positions at once give") {
    for (const bool rotary : {false, true})
        for (const std::optional<xg::Index> window : {std::optional<xg::Index>(), std::optional<xg::Index>(3)}) {
            const nn::TransformerBlock block(
                8, rng, {.heads = 2, .kv_heads = 1, .causal = true, .window = window, .rotary = rotary, .dtype = xg::f64});
            const Tensor x = xg::randn({2, 7, 8}, xg::f64, rng), whole = block(x);
            nn::KeyValueCache cache;
            std::vector<Tensor> parts;
            xg::Index at = 0;
            for (const xg::Index n : {3, 1, 2, 1}) {
                parts.push_back(block(xg::view(x, xt::all(), xt::range(at, at + n)), cache));
                at += n;
                CHECK(cache.length() == at);
            }
            CHECK(reference::distance(xg::concatenate(parts, 1), whole) < 1e-13);
        }
}

TEST_CASE("a copy of a cache is a place to go back to") {
    const nn::MultiHeadAttention attention(4, rng, {.heads = 2, .causal = true, .dtype = xg::f64});
    const Tensor x = xg::randn({3, 4}, xg::f64, rng), y = xg::randn({1, 4}, xg::f64, rng);
    nn::KeyValueCache cache;
    attention(x, cache);
    nn::KeyValueCache other = cache;
    attention(xg::randn({1, 4}, xg::f64, rng), other);
    const Tensor first = attention(y, cache);
    nn::KeyValueCache again;
    attention(x, again);
    CHECK(reference::distance(first, attention(y, again)) == 0);
    CHECK_THROWS_WITH_AS(
        attention(xg::zeros({2, 1, 4}), cache),
        "[MultiHeadAttention] the KeyValueCache holds keys (4, 4) and the inputs make (2, 1, 4); give each batch, "
        "and each layer, a cache of its own",
        xg::ShapeError);
    nn::KeyValueCache pair;
    attention(xg::zeros({2, 3, 4}), pair);
    CHECK_THROWS_AS(attention(xg::zeros({3, 1, 4}), pair), xg::ShapeError);
    CHECK(pair.length() == 3);
}

TEST_CASE("in training dropout acts, and the same generator gives the same") {
    const nn::TransformerBlock block(6, rng, {.heads = 2, .dropout = 0.3, .dtype = xg::f64});
    const Tensor x = xg::randn({2, 5, 6}, xg::f64, rng);
    xg::Rng a(1), b(1);
    const Tensor y = block(x, a);
    CHECK(reference::distance(y, block(x)) > 0.01);
    CHECK(reference::distance(y, block(x, b)) == 0);
    const nn::TransformerBlock without(6, rng, {.heads = 2, .dtype = xg::f64});
    CHECK(reference::distance(without(x, a), without(x)) == 0);
}

TEST_CASE("learned positions are rows that are added from an offset on") {
    const nn::LearnedPositions positions(7, 3, rng, {.dtype = xg::f64});
    const Tensor x = xg::randn({2, 4, 3}, xg::f64, rng);
    CHECK(reference::distance(positions(x), x + xg::view(positions.weight, xt::range(0, 4))) == 0);
    CHECK(reference::distance(positions(x, 3), x + xg::view(positions.weight, xt::range(3, 7))) == 0);
    xg::gradcheck(
        [&](const Tensor& w) {
            nn::LearnedPositions changed = positions;
            changed.weight = w;
            return xg::square(changed(x, 2));
        },
        positions.weight);
    CHECK_THROWS_AS(positions(x, 4), xg::ShapeError);
    CHECK_THROWS_AS(positions(xg::zeros({4, 2})), xg::ShapeError);
    CHECK_THROWS_AS(positions(xg::zeros({3})), xg::ShapeError);
    CHECK(xg::mean(xg::square(nn::LearnedPositions(50, 40, rng).weight)).item<double>() == doctest::Approx(4e-4).epsilon(0.1));
}

TEST_CASE("attention's dropout is of its probabilities") {
    const nn::MultiHeadAttention attention(6, rng, {.heads = 3, .causal = true, .dropout = 0.4, .dtype = xg::f64});
    const Tensor x = xg::randn({5, 6}, xg::f64, rng);
    xg::Rng a(1), b(1);
    const Tensor o = xg::attention(attention.query(x), attention.key(x), attention.value(x),
                                   {.causal = true, .heads = 3, .dropout = {0.4, a}});
    CHECK(reference::distance(attention(x, b), attention.out(o)) == 0);
}

TEST_CASE("derivatives through a block agree with differences") {
    const nn::TransformerBlock block(
        4, rng,
        {.heads = 2, .causal = true, .rotary = true, .activation = nn::Activation::swiglu, .hidden = 5, .dtype = xg::f64});
    xg::gradcheck(
        [&](const Tensor& x, const Tensor& w, const Tensor& v) {
            nn::TransformerBlock changed = block;
            changed.attention.query.weight = w;
            changed.mlp.gate->weight = v;
            return changed(x);
        },
        xg::randn({2, 3, 4}, xg::f64, rng), block.attention.query.weight, block.mlp.gate->weight);
}

TEST_CASE("derivatives through attention and feed-forward parts agree with differences") {
    using MHA = nn::MultiHeadAttention;
    const auto draw = [](const xg::Shape& shape) { return xg::randn(shape, xg::f64, rng); };
    gradcheck(MHA(4, rng, {.heads = 2, .dtype = xg::f64}), draw({2, 3, 4}));
    gradcheck(MHA(4, rng, {.heads = 2, .memory = 3, .dtype = xg::f64}), {draw({2, 3, 4}), draw({2, 2, 3})},
              [](const MHA& f, const auto& v) { return f(v[0], {.memory = v[1]}); });
    gradcheck(MHA(8, rng, {.heads = 4, .kv_heads = 2, .causal = true, .rotary = true, .dtype = xg::f64}), draw({3, 8}));
    gradcheck(nn::Mlp(3, 4, rng, {.dtype = xg::f64}), draw({2, 3}));
    gradcheck(nn::TransformerBlock(4, rng, {.heads = 2, .norm = nn::NormKind::rms, .hidden = 5, .dtype = xg::f64}), draw({3, 4}));
}

TEST_CASE("activations of a feed-forward part") {
    const Tensor x = xg::randn({5, 4}, xg::f64, rng);
    const auto check = [&](nn::Activation activation, auto f) {
        const nn::Mlp mlp(4, 3, rng, {.activation = activation, .dtype = xg::f64});
        CHECK(reference::distance(mlp(x), mlp.down(f(mlp.up(x)))) < 1e-15);
    };
    check(nn::Activation::relu, [](const Tensor& h) { return xg::maximum(h, 0.); });
    check(nn::Activation::gelu, [](const Tensor& h) { return h * 0.5 * (1. + xg::erf(h * std::sqrt(0.5))); });
    check(nn::Activation::gelu_tanh,
          [](const Tensor& h) { return 0.5 * h * (1. + xg::tanh(std::sqrt(2 / std::acos(-1)) * (h + 0.044715 * h * h * h))); });
    check(nn::Activation::silu, [](const Tensor& h) { return h / (1. + xg::exp(-h)); });
}

TEST_CASE("a feed-forward part of no units has a bias of 0") {
    CHECK(xg::all(xg::equal(nn::Mlp(3, 0, rng)(xg::ones({2, 3}, xg::f32)), 0.)).item<bool>());
}

TEST_CASE("a block has the same bits for 1 and 2 threads") {
    const nn::TransformerBlock block(64, rng, {.heads = 4, .causal = true, .rotary = true, .dropout = 0.1});
    const Tensor x = xg::randn({8, 33, 64}, xg::f32, rng);
    std::vector<std::vector<Tensor>> results;
    for (const int threads : {1, 2}) {
        xg::set_num_threads(threads);
        xg::Rng noise(7);
        xg::Tape tape;
        const Tensor y = block(x, noise);
        results.push_back(tape.vjp(y, xg::ones_like(y), nn::parameters(block)));
        results.back().push_back(y);
    }
    for (std::size_t i = 0; i < results[0].size(); ++i) {
        const Tensor a = xg::copy(results[0][i]), b = xg::copy(results[1][i]);
        CHECK(std::equal(a.data<float>(), a.data<float>() + a.size(), b.data<float>()));
    }
}

TEST_CASE("names of a block") {
    const auto named = nn::named_parameters(nn::TransformerBlock(4, rng, {.activation = nn::Activation::swiglu, .bias = false}));
    std::string names;
    for (const auto& [name, x] : named) names += name + '\n';
    CHECK(names ==
          "attention_norm.weight\nattention.query.weight\nattention.key.weight\nattention.value.weight\nattention.out.weight\n"
          "mlp_norm.weight\nmlp.up.weight\nmlp.gate.weight\nmlp.down.weight\n");
}

TEST_CASE("attention begins as PyTorch's: the projections of self attention are one fused weight") {
    const auto check = [](const Tensor& weight, double bound) {
        CHECK(xg::amax(xg::abs(weight)).item<double>() <= bound);
        CHECK(xg::amax(xg::abs(weight)).item<double>() > 0.98 * bound);
        CHECK(xg::mean(xg::square(weight)).item<double>() == doctest::Approx(bound * bound / 3).epsilon(0.05));
    };
    const auto check_all = [&](const nn::MultiHeadAttention& a, double query, double key_value) {
        check(a.query.weight, query);
        check(a.key.weight, key_value);
        check(a.value.weight, key_value);
        check(a.out.weight, 1 / std::sqrt(64.));
        for (const Tensor& bias : {a.query.bias, a.key.bias, a.value.bias, a.out.bias})
            CHECK(xg::all(xg::equal(bias, 0.)).item<bool>());
    };
    // nn.MultiheadAttention: xavier_uniform_ of in_proj_weight (3 E, E), or of q_proj_weight (E, E), k_proj_weight (E, kdim), ...
    check_all(nn::MultiHeadAttention(64, rng, {.heads = 4}), std::sqrt(6. / (64 + 3 * 64)), std::sqrt(6. / (64 + 3 * 64)));
    check_all(nn::MultiHeadAttention(64, rng, {.heads = 4, .memory = 48}), std::sqrt(6. / (64 + 64)), std::sqrt(6. / (64 + 48)));
    const double grouped = std::sqrt(6. / (64 + 64 + 2 * 32));
    check_all(nn::MultiHeadAttention(64, rng, {.heads = 4, .kv_heads = 2}), grouped, grouped);
}

TEST_CASE("heads that do not fit are errors") {
    CHECK_THROWS_AS(nn::MultiHeadAttention(6, rng, {.heads = 4}), xg::Error);
    CHECK_THROWS_WITH_AS(nn::MultiHeadAttention(-6, rng), "[MultiHeadAttention] width is -6; give 0 or more", xg::ShapeError);
    CHECK_THROWS_AS(nn::MultiHeadAttention(6, rng, {.heads = 6, .kv_heads = 4}), xg::Error);
    CHECK_THROWS_AS(nn::MultiHeadAttention(6, rng, {.heads = 2, .rotary = true}), xg::Error);
    CHECK_THROWS_AS(xg::rotary(xg::zeros({2, 6}), {.heads = 2}), xg::ShapeError);
    CHECK_THROWS_AS(xg::rotary(xg::zeros({6})), xg::ShapeError);
}
