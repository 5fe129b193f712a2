// Eigenvalues of symmetric matrices, and singular values, as one op with their derivatives.
#pragma once
#include "gaps.hpp"

namespace xtgrad::detail {

/// a = u diag(x) v^T with as many columns of u and v as values; of a symmetric matrix u is v.
struct Spectrum {
    Tensor u, v, x;
    bool symmetric;
};

/// Records x as a function of a.
void record_values(const Tensor& a, const Spectrum&);

/// What the rules of u ask for.
struct Turning {
    Spectrum s;       ///< of the matrix, or of its transpose
    Tag a;            ///< the matrix' tag
    bool transposed;  ///< is it the transpose that s is of?
    bool adjoint;     ///< is what turns a cotangent?

    /// F o even + G o odd, F_ij = 1 / (x_j - x_i) and G_ij = 1 / (x_i + x_j); odd is not defined for symmetric matrices.
    Tensor by_gaps(const Tensor& even, const Tensor& odd) const;
    /// y diag(1 / x), 0 for those x that are 0.
    Tensor by_values(const Tensor& y) const;
};

}  // namespace xtgrad::detail
