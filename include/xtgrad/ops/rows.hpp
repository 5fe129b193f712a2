// Functions of whole rows: each one fused node, whose adjoint is a fused node of its own. f32 and f64.
#pragma once
#include <optional>

#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// s_i = e^(x_i) / sum_k e^(x_k) along an axis: the row-softmax of the attention block
/// f(X, Y) = softmax(lambda X^T A^T B Y) C X, with ds = (diag(s) - s s^T) dx.
Tensor softmax(const Tensor& x, Index axis = -1);

/// s * (g - sum(g * s)) along an axis: the adjoint of softmax, and by symmetry its tangent. Linear and symmetric in g.
Tensor softmax_vjp(const Tensor& s, const Tensor& g, Index axis = -1);

/// x - logsumexp(x) along an axis.
Tensor log_softmax(const Tensor& x, Index axis = -1);

struct LayerNormOptions {
    double eps = 1e-5;  ///< at least 0
};

/// (x - mean) / sqrt(variance + eps) along the last axis, times `weight`, plus `bias`, both of the last axis' extent
/// (Ba, Kiros and Hinton, arXiv:1607.06450). Throws Error unless eps is finite and not negative.
Tensor layer_norm(const Tensor& x, const LayerNormOptions& options = {});
Tensor layer_norm(const Tensor& x, const Tensor& weight, const LayerNormOptions& options = {});
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const LayerNormOptions& options = {});

struct RmsNormOptions {
    std::optional<double> eps = {};  ///< at least 0; by default the dtype's epsilon
};

/// x / sqrt(mean(x^2) + eps) along the last axis, times `weight` of that axis' extent (Zhang and Sennrich, arXiv:1910.07467).
/// Throws Error unless eps is finite and not negative.
Tensor rms_norm(const Tensor& x, const RmsNormOptions& options = {});
Tensor rms_norm(const Tensor& x, const Tensor& weight, const RmsNormOptions& options = {});

struct CrossEntropyOptions {
    double label_smoothing = 0;  ///< the share of each target, in [0, 1], that is spread evenly over all classes
    Index ignore_index = -100;   ///< rows with this label do not count
    Tensor weight = {};          ///< of each class, (C,); a constant: it gets no gradient
};

/// The mean over rows of -log softmax(logits)[label], a scalar: logits [..., C], labels i64 [...] in [0, C), else IndexError.
/// With weights it is the weighted mean; NaN when no row counts. Smoothing as in Szegedy et al., arXiv:1512.00567, section 7.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options = {});

}  // namespace xtgrad
