#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = x^2,  dy/dx = 2 x
struct Square : Unary {
    static constexpr auto name = "square";
    static auto value(Number auto x) { return x * x; }
    static auto slope(Number auto x) { return 2 * x; }
};

/// y = x^3,  dy/dx = 3 x^2
struct Cube : Unary {
    static constexpr auto name = "cube";
    static auto value(Number auto x) { return x * x * x; }
    static auto slope(Number auto x) { return 3 * (x * x); }
};

/// y = sqrt x,  dy/dx = 1 / (2 y); at 0 it is inf
struct Sqrt : Unary {
    static constexpr auto name = "sqrt";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return sqrt(x); }
    static auto slope(Unused, Number auto y) { return 0.5 / y; }
};

/// y = 1 / sqrt x,  dy/dx = -y / (2 x); at 0 it is -inf
struct Rsqrt : Unary {
    static constexpr auto name = "rsqrt";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return 1 / sqrt(x); }
    static auto slope(Number auto x, Number auto y) { return -0.5 * y / x; }
};

/// y = the cube root of x,  dy/dx = 1 / (3 y^2); at 0 it is inf
struct Cbrt : Unary {
    static constexpr auto name = "cbrt";
    static constexpr Interval points{0.2, 4};
    static auto value(Number auto x) { return cbrt(x); }
    static auto slope(Unused, Number auto y) { return 1 / (3 * (y * y)); }
};

/// y = a^b,  slopes b a^(b-1), y log a. The former is 0 where b is, also of 0 and NaN; the latter is 0 where a is and b >= 0, and
/// where y is, but NaN for every a < 0, of which only the whole b have a power.
struct Pow : Binary {
    static constexpr auto name = "pow";
    static constexpr Interval points_a{0.2, 3};
    static auto value(Number auto a, Number auto b) { return pow(a, b); }
    static auto slope_a(Number auto a, Number auto b) {
        const auto ordinary = [&](auto p, auto q) { return where(abs(a) > 0, p, where(abs(b) > 0, p, q)); };
        return b * ordinary(pow(ordinary(a, 1), b - 1), 0 * b);
    }
    static auto slope_b(Number auto a, Unused, Number auto y) {
        const auto base = where(abs(a) > 0, a, where(y > 1, a, 1 + 0 * a));  // of a = 0 and b < 0 y is inf
        return y * log(where(abs(y) > 0, base, where(a < 0, a, 1)));
    }
};

/// y = x^p,  dy/dx = p x^(p-1)
struct Power : Unary {
    static constexpr auto name = "pow";
    static constexpr Interval points{0.2, 3};
    static auto value(Number auto x, Numbers c) { return pow(x, c.p); }
    static auto slope(Number auto x, Numbers c) { return c.p * pow(x, c.p - 1); }
};

/// y = sqrt(a^2 + b^2) without overflow,  slopes a / y, b / y; both 0 where y is, and theirs
struct Hypot : Binary {
    static constexpr auto name = "hypot";
    static auto value(Number auto a, Number auto b) { return hypot(a, b); }
    static auto slope_a(Number auto a, Unused, Number auto y) { return where(y > 0, a / where(y > 0, y, 1), 0 * y); }
    static auto slope_b(Unused, Number auto b, Number auto y) { return where(y > 0, b / where(y > 0, y, 1), 0 * y); }
};

using Powers = Family<Square, Cube, Sqrt, Rsqrt, Cbrt, Pow, Power, Hypot>;

}  // namespace xtgrad::rules
