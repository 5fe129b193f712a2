// Any bytes are a safetensors file or an IoError, and what is read can be read as a whole.
#include <xtgrad/error.hpp>

#include "io/safetensors.hpp"

namespace xg = xtgrad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const xg::detail::FileName name{"fuzz", "input"};
    try {
        for (const auto& x : xg::detail::parse_safetensors(name, std::as_bytes(std::span(data, size))).tensors)
            xg::detail::decoded(name, x);
    } catch (const xg::IoError&) {
    }
    return 0;
}
