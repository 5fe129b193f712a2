// What weights are at first. PyTorch's names and formulas; the numbers come from an explicit generator.
#pragma once
#include "../random.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

/// What an activation does to the size of its inputs: sqrt(2) for relu, 5/3 for tanh.
inline constexpr double relu_gain = 1.4142135623730951, tanh_gain = 5. / 3;

/// For a weight (out, in, ...), of which the further axes are a convolution's window: fan_in = in * window, fan_out = out *
/// window. Throws ShapeError for fewer than two axes, Error for a gain that is not finite.

/// Uniform in +-gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, AISTATS 2010).
Tensor xavier_uniform(const Shape&, Dtype, Rng&, double gain = 1);
/// Normal of standard deviation gain sqrt(2 / (fan_in + fan_out)).
Tensor xavier_normal(const Shape&, Dtype, Rng&, double gain = 1);
/// Uniform in +-gain sqrt(3 / fan_in) (He et al., arXiv:1502.01852).
Tensor kaiming_uniform(const Shape&, Dtype, Rng&, double gain = relu_gain);
/// Normal of standard deviation gain / sqrt(fan_in).
Tensor kaiming_normal(const Shape&, Dtype, Rng&, double gain = relu_gain);

struct TruncatedNormalOptions {
    double mean = 0, stddev = 1;
    double low = -2, high = 2;  ///< no number lies outside
};
/// Normal numbers of those that lie in [low, high], which may be far from the mean. Throws Error unless low < high, stddev > 0,
/// and mean and stddev are finite.
Tensor truncated_normal(const Shape&, Dtype, Rng&, const TruncatedNormalOptions& = {});

}  // namespace nn
}  // namespace xtgrad
