// a^b = 2^(b log2 a), with log2 a to about 65 bits (float: 32): its error grows with b log2 a, which goes up to 1074.
#pragma once
#include "exponentials.hpp"

namespace xtgrad::math {

/// log2 of x > 0.
template <class B>
XG_INLINE Pair<B> accurate_log2(B x) {
    const Binade binade(x);
    const B one = literal<B>(1), m = binade.m, k = binade.k;
    // s = (m - 1) / (m + 1): the numerator is exact, the denominator a pair
    const B f = m - one, above = m + one, above_lo = m - (above - one), reciprocal = one / above;
    const B s = f * reciprocal;
    const Pair<B> back = product(s, above);
    const B s_lo = reciprocal * (((f - back.hi) - back.lo) - s * above_lo);
    // log m = 2 s + s z (2/3 + z R(z)), z = s^2
    Pair<B> z = product(s, s);
    z.lo = z.lo + (s + s) * s_lo;
    B series;
    if constexpr (single<B>)
        series = polynomial(z.hi, 0.400001526422618984, 0.285470837964359319, 0.234198181050398829);
    else
        series = polynomial(z.hi, 0.400000000000022713, 0.28571428570091912, 0.222222225213506006, 0.181817842373348616,
                            0.153867635183851795, 0.132566691387084192, 0.131977474422854965);
    const double third = single<B> ? double(float(2. / 3)) : 2. / 3;
    Pair<B> c = ordered_sum(literal<B>(third), z.hi * series);
    c.lo = c.lo + either<B>(2. / 3 - third, 3.7007434154171886e-17);
    Pair<B> p = product(z.hi, c.hi);
    p.lo = p.lo + (z.hi * c.lo + z.lo * c.hi);
    Pair<B> q = product(s, p.hi);
    q.lo = q.lo + (s * p.lo + s_lo * p.hi);
    Pair<B> log = ordered_sum(s + s, q.hi);
    log.lo = log.lo + (q.lo + (s_lo + s_lo));
    // to the base 2, and k added
    const double inverse = single<B> ? double(float(1.4426950408889634)) : 1.4426950408889634;
    Pair<B> scaled_log = product(log.hi, literal<B>(inverse));
    scaled_log.lo =
        scaled_log.lo + (log.hi * either<B>(1.4426950408889634 - inverse, 2.0355273740931033e-17) + log.lo * literal<B>(inverse));
    const Pair<B> sum = ordered_sum(k, scaled_log.hi);
    return {sum.hi, sum.lo + scaled_log.lo};
}

/// As C's pow: 1 where a = 1 or b = 0, even with NaN; of a < 0 only for whole b.
template <class B>
XG_INLINE B pow(B a, B b) {
    const B zero = literal<B>(0), one = literal<B>(1), inf = literal<B>(std::numeric_limits<double>::infinity());
    const B base = xsimd::abs(a), limit = either<B>(160, 1100);
    Pair<B> log = accurate_log2(base);
    const auto ordinary = (base > zero) & (base < inf);
    log.hi = xsimd::select(ordinary, log.hi, xsimd::select(base == zero, -inf, base));  // NaN stays
    Pair<B> w = product(log.hi, b);
    const B exponent = limited(w.hi, -limit, limit), n = nearest(exponent);
    const B rest = xsimd::select(xsimd::abs(w.hi) < limit, w.lo + log.lo * b, zero), r = (exponent - n) + rest;
    B y = scaled(one + small_expm1(r * literal<B>(0.69314718055994531)), n);

    const B size = xsimd::abs(b), whole = literal<B>(single<B> ? 0x1p23 : 0x1p52), half = literal<B>(0.5) * size;
    const auto is_whole = ((size + whole) - whole == size) | (size >= whole);
    const auto is_even = ((half + whole) - whole == half) | (half >= whole);
    y = xsimd::select((a < zero) & (base < inf) & !is_whole, literal<B>(std::nan("")), y);
    y = xsimd::select(is_whole & !is_even, xsimd::copysign(y, a), y);
    return xsimd::select((a == one) | (b == zero) | ((base == one) & (size == inf)), one, y);
}

}  // namespace xtgrad::math
