// Elementwise kernels one after the other, block by block: what they hand to each other stays in the first cache.
#pragma once
#include <cstdint>
#include <vector>

#include "elementwise_table.hpp"

namespace xtgrad::kernels {

/// Nothing, an input, an output or a buffer: they are counted in this order, from 0.
using Slot = std::uint32_t;

struct Instruction {
    enum class Kind : std::uint8_t {
        value,    // of the rule
        product,  // g times its slope `which`
        greater,
        greater_equal,
        equal,
        scaled_product,
        product_of_scaled,
        product_sum,
        sum_of_scaled,
        triple_product,
        exp_product,  // see ProgramKernels
        copy
    };

    Kind kind;
    std::uint8_t which = 0;
    Slot out = 0, a = 0, b = 0, y = 0, g = 0;
    Place rule{};
    Numbers numbers{};
};

/// Straight-line code. Each place is written before it is read.
struct Program {
    struct Constant {
        Slot buffer;
        double value;
    };
    struct Repeated {
        Slot buffer, input;
    };

    Slot inputs = 0, outputs = 0, buffers = 0;
    std::vector<Slot> streamed;           // inputs with an element for each output's
    std::vector<Constant> constants;      // buffers that hold one number
    std::vector<Repeated> repeated;       // ... that of an input of one element
    std::vector<Instruction> once, each;  // `once`: what follows from those
};

/// Runs it over n elements, on several threads when there are many; the bits depend on neither. Inputs and outputs are dense,
/// in memory as for every elementwise kernel; an input that `repeated` names is one element, and others that
/// `streamed` does not name are not read.
template <class T>
void run(const Program&, Index n, const void* const* inputs, void* const* outputs);

}  // namespace xtgrad::kernels
