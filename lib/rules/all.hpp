// Every elementwise rule. Kernels, records and tests iterate over this list.
#pragma once
#include "activation.hpp"
#include "arithmetic.hpp"
#include "exponential.hpp"
#include "trigonometric.hpp"

namespace xtgrad::rules {

using All = Families<Arithmetic, Exponential, Trigonometric, Activation>;

}  // namespace xtgrad::rules
