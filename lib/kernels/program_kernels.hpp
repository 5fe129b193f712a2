// Elementwise kernels that are no op's, for programs.
#pragma once
#include "elementwise_table.hpp"

namespace xtgrad::kernels {

/// Memory as for every elementwise kernel.
struct ProgramKernels {
    Kernel greater, greater_equal, equal;  // a > b ? y : g, and with >= and ==
    Kernel scaled_product;                 // p (a b) + q
    Kernel product_of_scaled;              // (p a) (q b)
    Kernel product_sum;                    // p (a b) + q y
    Kernel sum_of_scaled;                  // p a + q b
    Kernel triple_product;                 // p ((a b) y)
    Kernel exp_product;                    // exp(p (a b) + q) y
};

/// Of one instruction set; defined in program_kernels.cpp.
template <class T, Isa>
const ProgramKernels& program_kernels_of();

/// Of the active one.
template <class T>
const ProgramKernels& program_kernels() noexcept;

}  // namespace xtgrad::kernels
