// What may stand where an operand stands: a Tensor, a C++ number, an xtensor expression; at least one is a Tensor, so that
// xtensor's own functions of the same names do not take the call.
#pragma once
#include "../tensor.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

template <class X>
concept Operand = AnyTensor<X> || Arithmetic<std::remove_cvref_t<X>> || XtensorExpression<X>;

template <class... X>
concept TensorOperands = (AnyTensor<X> || ...) && (Operand<X> && ...);

namespace detail {

/// A 0-d tensor of x's dtype. Throws DtypeError when an i64 or boolean tensor meets a number that its dtype cannot hold.
Tensor number_like(const Tensor& x, double value);
Tensor integer_like(const Tensor& x, std::int64_t value);

/// The operand as a Tensor; a number takes the dtype of `like`.
template <class X, class L>
decltype(auto) as_tensor(const X& x, [[maybe_unused]] const L& like) {
    if constexpr (AnyTensor<X>)
        return (x);
    else if constexpr (std::integral<X>)
        return integer_like(like, static_cast<std::int64_t>(x));
    else if constexpr (Arithmetic<X>)
        return number_like(like, static_cast<double>(x));
    else
        return Tensor(x);
}

/// The first Tensor among the arguments.
template <class A, class... B>
const Tensor& first_tensor(const A& a, [[maybe_unused]] const B&... b) {
    if constexpr (AnyTensor<A>)
        return a;
    else
        return first_tensor(b...);
}

/// f with every operand as a Tensor.
template <class F, class... X>
Tensor with_tensors(F f, const X&... x) {
    const Tensor& like = first_tensor(x...);
    return f(static_cast<const Tensor&>(as_tensor(x, like))...);
}

}  // namespace detail
}  // namespace xtgrad
