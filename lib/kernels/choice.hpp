// One of two numbers for each element.
#pragma once
#include "elementwise_table.hpp"

namespace xtgrad::kernels {

/// out = a > b ? y : g, and with >= and ==. Memory as for every elementwise kernel.
struct ChoiceKernels {
    Kernel greater, greater_equal, equal;
};

/// Of one instruction set; defined in choice.cpp.
template <class T, Isa>
const ChoiceKernels& choice_kernels_of();

/// Of the active one.
template <class T>
const ChoiceKernels& choice_kernels() noexcept;

}  // namespace xtgrad::kernels
