// Text as numbers.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dataset.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] data {

/// The bytes of a text, i64 (n,), 0 to 255.
Tensor bytes(std::string_view text);
/// And back, from any shape. Throws IndexError for a number that is not a byte.
std::string text_of(const Tensor& bytes);

/// The characters of a text in the order of their code points (UTF-8; a byte that is not stands for itself), numbered from 0.
class Characters {
public:
    Characters() = default;
    explicit Characters(std::string_view text);

    /// How many different ones there are.
    Index size() const noexcept { return Index(characters_.size()); }
    /// All of them, in order: Characters(c.alphabet()) is c.
    std::string alphabet() const;
    bool contains(std::string_view character) const { return numbers_.contains(character); }
    /// Their numbers, i64 (n,). Throws Error for a character that is not among them.
    Tensor encode(std::string_view text) const;
    /// And back, from any shape. Throws IndexError.
    std::string decode(const Tensor& numbers) const;

private:
    std::vector<std::string> characters_;
    std::map<std::string, Index, std::less<>> numbers_;
};

/// Stretches of a text for a language model: inputs i64 (count, length), targets the same stretches one further on. Drawn at
/// random, with repetition. Throws ShapeError unless the text, i64 (n,), has more than `length` characters.
Batch random_windows(const Tensor& text, Index count, Index length, Rng&);
/// All stretches one after the other, without overlap; what does not fill one is left out.
Dataset windows(const Tensor& text, Index length);

}  // namespace data
}  // namespace xtgrad
