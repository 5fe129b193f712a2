#include <xtgrad/nn/layers.hpp>

#include <cmath>

#include <xtgrad/ops/arrangement.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/ops/rows.hpp>
#include <xtgrad/ops/statistics.hpp>
#include <xtgrad/tape.hpp>

#include "../tensor/option.hpp"
#include "sizes.hpp"

namespace xtgrad::nn {

using namespace xtgrad::detail;

Linear::Linear(Index in, Index out, Rng& rng, const LinearOptions& options) {
    check_sizes("Linear", {{"in", in}, {"out", out}});
    const double bound = in > 0 ? 1 / std::sqrt(double(in)) : 0;
    weight = uniform({out, in}, options.dtype, rng, -bound, bound);
    if (options.bias) bias = uniform({out}, options.dtype, rng, -bound, bound);
}
Tensor Linear::operator()(const Tensor& x) const { return linear(x, weight, bias); }

Embedding::Embedding(Index count, Index width, Rng& rng, const EmbeddingOptions& options)
    : weight(randn({count, width}, options.dtype, rng)) {}
Tensor Embedding::operator()(const Tensor& indices) const { return embedding(weight, indices); }

LayerNorm::LayerNorm(Index width, const LayerNormOptions& options) : weight(ones({width}, options.dtype)), eps(options.eps) {
    check_option("LayerNorm", "eps", eps, not_negative);
    if (options.bias) bias = zeros({width}, options.dtype);
}
Tensor LayerNorm::operator()(const Tensor& x) const {
    return bias.defined() ? layer_norm(x, weight, bias, {.eps = eps}) : layer_norm(x, weight, {.eps = eps});
}

RMSNorm::RMSNorm(Index width, const RMSNormOptions& options) : weight(ones({width}, options.dtype)), eps(options.eps) {
    if (eps) check_option("RMSNorm", "eps", *eps, not_negative);
}
Tensor RMSNorm::operator()(const Tensor& x) const { return rms_norm(x, weight, {.eps = eps}); }

namespace {

/// (C, 1, ..., 1), so that it broadcasts along x's channels.
Tensor column(const Tensor& of_channels, const Tensor& x) {
    Shape shape{of_channels.size()};
    for (std::size_t d = 2; d < x.dimension(); ++d) shape.push_back(1);
    return reshape(of_channels, shape);
}

void check_numbers(const BatchNorm& norm) {
    check_options("batch_norm", {{"eps", norm.eps, not_negative}, {"momentum", norm.momentum, share}});
}

void check_channels(const BatchNorm& norm, const Tensor& x) {
    check_numbers(norm);
    check_floating("batch_norm", x);
    check_same_dtype("batch_norm", x, norm.mean);
    if (x.dimension() < 2 || x.shape(1) != norm.mean.shape(0))
        fail<ShapeError>("batch_norm", "the inputs ", x.shape(), " do not have ", norm.mean.shape(0),
                         " channels; they need the shape (N, C, ...)");
}

Tensor affine(const BatchNorm& norm, const Tensor& x) {
    if (!norm.weight.defined()) return x;
    return x * column(norm.weight, x) + column(norm.bias, x);
}

}  // namespace

BatchNorm::BatchNorm(Index channels, const BatchNormOptions& options)
    : mean(zeros({channels}, options.dtype)),
      variance(ones({channels}, options.dtype)),
      batches(std::int64_t(0)),
      eps(options.eps),
      momentum(options.momentum) {
    check_numbers(*this);
    if (options.affine) weight = ones({channels}, options.dtype), bias = zeros({channels}, options.dtype);
}

Tensor BatchNorm::operator()(const Tensor& x) const {
    check_channels(*this, x);
    return affine(*this, (x - column(mean, x)) / sqrt(column(variance, x) + eps));
}

Tensor BatchNorm::operator()(const Tensor& x, Training) {
    check_channels(*this, x);
    const Tensor moved = moveaxis(x, 1, 0);
    const Shape shape = moved.shape();
    const Index channels = shape[0], n = channels ? Index(x.size()) / channels : 0;
    if (n < 2)
        fail<ShapeError>("batch_norm", "a batch of ", x.shape(), " has ", n,
                         " elements a channel, too few for a variance; give a larger batch, or leave out `training`");
    const Tensor rows = reshape(moved, {channels, n});
    Tensor out = affine(*this, moveaxis(reshape(layer_norm(rows, {.eps = eps}), shape), 0, 1));
    const no_record outside;
    Tensor new_mean = mean * (1 - momentum) + xtgrad::mean(rows, 1) * momentum;
    Tensor new_variance = variance * (1 - momentum) + xtgrad::variance(rows, {1}, 1) * momentum;
    batches = batches + 1;
    mean = std::move(new_mean);
    variance = std::move(new_variance);
    return out;
}

}  // namespace xtgrad::nn
