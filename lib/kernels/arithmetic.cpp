#include "../rules/arithmetic.hpp"
#include "elementwise_fill.hpp"

template <>
const xtgrad::kernels::KernelRow* xtgrad::kernels::elementwise_rows<xtgrad::rules::Arithmetic, xtgrad::kernels::this_isa>() {
    return fill(rules::Arithmetic{});
}
