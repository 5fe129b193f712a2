#include <xtgrad/nn/transformer.hpp>

#include <xtgrad/ops/elementwise.hpp>

#include "../tensor/option.hpp"

namespace xtgrad::nn {

Mlp::Mlp(Index width, Index hidden, Rng& rng, const MlpOptions& o) : options(o) {
    xtgrad::detail::check_option("Mlp", "dropout", o.dropout, xtgrad::detail::share);
    const LinearOptions linear{.bias = o.bias, .dtype = o.dtype};
    up = Linear(width, hidden, rng, linear);
    down = Linear(hidden, width, rng, linear);
    if (o.activation == Activation::swiglu) gate = Linear(width, hidden, rng, linear);
}

Tensor Mlp::operator()(const Tensor& x) const {
    const Tensor h = up(x);
    if (gate) return down(silu((*gate)(x)) * h);
    switch (options.activation) {
        case Activation::relu: return down(relu(h));
        case Activation::gelu: return down(gelu(h));
        case Activation::gelu_tanh: return down(gelu_tanh(h));
        default: return down(silu(h));
    }
}
Tensor Mlp::operator()(const Tensor& x, Rng& rng) const {
    const Tensor y = (*this)(x);
    return options.dropout != 0 ? dropout(y, options.dropout, rng) : y;
}

namespace {

TransformerBlock::Norm norm_of(Index width, const TransformerBlockOptions& o) {
    if (o.norm == NormKind::rms) return RMSNorm(width, {.dtype = o.dtype});
    return LayerNorm(width, {.bias = o.bias, .dtype = o.dtype});
}
Tensor apply(const TransformerBlock::Norm& norm, const Tensor& x) {
    return std::visit([&](const auto& layer) { return layer(x); }, norm);
}

}  // namespace

TransformerBlock::TransformerBlock(Index width, Rng& rng, const TransformerBlockOptions& o)
    : attention_norm(norm_of(width, o)),
      attention(width, rng,
                {.heads = o.heads,
                 .kv_heads = o.kv_heads,
                 .causal = o.causal,
                 .window = o.window,
                 .rotary = o.rotary,
                 .rotary_base = o.rotary_base,
                 .bias = o.bias,
                 .dropout = o.dropout,
                 .dtype = o.dtype}),
      mlp_norm(norm_of(width, o)),
      mlp(width, o.hidden.value_or(4 * width), rng,
          {.activation = o.activation, .bias = o.bias, .dropout = o.dropout, .dtype = o.dtype}) {}

Tensor TransformerBlock::operator()(const Tensor& x, const AttendOptions& given) const {
    const Tensor y = x + attention(apply(attention_norm, x), given);
    return y + mlp(apply(mlp_norm, y));
}
Tensor TransformerBlock::operator()(const Tensor& x, Rng& rng, const AttendOptions& given) const {
    const Tensor seen = attention(apply(attention_norm, x), rng, given);
    const Tensor y = x + (mlp.options.dropout != 0 ? dropout(seen, mlp.options.dropout, rng) : seen);
    return y + mlp(apply(mlp_norm, y), rng);
}
Tensor TransformerBlock::operator()(const Tensor& x, KeyValueCache& cache) const {
    const Tensor y = x + attention(apply(attention_norm, x), cache);
    return y + mlp(apply(mlp_norm, y));
}

}  // namespace xtgrad::nn
