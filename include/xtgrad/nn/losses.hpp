// Losses: scalars, means unless they say otherwise. Shapes are equal, not broadcast: ShapeError. Composed of other ops, so every
// order exists, and for a target too.
#pragma once
#include "../ops/rows.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

using xtgrad::cross_entropy;
using xtgrad::CrossEntropyOptions;

/// The mean of (x - target)^2.
Tensor mse(const Tensor& x, const Tensor& target);
/// The mean of |x - target|.
Tensor l1(const Tensor& x, const Tensor& target);

struct HuberOptions {
    double delta = 1;  ///< up to this difference a parabola
};
/// The mean of d^2 / 2 where |d| <= delta, else of delta (|d| - delta / 2), d = x - target (Huber, 1964).
Tensor huber(const Tensor& x, const Tensor& target, const HuberOptions& = {});

struct BinaryCrossEntropyOptions {
    Tensor weight = {};      ///< of each element; broadcasts
    Tensor pos_weight = {};  ///< of the positive part; broadcasts
};
/// The mean of -t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)), without overflow; targets t in [0, 1].
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target, const BinaryCrossEntropyOptions& = {});

/// The mean of max(0, 1 - target score); targets are 1 and -1.
Tensor hinge(const Tensor& scores, const Tensor& target);

/// The Kullback-Leibler divergence of log_probabilities [N, ...] from the target's probabilities: the sum of t (log t - x),
/// divided by N (PyTorch's batchmean). Where t is 0 it is 0.
Tensor kl_div(const Tensor& log_probabilities, const Tensor& target);

struct NllOptions {
    Index ignore_index = -100;  ///< rows with this label do not count
    Tensor weight = {};         ///< of each class, (C,)
};
/// The mean over rows of -x[label]: log-probabilities x [..., C], labels i64 [...] in [0, C), else IndexError. With weights the
/// weighted mean; NaN when no row counts.
Tensor nll(const Tensor& log_probabilities, const Tensor& labels, const NllOptions& = {});

}  // namespace nn
}  // namespace xtgrad
