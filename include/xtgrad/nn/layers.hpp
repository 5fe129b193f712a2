// The layers that most models have. Structs of tensors: change or replace the fields as you like. layer(x) evaluates; what
// behaves otherwise in training takes an argument more.
#pragma once
#include <optional>

#include "../ops/dropout.hpp"
#include "../random.hpp"
#include "visit.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

struct LinearOptions {
    bool bias = true;
    Dtype dtype = Dtype::f32;
};

/// x weight^T + bias: [..., in] to [..., out]. At first both uniform in +-1/sqrt(in), a bias beside no inputs 0, as in PyTorch.
struct Linear {
    Tensor weight;  ///< (out, in)
    Tensor bias;    ///< (out,), or empty

    Linear() = default;
    Linear(Index in, Index out, Rng&, const LinearOptions& = {});
    Tensor operator()(const Tensor& x) const;
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};

struct EmbeddingOptions {
    Dtype dtype = Dtype::f32;
};

/// A row of the weight for each index: i64 [...] to [..., width]. At first standard normal, as in PyTorch. For a head with the
/// same weight use it twice: linear(x, embedding.weight).
struct Embedding {
    Tensor weight;  ///< (count, width)

    Embedding() = default;
    Embedding(Index count, Index width, Rng&, const EmbeddingOptions& = {});
    Tensor operator()(const Tensor& indices) const;
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};

struct LayerNormOptions {
    double eps = 1e-5;
    bool bias = true;
    Dtype dtype = Dtype::f32;
};

/// layer_norm over the last axis, of extent `width`, with a weight, at first 1, and a bias, at first 0.
struct LayerNorm {
    Tensor weight, bias;
    double eps = 1e-5;

    LayerNorm() = default;
    explicit LayerNorm(Index width, const LayerNormOptions& = {});
    Tensor operator()(const Tensor& x) const;
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};

struct RMSNormOptions {
    std::optional<double> eps = {};  ///< by default the dtype's epsilon
    Dtype dtype = Dtype::f32;
};

/// rms_norm over the last axis, of extent `width`, with a weight, at first 1.
struct RMSNorm {
    Tensor weight;
    std::optional<double> eps = {};

    RMSNorm() = default;
    explicit RMSNorm(Index width, const RMSNormOptions& = {});
    Tensor operator()(const Tensor& x) const;
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};

/// x, or in training x with each element left out with probability p: dropout(x, rng).
struct Dropout {
    double p = 0.5;

    Tensor operator()(const Tensor& x) const { return x; }
    Tensor operator()(const Tensor& x, Rng& rng) const { return dropout(x, p, rng); }
    static void visit(auto&, auto&&) {}
};

struct Training {};
/// Says to a layer that a call belongs to training: norm(x, xg::nn::training).
inline constexpr Training training{};

struct BatchNormOptions {
    double eps = 1e-5;
    double momentum = 0.1;  ///< the share of a batch in the running statistics
    bool affine = true;     ///< with weight and bias
    Dtype dtype = Dtype::f32;
};

/// (x - mean) / sqrt(variance + eps) weight + bias for each channel of x [N, C, ...] (Ioffe and Szegedy, arXiv:1502.03167). In
/// training mean and variance are the batch's, and the running ones follow; else they are the running ones. In f32 and f64.
struct BatchNorm {
    Tensor weight, bias;    ///< (C,), or empty
    Tensor mean, variance;  ///< running, (C,), at first 0 and 1; the variance is of n - 1, as PyTorch's
    Tensor batches;         ///< how many were seen, i64
    double eps = 1e-5, momentum = 0.1;

    BatchNorm() = default;
    explicit BatchNorm(Index channels, const BatchNormOptions& = {});
    Tensor operator()(const Tensor& x) const;
    Tensor operator()(const Tensor& x, Training);
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
        field("mean", buffer(self.mean));
        field("variance", buffer(self.variance));
        field("batches", buffer(self.batches));
    }
};

}  // namespace nn
}  // namespace xtgrad
