#include "../rules/activation.hpp"
#include "elementwise_fill.hpp"

template <>
const xtgrad::kernels::KernelRow* xtgrad::kernels::elementwise_rows<xtgrad::rules::Activation, xtgrad::kernels::this_isa>() {
    return fill(rules::Activation{});
}
