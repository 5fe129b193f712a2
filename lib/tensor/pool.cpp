#include "pool.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

#include <xtgrad/runtime.hpp>

#include "../kernels/thread_end.hpp"

namespace xtgrad {
namespace detail::pool {

constinit thread_local Magazine magazines[magazine_classes + 1];

namespace {

int class_of(std::size_t bytes) noexcept {
    if (bytes <= small) return int((bytes + 63) / 64);
    const int log = int(std::bit_width(bytes - 1)) - 1;
    return 17 + (log - 10) * 4 + int((bytes - 1) >> (log - 2) & 3);
}
constexpr std::size_t bytes_of(int size_class) noexcept {
    if (size_class <= small_classes) return std::size_t(size_class) * 64;
    const int k = size_class - 17, log = 10 + k / 4;
    return (std::size_t(1) << log) + (std::size_t(k % 4) + 1) * (std::size_t(1) << (log - 2));
}

std::atomic<std::size_t> limit{std::size_t(1) << 30}, kept{0}, in_slabs{0};

std::byte* system_memory(std::size_t bytes) {
    constexpr std::size_t most = std::size_t(1) << 62;
    void* p = bytes < most ? std::aligned_alloc(64, bytes) : nullptr;
    if (!p) throw std::bad_alloc();
    return static_cast<std::byte*>(p);
}

Free* of_class(int c, std::byte* memory) noexcept {
    auto* b = reinterpret_cast<Block*>(memory);
    b->size_class = std::uint8_t(c);
    return reinterpret_cast<Free*>(b);
}

#ifndef XTGRAD_NO_POOL

constexpr std::size_t slab_size = std::size_t(1) << 18, cut_at_once = 4096, magazine_size = bytes_of(magazine_classes);

constexpr int capacity(int c) noexcept { return int(magazine_size / bytes_of(c)); }

/// What a thread has besides the magazines in use.
struct Local {
    Free* full[magazine_classes + 1] = {};  // one more magazine of each class
    std::size_t given = 0;                  // its batches of large blocks among the shared ones; guarded as those are
    bool open = false, ended = false;
};
constinit thread_local Local here;

/// The first block of a batch, which is as many as a magazine holds or fewer; the others hang on its `next`.
struct [[gnu::may_alias]] Batch : Free {
    Batch* below;
    int count;
    Local* from;  // null for small blocks
};
static_assert(sizeof(Batch) <= 64);

Batch* batch(Free* first, int count, Local* from) noexcept {
    auto* b = static_cast<Batch*>(first);
    b->count = count;
    b->from = from;
    return b;
}

/// Blocks on their way to the system, which they reach outside the lock.
class Doomed {
public:
    Doomed() = default;
    Doomed(const Doomed&) = delete;
    Doomed& operator=(const Doomed&) = delete;
    ~Doomed() {
        while (first_) {
            Free* f = std::exchange(first_, first_->below);
            while (f) std::free(std::exchange(f, f->next));
        }
    }
    void add(int c, Batch* b) noexcept {
        kept.fetch_sub(std::size_t(b->count) * bytes_of(c), std::memory_order_relaxed);
        b->below = std::exchange(first_, b);
    }

private:
    Batch* first_ = nullptr;
};

/// What any thread may take: free blocks, and the slab that small ones are cut from. Slabs hold blocks of many threads and
/// never go back to the system.
struct Shared {
    std::mutex mutex;
    Batch* batches[classes] = {};
    std::byte *slab = nullptr, *slab_end = nullptr;

    void push(int c, Batch* b) noexcept {
        b->below = std::exchange(batches[c], b);
        if (b->from) ++b->from->given;
    }
    static Batch* unlink(Batch*& top) noexcept {
        Batch* b = top;
        if (b) {
            top = b->below;
            if (b->from) --b->from->given;
        }
        return b;
    }

