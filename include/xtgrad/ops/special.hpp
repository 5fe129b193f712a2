// The error function and the logarithm of Gamma.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Erf;
struct Erfc;
struct Lgamma;
}  // namespace rules

namespace detail {
/// The derivative of order n + 1 of lgamma.
Tensor polygamma(double n, const Tensor& x);
Tensor digamma(const Tensor& x);
}  // namespace detail

/// 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.
template <class E>
    requires AnyTensor<E>
Tensor erf(E&& x) {
    return detail::apply<rules::Erf>(x);
}

/// 1 - erf(x) without cancellation for large x.
template <class E>
    requires AnyTensor<E>
Tensor erfc(E&& x) {
    return detail::apply<rules::Erfc>(x);
}

/// log |Gamma(x)|; its slope is digamma.
template <class E>
    requires AnyTensor<E>
Tensor lgamma(E&& x) {
    return detail::apply<rules::Lgamma>(x);
}

/// The slope of lgamma.
template <class E>
    requires AnyTensor<E>
Tensor digamma(E&& x) {
    return detail::digamma(x);
}

}  // namespace xtgrad
