// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011).
#pragma once
#include <cstdint>

namespace xtgrad::kernels {

/// word[0 .. 3][i] = the four words of the block at position(i).
template <int n>
[[gnu::always_inline]] inline void philox(std::uint64_t seed, auto position, std::uint32_t (&word)[4][n]) {
    std::uint32_t k0 = std::uint32_t(seed), k1 = std::uint32_t(seed >> 32);
    auto& [a, b, c, d] = word;
    for (int i = 0; i < n; ++i) {
        const std::uint64_t at = position(i);
        a[i] = std::uint32_t(at), b[i] = std::uint32_t(at >> 32), c[i] = d[i] = 0;
    }
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9, k1 += 0xBB67AE85)
#pragma GCC unroll 1  // unrolled it is not made of vectors
        for (int i = 0; i < n; ++i) {
            const std::uint32_t x = a[i], z = c[i];
            a[i] = std::uint32_t(std::uint64_t(z) * 0xCD9E8D57u >> 32) ^ b[i] ^ k0, b[i] = z * 0xCD9E8D57u;
            c[i] = std::uint32_t(std::uint64_t(x) * 0xD2511F53u >> 32) ^ d[i] ^ k1, d[i] = x * 0xD2511F53u;
        }
}

}  // namespace xtgrad::kernels
