// Comparisons, logic and selection. Only selection is recorded.
#pragma once
#include "../detail/predicates.hpp"
#include "apply.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {
Tensor compare(Comparison, const Tensor& a, const Tensor& b);
Tensor logic(Logic, const Tensor& a, const Tensor& b);
Tensor negation(const Tensor& x);
Tensor select(const Tensor& mask, const Tensor& a, const Tensor& b);
Tensor classify(FloatClass, const Tensor& x);
Tensor is_close(const Tensor& a, const Tensor& b, Tolerance);
bool all_true(const Tensor& mask);

const char* name_of(Comparison) noexcept;
template <class A, class B>
Tensor compare_operands(Comparison c, const A& a, const B& b) {
    return with_tensors(
        name_of(c), [c](const Tensor& p, const Tensor& q) { return compare(c, p, q); }, a, b);
}
}  // namespace detail

/// a where the boolean mask is true, else b.
template <class E1, class E2, class E3>
    requires(AnyTensor<E1> && Operand<E2> && Operand<E3> && !(detail::Number<E2> && detail::Number<E3>)) ||
            (XtensorExpression<E1> && TensorOperands<E2, E3>)
Tensor where(E1&& mask, E2&& a, E3&& b) {
    const Tensor& condition = mask;  // of an expression, its conversion
    if constexpr (AnyTensor<E2> || AnyTensor<E3>) {
        const Tensor& like = detail::first_tensor(a, b);
        return detail::select(condition, detail::as_tensor("where", a, like), detail::as_tensor("where", b, like));
    } else if constexpr (XtensorExpression<E2>) {
        const Tensor like = a;
        return detail::select(condition, like, detail::as_tensor("where", b, like));
    } else {
        const Tensor like = b;
        return detail::select(condition, detail::as_tensor("where", a, like), like);
    }
}

/// Comparisons and predicates give boolean tensors and are not recorded; with NaN they are false, not_equal true.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor less(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::less, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor less_equal(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::less_equal, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor greater(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::greater, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor greater_equal(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::greater_equal, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor equal(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::equal, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor not_equal(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::not_equal, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator<(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::less, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator<=(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::less_equal, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator>(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::greater, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator>=(E1&& a, E2&& b) {
    return detail::compare_operands(detail::Comparison::greater_equal, a, b);
}

/// Of boolean tensors.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator&&(E1&& a, E2&& b) {
    return detail::with_tensors(
        "logical_and", [](const Tensor& p, const Tensor& q) { return detail::logic(detail::Logic::conjunction, p, q); }, a, b);
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator||(E1&& a, E2&& b) {
    return detail::with_tensors(
        "logical_or", [](const Tensor& p, const Tensor& q) { return detail::logic(detail::Logic::disjunction, p, q); }, a, b);
}
template <class E>
    requires AnyTensor<E>
Tensor operator!(E&& x) {
    return detail::negation(x);
}
/// The same under NumPy's names.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor logical_and(E1&& a, E2&& b) {
    return a && b;
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor logical_or(E1&& a, E2&& b) {
    return a || b;
}
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor logical_xor(E1&& a, E2&& b) {
    return detail::with_tensors(
        "logical_xor", [](const Tensor& p, const Tensor& q) { return detail::logic(detail::Logic::exclusive, p, q); }, a, b);
}
template <class E>
    requires AnyTensor<E>
Tensor logical_not(E&& x) {
    return detail::negation(x);
}

/// Neither NaN nor infinite.
template <class E>
    requires AnyTensor<E>
Tensor isfinite(E&& x) {
    return detail::classify(detail::FloatClass::finite, x);
}

/// inf or -inf.
template <class E>
    requires AnyTensor<E>
Tensor isinf(E&& x) {
    return detail::classify(detail::FloatClass::infinite, x);
}

/// Not a number.
template <class E>
    requires AnyTensor<E>
Tensor isnan(E&& x) {
    return detail::classify(detail::FloatClass::nan, x);
}

/// |a - b| <= atol or <= rtol times the larger of |a| and |b|, as xtensor (NumPy: atol + rtol |b|). Infinities are close to
/// themselves, NaN to NaN when equal_nan. Computed in double; of f32, f64 and i64.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor isclose(E1&& a, E2&& b, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) {
    return detail::with_tensors(
        "isclose",
        [&](auto& p, auto& q) {
            return detail::is_close(p, q, {rtol, atol, equal_nan});
        },
        a, b);
}

/// Is every element close?
template <class E1, class E2>
    requires TensorOperands<E1, E2>
bool allclose(E1&& a, E2&& b, double rtol = 1e-05, double atol = 1e-08) {
    return detail::all_true(isclose(a, b, rtol, atol));
}

}  // namespace xtgrad
