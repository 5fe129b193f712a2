#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = sin x,  dy/dx = cos x
struct Sin : Unary {
    static constexpr auto name = "sin";
    static auto value(Number auto x) { return sin(x); }
    static auto slope(Number auto x) { return cos(x); }
};

/// y = cos x,  dy/dx = -sin x
struct Cos : Unary {
    static constexpr auto name = "cos";
    static auto value(Number auto x) { return cos(x); }
    static auto slope(Number auto x) { return -sin(x); }
};

using Trigonometric = Family<Sin, Cos>;

}  // namespace xtgrad::rules
