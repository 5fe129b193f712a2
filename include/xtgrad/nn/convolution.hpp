// Layers over images and sequences.
#pragma once
#include "../ops/convolution.hpp"
#include "layers.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

struct Conv1dOptions {
    Index stride = 1, padding = 0, dilation = 1, groups = 1;  ///< as conv1d's
    bool bias = true;
    Dtype dtype = Dtype::f32;
};

/// conv1d with a weight and a bias: [N, in, L] to [N, out, L']. At first both uniform in +-1/sqrt(in / groups window), as in
/// PyTorch.
struct Conv1d {
    Tensor weight;  ///< (out, in / groups, window)
    Tensor bias;    ///< (out,), or empty
    xtgrad::Conv1dOptions options;

    Conv1d() = default;
    Conv1d(Index in, Index out, Index window, Rng&, const Conv1dOptions& = {});
    Tensor operator()(const Tensor& x) const { return conv1d(x, weight, bias, options); }
    static void visit(auto& self, auto&& field) { Linear::visit(self, field); }
};

struct Conv2dOptions {
    Extent2d stride = 1, padding = 0, dilation = 1;  ///< as conv2d's
    Index groups = 1;
    bool bias = true;
    Dtype dtype = Dtype::f32;
};

/// conv2d with a weight and a bias: [N, in, H, W] to [N, out, H', W']. At first both uniform in +-1/sqrt(in / groups window), as
/// in PyTorch.
struct Conv2d {
    Tensor weight;  ///< (out, in / groups, height, width)
    Tensor bias;    ///< (out,), or empty
    xtgrad::Conv2dOptions options;

    Conv2d() = default;
    Conv2d(Index in, Index out, const Extent2d& window, Rng&, const Conv2dOptions& = {});
    Tensor operator()(const Tensor& x) const { return conv2d(x, weight, bias, options); }
    static void visit(auto& self, auto&& field) { Linear::visit(self, field); }
};

/// max_pool2d as a part of a chain.
struct MaxPool2d {
    Extent2d window;
    PoolOptions options = {};

    Tensor operator()(const Tensor& x) const { return max_pool2d(x, window, options); }
};

/// avg_pool2d as a part of a chain.
struct AvgPool2d {
    Extent2d window;
    PoolOptions options = {};

    Tensor operator()(const Tensor& x) const { return avg_pool2d(x, window, options); }
};

}  // namespace nn
}  // namespace xtgrad
