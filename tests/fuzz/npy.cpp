// Any bytes are an array of NumPy's or an IoError; what is read is written and read again as the same.
#include <cstdlib>

#include <xtgrad/error.hpp>

#include "framed.hpp"
#include "io/npy.hpp"
#include "tensor/storage.hpp"

namespace xg = xtgrad;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    const bool old = size > 6 && data[6] == 1;
    return mutate_framed(data, size, most, seed, {.at = 8, .bytes = old ? 2u : 4u, .begin = old ? 10u : 12u});
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const xg::detail::FileName name{"fuzz", "input"};
    const auto parse = [&](xg::detail::Bytes bytes) { return name.read([&] { return xg::detail::parse_npy(name, "", bytes); }); };
    try {
        const xg::Tensor x = parse(std::as_bytes(std::span(data, size)));
        const xg::detail::Bytes elements = xg::detail::bytes_of(x);
        std::string file = xg::detail::npy_header(x);
        file.append(reinterpret_cast<const char*>(elements.data()), elements.size());
        const xg::Tensor again = parse(std::as_bytes(std::span(file)));
        if (again.dtype() != x.dtype() || again.shape() != x.shape() ||
            !std::ranges::equal(xg::detail::bytes_of(again), elements))
            std::abort();
    } catch (const xg::IoError&) {
    }
    return 0;
}
