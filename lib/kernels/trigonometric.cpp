#include "../rules/trigonometric.hpp"
#include "elementwise_fill.hpp"

template <>
const xtgrad::kernels::KernelRow* xtgrad::kernels::elementwise_rows<xtgrad::rules::Trigonometric, xtgrad::kernels::this_isa>() {
    return fill(rules::Trigonometric{});
}
