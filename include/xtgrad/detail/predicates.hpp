// The comparisons, logical operations and predicates there are.
#pragma once

namespace xtgrad::detail {

enum class Comparison { less, less_equal, greater, greater_equal, equal, not_equal };
enum class Logic { conjunction, disjunction, exclusive };
enum class FloatClass { finite, infinite, nan };

/// Of isclose.
struct Tolerance {
    double relative, absolute;
    bool equal_nan;
};

}  // namespace xtgrad::detail
