// Arithmetic, |x|, maximum, minimum and clip; all but division also of i64.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Negative;
struct Add;
struct Subtract;
struct Multiply;
struct Divide;
struct Abs;
struct Maximum;
struct Minimum;
}  // namespace rules

namespace detail {
Tensor add(const Tensor& x, Literal);
Tensor subtract(const Tensor& x, Literal);
Tensor subtract(Literal, const Tensor& x);
Tensor multiply(const Tensor& x, Literal);
Tensor divide(const Tensor& x, Literal);
Tensor divide(Literal, const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor multiply_add(const Tensor& a, const Tensor& b, const Tensor& c);
Tensor clip(const Tensor& x, Literal low, Literal high);
Tensor clip(const Tensor& x, const Tensor& low, const Tensor& high);
}  // namespace detail

/// a + b.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator+(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::add(a, b);
    else if constexpr (detail::Number<E1>)
        return detail::add(b, a);
    else
        return detail::apply_operands<rules::Add>("add", a, b);
}

/// a - b.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator-(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::subtract(a, b);
    else if constexpr (detail::Number<E1>)
        return detail::subtract(a, b);
    else
        return detail::apply_operands<rules::Subtract>("subtract", a, b);
}

/// a b.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator*(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::multiply(a, b);
    else if constexpr (detail::Number<E1>)
        return detail::multiply(b, a);
    else
        return detail::apply_operands<rules::Multiply>("multiply", a, b);
}

/// a / b; of f32 and f64.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator/(E1&& a, E2&& b) {
    if constexpr (detail::Number<E1>)
        return detail::divide(a, b);
    else if constexpr (detail::Number<E2>)
        return detail::divide(a, b);
    else
        return detail::apply_operands<rules::Divide>("divide", a, b);
}

/// -x.
template <class E>
    requires AnyTensor<E>
Tensor operator-(E&& x) {
    return detail::apply<rules::Negative>(x);
}

/// 1 / x; of f32 and f64.
template <class E>
    requires AnyTensor<E>
Tensor reciprocal(E&& x) {
    return detail::reciprocal(x);
}

/// a b + c. Two ops: that it is rounded once is not promised.
template <class E1, class E2, class E3>
    requires TensorOperands<E1, E2, E3>
Tensor fma(E1&& a, E2&& b, E3&& c) {
    return detail::with_tensors(
        "fma", [](auto& p, auto& q, auto& r) { return detail::multiply_add(p, q, r); }, a, b, c);
}

/// |x|; slope 0 at 0.
template <class E>
    requires AnyTensor<E>
Tensor abs(E&& x) {
    return detail::apply<rules::Abs>(x);
}

/// The same under xtensor's other name.
template <class E>
    requires AnyTensor<E>
Tensor fabs(E&& x) {
    return detail::apply<rules::Abs>(x);
}

/// The larger one, NaN if either is, as then the slopes are; half the slope each at a tie.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor maximum(E1&& a, E2&& b) {
    return detail::apply_operands<rules::Maximum>("maximum", a, b);
}

/// The smaller one, NaN if either is, as then the slopes are; half the slope each at a tie.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor minimum(E1&& a, E2&& b) {
    return detail::apply_operands<rules::Minimum>("minimum", a, b);
}

/// low where x < low, else high where x > high, else x, as xtensor, also when low > high; slope 1 at the bounds, NaN where x is.
/// The bounds are numbers or broadcast. Throws Error for a number that is NaN.
template <class E1, class E2, class E3>
    requires(AnyTensor<E1> && Operand<E2> && Operand<E3>)
Tensor clip(E1&& x, E2&& low, E3&& high) {
    if constexpr (detail::Number<E2> && detail::Number<E3>)
        return detail::clip(x, detail::Literal(low), detail::Literal(high));
    else
        return detail::with_tensors(
            "clip", [](auto& p, auto& q, auto& r) { return detail::clip(p, q, r); }, x, low, high);
}

}  // namespace xtgrad
