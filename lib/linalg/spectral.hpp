// The singular value decomposition, for the files that are made of it.
#pragma once
#include "matrices.hpp"

namespace xtgrad::detail {

/// a = u diag(s) v^T; u and v are not defined where nobody wanted them.
struct Singular {
    Tensor u, s, v;
};

/// Not recorded. Throws Error naming `op` when a matrix is not finite.
Singular singular_decomposition(const char* op, const Tensor& a, bool full, bool factors);
/// d with its factors recorded as functions of a; the columns of u and v beyond the first k as complements of those.
Singular recorded(const Tensor& a, const Singular& d);

}  // namespace xtgrad::detail
