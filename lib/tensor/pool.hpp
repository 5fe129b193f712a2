// Memory for blocks: small sizes from slabs, larger ones one by one, both kept by each thread for the next tensor.
#pragma once
#include <cstddef>

#include <xtgrad/tensor.hpp>

namespace xtgrad::detail::pool {

/// At least `bytes`, aligned to 64; size_class is set, nothing else. Throws Error when there is no memory.
Block* take(std::size_t bytes);
/// Gives a block back, on any thread.
void give(Block*) noexcept;

}  // namespace xtgrad::detail::pool
