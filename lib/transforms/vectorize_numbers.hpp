// Formulas that cannot be traced.
#pragma once
#include <memory>
#include <vector>

#include <xtgrad/vectorize/formula.hpp>

namespace xtgrad::detail {

/// The formula of operands that broadcast to this shape, number by number, as one recorded op.
Tensor vectorized_by_numbers(std::shared_ptr<const Formula>, const std::vector<Tensor>& x, const Shape&);

}  // namespace xtgrad::detail
