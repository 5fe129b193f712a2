// Functions and operators that work element by element; operands broadcast as in NumPy. Where a Tensor stands, one operand may
// be a C++ number, which takes the Tensor's dtype, or an xtensor expression. Arithmetic, abs, sign, square, cube, maximum,
// minimum and clip also work on i64, unrecorded; everything else needs f32 or f64. Mixed dtypes are a DtypeError, shapes that do
// not broadcast a ShapeError.
//
// The template heads are xtensor's own, more constrained: so both libraries can be used under two `using namespace`.
#pragma once
#include "activation.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "exponential.hpp"
#include "hyperbolic.hpp"
#include "powers.hpp"
#include "rounding.hpp"
#include "special.hpp"
#include "trigonometric.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// x in another dtype. Between f32 and f64 it is recorded; NaN to i64 is the smallest integer.
Tensor astype(const Tensor& x, Dtype);

}  // namespace xtgrad
