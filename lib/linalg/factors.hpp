// The LU factors of square matrices, which the adjoint of a solve uses again.
#pragma once
#include "matrices.hpp"

namespace xtgrad::detail {

struct Factors {
    Tensor lu, pivots;
    Failure singular;

    Factors(const char* op, const Tensor& a);
    explicit Factors(const Node& n) : lu(n.extra->saved[0]), pivots(n.extra->saved[1]) {}
    void keep(Node& n) const;
};

/// x with a x = b, or a^T x = b, for matrices b that broadcast with a; recorded.
Tensor solved(const Tensor& a, const Factors&, const Tensor& b, bool transposed);

/// Throws Error when a matrix is singular.
void check_regular(const char* op, const Tensor& a, const Factors&);

}  // namespace xtgrad::detail
