// Cells of recurrent networks: one step. A sequence is a loop.
#pragma once
#include "layers.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

struct CellOptions {
    bool bias = true;
    Dtype dtype = Dtype::f32;
};

/// A gated recurrent unit (Cho et al., arXiv:1406.1078): x [..., in] and the state h [..., width] to the next state. With the
/// rows of the weights in the order r, z, n as in PyTorch, r and z the sigmoids of both sums, n = tanh(x's + r h's), it is
/// (1 - z) n + z h. At first all uniform in +-1/sqrt(width).
struct GRUCell {
    Tensor weight_ih, weight_hh;  ///< (3 width, in), (3 width, width)
    Tensor bias_ih, bias_hh;      ///< (3 width,), or empty

    GRUCell() = default;
    GRUCell(Index in, Index width, Rng&, const CellOptions& = {});
    Tensor operator()(const Tensor& x, const Tensor& h) const;
    /// The state before a sequence: zeros, [rows, width].
    Tensor start(Index rows) const;
    static void visit(auto& self, auto&& field) {
        field("weight_ih", self.weight_ih);
        field("weight_hh", self.weight_hh);
        field("bias_ih", self.bias_ih);
        field("bias_hh", self.bias_hh);
    }
};

/// A cell of long short-term memory (Hochreiter and Schmidhuber, 1997): x [..., in] and the state to the next state. With the
/// rows of the weights in the order i, f, g, o as in PyTorch: c = sigmoid(f) c + sigmoid(i) tanh(g), h = sigmoid(o) tanh(c). At
/// first all uniform in +-1/sqrt(width).
struct LSTMCell {
    struct State {
        Tensor h, c;  ///< [..., width]
    };
    Tensor weight_ih, weight_hh;  ///< (4 width, in), (4 width, width)
    Tensor bias_ih, bias_hh;      ///< (4 width,), or empty

    LSTMCell() = default;
    LSTMCell(Index in, Index width, Rng&, const CellOptions& = {});
    State operator()(const Tensor& x, const State&) const;
    /// The state before a sequence: zeros, [rows, width].
    State start(Index rows) const;
    static void visit(auto& self, auto&& field) { GRUCell::visit(self, field); }
};

}  // namespace nn
}  // namespace xtgrad
