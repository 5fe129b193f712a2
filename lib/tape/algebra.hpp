// The few ops that the walks compute with. Declared here and defined in ops/, so that includes point one way.
#pragma once
#include <xtgrad/tensor.hpp>

namespace xtgrad {

Tensor broadcast_to(const Tensor& x, const Shape&);

namespace detail {

/// into += g: in place when nobody else sees `into` and nobody records, else as a recorded op.
void accumulate(Tensor& into, Tensor&& g);
/// Sums out what broadcasting repeated; x itself when it has that shape.
Tensor sum_to(const Tensor& x, const Shape&);
/// A constant of the shape of x, not recorded.
Tensor constant_like(const Tensor& x, double value);

}  // namespace detail
}  // namespace xtgrad
