// What a run of a function did, in two words: enough to tell whether another run does the same.
#pragma once
#include <unordered_map>

#include "../tape/walk.hpp"

namespace xtgrad::detail {

/// What a function reads from outside, by tag, and what to call it: an argument by its place, which is the same in each run,
/// anything else by its tag.
using Readings = std::unordered_map<Tag, Tag>;

struct Fingerprint {
    std::uint64_t ops;    // between what is read and the result: which, their shapes, their numbers, what they take
    std::uint64_t value;  // the bits of the result, which all depends on: constants, numbers of another generator

    /// Of the run that `tape` recorded, of which y came.
    Fingerprint(const TapeState& tape, const Readings&, const Tensor& y);
};

}  // namespace xtgrad::detail
