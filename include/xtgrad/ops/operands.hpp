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

/// A C++ number on its way to a tensor's dtype.
struct Literal {
    double real;
    std::int64_t whole;
    bool is_whole;

    template <Arithmetic N>
    Literal(N n) : real(static_cast<double>(n)), whole(0), is_whole(false) {
        if constexpr (std::same_as<N, bool>)
            is_whole = true, whole = n;
        else if constexpr (std::integral<N>)
            is_whole = std::in_range<std::int64_t>(n), whole = is_whole ? static_cast<std::int64_t>(n) : 0;
    }
};

/// A 0-d tensor of x's dtype. Throws DtypeError naming `op` when an i64 or boolean tensor meets a number that it cannot hold.
Tensor number_like(const char* op, const Tensor& x, Literal);

/// The operand as a Tensor; a number takes the dtype of `like`.
template <class X, class L>
decltype(auto) as_tensor([[maybe_unused]] const char* op, const X& x, [[maybe_unused]] const L& like) {
    if constexpr (AnyTensor<X>)
        return (x);
    else if constexpr (Arithmetic<X>)
        return number_like(op, like, x);
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
Tensor with_tensors(const char* op, F f, const X&... x) {
    const Tensor& like = first_tensor(x...);
    return f(static_cast<const Tensor&>(as_tensor(op, x, like))...);
}

}  // namespace detail
}  // namespace xtgrad
