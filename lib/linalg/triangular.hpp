// Substitution, for the files whose adjoints need it.
#pragma once
#include "matrices.hpp"

namespace xtgrad::detail {

/// x with op(t) x = b for matrices b that broadcast with t; recorded. Throws Error when the diagonal has a zero, naming `op`.
Tensor substituted(const char* op, const Tensor& t, const Tensor& b, kernels::Triangular);

}  // namespace xtgrad::detail
