// The product that matmul and linear share.
#pragma once
#include <xtgrad/tensor.hpp>

namespace xtgrad::detail {

/// a b, for at least two axes each, by matmul's rules, plus a dense bias for each column where there is one. Not recorded.
Tensor product(const Tensor& a, const Tensor& b, const Tensor& bias = {});

/// All rows of x as one matrix; there may be none, and they may be empty.
Tensor rows_of(const Tensor& x);

}  // namespace xtgrad::detail
