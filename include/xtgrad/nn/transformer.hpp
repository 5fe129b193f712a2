// Blocks of transformers.
#pragma once
#include <variant>

#include "attention.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

/// relu, gelu, its approximation by tanh, silu; swiglu is silu(gate(x)) * up(x) (Shazeer, arXiv:2002.05202).
enum class Activation { relu, gelu, gelu_tanh, silu, swiglu };

struct MlpOptions {
    Activation activation = Activation::gelu;
    bool bias = true;
    double dropout = 0;  ///< of the result, in training
    Dtype dtype = Dtype::f32;
};

/// down(activation(up(x))): [..., width] to [..., width] through `hidden` units.
struct Mlp {
    Linear up, down;
    std::optional<Linear> gate;  ///< of swiglu
    MlpOptions options;

    Mlp() = default;
    Mlp(Index width, Index hidden, Rng&, const MlpOptions& = {});
    Tensor operator()(const Tensor& x) const;
    Tensor operator()(const Tensor& x, Rng&) const;
    static void visit(auto& self, auto&& field) {
        field("up", self.up);
        field("gate", self.gate);
        field("down", self.down);
    }
};

enum class NormKind { layer, rms };

struct TransformerBlockOptions {
    Index heads = 1;
    std::optional<Index> kv_heads = {};
    bool causal = false;
    std::optional<Index> window = {};
    bool rotary = false;
    double rotary_base = 10000;
    NormKind norm = NormKind::layer;
    Activation activation = Activation::gelu;
    std::optional<Index> hidden = {};  ///< by default 4 width
    bool bias = true;                  ///< of the projections, and of layer norms
    double dropout = 0;                ///< of probabilities and of what each half adds, in training
    Dtype dtype = Dtype::f32;
};

/// x + attention(norm(x)), then x + mlp(norm(x)): a block whose norms come first (Xiong et al., arXiv:2002.04745).
struct TransformerBlock {
    using Norm = std::variant<LayerNorm, RMSNorm>;
    Norm attention_norm;
    MultiHeadAttention attention;
    Norm mlp_norm;
    Mlp mlp;

    TransformerBlock() = default;
    TransformerBlock(Index width, Rng&, const TransformerBlockOptions& = {});
    Tensor operator()(const Tensor& x, const AttendOptions& = {}) const;
    /// In training, with dropout.
    Tensor operator()(const Tensor& x, Rng&, const AttendOptions& = {}) const;
    /// Generation, as MultiHeadAttention's.
    Tensor operator()(const Tensor& x, KeyValueCache&) const;

    static void visit(auto& self, auto&& field) {
        field("attention_norm", self.attention_norm);
        field("attention", self.attention);
        field("mlp_norm", self.mlp_norm);
        field("mlp", self.mlp);
    }
};

}  // namespace nn
}  // namespace xtgrad
