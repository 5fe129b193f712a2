// Activation functions; names and defaults are PyTorch's.
#pragma once
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Sigmoid;
struct LogSigmoid;
struct Softplus;
struct Relu;
struct Silu;
struct Gelu;
struct GeluTanh;
}  // namespace rules

namespace detail {
Tensor leaky_relu(const Tensor& x, double slope);
Tensor elu(const Tensor& x, double alpha);
}  // namespace detail

/// 1 / (1 + e^-x).
template <class E>
    requires AnyTensor<E>
Tensor sigmoid(E&& x) {
    return detail::apply<rules::Sigmoid>(x);
}

/// log(sigmoid(x)) without overflow or cancellation.
template <class E>
    requires AnyTensor<E>
Tensor log_sigmoid(E&& x) {
    return detail::apply<rules::LogSigmoid>(x);
}

/// log(1 + e^x) without overflow or cancellation.
template <class E>
    requires AnyTensor<E>
Tensor softplus(E&& x) {
    return detail::apply<rules::Softplus>(x);
}

/// max(x, 0); slope 0 at 0, NaN where x is.
template <class E>
    requires AnyTensor<E>
Tensor relu(E&& x) {
    return detail::apply<rules::Relu>(x);
}

/// x where x > 0, else slope * x. Throws Error unless the slope is finite.
template <class E>
    requires AnyTensor<E>
Tensor leaky_relu(E&& x, double slope = 0.01) {
    return detail::leaky_relu(x, slope);
}

/// x where x > 0, else alpha (e^x - 1) (Clevert, Unterthiner and Hochreiter, arXiv:1511.07289). Throws Error unless alpha is
/// finite.
template <class E>
    requires AnyTensor<E>
Tensor elu(E&& x, double alpha = 1) {
    return detail::elu(x, alpha);
}

/// x sigmoid(x), 0 at -inf.
template <class E>
    requires AnyTensor<E>
Tensor silu(E&& x) {
    return detail::apply<rules::Silu>(x);
}

/// x (1 + erf(x / sqrt 2)) / 2, exactly, 0 at -inf (Hendrycks and Gimpel, arXiv:1606.08415).
template <class E>
    requires AnyTensor<E>
Tensor gelu(E&& x) {
    return detail::apply<rules::Gelu>(x);
}

/// gelu's approximation by tanh, from the same paper.
template <class E>
    requires AnyTensor<E>
Tensor gelu_tanh(E&& x) {
    return detail::apply<rules::GeluTanh>(x);
}

}  // namespace xtgrad
