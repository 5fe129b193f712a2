// What the derivatives of eigenvalues, singular values and their vectors divide by. The values are in order; those whose distance
// is rounding beside the largest of their matrix are one repeated value, and those that are rounding themselves are 0.
#pragma once
#include "matrices.hpp"

namespace xtgrad::detail {

enum class Gap { difference, sum };

/// 1 / (x_j - x_i), or 1 / (x_i + x_j), at (i, j), recorded; 0 where values are repeated, or both are 0: for the rest such a pair
/// is a constant.
Tensor inverse_gaps(const Tensor& x, Gap);

/// Has a matrix repeated values, or with Gap::sum two that are 0, or one?
bool has_gapless(const Tensor& x, Gap);

/// 1 at (i, j) for other values j that are the same as i, 0 elsewhere: with Gap::sum for those that are 0, singular values, with
/// Gap::difference for the rest of them; all eigenvalues count as the rest.
Tensor same_values(const Tensor& x, Gap, bool singular);

/// For turn = v^T v' of eigenvectors v of values x: infinite at those pairs of a repeated value where v' asks which basis of its
/// space they are, 0 elsewhere. Not recorded.
Tensor chosen_basis(const Tensor& x, const Tensor& turn);

/// (g_j - g_i) / (x_j - x_i), or (g_i + g_j) / (x_i + x_j), at (i, j), 0 for i = j of the former; where inverse_gaps is 0,
/// `limits`.
Tensor divided_differences(const Tensor& g, const Tensor& x, Gap, const Tensor& limits);

/// The direction in which `slopes` are asked for: apart, for the first two of each repeated value; up, for a 0 alone.
Tensor probe(const Tensor& x, bool signless);
/// The limits of divided differences for g = f'(x) of a function that does not depend on the order of x (nor, for sums, on their
/// signs), given how g moves along the probe: half of what it does for the two, f_11 - f_12 (Lewis and Sendov, Twice
/// differentiable spectral functions, SIAM J. Matrix Anal. Appl. 23, 2001); of f = sum h(x) that is h'' (Daleckii and Krein).
/// Infinite where g is not that of such a function. Not recorded.
Tensor limits(const Tensor& g, const Tensor& x, Gap, const Tensor& slopes);
/// Those that nobody can know: NaN where `factor`, by which they are multiplied, is more than rounding, and 0 else; infinite as
/// above.
Tensor unknown_limits(const Tensor& g, const Tensor& x, Gap, const Tensor& factor);

}  // namespace xtgrad::detail
