// Any bytes are a text, which comes back from its numbers.
#include <cstdlib>

#include <xtgrad/data/text.hpp>

namespace data = xtgrad::data;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const data::Characters characters(text);
    const std::string alphabet = characters.alphabet();
    if (characters.decode(characters.encode(text)) != text || data::text_of(data::bytes(text)) != text ||
        data::Characters(alphabet).alphabet() != alphabet)
        std::abort();
    return 0;
}
