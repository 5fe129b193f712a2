// What the tests of transforms share.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;
using xg::Tensor;

/// The largest difference relative to 1 + the largest value; infinite when shapes differ.
inline double distance(const Tensor& got, const Tensor& want) {
    if (got.shape() != want.shape()) return INFINITY;
    if (got.size() == 0) return 0;
    const double d = xg::amax(xg::abs(got - want)).item<double>();
    return d == d ? d / (1 + xg::amax(xg::abs(want)).item<double>()) : INFINITY;
}
inline bool near(const Tensor& got, const Tensor& want, double tolerance = 1e-12) { return distance(got, want) <= tolerance; }

/// What an error says, or nothing.
template <class E = xg::Error>
std::string complaint(auto f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "";
}
inline bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

inline Tensor normal(const xg::Shape& shape, std::uint64_t seed) {
    xg::Rng rng(seed);
    return xg::randn(shape, xg::f64, rng);
}
inline Tensor positive(const xg::Shape& shape, std::uint64_t seed) {
    xg::Rng rng(seed);
    return xg::uniform(shape, xg::f64, rng, 0.5, 2.);
}
