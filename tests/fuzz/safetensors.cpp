// Any bytes are a safetensors file or an IoError, and each of its tensors can be read or is one.
#include <xtgrad/error.hpp>

#include "framed.hpp"
#include "io/safetensors.hpp"

namespace xg = xtgrad;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    return mutate_framed(data, size, most, seed, {.at = 0, .bytes = 8, .begin = 8});
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const xg::detail::FileName name{"fuzz", "input"};
    try {
        for (const auto& x : xg::detail::parse_safetensors(name, std::as_bytes(std::span(data, size))).tensors) try {
                xg::detail::decoded(name, x);
            } catch (const xg::IoError&) {
            }
    } catch (const xg::IoError&) {
    }
    return 0;
}
