#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = 1 / (1 + e^-x),  dy/dx = y (1 - y)
struct Sigmoid : Unary {
    static constexpr auto name = "sigmoid";
    static auto value(Number auto x) { return sigmoid(x); }
    static auto slope(Unused, Number auto y) { return y * (1 - y); }
};

/// y = -log(1 + e^-x) = min(x, 0) - log(1 + e^-|x|),  dy/dx = sigmoid(-x)
struct LogSigmoid : Unary {
    static constexpr auto name = "log_sigmoid";
    static auto value(Number auto x) { return -(maximum(-x, 0) + log1p(exp(-abs(x)))); }
    static auto slope(Number auto x) { return sigmoid(-x); }
};

/// y = log(1 + e^x) = max(x, 0) + log(1 + e^-|x|),  dy/dx = sigmoid x
struct Softplus : Unary {
    static constexpr auto name = "softplus";
    static auto value(Number auto x) { return maximum(x, 0) + log1p(exp(-abs(x))); }
    static auto slope(Number auto x) { return sigmoid(x); }
};

/// y = max(x, 0),  dy/dx = 1 where x > 0, else 0; both NaN where x is
struct Relu : Unary {
    static constexpr auto name = "relu";
    static auto value(Number auto x) { return maximum(x, 0); }
    static auto slope(Number auto x) { return where(x > 0, 1, where(0 >= x, 0, not_a_number)); }
};

/// y = x where x > 0, else p x,  dy/dx = 1 or p, NaN where x is
struct LeakyRelu : Unary {
    static constexpr auto name = "leaky_relu";
    static auto value(Number auto x, Numbers c) { return where(x > 0, x, c.p * x); }
    static auto slope(Number auto x, Numbers c) { return where(x > 0, 1, where(0 >= x, c.p, not_a_number)); }
};

/// y = x where x > 0, else p (e^x - 1),  dy/dx = 1 or p e^x
struct Elu : Unary {
    static constexpr auto name = "elu";
    static auto value(Number auto x, Numbers c) { return where(x > 0, x, c.p * expm1(where(x > 0, 0, x))); }
    static auto slope(Number auto x, Numbers c) { return where(x > 0, 1, c.p * exp(where(x > 0, 0, x))); }
};

/// Beyond it silu and gelu are 0 on the left and x on the right; what is 0 there must not meet an infinity.
inline constexpr double settled = 1000;

/// y = x s with s = sigmoid x,  dy/dx = s (1 + x (1 - s)); both 0 at -inf
struct Silu : Unary {
    static constexpr auto name = "silu";
    static auto value(Number auto x) { return where(x > -settled, x, -settled) * sigmoid(x); }
    static auto slope(Number auto x) {
        const auto s = sigmoid(x);
        return s * (1 + where(abs(x) < settled, x, 0) * (1 - s));
    }
};

/// y = x F(x),  dy/dx = F(x) + x f(x), with F(x) = (1 + erf(x / sqrt 2)) / 2 and f(x) = e^(-x^2/2) / sqrt(2 pi)
struct Gelu : Unary {
    static constexpr auto name = "gelu";
    static auto value(Number auto x) { return where(x > -settled, x, -settled) * normal_cdf(x); }
    static auto slope(Number auto x) { return gelu_slope(x); }
};

/// y = x/2 (1 + t) with t = tanh(c (x + 0.044715 x^3)), c = sqrt(2/pi),
/// dy/dx = (1 + t)/2 + x/2 (1 - t^2) c (1 + 3 * 0.044715 x^2)
struct GeluTanh : Unary {
    static constexpr auto name = "gelu_tanh";
    static constexpr double c = 0.79788456080286536, d = 0.044715;
    static auto value(Number auto x) { return 0.5 * where(x > -settled, x, -settled) * (1 + tanh(c * x * (1 + d * x * x))); }
    static auto slope(Number auto from) {
        const auto x = where(from > settled, settled, where(from < -settled, -settled, from));
        const auto t = tanh(c * x * (1 + d * x * x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (c * (1 + 3 * d * x * x));
    }
};

using Activation = Family<Sigmoid, LogSigmoid, Softplus, Relu, LeakyRelu, Elu, Silu, Gelu, GeluTanh>;

}  // namespace xtgrad::rules
