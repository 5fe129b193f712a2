// Attention with its projections, and what it keeps while it generates.
#pragma once
#include "../ops/attention.hpp"
#include "layers.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

struct LearnedPositionsOptions {
    Dtype dtype = Dtype::f32;
};

/// Adds a learned row to each position: x [..., T, width] + weight[offset .. offset + T - 1]. At first normal of standard
/// deviation 0.02, as GPT-2's. Throws ShapeError beyond the last position.
struct LearnedPositions {
    Tensor weight;  ///< (positions, width)

    LearnedPositions() = default;
    LearnedPositions(Index positions, Index width, Rng&, const LearnedPositionsOptions& = {});
    /// `offset` is the position of the first row: the length of a cache in generation.
    Tensor operator()(const Tensor& x, Index offset = 0) const;
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};

struct MultiHeadAttentionOptions {
    Index heads = 1;                     ///< the width is a multiple of it
    std::optional<Index> kv_heads = {};  ///< of keys and values, each for as many neighbouring heads; by default `heads`
    std::optional<Index> memory = {};    ///< the width of the sequence that is attended to; by default `width`
    bool causal = false;                 ///< a position sees none after it
    std::optional<Index> window = {};    ///< how far a position sees, as in attention()
    bool rotary = false;                 ///< queries and keys are rotated by their positions
    double rotary_base = 10000;
    bool bias = true;
    double dropout = 0;  ///< of the probabilities, in training
    Dtype dtype = Dtype::f32;
};

/// What a call of attention may be given beside its input.
struct AttendOptions {
    Tensor memory = {};  ///< [..., S, memory width]: attend to it (cross attention), not to the input
    Tensor mask = {};    ///< boolean, true where a query may attend; broadcasts to [..., heads, T, S]
};

/// Keys and values of the positions that were seen, [..., S, kv_heads D]; at first none. A value: a copy is a place to go
/// back to.
struct KeyValueCache {
    Tensor keys, values;

    Index length() const { return keys.defined() ? keys.shape(-2) : 0; }
    static void visit(auto& self, auto&& field) {
        field("keys", state(self.keys));
        field("values", state(self.values));
    }
};

/// Projections to queries, keys and values, attention, and a projection back: [..., T, width] to the same (Vaswani et al.,
/// arXiv:1706.03762). At first, as in PyTorch, the three are together one xavier_uniform weight (width + 2 kv_heads D, width), or
/// where the memory has another width one each; the last is a Linear; biases are 0. Throws Error unless the heads divide the
/// width and one another.
struct MultiHeadAttention {
    Linear query, key, value, out;
    MultiHeadAttentionOptions options;

    MultiHeadAttention() = default;
    MultiHeadAttention(Index width, Rng&, const MultiHeadAttentionOptions& = {});

    Tensor operator()(const Tensor& x, const AttendOptions& = {}) const;
    /// In training, with dropout.
    Tensor operator()(const Tensor& x, Rng&, const AttendOptions& = {}) const;
    /// Generation: x are the positions after those of the cache, and join it. One at a time or several give what all at once
    /// gives, if attention is causal.
    Tensor operator()(const Tensor& x, KeyValueCache&) const;

    static void visit(auto& self, auto&& field) {
        field("query", self.query);
        field("key", self.key);
        field("value", self.value);
        field("out", self.out);
    }

private:
    Tensor attend(const Tensor& x, const AttendOptions&, KeyValueCache*, Rng*) const;
};

}  // namespace nn
}  // namespace xtgrad
