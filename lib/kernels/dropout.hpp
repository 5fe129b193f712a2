// Elements set to zero at random. Compiled for each instruction set.
#pragma once
#include <cstdint>

#include "isa.hpp"
#include "parallel.hpp"

namespace xtgrad::kernels {

/// Which elements stay: i does when word i % 4 of the generator's block position + i / 4 is at least `threshold`.
struct Mask {
    std::uint64_t seed, position;
    std::uint32_t threshold;
};

template <class T>
struct DropoutKernels {
    /// out = scale x where it stays, else 0, for elements [begin, end); begin is a multiple of dropout_step.
    void (*apply)(Index begin, Index end, const Mask&, T scale, const T* x, T* out);
};

inline constexpr Index dropout_step = 64;

/// Of one instruction set; defined in dropout.cpp.
template <class T, Isa>
const DropoutKernels<T>& dropout_kernels_of();

/// Of the active one.
template <class T>
const DropoutKernels<T>& dropout_kernels() noexcept;

}  // namespace xtgrad::kernels
