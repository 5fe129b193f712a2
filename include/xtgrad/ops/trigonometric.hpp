// Trigonometric functions, of radians, and their inverses.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Sin;
struct Cos;
struct Tan;
struct Asin;
struct Acos;
struct Atan;
struct Atan2;
}  // namespace rules

/// The sine.
template <class E>
    requires AnyTensor<E>
Tensor sin(E&& x) {
    return detail::apply<rules::Sin>(x);
}

/// The cosine.
template <class E>
    requires AnyTensor<E>
Tensor cos(E&& x) {
    return detail::apply<rules::Cos>(x);
}

/// The tangent.
template <class E>
    requires AnyTensor<E>
Tensor tan(E&& x) {
    return detail::apply<rules::Tan>(x);
}

/// The arcsine, in [-pi/2, pi/2]; slope inf at -1 and 1.
template <class E>
    requires AnyTensor<E>
Tensor asin(E&& x) {
    return detail::apply<rules::Asin>(x);
}

/// The arccosine, in [0, pi]; slope -inf at -1 and 1.
template <class E>
    requires AnyTensor<E>
Tensor acos(E&& x) {
    return detail::apply<rules::Acos>(x);
}

/// The arctangent, in [-pi/2, pi/2].
template <class E>
    requires AnyTensor<E>
Tensor atan(E&& x) {
    return detail::apply<rules::Atan>(x);
}

/// The angle of the point (b, a), in [-pi, pi]; slopes 0 where both are 0.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor atan2(E1&& a, E2&& b) {
    return detail::apply_operands<rules::Atan2>("atan2", a, b);
}

}  // namespace xtgrad
