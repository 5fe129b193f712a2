#include <xtgrad/nn/recurrent.hpp>

#include <cmath>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>

namespace xtgrad::nn {
namespace {

void fill(auto& cell, Index gates, Index in, Index width, Rng& rng, const CellOptions& options) {
    const double bound = 1 / std::sqrt(double(width));
    const auto make = [&](const Shape& shape) { return uniform(shape, options.dtype, rng, -bound, bound); };
    cell.weight_ih = make({gates * width, in});
    cell.weight_hh = make({gates * width, width});
    if (!options.bias) return;
    cell.bias_ih = make({gates * width});
    cell.bias_hh = make({gates * width});
}

Tensor zero_state(const Tensor& weight_hh, Index rows) { return zeros({rows, weight_hh.shape(1)}, weight_hh.dtype()); }

}  // namespace

GRUCell::GRUCell(Index in, Index width, Rng& rng, const CellOptions& options) { fill(*this, 3, in, width, rng, options); }
Tensor GRUCell::start(Index rows) const { return zero_state(weight_hh, rows); }
Tensor GRUCell::operator()(const Tensor& x, const Tensor& h) const {
    const auto of_x = split(linear(x, weight_ih, bias_ih), 3, -1), of_h = split(linear(h, weight_hh, bias_hh), 3, -1);
    const Tensor r = sigmoid(of_x[0] + of_h[0]), z = sigmoid(of_x[1] + of_h[1]), n = tanh(of_x[2] + r * of_h[2]);
    return n + z * (h - n);
}

LSTMCell::LSTMCell(Index in, Index width, Rng& rng, const CellOptions& options) { fill(*this, 4, in, width, rng, options); }
LSTMCell::State LSTMCell::start(Index rows) const { return {zero_state(weight_hh, rows), zero_state(weight_hh, rows)}; }
LSTMCell::State LSTMCell::operator()(const Tensor& x, const State& state) const {
    const auto gates = split(linear(x, weight_ih, bias_ih) + linear(state.h, weight_hh, bias_hh), 4, -1);
    const Tensor c = sigmoid(gates[1]) * state.c + sigmoid(gates[0]) * tanh(gates[2]);
    return {sigmoid(gates[3]) * tanh(c), c};
}

}  // namespace xtgrad::nn
