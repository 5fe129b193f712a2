#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = tanh x,  dy/dx = 1 - y^2
struct Tanh : Unary {
    static constexpr auto name = "tanh";
    static auto value(Number auto x) { return tanh(x); }
    static auto slope(Unused, Number auto y) { return 1 - y * y; }
};

/// y = 1 / (1 + e^-x),  dy/dx = y (1 - y)
struct Sigmoid : Unary {
    static constexpr auto name = "sigmoid";
    static auto value(Number auto x) { return 1 / (1 + exp(-x)); }
    static auto slope(Unused, Number auto y) { return y * (1 - y); }
};

/// y = max(x, 0), NaN where x is,  dy/dx = 1 where x > 0, else 0
struct Relu : Unary {
    static constexpr auto name = "relu";
    static auto value(Number auto x) { return maximum(x, 0); }
    static auto slope(Number auto x) { return where(x > 0, 1, 0); }
};

/// y = x F(x),  dy/dx = F(x) + x f(x), with F(x) = (1 + erf(x / sqrt 2)) / 2 and f(x) = e^(-x^2/2) / sqrt(2 pi)
struct Gelu : Unary {
    static constexpr auto name = "gelu";
    static constexpr double half_sqrt = 0.70710678118654752, density = 0.39894228040143268;
    static auto value(Number auto x) { return 0.5 * x * (1 + erf(half_sqrt * x)); }
    static auto slope(Number auto x) { return 0.5 * (1 + erf(half_sqrt * x)) + x * (density * exp(-0.5 * x * x)); }
};

/// y = x/2 (1 + t) with t = tanh(c (x + 0.044715 x^3)), c = sqrt(2/pi),
/// dy/dx = (1 + t)/2 + x/2 (1 - t^2) c (1 + 3 * 0.044715 x^2)
struct GeluTanh : Unary {
    static constexpr auto name = "gelu_tanh";
    static constexpr double c = 0.79788456080286536, d = 0.044715;
    static auto value(Number auto x) { return 0.5 * x * (1 + tanh(c * x * (1 + d * x * x))); }
    static auto slope(Number auto x) {
        const auto t = tanh(c * x * (1 + d * x * x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (c * (1 + 3 * d * x * x));
    }
};

using Activation = Family<Tanh, Sigmoid, Relu, Gelu, GeluTanh>;

}  // namespace xtgrad::rules
