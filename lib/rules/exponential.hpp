#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = e^x,  dy/dx = y
struct Exp : Unary {
    static constexpr auto name = "exp";
    static auto value(Number auto x) { return exp(x); }
    static auto slope(Unused, Number auto y) { return y; }
};

/// y = log x,  dy/dx = 1 / x
struct Log : Unary {
    static constexpr auto name = "log";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return log(x); }
    static auto slope(Number auto x) { return 1 / x; }
};

/// y = sqrt x,  dy/dx = 1 / (2 y); at 0 it is inf
struct Sqrt : Unary {
    static constexpr auto name = "sqrt";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return sqrt(x); }
    static auto slope(Unused, Number auto y) { return 0.5 / y; }
};

/// y = a^b,  slopes b a^(b-1), y log a; the latter is 0 where y is, the former where b is
struct Pow : Binary {
    static constexpr auto name = "pow";
    static constexpr Interval points_a{0.2, 3};
    static auto value(Number auto a, Number auto b) { return pow(a, b); }
    static auto slope_a(Number auto a, Number auto b) {
        const auto nonzero = where(b > 0, b, where(b < 0, b, 1));
        return b * where(b > 0, pow(a, nonzero - 1), where(b < 0, pow(a, nonzero - 1), 0 * a));
    }
    static auto slope_b(Number auto a, Unused, Number auto y) { return where(y > 0, y * log(where(y > 0, a, 1)), 0); }
};

/// y = x^p,  dy/dx = p x^(p-1)
struct Power : Unary {
    static constexpr auto name = "pow";
    static constexpr Interval points{0.2, 3};
    static auto value(Number auto x, Numbers c) { return pow(x, c.p); }
    static auto slope(Number auto x, Numbers c) { return c.p * pow(x, c.p - 1); }
};

/// y = 2/sqrt(pi) * integral of e^(-t^2) from 0 to x,  dy/dx = 2/sqrt(pi) * e^(-x^2)
struct Erf : Unary {
    static constexpr auto name = "erf";
    static auto value(Number auto x) { return erf(x); }
    static auto slope(Number auto x) { return 1.1283791670955126 * exp(-(x * x)); }
};

using Exponential = Family<Exp, Log, Sqrt, Pow, Power, Erf>;

}  // namespace xtgrad::rules
