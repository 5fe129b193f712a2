// Arrangements that other ops are made of.
#pragma once
#include <xtgrad/tensor.hpp>

namespace xtgrad::detail {

/// x under another shape of the same size: a view wherever its strides allow one, and not only when it is dense.
Tensor reshape_in_place(const Tensor& x, const Shape&);

}  // namespace xtgrad::detail
