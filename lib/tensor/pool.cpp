#include "pool.hpp"

#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

#include <xtgrad/runtime.hpp>

namespace xtgrad {
namespace detail::pool {

constinit thread_local Lists* kept_here = nullptr;

namespace {

int class_of(std::size_t bytes) noexcept {
    if (bytes <= small) return int((bytes + 63) / 64);
    const int log = int(std::bit_width(bytes - 1)) - 1;
    return 17 + (log - 10) * 4 + int((bytes - 1) >> (log - 2) & 3);
}
std::size_t bytes_of(int size_class) noexcept {
    if (size_class <= small_classes) return std::size_t(size_class) * 64;
    const int k = size_class - 17, log = 10 + k / 4;
    return (std::size_t(1) << log) + (std::size_t(k % 4) + 1) * (std::size_t(1) << (log - 2));
}

std::atomic<std::size_t> limit{std::size_t(1) << 30}, kept{0};

std::byte* system_memory(std::size_t bytes) {
    constexpr std::size_t most = std::size_t(1) << 62;
    void* p = bytes < most ? std::aligned_alloc(64, bytes) : nullptr;
    if (!p) throw std::bad_alloc();
    return static_cast<std::byte*>(p);
}

#ifdef XTGRAD_NO_POOL

Block* fresh(int size_class) { return reinterpret_cast<Block*>(system_memory(bytes_of(size_class))); }

#else

constexpr std::size_t slab_bytes = std::size_t(1) << 18;

/// Small blocks of threads that have ended: slabs are shared by many blocks and never go back to the system.
struct Orphans {
    std::mutex mutex;
    Lists lists;
};
Orphans& orphans() {
    static Orphans* o = new Orphans;  // outlives every thread
    return *o;
}

struct Cache {
    Lists lists;
    std::byte *slab = nullptr, *slab_end = nullptr;

    ~Cache() {
        const std::lock_guard lock(orphans().mutex);
        while (slab != slab_end) {  // what is left of the slab
            const auto rest = std::size_t(slab_end - slab);
            const int c = class_of(std::min(rest, small));
            orphans().lists.push(c, reinterpret_cast<Block*>(slab));
            slab += bytes_of(c);
        }
        for (int c = 0; c < classes; ++c)
            while (Block* b = lists.pop(c)) {
                if (c <= small_classes)
                    orphans().lists.push(c, b);
                else {
                    kept.fetch_sub(bytes_of(c), std::memory_order_relaxed);
                    std::free(b);
                }
            }
    }
};

constinit thread_local Cache* cache = nullptr;
constinit thread_local bool thread_ended = false;

/// Empties the cache when the thread ends.
struct Owner {
    ~Owner() {
        kept_here = nullptr;
        delete std::exchange(cache, nullptr);
        thread_ended = true;
    }
};

Cache* open_cache() {
    if (thread_ended) return nullptr;
    thread_local Owner owner;
    static_cast<void>(owner);
    cache = new Cache;
    kept_here = &cache->lists;
    return cache;
}

/// Frees large blocks until no more is kept than may be, or this thread keeps none.
void trim(Cache& own) noexcept {
    for (int c = classes - 1; c > small_classes; --c)
        while (kept.load(std::memory_order_relaxed) > limit.load(std::memory_order_relaxed)) {
            Block* b = own.lists.pop(c);
            if (!b) break;
            kept.fetch_sub(bytes_of(c), std::memory_order_relaxed);
            std::free(b);
        }
}

[[gnu::noinline]] Block* fresh(int c) {
    if (c > small_classes) return reinterpret_cast<Block*>(system_memory(bytes_of(c)));
    Cache* own = cache ? cache : open_cache();
    if (!own) return reinterpret_cast<Block*>(system_memory(bytes_of(c)));
    if (std::size_t(own->slab_end - own->slab) < bytes_of(c)) {
        {
            const std::lock_guard lock(orphans().mutex);
            if (Block* b = orphans().lists.pop(c)) return b;
        }
        if (own->slab != own->slab_end)
            own->lists.push(class_of(std::size_t(own->slab_end - own->slab)), reinterpret_cast<Block*>(own->slab));
        own->slab = own->slab_end = nullptr;
        own->slab = system_memory(slab_bytes);
        own->slab_end = own->slab + slab_bytes;
    }
    auto* b = reinterpret_cast<Block*>(own->slab);
    own->slab += bytes_of(c);
    return b;
}

#endif

}  // namespace

Block* take_slowly(std::size_t bytes) {
    const int c = class_of(bytes);
    Block* b = nullptr;
#ifndef XTGRAD_NO_POOL
    if (cache && (b = cache->lists.pop(c)) && c > small_classes) kept.fetch_sub(bytes_of(c), std::memory_order_relaxed);
#endif
    if (!b) b = fresh(c);
    b->size_class = std::uint8_t(c);
    return b;
}

void give_slowly(Block* b) noexcept {
#ifdef XTGRAD_NO_POOL
    std::free(b);
#else
    const int c = b->size_class;
    Cache* own = cache ? cache : open_cache();
    if (c > small_classes) {
        const std::size_t bytes = bytes_of(c);
        if (!own || kept.load(std::memory_order_relaxed) + bytes > limit.load(std::memory_order_relaxed)) {
            std::free(b);
            if (own) trim(*own);
            return;
        }
        kept.fetch_add(bytes, std::memory_order_relaxed);
    } else if (!own) {
        const std::lock_guard lock(orphans().mutex);
        orphans().lists.push(c, b);
        return;
    }
    own->lists.push(c, b);
#endif
}

}  // namespace detail::pool

void set_pool_limit(std::size_t bytes) noexcept { detail::pool::limit = bytes; }
std::size_t pool_bytes() noexcept { return detail::pool::kept; }

}  // namespace xtgrad
