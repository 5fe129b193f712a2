// What a scalar formula costs when its loops are written for it alone.
#pragma once
#include <xtgrad/tensor.hpp>

/// z = x exp(-y^2) and, for the cotangent g of z, those of x and y: one pass forward, one back, an exponential in each, nothing
/// stored between memory and registers. The results are written where z, dx and dy lie. All dense, of one floating dtype.
void bell_by_hand(const xtgrad::Tensor& x, const xtgrad::Tensor& y, const xtgrad::Tensor& g, const xtgrad::Tensor& z,
                  const xtgrad::Tensor& dx, const xtgrad::Tensor& dy);
