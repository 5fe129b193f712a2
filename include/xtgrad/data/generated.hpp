// Small problems to learn, made from an explicit generator.
#pragma once
#include "dataset.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] data {

/// A target that does not count: what cross_entropy ignores.
inline constexpr Index ignored = -100;

/// Two interleaved half circles (scikit-learn's make_moons): inputs f32 (n, 2), targets i64 (n,), 0 the upper, 1 the lower, in
/// random order. The noise is the deviation of the normal numbers added to the coordinates.
Dataset moons(Index n, double noise, Rng&);

/// Arms of a spiral, a class each: inputs f32 (n, 2), of length at most 1 without noise, targets i64 (n,), in random order. An
/// arm turns by 7/4 pi; the noise is added to its angle.
Dataset spirals(Index n, Index classes, double noise, Rng&);

/// Sums to be completed digit by digit, n different ones: 12 + 7 with two digits is "12+07=910", the sum's last digit first.
/// Tokens: the digits, 10 for +, 11 for =. inputs and targets i64 (n, 3 digits + 2), the targets one token further on and
/// `ignored` before the sum. Throws Error unless digits is 1 to 9 and there are n such sums.
Dataset addition(Index n, Index digits, Rng&);

/// Lists to be sorted, followed by the sorted list: tokens are 0 to symbols - 1. inputs and targets i64 (n, 2 length - 1), the
/// targets one token further on and `ignored` before the sorted list.
Dataset sorting(Index n, Index length, Index symbols, Rng&);

}  // namespace data
}  // namespace xtgrad