    /// A few small blocks that are new.
    Batch* cut(int c) {
        const std::size_t bytes = bytes_of(c);
        if (std::size_t(slab_end - slab) < bytes) {
            std::byte* fresh = system_memory(slab_size);
            in_slabs.fetch_add(slab_size, std::memory_order_relaxed);
            if (slab != slab_end) {
                const int rest = class_of(std::size_t(slab_end - slab));
                Free* f = of_class(rest, slab);
                f->next = nullptr;
                push(rest, batch(f, 1, nullptr));
            }
            slab = fresh;
            slab_end = fresh + slab_size;
        }
        const auto count = int(std::min(cut_at_once, std::size_t(slab_end - slab)) / bytes);
        Free* first = nullptr;
        for (int i = 0; i < count; ++i, slab += bytes) {
            Free* f = of_class(c, slab);
            f->next = std::exchange(first, f);
        }
        return batch(first, count, nullptr);
    }
};
constinit Shared shared;
static_assert(std::is_trivially_destructible_v<Shared>);  // so that it outlives every thread and every static tensor

/// A thread's magazines in full, which are then empty; f(class, batch).
template <class F>
void empty_magazines(int first_class, int last_class, F f) {
    for (int c = first_class; c <= last_class; ++c) {
        Magazine& m = magazines[c];
        Local* from = c > small_classes ? &here : nullptr;
        if (Free* full = std::exchange(here.full[c], nullptr)) f(c, batch(full, capacity(c), from));
        if (m.first) f(c, batch(m.first, capacity(c) - m.room, from));
        m = {nullptr, capacity(c)};
    }
}

/// Small blocks are for others when a thread ends; what it freed of the large goes.
void end_thread() noexcept {
    Doomed doomed;
    const std::lock_guard lock(shared.mutex);
    empty_magazines(1, small_classes, [](int c, Batch* b) { shared.push(c, b); });
    empty_magazines(small_classes + 1, magazine_classes, [&](int c, Batch* b) { doomed.add(c, b); });
    for (Magazine& m : magazines) m = {};
    for (int c = small_classes + 1; c < classes && here.given > 0; ++c)
        for (Batch** b = &shared.batches[c]; *b;)
            if ((*b)->from == &here)
                doomed.add(c, Shared::unlink(*b));
            else
                b = &(*b)->below;
    here.open = false;
    here.ended = true;
}

/// Whether this thread has magazines: from its first block to its end.
bool open() noexcept {
    if (here.open) return true;
    if (here.ended || !AtThreadEnd<end_thread>::ask()) return false;
    for (int c = 1; c <= magazine_classes; ++c) magazines[c].room = capacity(c);
    return here.open = true;
}

/// Frees large blocks until no more is kept than may be, or only other threads' magazines have some.
void trim() noexcept {
    const auto too_much = [] { return kept.load(std::memory_order_relaxed) > limit.load(std::memory_order_relaxed); };
    if (!too_much()) return;
    Doomed doomed;
    const std::lock_guard lock(shared.mutex);
    for (int c = classes - 1; c > small_classes; --c)
        while (too_much() && shared.batches[c]) doomed.add(c, Shared::unlink(shared.batches[c]));
    if (too_much()) empty_magazines(small_classes + 1, magazine_classes, [&](int c, Batch* b) { doomed.add(c, b); });
}

void share(int c, Free* first, int count) noexcept {
    Batch* b = batch(first, count, c > small_classes ? &here : nullptr);
    const std::lock_guard lock(shared.mutex);
    shared.push(c, b);
}

/// A free block, null where a large one has to come from the system.
Free* find(int c) {
    if (c <= magazine_classes && open()) {
        Magazine& m = magazines[c];
        if (!m.first && here.full[c]) m = {std::exchange(here.full[c], nullptr), 0};
        if (Free* f = m.pop()) return f;
    }
    const std::lock_guard lock(shared.mutex);
    Batch* b = Shared::unlink(shared.batches[c]);
    if (!b && c <= small_classes) b = shared.cut(c);
    if (b && b->next) {
        if (here.open)
            magazines[c] = {b->next, capacity(c) - (b->count - 1)};
        else
            shared.push(c, batch(b->next, b->count - 1, b->from));
    }
    return b;
}

#endif

}  // namespace

Block* take_slowly(std::size_t bytes) {
    const int c = class_of(bytes);
#ifndef XTGRAD_NO_POOL
    if (Free* f = find(c)) {
        if (c > small_classes) kept.fetch_sub(bytes_of(c), std::memory_order_relaxed);
        return reinterpret_cast<Block*>(f);
    }
#endif
    return reinterpret_cast<Block*>(of_class(c, system_memory(bytes_of(c))));
}

#ifdef XTGRAD_NO_POOL

void give_slowly(Block* b) noexcept { std::free(b); }

#else

void give_slowly(Block* b) noexcept {
    const int c = b->size_class;
    const bool opened = open();
    if (c > small_classes) {
        const std::size_t bytes = bytes_of(c);
        if (!opened || kept.load(std::memory_order_relaxed) + bytes > limit.load(std::memory_order_relaxed)) {
            std::free(b);
            if (opened) trim();
            return;
        }
        kept.fetch_add(bytes, std::memory_order_relaxed);
    }
    auto* f = reinterpret_cast<Free*>(b);
    f->next = nullptr;
    if (!opened || c > magazine_classes) return share(c, f, 1);
    Magazine& m = magazines[c];
    if (m.push(f)) return;
    if (here.full[c]) share(c, here.full[c], capacity(c));
    here.full[c] = m.first;
    m = {f, capacity(c) - 1};
}

#endif

std::size_t slab_bytes() noexcept { return in_slabs; }

}  // namespace detail::pool

void set_pool_limit(std::size_t bytes) noexcept { detail::pool::limit = bytes; }
std::size_t pool_bytes() noexcept { return detail::pool::kept; }

}  // namespace xtgrad
