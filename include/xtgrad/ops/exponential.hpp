// Exponential functions and logarithms.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Exp;
struct Exp2;
struct Expm1;
struct Log;
struct Log2;
struct Log10;
struct Log1p;
}  // namespace rules

/// e^x.
template <class E>
    requires AnyTensor<E>
Tensor exp(E&& x) {
    return detail::apply<rules::Exp>(x);
}

/// 2^x.
template <class E>
    requires AnyTensor<E>
Tensor exp2(E&& x) {
    return detail::apply<rules::Exp2>(x);
}

/// e^x - 1 without cancellation near 0.
template <class E>
    requires AnyTensor<E>
Tensor expm1(E&& x) {
    return detail::apply<rules::Expm1>(x);
}

/// The natural logarithm.
template <class E>
    requires AnyTensor<E>
Tensor log(E&& x) {
    return detail::apply<rules::Log>(x);
}

/// The logarithm to the base 2.
template <class E>
    requires AnyTensor<E>
Tensor log2(E&& x) {
    return detail::apply<rules::Log2>(x);
}

/// The logarithm to the base 10.
template <class E>
    requires AnyTensor<E>
Tensor log10(E&& x) {
    return detail::apply<rules::Log10>(x);
}

/// log(1 + x) without cancellation near 0.
template <class E>
    requires AnyTensor<E>
Tensor log1p(E&& x) {
    return detail::apply<rules::Log1p>(x);
}

}  // namespace xtgrad
