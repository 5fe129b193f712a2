#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = e^x,  dy/dx = y
struct Exp : Unary {
    static constexpr auto name = "exp";
    static auto value(Number auto x) { return exp(x); }
    static auto slope(Unused, Number auto y) { return y; }
};

/// y = 2^x,  dy/dx = y log 2
struct Exp2 : Unary {
    static constexpr auto name = "exp2";
    static auto value(Number auto x) { return exp2(x); }
    static auto slope(Unused, Number auto y) { return 0.69314718055994531 * y; }
};

/// y = e^x - 1 without cancellation,  dy/dx = e^x
struct Expm1 : Unary {
    static constexpr auto name = "expm1";
    static auto value(Number auto x) { return expm1(x); }
    static auto slope(Number auto x) { return exp(x); }
};

/// y = log x,  dy/dx = 1 / x
struct Log : Unary {
    static constexpr auto name = "log";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return log(x); }
    static auto slope(Number auto x) { return 1 / x; }
};

/// y = log x / log 2,  dy/dx = 1 / (x log 2)
struct Log2 : Unary {
    static constexpr auto name = "log2";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return log2(x); }
    static auto slope(Number auto x) { return 1.4426950408889634 / x; }
};

/// y = log x / log 10,  dy/dx = 1 / (x log 10)
struct Log10 : Unary {
    static constexpr auto name = "log10";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return log10(x); }
    static auto slope(Number auto x) { return 0.43429448190325183 / x; }
};

/// y = log(1 + x) without cancellation,  dy/dx = 1 / (1 + x)
struct Log1p : Unary {
    static constexpr auto name = "log1p";
    static constexpr Interval points{-0.8, 3};
    static auto value(Number auto x) { return log1p(x); }
    static auto slope(Number auto x) { return 1 / (1 + x); }
};

using Exponential = Family<Exp, Exp2, Expm1, Log, Log2, Log10, Log1p>;

}  // namespace xtgrad::rules
