// What the rest of the library sees of the elementwise kernels: pointers, counts and function tables.
#pragma once
#include <cstddef>

#include "../rules/rule.hpp"
#include "isa.hpp"

namespace xtgrad::kernels {

using Index = std::ptrdiff_t;

/// A kernel's operands; null where it does not read one.
struct Operands {
    const void *a = nullptr, *b = nullptr, *y = nullptr, *g = nullptr;
};

/// out[i] = f(operands[i]) for i in [0, n). Works on whole vectors: it reads and writes up to `lanes` - 1 elements beyond n.
/// out may be one of the operands.
using Kernel = void (*)(Index n, void* out, const Operands&, Numbers);

/// A multiple of every instruction set's width in elements.
inline constexpr Index lanes = 16;

/// The kernels of one op and one type. vjp[k] is g * slope k: the VJP, and with a tangent for g the JVP.
struct OpKernels {
    Kernel value = nullptr, vjp[2] = {};
};
struct KernelRow {
    OpKernels f32, f64;
};

/// The rows of a family for one instruction set, in the family's order. Defined in the family's kernel file.
template <class Family, Isa isa>
const KernelRow* elementwise_rows();

/// The rows of each family in the active instruction set; null until the first use.
extern constinit const KernelRow* const* active_rows;
void choose_instruction_set() noexcept;

/// The row of an op in the active instruction set.
inline const KernelRow& elementwise_kernels(Place p) noexcept {
    if (!active_rows) [[unlikely]]
        choose_instruction_set();
    return active_rows[p.family][p.index];
}

}  // namespace xtgrad::kernels
