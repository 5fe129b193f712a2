#include <xtgrad/nn/recurrent.hpp>

#include <algorithm>
#include <cmath>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "sizes.hpp"

namespace xtgrad::nn {
namespace {

void fill(auto& cell, const char* name, Index gates, Index in, Index width, Rng& rng, const CellOptions& options) {
    check_sizes(name, {{"in", in}, {"width", width}});
    const double bound = width > 0 ? 1 / std::sqrt(double(width)) : 0;
    const auto make = [&](const Shape& shape) { return uniform(shape, options.dtype, rng, -bound, bound); };
    cell.weight_ih = make({gates * width, in});
    cell.weight_hh = make({gates * width, width});
    if (!options.bias) return;
    cell.bias_ih = make({gates * width});
    cell.bias_hh = make({gates * width});
}

Tensor zero_state(const Tensor& weight_hh, Index rows) { return zeros({rows, weight_hh.shape(1)}, weight_hh.dtype()); }

/// Throws ShapeError unless the state has the cell's width, and rows that broadcast with those of x.
void check_state(const char* cell, const char* name, const Tensor& state, const Tensor& x, const Tensor& weight_hh) {
    xtgrad::detail::check_defined(cell, state);
    xtgrad::detail::check_defined(cell, x);
    const Shape given = state.shape(), inputs = x.shape();
    bool fits = !given.empty() && given.back() == weight_hh.shape(1);
    for (std::size_t i = 2; i <= std::min(given.size(), inputs.size()); ++i) {
        const Index of_state = given[given.size() - i], of_x = inputs[inputs.size() - i];
        fits = fits && (of_state == of_x || of_state == 1 || of_x == 1);
    }
    if (!fits)
        xtgrad::detail::fail<ShapeError>(cell, "the state ", name, ' ', given, " does not fit the inputs ", inputs,
                                         "; it needs their rows and the width ", weight_hh.shape(1), ", as start(rows) makes it");
}

}  // namespace

GRUCell::GRUCell(Index in, Index width, Rng& rng, const CellOptions& options) {
    fill(*this, "GRUCell", 3, in, width, rng, options);
}
Tensor GRUCell::start(Index rows) const { return zero_state(weight_hh, rows); }
Tensor GRUCell::operator()(const Tensor& x, const Tensor& h) const {
    check_state("GRUCell", "h", h, x, weight_hh);
    const auto of_x = split(linear(x, weight_ih, bias_ih), 3, -1), of_h = split(linear(h, weight_hh, bias_hh), 3, -1);
    const Tensor r = sigmoid(of_x[0] + of_h[0]), z = sigmoid(of_x[1] + of_h[1]), n = tanh(of_x[2] + r * of_h[2]);
    return n + z * (h - n);
}

LSTMCell::LSTMCell(Index in, Index width, Rng& rng, const CellOptions& options) {
    fill(*this, "LSTMCell", 4, in, width, rng, options);
}
LSTMCell::State LSTMCell::start(Index rows) const { return {zero_state(weight_hh, rows), zero_state(weight_hh, rows)}; }
LSTMCell::State LSTMCell::operator()(const Tensor& x, const State& state) const {
    check_state("LSTMCell", "h", state.h, x, weight_hh);
    check_state("LSTMCell", "c", state.c, x, weight_hh);
    const auto gates = split(linear(x, weight_ih, bias_ih) + linear(state.h, weight_hh, bias_hh), 4, -1);
    const Tensor c = sigmoid(gates[1]) * state.c + sigmoid(gates[0]) * tanh(gates[2]);
    return {sigmoid(gates[3]) * tanh(c), c};
}

}  // namespace xtgrad::nn
