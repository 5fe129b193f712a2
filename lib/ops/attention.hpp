// What the parts of attention share.
#pragma once
#include <span>
#include <vector>

#include <xtgrad/ops/attention.hpp>

namespace xtgrad::detail {

/// Which probabilities are dropped: those whose word of the generator is below a threshold, four keys of a query to a position.
struct Dropped {
    std::uint64_t seed = 0;
    std::uint32_t threshold = 0;

    /// What the others are multiplied by.
    double kept() const { return 1 / (1 - threshold * 0x1p-32); }
};

/// Who attends to what: query i of a head to keys i + below .. i + above, where the mask, if any, is true.
struct Attending {
    Index heads, kv_heads;
    Index below, above;
    Tensor mask;
    Dropped dropped;
    Tensor rows = {};  ///< [2, batch, heads, T], kernels::AttentionRows: what the values leave for the other passes
};

/// The extents of q, k and v.
struct AttentionExtents {
    Shape batch;
    Index count;  // of the batch
    Index queries, keys, width, value_width;

    AttentionExtents(const Attending&, const Tensor& q, const Tensor& k, const Tensor& v);
    Shape out(const Attending&) const;     ///< [..., T, heads Dv]
    Shape rows(const Attending&) const;    ///< [..., heads, T]
    Shape scores(const Attending&) const;  ///< [..., heads, T, S]
};

/// What was asked for, once it is known to fit: x is q, k, v, scale and, if there is one, bias.
struct AttentionCall {
    std::vector<Tensor> x;
    Attending who;
    AttentionExtents e;
};
AttentionCall checked_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions&);

/// In place of the log-sum-exp of a query that may attend to nothing: the highest number, since a watchful tape wants it finite.
double no_keys(Dtype);

/// Output and log-sum-exp, one after the other, as a vector.
Tensor composed_attention(std::span<const Tensor> x, const Attending&);
Tensor fused_attention(std::span<const Tensor> x, const Attending&);
/// The output alone, of this shape.
Tensor output_of(const Tensor& vector, const Shape&);

/// The part of a vector that begins at `first`, as a tensor of this shape.
Tensor part_of(const Tensor& vector, Index first, const Shape&);
/// All elements, one tensor after the other.
Tensor joined(std::span<const Tensor>);

}  // namespace xtgrad::detail
