// Memory for blocks: small sizes from slabs, larger ones one by one, both kept by each thread for the next tensor.
#pragma once
#include <cstddef>

#include <xtgrad/tensor.hpp>

namespace xtgrad::detail::pool {

// Size classes: steps of 64 bytes up to 1 KiB, then four for each power of two.
inline constexpr std::size_t small = 1024;
inline constexpr int small_classes = 16, classes = 17 + 4 * (63 - 10);

/// Free blocks by size class, each list linked through `base`.
struct Lists {
    Block* first[classes] = {};

    Block* pop(int c) noexcept {
        Block* b = first[c];
        if (b) first[c] = b->base;
        return b;
    }
    void push(int c, Block* b) noexcept {
        b->base = first[c];
        first[c] = b;
    }
};

/// What this thread keeps; null before its first block, after its end, and where the pool is off.
extern constinit thread_local Lists* kept_here;

Block* take_slowly(std::size_t bytes);
void give_slowly(Block*) noexcept;

/// At least `bytes`, aligned to 64; size_class is set, nothing else. Throws std::bad_alloc.
inline Block* take(std::size_t bytes) {
    if (bytes <= small && kept_here) [[likely]] {
        const int c = int((bytes + 63) / 64);
        if (Block* b = kept_here->pop(c)) [[likely]] {
            b->size_class = std::uint8_t(c);
            return b;
        }
    }
    return take_slowly(bytes);
}

/// Gives a block back, on any thread.
inline void give(Block* b) noexcept {
    if (b->size_class <= small_classes && kept_here) [[likely]]
        kept_here->push(b->size_class, b);
    else
        give_slowly(b);
}

}  // namespace xtgrad::detail::pool
