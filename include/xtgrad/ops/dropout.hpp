// Elements left out at random.
#pragma once
#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

class Rng;

/// Each element is 0 with probability p, else x / (1 - p) (Srivastava et al., JMLR 15, 2014); f32 and f64. Element i stays or
/// goes by the i-th of the 32-bit words that the generator gives next, so for the same generator the same elements for any
/// dtype and number of threads. Nothing is stored: the adjoint draws them again. Throws Error unless 0 <= p <= 1.
Tensor dropout(const Tensor& x, double p, Rng& rng);

}  // namespace xtgrad
