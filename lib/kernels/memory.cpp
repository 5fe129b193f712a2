#include "memory.hpp"

#include <sys/mman.h>

#include <cstdlib>

namespace xtgrad::kernels {

void* system_memory(std::size_t bytes) noexcept {
    constexpr std::size_t most = std::size_t(1) << 62, huge_page = std::size_t(1) << 21;
    if (bytes >= most) return nullptr;
    if (bytes < huge_page) return std::aligned_alloc(64, bytes);
    void* const p = std::aligned_alloc(huge_page, bytes);
#ifdef MADV_HUGEPAGE
    if (p) madvise(p, bytes, MADV_HUGEPAGE);  // a wish, whose refusal is none of our business
#endif
    return p;
}

}  // namespace xtgrad::kernels
