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

/// y = tan x,  dy/dx = 1 + y^2
struct Tan : Unary {
    static constexpr auto name = "tan";
    static constexpr Interval points{-1.2, 1.2};
    static auto value(Number auto x) { return tan(x); }
    static auto slope(Unused, Number auto y) { return 1 + y * y; }
};

/// y = arcsin x,  dy/dx = 1 / sqrt(1 - x^2); at -1 and 1 it is inf
struct Asin : Unary {
    static constexpr auto name = "asin";
    static constexpr Interval points{-0.9, 0.9};
    static auto value(Number auto x) { return asin(x); }
    static auto slope(Number auto x) { return 1 / sqrt((1 - x) * (1 + x)); }
};

/// y = arccos x,  dy/dx = -1 / sqrt(1 - x^2); at -1 and 1 it is -inf
struct Acos : Unary {
    static constexpr auto name = "acos";
    static constexpr Interval points{-0.9, 0.9};
    static auto value(Number auto x) { return acos(x); }
    static auto slope(Number auto x) { return -1 / sqrt((1 - x) * (1 + x)); }
};

/// y = arctan x,  dy/dx = 1 / (1 + x^2)
struct Atan : Unary {
    static constexpr auto name = "atan";
    static auto value(Number auto x) { return atan(x); }
    static auto slope(Number auto x) { return 1 / (1 + x * x); }
};

/// y = the angle of the point (b, a),  slopes b / h^2, -a / h^2 with h = sqrt(a^2 + b^2), without overflow; both 0 at (0, 0), and
/// theirs
struct Atan2 : Binary {
    static constexpr auto name = "atan2";
    static constexpr Interval points_b{0.5, 3};
    static auto value(Number auto a, Number auto b) { return atan2(a, b); }
    static auto slope_a(Number auto a, Number auto b) {
        const auto h = hypot(a, b), divisor = where(h > 0, h, 1);
        return where(h > 0, b / divisor / divisor, 0 * h);
    }
    static auto slope_b(Number auto a, Number auto b) {
        const auto h = hypot(a, b), divisor = where(h > 0, h, 1);
        return where(h > 0, -a / divisor / divisor, 0 * h);
    }
};

using Trigonometric = Family<Sin, Cos, Tan, Asin, Acos, Atan, Atan2>;

}  // namespace xtgrad::rules
