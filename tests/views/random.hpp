// Random numbers, shapes and axes, the same on every machine: each case has a seed of its own, by which it can be run again.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace views {

namespace xg = xtgrad;
using xg::Axes, xg::Dtype, xg::Index, xg::Shape, xg::Tensor;

/// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t bits() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    /// In [low, high).
    Index between(Index low, Index high) { return low + Index(bits() % std::uint64_t(high - low)); }
    double number(double low, double high) { return low + (high - low) * double(bits() >> 11) * 0x1p-53; }
    /// True in `percent` of 100 cases.
    bool chance(int percent) { return between(0, 100) < percent; }
    template <class T>
    T one_of(std::initializer_list<T> list) {
        return list.begin()[between(0, Index(list.size()))];
    }

    Dtype floating() { return chance(60) ? xg::f64 : xg::f32; }
    Dtype number_dtype() { return chance(30) ? xg::i64 : floating(); }
    Dtype dtype() { return chance(10) ? xg::boolean : number_dtype(); }

    /// Mostly short; now and then beyond a vector, or a kernel's blocks.
    Index extent(Index least = 0) {
        const Index kind = between(0, 100);
        const Index n = kind < 5    ? 0
                        : kind < 25 ? 1
                        : kind < 50 ? 2
                        : kind < 75 ? 3
                        : kind < 92 ? between(4, 10)
                        : kind < 98 ? between(10, 70)
                                    : (chance(50) ? 16 * between(8, 33) : between(70, 600));
        return n < least ? least : n;
    }
    Shape shape(int least_rank, int most_rank, Index least_extent = 0, Index most_elements = 4096) {
        for (;;) {
            Shape s;
            double n = 1;
            for (Index rank = between(least_rank, most_rank + 1); rank > 0; --rank) {
                s.push_back(extent(least_extent));
                n *= double(s.back() > 0 ? s.back() : 1);
            }
            if (n <= double(most_elements)) return s;
        }
    }
    /// A shape that broadcasts with this one to it.
    Shape part_of(const Shape& s) {
        Shape other;
        for (std::size_t i = std::size_t(chance(50) ? 0 : between(0, Index(s.size()) + 1)); i < s.size(); ++i)
            other.push_back(chance(30) ? 1 : s[i]);
        return other;
    }
    /// An axis of so many, counted from either end.
    Index axis(std::size_t rank) { return between(-Index(rank), Index(rank)); }
    /// Some axes, each once, in any order, counted from either end.
    Axes axes(std::size_t rank) {
        Axes all = permutation(rank), some;
        for (const Index a : all)
            if (chance(50)) some.push_back(chance(50) ? a : a - Index(rank));
        return some;
    }
    Axes permutation(std::size_t rank) {
        Axes list;
        for (std::size_t i = 0; i < rank; ++i) list.insert(std::size_t(between(0, Index(i) + 1)), Index(i));
        return list;
    }

private:
    std::uint64_t state_;
};

}  // namespace views
