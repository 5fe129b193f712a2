// Elementwise functions with their true values, where to sample them, and how far from the truth they may be: for the test
// (tests/kernels.cpp) and for the printed table (tests/bench/accuracy.cpp).
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <type_traits>
#include <vector>

#include <xtensor/xadapt.hpp>

#include <xtgrad/xtgrad.hpp>

namespace accuracy {

namespace xg = xtgrad;
using xg::Tensor;
using Real = long double;

struct Function {
    const char* name;
    double limit32, limit64;  // of the error in ulp, with some room
    Tensor (*op)(const Tensor&);
    Real (*reference)(Real);
    double low, high;  // where it is sampled
    double low32 = low, high32 = high;
};

/// Half of the points are spread over the numbers themselves, so that each binade gets as many, half over their values.
template <class T>
std::vector<T> sample(T low, T high, int half) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    const auto order = [](T x) {  // the bits as a number that grows with x
        const Bits b = std::bit_cast<Bits>(x);
        return b < 0 ? std::numeric_limits<Bits>::min() - b : b;
    };
    const auto number = [](Bits b) { return std::bit_cast<T>(b < 0 ? std::numeric_limits<Bits>::min() - b : b); };
    std::vector<T> points;
    const Real from = Real(order(low)), to = Real(order(high));
    for (int i = 0; i < half; ++i) {
        const Real t = (i + 0.5L) / half;
        points.push_back(number(Bits(from + (to - from) * t)));
        points.push_back(T(Real(low) + (Real(high) - Real(low)) * t));
    }
    return points;
}

/// The distance to the true value, in the spacing of T's numbers there.
template <class T>
double ulps(T got, Real want) {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(got) || std::isnan(want)) return std::isnan(got) && std::isnan(want) ? 0 : INFINITY;
    if (std::isinf(got) || std::isinf(T(want))) return got == T(want) ? 0 : INFINITY;
    const int exponent = want == 0 ? Limits::min_exponent : std::max(std::ilogb(want) + 1, Limits::min_exponent);
    return double(std::ldexp(std::fabs(Real(got) - want), Limits::digits - exponent));
}

template <class T>
Tensor tensor(const std::vector<T>& points) {
    return xt::adapt(points);
}

struct Worst {
    double error = 0, at = 0;
};

template <class T>
Worst worst(const Function& f, int half) {
    const std::vector<T> points = sample(T(sizeof(T) == 4 ? f.low32 : f.low), T(sizeof(T) == 4 ? f.high32 : f.high), half);
    const Tensor y = f.op(tensor(points));
    Worst w;
    for (std::size_t i = 0; i < points.size(); ++i)
        if (const double error = ulps(y.data<T>()[i], f.reference(Real(points[i]))); error > w.error)
            w = {error, double(points[i])};
    return w;
}

constexpr double huge = std::numeric_limits<double>::max(), tiny = std::numeric_limits<double>::denorm_min(),
                 huge32 = std::numeric_limits<float>::max(), tiny32 = std::numeric_limits<float>::denorm_min();

#define OF(function) [](const Tensor& x) { return xg::function(x); }
#define BY(expression) [](Real x) -> Real { return expression; }

inline const Function functions[] = {
    {"exp", 2, 2, OF(exp), BY(std::exp(x)), -746, 710, -105, 89},
    {"exp2", 2, 2, OF(exp2), BY(std::exp2(x)), -1076, 1024, -151, 128},
    {"expm1", 2, 2.5, OF(expm1), BY(std::expm1(x)), -746, 710, -105, 89},
    {"log", 1.5, 1.5, OF(log), BY(std::log(x)), tiny, huge, tiny32, huge32},
    {"log2", 1.5, 1.5, OF(log2), BY(std::log2(x)), tiny, huge, tiny32, huge32},
    {"log10", 2.5, 2, OF(log10), BY(std::log10(x)), tiny, huge, tiny32, huge32},
    {"log1p", 1.5, 1.5, OF(log1p), BY(std::log1p(x)), -1, huge, -1, huge32},
    {"cbrt", 1.5, 4, OF(cbrt), BY(std::cbrt(x)), -huge, huge, -huge32, huge32},
    {"rsqrt", 2, 2, OF(rsqrt), BY(1 / std::sqrt(x)), tiny, huge, tiny32, huge32},
    {"sin", 2.5, 2.5, OF(sin), BY(std::sin(x)), -1000, 1000},
    {"cos", 3, 2.5, OF(cos), BY(std::cos(x)), -1000, 1000},
    {"tan", 1.5, 1.5, OF(tan), BY(std::tan(x)), -1000, 1000},
    {"asin", 1.5, 1.5, OF(asin), BY(std::asin(x)), -1, 1},
    {"acos", 1.5, 1.5, OF(acos), BY(std::acos(x)), -1, 1},
    {"atan", 1.5, 1.5, OF(atan), BY(std::atan(x)), -huge, huge, -huge32, huge32},
    {"sinh", 2.5, 2.5, OF(sinh), BY(std::sinh(x)), -711, 711, -90, 90},
    {"cosh", 2.5, 2.5, OF(cosh), BY(std::cosh(x)), -711, 711, -90, 90},
    {"tanh", 2.5, 2.5, OF(tanh), BY(std::tanh(x)), -800, 800, -100, 100},
    {"asinh", 2.5, 2.5, OF(asinh), BY(std::asinh(x)), -huge, huge, -huge32, huge32},
    {"acosh", 2.5, 2.5, OF(acosh), BY(std::acosh(x)), 1, huge, 1, huge32},
    {"atanh", 3, 2.5, OF(atanh), BY(std::atanh(x)), -1, 1},
    {"erf", 2, 2, OF(erf), BY(std::erf(x)), -30, 30},
    {"erfc", 7, 7, OF(erfc), BY(std::erfc(x)), -7, 28, -7, 11},
    {"lgamma", 1.5, 4, OF(lgamma), BY(std::lgamma(x)), tiny, 1e300, tiny32, 1e36},
    {"sigmoid", 3, 3, OF(sigmoid), BY(1 / (1 + std::exp(-x))), -746, 746, -105, 105},
    {"softplus", 2.5, 2.5, OF(softplus), BY(x < 0 ? std::log1p(std::exp(x)) : x + std::log1p(std::exp(-x))), -746, 1e6, -105,
     1e6},
    {"log_sigmoid", 2.5, 2.5, OF(log_sigmoid), BY(x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x))), -1e6, 746,
     -1e6, 105},
    {"silu", 4, 4, OF(silu), BY(x / (1 + std::exp(-x))), -700, 1e6, -85, 1e6},
    {"gelu", 6, 8, OF(gelu), BY(x / 2 * std::erfc(-x * std::sqrt(0.5L))), -37, 40, -1, 1e6},
    {"x^2.5", 2, 2, [](const Tensor& x) { return xg::pow(x, 2.5); }, BY(std::pow(x, 2.5L)), 0, huge, 0, huge32},
    {"1.0009765625^x", 2, 2, [](const Tensor& x) { return xg::pow(1.0009765625, x); }, BY(std::pow(1.0009765625L, x)), -8e5, 8e5,
     -1e5, 1e5},
    {"x^x", 2, 2, [](const Tensor& x) { return xg::pow(x, x); }, BY(std::pow(x, x)), tiny, 144, tiny32, 36},
};

#undef OF
#undef BY

}  // namespace accuracy
