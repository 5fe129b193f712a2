// Threads, memory and version of the library.
#pragma once
#include <cstddef>

namespace [[gnu::visibility("default")]] xtgrad {

/// "major.minor.patch" of the library that the program runs with.
const char* version() noexcept;

/// How many threads an op may use, at first OMP_NUM_THREADS, else as many as there are cores. Results have the same bits for
/// any number. Throws Error when n < 1.
void set_num_threads(int n);
int num_threads() noexcept;

/// "baseline", "avx2" or "avx512": the instruction set of the kernels. The best that the machine has, unless the environment
/// variable XTGRAD_ISA is one of these three words and names a lower one; anything else in it is ignored.
const char* instruction_set() noexcept;

/// Freed memory is kept for the next tensor, on whichever thread, at most so many bytes of it (1 GiB at first). A smaller limit
/// takes effect as tensors are freed. Tensors of up to 1 KiB, shape and all, do not count: their memory is never given back.
void set_pool_limit(std::size_t bytes) noexcept;
/// Bytes that are kept at the moment, without those of such small tensors.
std::size_t pool_bytes() noexcept;

}  // namespace xtgrad
