// Mutations of files that begin with the length of a header: of the header alone, whose length stays right.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Where the length stands, in how many bytes, and where the header begins.
struct Framing {
    std::size_t at, bytes, begin;
};

/// Every other time any mutation, else one of the header; the size it leaves.
inline std::size_t mutate_framed(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed, Framing framing) {
    if (seed % 2 == 0 || size < framing.begin || most < framing.begin) return LLVMFuzzerMutate(data, size, most);
    std::uint64_t length = 0;
    std::memcpy(&length, data + framing.at, framing.bytes);
    length = std::min<std::uint64_t>(length, size - framing.begin);
    const std::vector<std::uint8_t> rest(data + framing.begin + length, data + size);
    length = LLVMFuzzerMutate(data + framing.begin, length, most - framing.begin);
    std::memcpy(data + framing.at, &length, framing.bytes);
    const std::size_t kept = std::min<std::size_t>(rest.size(), most - framing.begin - length);
    std::copy_n(rest.begin(), kept, data + framing.begin + length);
    return framing.begin + length + kept;
}
