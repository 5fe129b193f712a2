// Sign and rounding, with slope 0: what is behind them gets zeros for a gradient.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Sign;
struct Floor;
struct Ceil;
struct Round;
struct Trunc;
struct Fmod;
}  // namespace rules

/// -1, 0 or 1, NaN where x is; also of i64.
template <class E>
    requires AnyTensor<E>
Tensor sign(E&& x) {
    return detail::apply<rules::Sign>(x);
}

/// The largest whole number <= x.
template <class E>
    requires AnyTensor<E>
Tensor floor(E&& x) {
    return detail::apply<rules::Floor>(x);
}

/// The smallest whole number >= x.
template <class E>
    requires AnyTensor<E>
Tensor ceil(E&& x) {
    return detail::apply<rules::Ceil>(x);
}

/// The nearest whole number, away from zero where two are nearest, as in xtensor (not in NumPy).
template <class E>
    requires AnyTensor<E>
Tensor round(E&& x) {
    return detail::apply<rules::Round>(x);
}

/// x without its fraction.
template <class E>
    requires AnyTensor<E>
Tensor trunc(E&& x) {
    return detail::apply<rules::Trunc>(x);
}

/// a - b trunc(a / b), exactly, with the sign of a; slopes 1 and -trunc(a / b).
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor fmod(E1&& a, E2&& b) {
    return detail::apply_operands<rules::Fmod>("fmod", a, b);
}

}  // namespace xtgrad
