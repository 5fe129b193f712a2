// What all ranks must agree on, and how bytes go around.
#pragma once
#include <algorithm>
#include <string>

#include <mpi.h>

namespace xtgrad::mpi {

/// MPI counts in int: calls f(offset, count) for pieces of at most 2^30 of n elements.
void for_pieces(std::size_t n, auto&& f) {
    constexpr std::size_t most = std::size_t(1) << 30;
    for (std::size_t at = 0; at < n; at += most) f(at, int(std::min(most, n - at)));
}

inline void broadcast_bytes(void* bytes, std::size_t n, int root) {
    for_pieces(
        n, [&](std::size_t at, int count) { MPI_Bcast(static_cast<char*>(bytes) + at, count, MPI_BYTE, root, MPI_COMM_WORLD); });
}

/// Throws Error on every rank unless all have the root's lines, each of which describes a tensor.
void check_agreement(const char* op, const std::string& lines, int root);

}  // namespace xtgrad::mpi
