#include "../rules/rounding.hpp"
#include "elementwise_fill.hpp"

template <>
const xtgrad::kernels::KernelRow* xtgrad::kernels::elementwise_rows<xtgrad::rules::Rounding, xtgrad::kernels::this_isa>() {
    return fill(rules::Rounding{});
}
