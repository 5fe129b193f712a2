// Orthonormal columns that a factorization does not determine.
#pragma once
#include "matrices.hpp"

namespace xtgrad::detail {

/// c, recorded as the orthogonal complement of u. c is nobody else's node yet.
Tensor complement(const Tensor& u, const Tensor& c);

}  // namespace xtgrad::detail
