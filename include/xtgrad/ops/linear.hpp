// Products of matrices and of tensors.
#pragma once
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {
Tensor matmul(const Tensor&, const Tensor&);
Tensor dot(const Tensor&, const Tensor&);
Tensor vdot(const Tensor&, const Tensor&);
Tensor outer(const Tensor&, const Tensor&);
Tensor inner(const Tensor&, const Tensor&);
Tensor tensordot(const Tensor&, const Tensor&, Index axes);
Tensor tensordot(const Tensor&, const Tensor&, const Axes& axes_a, const Axes& axes_b);
Tensor einsum(std::string_view subscripts, std::span<const Tensor>);
}  // namespace detail

/// x weight^T + bias: x [..., in], weight (out, in), bias (out,) or left out, to [..., out]; one node. A layer's weight as
/// PyTorch keeps it. Throws ShapeError.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// The matrix product, NumPy's rules: [..., m, k] x [..., k, n] -> [..., m, n], leading axes broadcast; a 1-d operand is a row
/// on the left and a column on the right, and its axis goes. Transposed views are read where they are, forward and backward.
/// Throws ShapeError.
template <class A, class B>
    requires TensorOperands<A, B>
Tensor matmul(A&& a, B&& b) {
    return detail::with_tensors(
        "matmul", [](const Tensor& p, const Tensor& q) { return detail::matmul(p, q); }, a, b);
}

/// NumPy's dot: of vectors the scalar product, of matrices matmul, with a scalar the multiple; otherwise the sum over the last
/// axis of a and the last but one of b, a's other axes before b's. Throws ShapeError.
template <class A, class B>
    requires TensorOperands<A, B>
Tensor dot(A&& a, B&& b) {
    return detail::with_tensors(
        "dot", [](const Tensor& p, const Tensor& q) { return detail::dot(p, q); }, a, b);
}

/// The scalar product of all elements in row-major order, whatever the shapes. Throws ShapeError when the sizes differ.
template <class A, class B>
    requires TensorOperands<A, B>
Tensor vdot(A&& a, B&& b) {
    return detail::with_tensors(
        "vdot", [](const Tensor& p, const Tensor& q) { return detail::vdot(p, q); }, a, b);
}

/// y[i, j] = a[i] b[j], of the elements of each in row-major order.
template <class A, class B>
    requires TensorOperands<A, B>
Tensor outer(A&& a, B&& b) {
    return detail::with_tensors(
        "outer", [](const Tensor& p, const Tensor& q) { return detail::outer(p, q); }, a, b);
}

/// The sum over the last axis of both, a's other axes before b's. Throws ShapeError when these extents differ.
template <class A, class B>
    requires TensorOperands<A, B>
Tensor inner(A&& a, B&& b) {
    return detail::with_tensors(
        "inner", [](const Tensor& p, const Tensor& q) { return detail::inner(p, q); }, a, b);
}

/// The sum over the last `axes` axes of a and the first of b, or over the pairs of axes that two lists name; then come a's
/// other axes, then b's. Throws ShapeError.
template <class A, class B>
    requires TensorOperands<A, B>
Tensor tensordot(A&& a, B&& b, Index axes = 2) {
    return detail::with_tensors(
        "tensordot", [axes](const Tensor& p, const Tensor& q) { return detail::tensordot(p, q, axes); }, a, b);
}
template <class A, class B>
    requires TensorOperands<A, B>
Tensor tensordot(A&& a, B&& b, const Axes& axes_a, const Axes& axes_b) {
    return detail::with_tensors(
        "tensordot", [&](const Tensor& p, const Tensor& q) { return detail::tensordot(p, q, axes_a, axes_b); }, a, b);
}

/// Einstein's sums, einsum("bhid,bhjd->bhij", q, k): a letter for each axis of each operand; the product of the operands is
/// summed over the letters that the output lacks. Without "->" the output has the letters that occur once, in alphabetic
/// order. A letter twice in one operand is its diagonal; "..." stands for any further axes, which broadcast. Any number of
/// operands, multiplied two by two in a cheap order (the cheapest for up to four), where possible by matmul and without
/// copies. Throws ShapeError.
inline Tensor einsum(std::string_view subscripts, const std::vector<Tensor>& operands) {
    return detail::einsum(subscripts, operands);
}
template <class... X>
    requires TensorOperands<X...>
Tensor einsum(std::string_view subscripts, const X&... operands) {
    const Tensor& like = detail::first_tensor(operands...);
    return detail::einsum(subscripts, std::array{Tensor(detail::as_tensor("einsum", operands, like))...});
}

}  // namespace xtgrad
