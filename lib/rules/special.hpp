#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = 2/sqrt(pi) * integral of e^(-t^2) from 0 to x,  dy/dx = 2/sqrt(pi) * e^(-x^2)
struct Erf : Unary {
    static constexpr auto name = "erf";
    static auto value(Number auto x) { return erf(x); }
    static auto slope(Number auto x) { return 1.1283791670955126 * exp(-(x * x)); }
};

/// y = 1 - erf x without cancellation,  dy/dx = -2/sqrt(pi) * e^(-x^2)
struct Erfc : Unary {
    static constexpr auto name = "erfc";
    static auto value(Number auto x) { return erfc(x); }
    static auto slope(Number auto x) { return -1.1283791670955126 * exp(-(x * x)); }
};

/// y = log |Gamma(x)|,  dy/dx = digamma x
struct Lgamma : Unary {
    static constexpr auto name = "lgamma";
    static constexpr Interval points{0.2, 6};
    static auto value(Number auto x) { return lgamma(x); }
    static auto slope(Number auto x) { return polygamma(0, x); }
};

/// y = the p-th derivative of digamma at x, the logarithmic derivative of Gamma,  dy/dx = the next one
struct Polygamma : Unary {
    static constexpr auto name = "polygamma";
    static constexpr Interval points{1, 6};
    static auto value(Number auto x, Numbers c) { return polygamma(c.p, x); }
    static auto slope(Number auto x, Numbers c) { return polygamma(c.p + 1, x); }
};

using Special = Family<Erf, Erfc, Lgamma, Polygamma>;

}  // namespace xtgrad::rules
