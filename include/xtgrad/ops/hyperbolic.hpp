// Hyperbolic functions and their inverses.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Sinh;
struct Cosh;
struct Tanh;
struct Asinh;
struct Acosh;
struct Atanh;
}  // namespace rules

/// The hyperbolic sine.
template <class E>
    requires AnyTensor<E>
Tensor sinh(E&& x) {
    return detail::apply<rules::Sinh>(x);
}

/// The hyperbolic cosine.
template <class E>
    requires AnyTensor<E>
Tensor cosh(E&& x) {
    return detail::apply<rules::Cosh>(x);
}

/// The hyperbolic tangent.
template <class E>
    requires AnyTensor<E>
Tensor tanh(E&& x) {
    return detail::apply<rules::Tanh>(x);
}

/// The inverse of sinh.
template <class E>
    requires AnyTensor<E>
Tensor asinh(E&& x) {
    return detail::apply<rules::Asinh>(x);
}

/// The inverse of cosh, >= 0; NaN below 1, slope inf at 1.
template <class E>
    requires AnyTensor<E>
Tensor acosh(E&& x) {
    return detail::apply<rules::Acosh>(x);
}

/// The inverse of tanh; inf with slope inf at -1 and 1.
template <class E>
    requires AnyTensor<E>
Tensor atanh(E&& x) {
    return detail::apply<rules::Atanh>(x);
}

}  // namespace xtgrad
