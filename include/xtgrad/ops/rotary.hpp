// Positions as rotations.
#pragma once
#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

struct RotaryOptions {
    Index heads = 1;      ///< that share the last axis
    Index offset = 0;     ///< the position of the first row, as after a cache
    double base = 10000;  ///< the longest wave is about 2 pi times as many positions long
};

/// Rotary position embedding (Su et al., arXiv:2104.09864): in row t of x [..., T, heads D] the pair (x_i, x_(i + D/2)) of each
/// head is rotated by the angle (offset + t) base^(-2i/D), for i < D/2; so scalar products of rows depend on their distance. f32
/// and f64. Throws ShapeError unless D is even.
Tensor rotary(const Tensor& x, const RotaryOptions& options = {});

}  // namespace xtgrad
