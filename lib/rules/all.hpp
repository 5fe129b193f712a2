// Every elementwise rule. Kernels, records and tests iterate over this list.
#pragma once
#include "activation.hpp"
#include "arithmetic.hpp"
#include "exponential.hpp"
#include "hyperbolic.hpp"
#include "powers.hpp"
#include "rounding.hpp"
#include "special.hpp"
#include "trigonometric.hpp"

namespace xtgrad::rules {

using All = Families<Arithmetic, Rounding, Powers, Exponential, Trigonometric, Hyperbolic, Special, Activation>;

}  // namespace xtgrad::rules
