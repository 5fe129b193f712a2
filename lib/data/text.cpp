#include <xtgrad/data/text.hpp>

#include <algorithm>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../io/file.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::data {

using namespace xtgrad::detail;

namespace {

/// The first character of a text that is not empty: as many bytes as UTF-8 says, one where it is not UTF-8.
std::string_view first_character(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    if (length > text.size()) return text.substr(0, 1);
    // Some second bytes would be longer than need be, a half of a pair, or beyond U+10FFFF (RFC 3629, 4).
    int lowest = 0x80, highest = 0xBF;
    if (lead == 0xE0) lowest = 0xA0;
    if (lead == 0xF0) lowest = 0x90;
    if (lead == 0xED) highest = 0x9F;
    if (lead == 0xF4) highest = 0x8F;
    for (std::size_t i = 1; i < length; ++i) {
        const int byte = static_cast<unsigned char>(text[i]);
        if (byte < (i == 1 ? lowest : 0x80) || byte > (i == 1 ? highest : 0xBF)) return text.substr(0, 1);
    }
    return text.substr(0, length);
}

void for_each_character(std::string_view text, auto f) {
    while (!text.empty()) {
        const std::string_view character = first_character(text);
        f(character);
        text.remove_prefix(character.size());
    }
}

Tensor integers(const char* op, const std::vector<Index>& values) {
    Tensor result = allocate(i64, {Index(values.size())}, op);
    std::ranges::copy(values, mutable_data<std::int64_t>(result));
    return result;
}

/// Calls f with each number, which is checked to be below n.
void for_each_number(const char* op, const Tensor& numbers, Index n, auto f) {
    check_defined(op, numbers);
    const Tensor dense = contiguous(numbers);
    const auto* p = dense.data<std::int64_t>();
    for (Index i = 0; i < element_count(dense); ++i) {
        if (p[i] < 0 || p[i] >= n) fail<IndexError>(op, p[i], " is not one of ", n, " characters; ", Labels{n});
        f(p[i]);
    }
}

/// Stretches that begin at the positions.
Batch windows_at(const Tensor& text, const Tensor& begins, Index length) {
    const Tensor offsets = astype(arange(double(length)), i64);
    const Tensor places = reshape(begins, {-1, 1}) + offsets;
    return {xtgrad::take(text, places), xtgrad::take(text, places + 1)};
}

void check_text(const char* op, const Tensor& text, Index length) {
    check_defined(op, text);
    if (text.dtype() != i64) fail<DtypeError>(op, "needs a text of i64, got ", text.dtype(), "; see bytes and Characters");
    if (length < 1) fail<ShapeError>(op, "a length of ", length, "; use at least 1");
    if (text.dimension() != 1 || text.shape(0) <= length)
        fail<ShapeError>(op, "needs a text (n,) of more than ", length, " characters, got ", text.shape(),
                         "; use a shorter length");
}

}  // namespace

Tensor bytes(std::string_view text) {
    Tensor result = allocate(i64, {Index(text.size())}, "bytes");
    std::ranges::transform(text, mutable_data<std::int64_t>(result), [](char c) { return static_cast<unsigned char>(c); });
    return result;
}

std::string text_of(const Tensor& bytes) {
    std::string text;
    for_each_number("text_of", bytes, 256, [&](std::int64_t b) { text += char(b); });
    return text;
}

Characters::Characters(std::string_view text) {
    for_each_character(text, [&](std::string_view c) {
        if (!numbers_.contains(c)) numbers_.emplace(c, 0);
    });
    for (auto& [character, number] : numbers_) {
        number = size();
        characters_.push_back(character);
    }
}

std::string Characters::alphabet() const {
    std::string result;
    for (const std::string& c : characters_) result += c;
    return result;
}

Tensor Characters::encode(std::string_view text) const {
    std::vector<Index> numbers;
    numbers.reserve(text.size());
    for_each_character(text, [&](std::string_view c) {
        const auto found = numbers_.find(c);
        if (found == numbers_.end())
            fail<Error>("encode", in_quotes(c), " is not one of the ", size(),
                        " characters; make Characters from a text that has it");
        numbers.push_back(found->second);
    });
    return integers("encode", numbers);
}

std::string Characters::decode(const Tensor& numbers) const {
    std::string text;
    for_each_number("decode", numbers, size(), [&](std::int64_t i) { text += characters_[std::size_t(i)]; });
    return text;
}

Batch random_windows(const Tensor& text, Index count, Index length, Rng& rng) {
    check_text("random_windows", text, length);
    return windows_at(text, randint({count}, 0, text.shape(0) - length, rng), length);
}

Dataset windows(const Tensor& text, Index length) {
    check_text("windows", text, length);
    const Index n = (text.shape(0) - 1) / length;
    return windows_at(text, astype(arange(double(n)), i64) * length, length);
}

}  // namespace xtgrad::data
