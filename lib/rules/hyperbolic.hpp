#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = (e^x - e^-x) / 2,  dy/dx = cosh x
struct Sinh : Unary {
    static constexpr auto name = "sinh";
    static auto value(Number auto x) { return sinh(x); }
    static auto slope(Number auto x) { return cosh(x); }
};

/// y = (e^x + e^-x) / 2,  dy/dx = sinh x
struct Cosh : Unary {
    static constexpr auto name = "cosh";
    static auto value(Number auto x) { return cosh(x); }
    static auto slope(Number auto x) { return sinh(x); }
};

/// y = tanh x,  dy/dx = 1 - y^2
struct Tanh : Unary {
    static constexpr auto name = "tanh";
    static auto value(Number auto x) { return tanh(x); }
    static auto slope(Unused, Number auto y) { return 1 - y * y; }
};

/// y = log(x + sqrt(x^2 + 1)) without cancellation,  dy/dx = 1 / sqrt(x^2 + 1)
struct Asinh : Unary {
    static constexpr auto name = "asinh";
    static auto value(Number auto x) { return asinh(x); }
    static auto slope(Number auto x) { return 1 / hypot(x, 1); }
};

/// y = log(x + sqrt(x^2 - 1)),  dy/dx = 1 / sqrt(x^2 - 1); at 1 it is inf
struct Acosh : Unary {
    static constexpr auto name = "acosh";
    static constexpr Interval points{1.2, 4};
    static auto value(Number auto x) { return acosh(x); }
    static auto slope(Number auto x) { return 1 / (sqrt(x - 1) * sqrt(x + 1)); }
};

/// y = log((1 + x) / (1 - x)) / 2 without cancellation,  dy/dx = 1 / (1 - x^2); at -1 and 1 it is inf
struct Atanh : Unary {
    static constexpr auto name = "atanh";
    static constexpr Interval points{-0.9, 0.9};
    static auto value(Number auto x) { return atanh(x); }
    static auto slope(Number auto x) { return 1 / ((1 - x) * (1 + x)); }
};

using Hyperbolic = Family<Sinh, Cosh, Tanh, Asinh, Acosh, Atanh>;

}  // namespace xtgrad::rules
