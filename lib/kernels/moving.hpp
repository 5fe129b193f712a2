// What the kernels share that only move items.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "strided.hpp"

namespace xtgrad::kernels {

/// f of an unsigned number of so many bytes.
inline auto with_item(int bytes, auto f) {
    switch (bytes) {
        case 1: return f(std::uint8_t{});
        case 4: return f(std::uint32_t{});
        default: return f(std::uint64_t{});
    }
}

/// Writes to a result too large for the caches go past them: its lines are not read first.
class Writer {
public:
    explicit Writer(Index bytes) noexcept : past_caches_(bytes > Index(24) << 20) {}
    ~Writer() {
#ifdef __SSE2__
        if (past_caches_) _mm_sfence();
#endif
    }

    void copy(void* to, const void* from, Index bytes) const noexcept {
        auto* p = static_cast<std::byte*>(to);
        const auto* q = static_cast<const std::byte*>(from);
        Index done = 0;
#ifdef __SSE2__
        if (past_caches_ && bytes >= 256) {
            done = Index(-reinterpret_cast<std::uintptr_t>(p) & 15);
            std::memcpy(p, q, std::size_t(done));
            for (; done + 16 <= bytes; done += 16)
                _mm_stream_si128(reinterpret_cast<__m128i*>(p + done),
                                 _mm_loadu_si128(reinterpret_cast<const __m128i*>(q + done)));
        }
#endif
        std::memcpy(p + done, q + done, std::size_t(bytes - done));
    }

private:
    bool past_caches_;
};

}  // namespace xtgrad::kernels
