// Any bytes are an IDX file or an IoError.
#include <algorithm>

#include <xtgrad/error.hpp>

#include "data/idx.hpp"

namespace xg = xtgrad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const xg::detail::FileName name{"fuzz", "input"};
    const auto read = [&, left = std::as_bytes(std::span(data, size))](std::byte* to, std::size_t n) mutable {
        n = std::min(n, left.size());
        std::copy_n(left.begin(), n, to);
        left = left.subspan(n);
        return n;
    };
    try {
        const xg::detail::Idx idx = xg::detail::parse_idx(name, read);
        xg::detail::decoded(name, {"the file", idx.kind, idx.shape, idx.bytes, true});
    } catch (const xg::IoError&) {
    }
    return 0;
}
