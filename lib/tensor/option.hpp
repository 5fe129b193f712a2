// Options that are numbers: which values they may have, said and checked in one way.
//
//     check_options("Adam", {{"lr", o.lr, not_negative}, {"betas[1]", o.betas[1], below_one}});
//
// `[Adam] betas[1] is 1; it lies in [0, 1)`. A NaN lies nowhere.
#pragma once
#include <initializer_list>
#include <limits>

#include "message.hpp"

namespace xtgrad::detail {

/// The numbers from `low` to `high`, which belong to it unless they are open.
struct Range {
    double low, high;
    bool open_low = false, open_high = false;

    constexpr bool contains(double x) const noexcept {
        return (open_low ? x > low : x >= low) && (open_high ? x < high : x <= high);
    }
};

inline constexpr double unbounded = std::numeric_limits<double>::infinity();
inline constexpr Range finite{-unbounded, unbounded, true, true};
inline constexpr Range not_negative{0, unbounded, false, true};
inline constexpr Range positive{0, unbounded, true, true};
inline constexpr Range at_least_one{1, unbounded, false, true};
inline constexpr Range share{0, 1};
inline constexpr Range below_one{0, 1, false, true};

/// Throws Error: the option's name, its value, its range.
[[noreturn]] void fail_option(const char* op, const char* name, double value, const Range&);

/// Throws Error unless the value lies in the range.
inline void check_option(const char* op, const char* name, double value, const Range& range) {
    if (!range.contains(value)) [[unlikely]]
        fail_option(op, name, value, range);
}

struct NumericOption {
    const char* name;
    double value;
    Range range;
};
inline void check_options(const char* op, std::initializer_list<NumericOption> options) {
    for (const auto& [name, value, range] : options) check_option(op, name, value, range);
}

}  // namespace xtgrad::detail
