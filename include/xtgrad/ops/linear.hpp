// Products of matrices.
#pragma once
#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {
Tensor matmul(const Tensor&, const Tensor&);
}  // namespace detail

/// The matrix product, NumPy's rules: [..., m, k] x [..., k, n] -> [..., m, n], leading axes broadcast; a 1-d operand is a row
/// on the left and a column on the right, and its axis goes. Transposed views are read where they are, forward and backward.
/// Throws ShapeError.
template <class A, class B>
    requires TensorOperands<A, B>
Tensor matmul(A&& a, B&& b) {
    return detail::with_tensors(
        "matmul", [](const Tensor& p, const Tensor& q) { return detail::matmul(p, q); }, a, b);
}

}  // namespace xtgrad
