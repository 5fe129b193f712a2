// Attention: fused nodes that never store the matrix of the scores. f32 and f64.
#pragma once
#include <optional>
#include <utility>

#include "../random.hpp"
#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// What the scores are multiplied by: a finite number or a scalar Tensor, which is differentiable; 1 / sqrt(D) when neither is
/// given.
struct AttentionScale {
    std::optional<double> number = {};
    std::optional<Tensor> tensor = {};

    AttentionScale() = default;
    template <Arithmetic N>
    AttentionScale(N n) : number(static_cast<double>(n)) {}
    AttentionScale(Tensor t) : tensor(std::move(t)) {}
};

/// Dropout of probabilities: each is 0 with this rate, the others are multiplied by 1 / (1 - rate). Which are is drawn from
/// the generator, which advances, and computed anew wherever it is needed.
struct AttentionDropout {
    double rate = 0;
    Rng* rng = nullptr;

    AttentionDropout() = default;
    AttentionDropout(double probability, Rng& generator) : rate(probability), rng(&generator) {}
};

struct AttentionOptions {
    AttentionScale scale = {};
    bool causal = false;               ///< query i attends to keys 0 .. i + offset
    Index offset = 0;                  ///< key i + offset stands where query i does; S - T for generation with a cache
    std::optional<Index> window = {};  ///< w: keys i + offset - w + 1 .. i + offset; not causal: i + offset - w .. i + offset + w
    Tensor bias = {};                  ///< added to the scores; broadcasts to [..., heads, T, S]; differentiable
    Tensor mask = {};                  ///< boolean, true where a query may attend; broadcasts likewise
    Index heads = 1;                   ///< that share the columns of q, each D wide
    std::optional<Index> kv_heads = {};  ///< of k and v, each for as many neighbouring heads of q; by default `heads`
    AttentionDropout dropout = {};       ///< {rate, rng}
};

/// softmax(scale q k^T + bias) v for each head: q [..., T, heads D], k [..., S, kv_heads D], v [..., S, kv_heads Dv] to
/// [..., T, heads Dv] (Vaswani et al., arXiv:1706.03762), tile by tile with a running maximum and sum (Dao et al.,
/// arXiv:2205.14135): memory O(T D) forward, backward, and for second derivatives in every mode. Third derivatives store T x S
/// matrices. A query does not see what the mask, causal, the window or a bias of -inf hides from it: a key, its value and its
/// bias, and if they are NaN or infinite, no value and no derivative of that query shows it. A query that sees nothing gives 0
/// and has no gradient, and what stands there shows nowhere. To those that see them, NaN and infinities show. A bias that is low
/// but finite, as the lowest number is, hides nothing from a query that has no other. Throws ShapeError or DtypeError when
/// arguments do not fit, Error for a negative window, a rate of dropout outside [0, 1), or a scale that is a number and not
/// finite; a Tensor that is not finite makes the output of every query that sees a key NaN.
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {});

/// With the logarithm of each query's sum of exponentials, [..., heads, T], also differentiable; -inf for a query that may
/// attend to nothing.
std::pair<Tensor, Tensor> attention_logsumexp(const Tensor& q, const Tensor& k, const Tensor& v,
                                              const AttentionOptions& options = {});

/// softmax(lambda X^T A^T B Y) C X, the softmax over the m columns of Y: X [n, p], Y [n, m], A and B [r, n], C [m, n] to [p, p];
/// lambda a number or a scalar Tensor. Any of the six is differentiable. Throws ShapeError when they do not fit.
Tensor attention_block(const Tensor& X, const Tensor& Y, const Tensor& A, const Tensor& B, const Tensor& C,
                       const AttentionScale& lambda);

}  // namespace xtgrad
