// Powers and roots.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Square;
struct Cube;
struct Sqrt;
struct Rsqrt;
struct Cbrt;
struct Pow;
struct Hypot;
}  // namespace rules

namespace detail {
Tensor power(const Tensor& x, double exponent);
}  // namespace detail

/// x^2; also of i64.
template <class E1>
    requires AnyTensor<E1>
Tensor square(E1&& x) {
    return detail::apply<rules::Square>(x);
}

/// x^3; also of i64.
template <class E1>
    requires AnyTensor<E1>
Tensor cube(E1&& x) {
    return detail::apply<rules::Cube>(x);
}

/// The square root; slope inf at 0.
template <class E>
    requires AnyTensor<E>
Tensor sqrt(E&& x) {
    return detail::apply<rules::Sqrt>(x);
}

/// 1 / sqrt(x).
template <class E>
    requires AnyTensor<E>
Tensor rsqrt(E&& x) {
    return detail::apply<rules::Rsqrt>(x);
}

/// The cube root, negative where x is; slope inf at 0.
template <class E>
    requires AnyTensor<E>
Tensor cbrt(E&& x) {
    return detail::apply<rules::Cbrt>(x);
}

/// a^b; the slope in b is NaN where a < 0, 0 where a = 0 and b >= 0.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor pow(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::power(a, static_cast<double>(b));
    else
        return detail::apply_operands<rules::Pow>("pow", a, b);
}

/// sqrt(a^2 + b^2) without overflow; slopes 0 where both are 0.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor hypot(E1&& a, E2&& b) {
    return detail::apply_operands<rules::Hypot>("hypot", a, b);
}

}  // namespace xtgrad
