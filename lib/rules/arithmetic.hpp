#pragma once
#include "rule.hpp"

namespace xtgrad::rules {

/// y = p x + q,  dy/dx = p; every operator between a tensor and a number is made of it
struct Affine : Unary {
    static constexpr auto name = "affine";
    static auto value(Number auto x, Numbers c) { return c.p * x + c.q; }
    static auto slope(Unused, Numbers c) { return c.p; }
};

/// y = -x,  dy/dx = -1
struct Negative : Unary {
    static constexpr auto name = "negative";
    static auto value(Number auto x) { return -x; }
    static constexpr double slope = -1;
};

/// y = a + b,  slopes 1, 1
struct Add : Binary {
    static constexpr auto name = "add";
    static auto value(Number auto a, Number auto b) { return a + b; }
    static constexpr double slope_a = 1, slope_b = 1;
};

/// y = a - b,  slopes 1, -1
struct Subtract : Binary {
    static constexpr auto name = "subtract";
    static auto value(Number auto a, Number auto b) { return a - b; }
    static constexpr double slope_a = 1, slope_b = -1;
};

/// y = a b,  slopes b, a
struct Multiply : Binary {
    static constexpr auto name = "multiply";
    static auto value(Number auto a, Number auto b) { return a * b; }
    static auto slope_a(Unused, Number auto b) { return b; }
    static auto slope_b(Number auto a, Unused) { return a; }
};

/// y = a / b,  slopes 1 / b, -y / b
struct Divide : Binary {
    static constexpr auto name = "divide";
    static constexpr Interval points_b{0.5, 3};
    static auto value(Number auto a, Number auto b) { return a / b; }
    static auto slope_a(Unused, Number auto b) { return 1 / b; }
    static auto slope_b(Unused, Number auto b, Number auto y) { return -y / b; }
};

/// y = p / x,  dy/dx = -y / x
struct Reciprocal : Unary {
    static constexpr auto name = "reciprocal";
    static constexpr Interval points{0.5, 3};
    static auto value(Number auto x, Numbers c) { return c.p / x; }
    static auto slope(Number auto x, Number auto y) { return -y / x; }
};

/// y = |x|,  dy/dx = sign x; at 0 it is 0
struct Abs : Unary {
    static constexpr auto name = "abs";
    static auto value(Number auto x) { return abs(x); }
    static auto slope(Number auto x) { return where(x > 0, 1, where(x < 0, -1, 0 * x)); }
};

/// 1 where a > b, one half where a = b, NaN where either is, else 0.
auto share_of_larger(Number auto a, Number auto b) { return where(a > b, 1, where(b > a, 0, where(a >= b, 0.5, not_a_number))); }

/// y = max(a, b), NaN if either is,  slopes 1 or 0; one half each where a = b; NaN where y is
struct Maximum : Binary {
    static constexpr auto name = "maximum";
    static auto value(Number auto a, Number auto b) { return maximum(a, b); }
    static auto slope_a(Number auto a, Number auto b) { return share_of_larger(a, b); }
    static auto slope_b(Number auto a, Number auto b) { return share_of_larger(b, a); }
};

/// y = min(a, b), NaN if either is,  slopes 1 or 0; one half each where a = b; NaN where y is
struct Minimum : Binary {
    static constexpr auto name = "minimum";
    static auto value(Number auto a, Number auto b) { return minimum(a, b); }
    static auto slope_a(Number auto a, Number auto b) { return share_of_larger(b, a); }
    static auto slope_b(Number auto a, Number auto b) { return share_of_larger(a, b); }
};

/// y = p where x < p, else q where x > q, else x,  dy/dx = 0, 0, 1; NaN where x is
struct Clip : Unary {
    static constexpr auto name = "clip";
    static auto value(Number auto x, Numbers c) { return where(x < c.p, c.p, where(x > c.q, c.q, x)); }
    static auto slope(Number auto x, Numbers c) { return where(x < c.p, 0, where(x > c.q, 0, where(x >= c.p, 1, not_a_number))); }
};

using Arithmetic = Family<Affine, Negative, Add, Subtract, Multiply, Divide, Reciprocal, Abs, Maximum, Minimum, Clip>;

}  // namespace xtgrad::rules
