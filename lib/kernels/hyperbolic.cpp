#include "../rules/hyperbolic.hpp"
#include "elementwise_fill.hpp"

template <>
const xtgrad::kernels::KernelRow* xtgrad::kernels::elementwise_rows<xtgrad::rules::Hyperbolic, xtgrad::kernels::this_isa>() {
    return fill(rules::Hyperbolic{});
}
