// Models with tied fields.
#pragma once
#include <doctest/doctest.h>

#include <xtgrad/nn.hpp>
#include <xtgrad/ops.hpp>
#include <xtgrad/optim.hpp>

namespace tied {

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;
using xg::Tensor;

struct Pair {
    Tensor a = xg::ones({2}), b = a;
    static void visit(auto& self, auto&& field) {
        field("a", self.a);
        field("b", self.b);
    }
};

/// An embedding whose weight is the head's, too, behind a layer, and a frozen copy of it.
struct Speller {
    nn::Embedding embedding;
    nn::Linear layer;
    struct {
        Tensor weight, bias;
        static void visit(auto& self, auto&& field) { nn::Linear::visit(self, field); }
    } head;
    Tensor frozen;

    explicit Speller(xg::Rng& rng, bool tied = true)
        : embedding(5, 3, rng, {.dtype = xg::f64}), layer(3, 3, rng, {.dtype = xg::f64}) {
        head.weight = tied ? embedding.weight : xg::copy(embedding.weight);
        head.bias = xg::zeros({5});
        frozen = embedding.weight;
    }
    Tensor operator()(const Tensor& x) const { return xg::linear(xg::tanh(layer(embedding(x))), head.weight, head.bias); }
    static void visit(auto& self, auto&& field) {
        field("embedding", self.embedding);
        field("layer", self.layer);
        field("head", self.head);
        field("frozen", nn::buffer(self.frozen));
    }
};

inline Tensor loss_of(const Speller& m) { return xg::cross_entropy(m(xg::tensor({0, 1, 4, 2})), xg::tensor({1, 3, 2, 2})); }

inline bool one(const Tensor& a, const Tensor& b) { return a.block() == b.block(); }
inline double distance(const Tensor& a, const Tensor& b) { return xg::amax(xg::abs(a - b)).item<double>(); }
inline bool is(const Tensor& x, double value) { return distance(x, xg::full_like(x, value)) < 1e-12; }

inline std::string message(auto&& f) {
    try {
        f();
    } catch (const xg::Error& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace tied
