#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = -1, 0 or 1, NaN where x is,  dy/dx = 0
struct Sign : Unary {
    static constexpr auto name = "sign";
    static constexpr Interval points{0.5, 3};
    // x - x is 0 or NaN. NOLINTNEXTLINE(misc-redundant-expression)
    static auto value(Number auto x) { return where(x > 0, 1, where(x < 0, -1, x - x)); }
    static constexpr double slope = 0;
};

/// y = the largest whole number <= x,  dy/dx = 0
struct Floor : Unary {
    static constexpr auto name = "floor";
    static constexpr Interval points{-2.9, -2.1};
    static auto value(Number auto x) { return floor(x); }
    static constexpr double slope = 0;
};

/// y = the smallest whole number >= x,  dy/dx = 0
struct Ceil : Unary {
    static constexpr auto name = "ceil";
    static constexpr Interval points{-2.9, -2.1};
    static auto value(Number auto x) { return ceil(x); }
    static constexpr double slope = 0;
};

/// y = the whole number nearest to x, away from zero where two are,  dy/dx = 0
struct Round : Unary {
    static constexpr auto name = "round";
    static constexpr Interval points{-3.4, -2.6};
    static auto value(Number auto x) { return round(x); }
    static constexpr double slope = 0;
};

/// y = x without its fraction,  dy/dx = 0
struct Trunc : Unary {
    static constexpr auto name = "trunc";
    static constexpr Interval points{-2.9, -2.1};
    static auto value(Number auto x) { return trunc(x); }
    static constexpr double slope = 0;
};

/// y = a - b trunc(a / b), exactly,  slopes 1, -trunc(a / b)
struct Fmod : Binary {
    static constexpr auto name = "fmod";
    static constexpr Interval points_a{-2.9, -2.1}, points_b{0.75, 1};
    static auto value(Number auto a, Number auto b) { return fmod(a, b); }
    static constexpr double slope_a = 1;
    static auto slope_b(Number auto a, Number auto b, Number auto y) { return round((y - a) / b); }  // a / b may round up
};

using Rounding = Family<Sign, Floor, Ceil, Round, Trunc, Fmod>;

}  // namespace xtgrad::rules
