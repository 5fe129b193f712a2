// What an elementwise rule is made of. Knows neither SIMD nor Tensor.
#pragma once
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>

namespace xtgrad {

/// What a rule computes with: Lanes in a kernel, Recorded tensors under a tape that records. Both bring the functions and
/// operators that rules call (found by argument), and both take a literal in their own type: 0.5 * x is f32 when x is.
template <class V>
inline constexpr bool is_number = false;
template <class V>
concept Number = is_number<V>;

/// The place of an operand that a slope does not look at. The tape does not save it, the kernel does not read it.
struct Unused {
    constexpr Unused() = default;
    constexpr Unused(const auto&) {}
};

/// The numbers of an op, such as the scale and shift of affine.
struct Numbers {
    double p = 0, q = 0;
};

/// The slope where a value is NaN, of rules that choose.
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Where tests take their points.
struct Interval {
    double low, high;
};

/// y = value(x), slope(x, y) = dy/dx; each may take an Numbers last. A slope leaves out what follows its last operand.
/// A constant slope is a `static constexpr double`; at 0 a derivative ends, as zeros.
struct Unary {
    static constexpr int inputs = 1;
    static constexpr Interval points{-3, 3};
};

/// y = value(a, b), slope_a(a, b, y) = dy/da, slope_b(a, b, y) = dy/db.
struct Binary {
    static constexpr int inputs = 2;
    static constexpr Interval points_a{-3, 3}, points_b{-3, 3};
};

/// A family of rules: one file, one kernel translation unit per instruction set.
template <class... Op>
struct Family {
    static constexpr std::size_t size = sizeof...(Op);

    /// Calls f.operator()<Op>() for every rule, in order.
    static constexpr void each(auto f) { (f.template operator()<Op>(), ...); }
};

/// Where a rule stands: its family's number, and its own within the family.
struct Place {
    std::size_t family = 0, index = 0;
};

template <class... F>
struct Families {
    static constexpr std::size_t count = sizeof...(F), size = (F::size + ...);

    static constexpr void each(auto f) { (F::each(f), ...); }

    template <class Wanted>
    static consteval Place place_of() {
        Place place, at;
        int found = 0;
        const auto look = [&]<class Op> {
            if (std::same_as<Op, Wanted>) ++found, place = at;
            ++at.index;
        };
        ((F::each(look), ++at.family, at.index = 0), ...);
        if (found != 1) throw "a rule is listed once, in the family at the end of its file";
        return place;
    }
};

namespace detail {

template <class F, class Y, class... In>
concept Takes = std::invocable<F, In..., Y, Numbers> || std::invocable<F, In..., Y> || std::invocable<F, In..., Numbers> ||
                std::invocable<F, In...>;

/// f(in..., y, numbers) without those of the last two that f does not take.
template <class F, class Y, class... In>
    requires Takes<F, Y, In...>
constexpr auto call(F f, const Y& y, Numbers numbers, const In&... in) {
    if constexpr (std::invocable<F, In..., Y, Numbers>)
        return f(in..., y, numbers);
    else if constexpr (std::invocable<F, In..., Y>)
        return f(in..., y);
    else if constexpr (std::invocable<F, In..., Numbers>)
        return f(in..., numbers);
    else
        return f(in...);
}

template <class Op>
inline constexpr auto value = [](auto... v)
    requires requires { Op::value(v...); }
{
    return Op::value(v...);
};

template <class Op, int k>
inline constexpr auto slope = [](auto... v)
    requires requires { Op::slope(v...); }
{
    return Op::slope(v...);
};
template <class Op>
    requires(Op::inputs == 2)
            inline constexpr auto slope<Op, 0> = [](auto... v)
                requires requires { Op::slope_a(v...); }
{
    return Op::slope_a(v...);
};
template <class Op>
    requires(Op::inputs == 2)
            inline constexpr auto slope<Op, 1> = [](auto... v)
                requires requires { Op::slope_b(v...); }
{
    return Op::slope_b(v...);
};

}  // namespace detail

/// value(a, b) of any rule; b is ignored by a unary one.
template <class Op, class A, class B>
constexpr auto value(const A& a, const B& b, Numbers numbers) {
    if constexpr (Op::inputs == 1)
        return detail::call(detail::value<Op>, numbers, numbers, a);
    else
        return detail::call(detail::value<Op>, numbers, numbers, a, b);
}

/// dy/da (k = 0) or dy/db (k = 1) of any rule whose slope is not constant.
template <class Op, int k, class A, class B, class Y>
constexpr auto slope(const A& a, const B& b, const Y& y, Numbers numbers) {
    if constexpr (Op::inputs == 1)
        return detail::call(detail::slope<Op, k>, y, numbers, a);
    else
        return detail::call(detail::slope<Op, k>, y, numbers, a, b);
}

template <class Op, int k>
consteval std::optional<double> constant_slope() {
    if constexpr (requires { double(Op::slope); })
        return Op::slope;
    else if constexpr (k == 0 && requires { double(Op::slope_a); })
        return Op::slope_a;
    else if constexpr (k == 1 && requires { double(Op::slope_b); })
        return Op::slope_b;
    else
        return std::nullopt;
}

/// Which operands slope k looks at.
struct Reads {
    bool a = false, b = false, y = false;
};

template <class Op, int k, Number V>
consteval Reads reads() {
    using F = decltype(detail::slope<Op, k>);
    if constexpr (constant_slope<Op, k>())
        return {};
    else if constexpr (Op::inputs == 1)
        return {.a = !detail::Takes<F, V, Unused>, .b = false, .y = !detail::Takes<F, Unused, V>};
    else
        return {.a = !detail::Takes<F, V, Unused, V>, .b = !detail::Takes<F, V, V, Unused>, .y = !detail::Takes<F, Unused, V, V>};
}

}  // namespace xtgrad
