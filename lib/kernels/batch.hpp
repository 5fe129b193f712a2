// What the mathematical functions of SIMD batches share: bits, powers of two, error-free sums and products. B is an xsimd batch
// of float or double. The functions have no branches; sums like (x + c) - c are meant as they stand, and a * b + c may be one
// rounding or two.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <xsimd/xsimd.hpp>

#define XG_INLINE [[gnu::always_inline]] inline

namespace xtgrad::math {

template <class B>
using Element = typename B::value_type;
template <class B>
using Bits = xsimd::batch<std::conditional_t<sizeof(Element<B>) == 4, std::uint32_t, std::uint64_t>, typename B::arch_type>;

template <class B>
inline constexpr bool single = sizeof(Element<B>) == 4;
template <class B>
inline constexpr int fraction_bits = single<B> ? 23 : 52;
/// The exponent of 1.
template <class B>
inline constexpr int bias = single<B> ? 127 : 1023;
/// Adding it rounds to a whole number, which then stands in the lowest bits.
template <class B>
inline constexpr double magic = single<B> ? 0x1.8p23 : 0x1.8p52;

/// One of two literals: for float, for double.
template <class B>
XG_INLINE B either(double for_float, double for_double) {
    return B(Element<B>(single<B> ? for_float : for_double));
}
template <class B>
XG_INLINE B literal(double c) {
    return B(Element<B>(c));
}

template <class B>
XG_INLINE Bits<B> bits(B x) {
    return xsimd::bitwise_cast<Bits<B>>(x);
}
template <class B>
XG_INLINE B from_bits(Bits<B> x) {
    return xsimd::bitwise_cast<B>(x);
}
template <class B>
XG_INLINE Bits<B> bits_of(double c) {
    return bits(literal<B>(c));
}

/// c[0] + c[1] x + c[2] x^2 + ...
template <class B, class... C>
XG_INLINE B polynomial(B x, double c, C... more) {
    if constexpr (sizeof...(more) == 0)
        return literal<B>(c);
    else
        return polynomial(x, more...) * x + literal<B>(c);
}

/// x limited to [low, high], NaN where x is.
template <class B>
XG_INLINE B limited(B x, B low, B high) {
    return xsimd::min(high, xsimd::max(low, x));
}
/// The nearest whole number, of |x| < 2^22 or 2^51.
template <class B>
XG_INLINE B nearest(B x) {
    return (x + literal<B>(magic<B>)) - literal<B>(magic<B>);
}

/// 2^n for whole n where that is a normal number.
template <class B>
XG_INLINE B power_of_two(B n) {
    return from_bits<B>(bits(n + literal<B>(magic<B> + bias<B>)) << fraction_bits<B>);
}
/// y 2^n for whole n, in two steps: also where 2^n is no normal number.
template <class B>
XG_INLINE B scaled(B y, B n) {
    const B offset = literal<B>(magic<B> + bias<B>), half = n * literal<B>(0.5) + offset, rest = (n - (half - offset)) + offset;
    return y * from_bits<B>(bits(half) << fraction_bits<B>) * from_bits<B>(bits(rest) << fraction_bits<B>);
}

/// x = m 2^k for x > 0, with m in [sqrt(1/2), sqrt(2)).
template <class B>
struct Binade {
    B m, k;

    XG_INLINE explicit Binade(B x) {
        constexpr double root_half = 0.70710678118654752, unit = single<B> ? 0x1p23 : 0x1p52;
        const auto subnormal = x < literal<B>(std::numeric_limits<Element<B>>::min());
        x = xsimd::select(subnormal, x * either<B>(0x1p25, 0x1p54), x);
        const Bits<B> shifted = bits(x) + (bits_of<B>(1) - bits_of<B>(root_half));
        k = from_bits<B>((shifted >> fraction_bits<B>) | bits_of<B>(unit)) - literal<B>(unit + bias<B>);
        k = k - xsimd::select(subnormal, either<B>(25, 54), literal<B>(0));
        m = from_bits<B>((shifted & (bits_of<B>(1) ^ bits_of<B>(2 - (single<B> ? 0x1p-23 : 0x1p-52)))) + bits_of<B>(root_half));
    }
};

/// hi + lo, where lo is what hi has not room for.
template <class B>
struct Pair {
    B hi, lo;
};

/// a + b for |a| >= |b| or a = 0.
template <class B>
XG_INLINE Pair<B> ordered_sum(B a, B b) {
    const B hi = a + b;
    return {hi, b - (hi - a)};
}
/// The part of x that has half of the digits.
template <class B>
XG_INLINE B upper_half(B x) {
    return from_bits<B>(bits(x) & ~bits_of<B>(0) << (single<B> ? 12 : 27));
}
/// a b.
template <class B>
XG_INLINE Pair<B> product(B a, B b) {
    const B hi = a * b;
#if defined(__AVX512F__)  // where xsimd 8.1 has no fused operations
    if constexpr (single<B>)
        return {hi, _mm512_fmsub_ps(a, b, hi)};
    else
        return {hi, _mm512_fmsub_pd(a, b, hi)};
#elif defined(__FMA__)
    return {hi, xsimd::fms(a, b, hi)};
#else
    const B p = upper_half(a), q = a - p, s = upper_half(b), t = b - s;
    return {hi, ((p * s - hi) + p * t + q * s) + q * t};
#endif
}

}  // namespace xtgrad::math
