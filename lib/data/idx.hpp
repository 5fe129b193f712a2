// IDX: a magic number, big-endian extents, big-endian elements.
#pragma once
#include <functional>
#include <vector>

#include "../io/elements.hpp"

namespace xtgrad::detail {

struct Idx {
    Stored kind;
    Shape shape;
    std::vector<std::byte> bytes;
};

/// Reads at most so many bytes to a place; how many there were.
using Source = std::function<std::size_t(std::byte*, std::size_t)>;

/// What a source holds. Throws IoError. Memory grows with what is read, not with what is claimed.
Idx parse_idx(const FileName&, const Source&);

}  // namespace xtgrad::detail
