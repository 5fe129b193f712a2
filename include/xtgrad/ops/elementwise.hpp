// Functions and operators that work element by element; operands broadcast as in NumPy. Where a Tensor stands, one operand may
// be a C++ number, which takes the Tensor's dtype, or an xtensor expression. Arithmetic, abs, square, maximum, minimum and
// clip also work on i64, unrecorded; everything else needs f32 or f64. Mixed dtypes are a DtypeError, shapes that do not
// broadcast a ShapeError.
//
// The template heads are xtensor's own, more constrained: so both libraries can be used under two `using namespace`.
#pragma once
#include "../detail/predicates.hpp"
#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace rules {
struct Negative;
struct Add;
struct Subtract;
struct Multiply;
struct Divide;
struct Abs;
struct Square;
struct Maximum;
struct Minimum;
struct Exp;
struct Log;
struct Sqrt;
struct Pow;
struct Erf;
struct Sin;
struct Cos;
struct Tanh;
struct Sigmoid;
struct Relu;
struct Gelu;
struct GeluTanh;
}  // namespace rules

namespace detail {

// Instantiated in the library for every rule.
template <class Rule>
Tensor apply(const Tensor& x);
template <class Rule>
Tensor apply(const Tensor& a, const Tensor& b);

Tensor add(const Tensor& x, Literal);
Tensor subtract(const Tensor& x, Literal);
Tensor subtract(Literal, const Tensor& x);
Tensor multiply(const Tensor& x, Literal);
Tensor divide(const Tensor& x, Literal);
Tensor divide(Literal, const Tensor& x);
Tensor power(const Tensor& x, double exponent);
Tensor clip(const Tensor& x, Literal low, Literal high);
Tensor clip(const Tensor& x, const Tensor& low, const Tensor& high);
Tensor select(const Tensor& mask, const Tensor& a, const Tensor& b);

Tensor compare(Comparison, const Tensor& a, const Tensor& b);
Tensor logic(Logic, const Tensor& a, const Tensor& b);
Tensor negation(const Tensor& x);

template <class Rule, class A, class B>
Tensor apply_operands(const char* op, const A& a, const B& b) {
    return with_tensors(
        op, [](const Tensor& p, const Tensor& q) { return apply<Rule>(p, q); }, a, b);
}
const char* name_of(Comparison) noexcept;
template <class A, class B>
Tensor compare_operands(Comparison c, const A& a, const B& b) {
    return with_tensors(
        name_of(c), [c](const Tensor& p, const Tensor& q) { return compare(c, p, q); }, a, b);
}

template <class X>
concept Number = Arithmetic<std::remove_cvref_t<X>>;

}  // namespace detail

/// a + b.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator+(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::add(a, b);
    else if constexpr (detail::Number<E1>)
        return detail::add(b, a);
    else
        return detail::apply_operands<rules::Add>("add", a, b);
}

/// a - b.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator-(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::subtract(a, b);
    else if constexpr (detail::Number<E1>)
        return detail::subtract(a, b);
    else
        return detail::apply_operands<rules::Subtract>("subtract", a, b);
}

/// a b.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator*(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::multiply(a, b);
    else if constexpr (detail::Number<E1>)
        return detail::multiply(b, a);
    else
        return detail::apply_operands<rules::Multiply>("multiply", a, b);
}

/// a / b; of f32 and f64.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor operator/(E1&& a, E2&& b) {
    if constexpr (detail::Number<E1>)
        return detail::divide(a, b);
    else if constexpr (detail::Number<E2>)
        return detail::divide(a, b);
    else
        return detail::apply_operands<rules::Divide>("divide", a, b);
}

/// -x.
template <class E>
    requires AnyTensor<E>
Tensor operator-(E&& x) {
    return detail::apply<rules::Negative>(x);
}

/// |x|; slope 0 at 0.
template <class E>
    requires AnyTensor<E>
Tensor abs(E&& x) {
    return detail::apply<rules::Abs>(x);
}

/// x^2.
template <class E1>
    requires AnyTensor<E1>
Tensor square(E1&& x) {
    return detail::apply<rules::Square>(x);
}

/// e^x.
template <class E>
    requires AnyTensor<E>
Tensor exp(E&& x) {
    return detail::apply<rules::Exp>(x);
}

/// The natural logarithm.
template <class E>
    requires AnyTensor<E>
Tensor log(E&& x) {
    return detail::apply<rules::Log>(x);
}

/// The square root; slope inf at 0.
template <class E>
    requires AnyTensor<E>
Tensor sqrt(E&& x) {
    return detail::apply<rules::Sqrt>(x);
}

/// a^b.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor pow(E1&& a, E2&& b) {
    if constexpr (detail::Number<E2>)
        return detail::power(a, static_cast<double>(b));
    else
        return detail::apply_operands<rules::Pow>("pow", a, b);
}

/// 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.
template <class E>
    requires AnyTensor<E>
Tensor erf(E&& x) {
    return detail::apply<rules::Erf>(x);
}

/// The sine of x in radians.
template <class E>
    requires AnyTensor<E>
Tensor sin(E&& x) {
    return detail::apply<rules::Sin>(x);
}

/// The cosine of x in radians.
template <class E>
    requires AnyTensor<E>
Tensor cos(E&& x) {
    return detail::apply<rules::Cos>(x);
}

/// The hyperbolic tangent.
template <class E>
    requires AnyTensor<E>
Tensor tanh(E&& x) {
    return detail::apply<rules::Tanh>(x);
}

/// 1 / (1 + e^-x).
template <class E>
    requires AnyTensor<E>
Tensor sigmoid(E&& x) {
    return detail::apply<rules::Sigmoid>(x);
}

/// max(x, 0); slope 0 at 0.
template <class E>
    requires AnyTensor<E>
Tensor relu(E&& x) {
    return detail::apply<rules::Relu>(x);
}

/// x (1 + erf(x / sqrt 2)) / 2, exactly (Hendrycks and Gimpel, arXiv:1606.08415).
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

/// The larger one, NaN if either is; half the slope each at a tie.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor maximum(E1&& a, E2&& b) {
    return detail::apply_operands<rules::Maximum>("maximum", a, b);
}

/// The smaller one, NaN if either is; half the slope each at a tie.
template <class E1, class E2>
    requires TensorOperands<E1, E2>
Tensor minimum(E1&& a, E2&& b) {
    return detail::apply_operands<rules::Minimum>("minimum", a, b);
}

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

/// x limited to [low, high]; slope 1 at the bounds. The bounds are numbers or broadcast.
template <class E1, class E2, class E3>
    requires(AnyTensor<E1> && Operand<E2> && Operand<E3>)
Tensor clip(E1&& x, E2&& low, E3&& high) {
    if constexpr (detail::Number<E2> && detail::Number<E3>)
        return detail::clip(x, detail::Literal(low), detail::Literal(high));
    else
        return detail::with_tensors(
            "clip", [](auto& p, auto& q, auto& r) { return detail::clip(p, q, r); }, x, low, high);
}

/// Comparisons and predicates give boolean tensors and are not recorded.
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

namespace detail {
Tensor is_finite(const Tensor&);
}  // namespace detail
/// Neither NaN nor infinite.
template <class E>
    requires AnyTensor<E>
Tensor isfinite(E&& x) {
    return detail::is_finite(x);
}

/// x in another dtype. Between f32 and f64 it is recorded; NaN to i64 is the smallest integer.
Tensor astype(const Tensor& x, Dtype);

}  // namespace xtgrad
