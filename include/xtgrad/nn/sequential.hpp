// Chains of layers, and functions as layers.
#pragma once
#include <tuple>

#include "../ops/activation.hpp"
#include "../ops/hyperbolic.hpp"
#include "../ops/manipulation.hpp"
#include "layers.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] nn {

/// Functions as parts of a chain; any callable will do.
struct ReLU {
    Tensor operator()(const Tensor& x) const { return relu(x); }
};
struct GELU {
    Tensor operator()(const Tensor& x) const { return gelu(x); }
};
struct SiLU {
    Tensor operator()(const Tensor& x) const { return silu(x); }
};
struct Tanh {
    Tensor operator()(const Tensor& x) const { return tanh(x); }
};
struct Sigmoid {
    Tensor operator()(const Tensor& x) const { return sigmoid(x); }
};
/// [N, ...] to [N, the rest].
struct Flatten {
    Tensor operator()(const Tensor& x) const {
        const Index n = x.shape(0);
        return reshape(x, {n, n ? Index(x.size()) / n : 0});
    }
};

/// Parts one after another: Sequential net(Linear(8, 16, rng), ReLU(), Linear(16, 2, rng)). Their names are their places, "0",
/// "1", ...; callables that are no modules have nothing to name.
template <class... Parts>
struct Sequential {
    std::tuple<Parts...> parts;

    Sequential() = default;
    Sequential(Parts... p)
        requires(sizeof...(Parts) > 0)
        : parts(std::move(p)...) {}

    /// Evaluates.
    Tensor operator()(const Tensor& x) const {
        Tensor y = x;
        std::apply([&](const auto&... part) { ((y = part(y)), ...); }, parts);
        return y;
    }
    /// In training: dropout draws from the generator, and batch norms follow the batch.
    Tensor operator()(const Tensor& x, Rng& rng) {
        Tensor y = x;
        const auto step = [&](auto& part) {
            if constexpr (requires { part(y, rng); })
                y = part(y, rng);
            else if constexpr (requires { part(y, training); })
                y = part(y, training);
            else
                y = part(y);
        };
        std::apply([&](auto&... part) { (step(part), ...); }, parts);
        return y;
    }
    static void visit(auto& self, auto&& field) {
        std::apply(
            [&](auto&... part) {
                std::size_t i = 0;
                const auto name = [&](auto& p) {
                    const std::string place = std::to_string(i++);
                    if constexpr (Field<decltype(p)>) field(place, p);
                };
                (name(part), ...);
            },
            self.parts);
    }
};

}  // namespace nn
}  // namespace xtgrad
