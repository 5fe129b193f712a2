// Functions made of log m = 2 artanh s, s = (m - 1) / (m + 1), for m between sqrt(1/2) and sqrt(2).
#pragma once
#include "batch.hpp"

namespace xtgrad::math {

/// log(m 2^k) + rest. With f = m - 1 it is f - f^2/2 + s (f^2/2 + (2 artanh s - 2 s) / s), so that f, exact, comes last.
template <class B>
XG_INLINE B log_of(const Binade<B>& x, B rest) {
    const B f = x.m - literal<B>(1), s = f / (literal<B>(2) + f), z = s * s, h = literal<B>(0.5) * f * f;
    B series;
    if constexpr (single<B>)
        series = polynomial(z, 0.666666656412923706, 0.400003362196188131, 0.285372382945225598, 0.235835695047049612);
    else
        series = polynomial(z, 0.66666666666667349, 0.399999999994110928, 0.285714287432626033, 0.222221984759929508,
                            0.181835697394892452, 0.153139032542235676, 0.147975076390355776);
    const B log2_hi = either<B>(0x1.62e3p-1, 0x1.62e42feep-1), log2_lo = either<B>(9.0580006145e-06, 1.90821492927058770002e-10);
    return x.k * log2_hi - ((h - (s * (h + z * series) + (x.k * log2_lo + rest))) - f);
}

/// y where 0 < x < inf; else log's -inf, inf or NaN.
template <class B>
XG_INLINE B log_domain(B x, B y) {
    const B zero = literal<B>(0), inf = literal<B>(std::numeric_limits<double>::infinity());
    const B outside = xsimd::select(x == zero, -inf, xsimd::select(x > zero, inf, literal<B>(std::nan(""))));
    return xsimd::select((x > zero) & (x < inf), y, outside);
}

template <class B>
XG_INLINE B log(B x) {
    return log_domain(x, log_of(Binade(x), literal<B>(0)));
}

/// log u + c / u, where 1 + x = u + c exactly.
template <class B>
XG_INLINE B log1p(B x) {
    const B one = literal<B>(1), u = one + x, added = u - one, c = (one - (u - added)) + (x - added);
    return xsimd::select(xsimd::abs(x) < literal<B>(0x1p-60), x, log_domain(u, log_of(Binade(u), c / u)));
}

/// log(1 + t), t = a + a^2 / (1 + sqrt(a^2 + 1)); where the squares would overflow log a + log 2.
template <class B>
XG_INLINE B asinh(B x) {
    const B a = xsimd::abs(x), one = literal<B>(1), large = either<B>(0x1p30, 0x1p60), z = a * a;
    const B t = xsimd::select(a < large, a + z / (one + xsimd::sqrt(z + one)), a);
    return xsimd::copysign(math::log1p(t) + xsimd::select(a < large, literal<B>(0), literal<B>(0.69314718055994531)), x);
}
/// log(1 + t), t = d + sqrt(d (x + 1)), d = x - 1; NaN below 1.
template <class B>
XG_INLINE B acosh(B x) {
    const B one = literal<B>(1), large = either<B>(0x1p30, 0x1p60), d = x - one;
    const B t = xsimd::select(x < large, d + xsimd::sqrt(d * (x + one)), x);
    const B y = math::log1p(t) + xsimd::select(x < large, literal<B>(0), literal<B>(0.69314718055994531));
    return xsimd::select(x >= one, y, literal<B>(std::nan("")));
}
/// log(1 + 2 a / (1 - a)) / 2.
template <class B>
XG_INLINE B atanh(B x) {
    const B a = xsimd::abs(x);
    return xsimd::copysign(literal<B>(0.5) * math::log1p((a + a) / (literal<B>(1) - a)), x);
}

}  // namespace xtgrad::math
