// Random numbers from an explicit, counter-based generator.
#pragma once
#include <array>

#include "ops/operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011): number i is a function of the seed and i, so that the same seed
/// gives the same numbers for any number of threads, and integers and uniforms the same bits on every platform. Drawing
/// advances the generator.
class Rng {
public:
    explicit Rng(std::uint64_t seed) noexcept : seed_(seed) {}

    std::uint64_t seed() const noexcept { return seed_; }
    /// How many blocks of four 32-bit words have been drawn.
    std::uint64_t position() const noexcept { return position_; }
    /// Goes to a position, as after a restart.
    void set_position(std::uint64_t position) noexcept { position_ = position; }

    /// A generator whose numbers are independent of this one's, for another purpose; advances this one.
    Rng split();

    /// The block of four words at a position.
    static std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint64_t position) noexcept;

private:
    std::uint64_t seed_, position_ = 0;
};

/// Standard normal numbers by the method of Box and Muller; f32 or f64. To 2 ulp the same on every platform.
Tensor randn(const Shape&, Dtype, Rng&);
/// Uniform in [low, high); f32 of 24 random bits, f64 of 53. Throws Error unless low <= high
/// and both are finite.
Tensor uniform(const Shape&, Dtype, Rng&, double low = 0, double high = 1);
/// Integers, i64, uniform in [low, high). Throws Error unless low < high.
Tensor randint(const Shape&, std::int64_t low, std::int64_t high, Rng&);
/// 0, ..., n - 1 (i64) in random order.
Tensor permutation(Index n, Rng&);
/// Draws a class (i64) for each row of probabilities or weights [..., n], which are not negative: shape [...]. Throws Error
/// for a row that is negative, not finite or all 0.
Tensor categorical(const Tensor& weights, Rng&);

}  // namespace xtgrad
