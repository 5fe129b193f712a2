// Memory from the system.
#pragma once
#include <cstddef>

namespace xtgrad::kernels {

/// Aligned to 64, to be freed by std::free; null where there is not so much. Large memory begins a huge page, where the system
/// has them: columns of a matrix of 4 MB lie in a thousand small pages, more than the processor knows the places of.
void* system_memory(std::size_t bytes) noexcept;

}  // namespace xtgrad::kernels
