// Memory for blocks: small ones from slabs, larger ones one by one. What is freed waits in magazines of its thread, and what is
// more than those hold in lists that all threads share.
#pragma once
#include <cstddef>

#include <xtgrad/tensor.hpp>

namespace xtgrad::detail::pool {

// Size classes: steps of 64 bytes up to 1 KiB, then four for each power of two.
inline constexpr std::size_t small = 1024;
inline constexpr int small_classes = 16, classes = 17 + 4 * (63 - 10);
inline constexpr int magazine_classes = 36;  // up to 32 KiB

/// A free block. Its link lies where Block has `base`, and it keeps its size class.
struct [[gnu::may_alias]] Free {
    std::byte unused[offsetof(Block, base)];
    Free* next;
};

/// Free blocks of a size class, of one thread alone. There is room for none before the thread's first block and after its end.
struct Magazine {
    Free* first = nullptr;
    int room = 0;

    /// Null when it is empty.
    Free* pop() noexcept {
        Free* f = first;
        if (f) first = f->next, ++room;
        return f;
    }
    /// False when it is full.
    bool push(Free* f) noexcept {
        if (--room < 0) [[unlikely]] {
            room = 0;
            return false;
        }
        f->next = first;
        first = f;
        return true;
    }
};

extern constinit thread_local Magazine magazines[magazine_classes + 1];

Block* take_slowly(std::size_t bytes);
void give_slowly(Block*) noexcept;

/// At least `bytes`, aligned to 64; size_class is set, nothing else. Throws std::bad_alloc.
inline Block* take(std::size_t bytes) {
    if (bytes <= small) [[likely]] {
        const int c = int((bytes + 63) / 64);
        if (Free* f = magazines[c].pop()) [[likely]]
            return reinterpret_cast<Block*>(f);
    }
    return take_slowly(bytes);
}

/// Gives a block back, on any thread.
inline void give(Block* b) noexcept {
    if (b->size_class > small_classes || !magazines[b->size_class].push(reinterpret_cast<Free*>(b))) [[unlikely]]
        give_slowly(b);
}

/// Bytes that small blocks, in use or free, have from the system.
std::size_t slab_bytes() noexcept;

}  // namespace xtgrad::detail::pool
