#include "../rules/exponential.hpp"
#include "elementwise_fill.hpp"

template <>
const xtgrad::kernels::KernelRow* xtgrad::kernels::elementwise_rows<xtgrad::rules::Exponential, xtgrad::kernels::this_isa>() {
    return fill(rules::Exponential{});
}
