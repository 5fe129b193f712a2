// Instruction sets, and which of them the kernels use.
//
// A kernel file is compiled once for each set, with XG_ISA naming it and xsimd renamed, so that no inline function is shared
// between two variants. The choice is made once, at the first use.
#pragma once

namespace xtgrad::kernels {

/// Weakest first. `baseline` is what every processor of the architecture has.
enum class Isa { baseline, avx2, avx512 };
inline constexpr int isa_count = 3;
inline constexpr const char* isa_names[isa_count] = {"baseline", "avx2", "avx512"};

/// Was the library built with this set, and does the machine have it?
bool has(Isa) noexcept;

/// The best set there is, unless XTGRAD_ISA names a lower one.
Isa active_isa() noexcept;
/// For tests: changes the active set. Not while another thread computes.
void use(Isa) noexcept;

}  // namespace xtgrad::kernels
