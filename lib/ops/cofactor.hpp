// Cotangents that hold a value as a factor.
#pragma once
#include "../tape/record.hpp"

namespace xtgrad::detail {

/// c where g = c y, y being the output of the node, if g was recorded as such a product or as a sum of some; of a shape that
/// broadcasts to g's. Else undefined. For slopes of which y is a divisor: so d |x|^2 = 2 |x| x / |x| has the derivative 2 at 0 as
/// well, though that of |x| does not exist there.
Tensor cofactor(const Tensor& g, const Node& y);

}  // namespace xtgrad::detail
