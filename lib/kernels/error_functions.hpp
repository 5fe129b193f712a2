// The error function and the normal distribution: e^(-x^2) times a rational function on the tails, so that they keep their
// digits.
#pragma once
#include "exponentials.hpp"

namespace xtgrad::math {

/// e^(-scale a^2) for a >= 0 and scale = 1 or 1/2: a^2 has twice the digits, which matter in the exponent.
template <class B>
XG_INLINE B exp_square(B a, double scale) {
    const double root = std::sqrt(scale);
    a = xsimd::min(either<B>(10.8 / root, 28 / root), a);
    const B upper = upper_half(a), square = upper * upper * literal<B>(-scale),
            rest = (a - upper) * (a + upper) * literal<B>(-scale);
    Reduced reduced(square + rest);
    reduced.r = square - reduced.n * either<B>(0x1.63p-1, 0x1.62e42feep-1);
    reduced.r = reduced.r - reduced.n * either<B>(-2.12194440e-4, 1.90821492927058770002e-10) + rest;
    return scaled(literal<B>(1) + small_expm1(reduced.r), reduced.n);
}

/// e^(u^2) erfc(u) for 0 <= u < 28.5 or (float) 10.8.
template <class B>
XG_INLINE B scaled_erfc(B u) {
    if constexpr (single<B>)
        return polynomial(u, 1.0000000064546003, 1.2439471845965351, 0.73741774149227243, 0.23199527401796044,
                          0.033381165617470777) /
               polynomial(u, 1.0, 2.3723270007884299, 2.4142917129317750, 1.3362227570939739, 0.41122470443071984,
                          0.059165967082305629);
    else
        return polynomial(u, 1.0, 2.3441609732004951, 2.7238148251295061, 2.0273199456049398, 1.0604428412659351,
                          0.40549500577392018, 0.11464164358034840, 0.023692978219525615, 0.0034389288743812099,
                          0.00031880797617130726, 0.000014514152576030753) /
               polynomial(u, 1.0, 3.4725401402960080, 5.6421567763424332, 5.6735247472845296, 3.9324011612317564,
                          1.9781689558621543, 0.73943600573724268, 0.20623183107340026, 0.042277246700155113,
                          0.0061082055591352353, 0.00056507242506507972, 0.000025725665626010829);
}

/// e^(-a^2) erfcx(a) for a = |x|, and 2 minus it below 0.
template <class B>
XG_INLINE B erfc(B x) {
    const B a = xsimd::min(either<B>(10.8, 28.5), xsimd::abs(x)), tail = exp_square(a, 1) * scaled_erfc(a);
    return xsimd::select(x < literal<B>(0), literal<B>(2) - tail, tail);
}

/// A series up to |x| = 1, of erf(x) / x - 1 so that its last step is exact; then 1 - erfc.
template <class B>
XG_INLINE B erf(B x) {
    const B a = xsimd::min(either<B>(4, 6), xsimd::abs(x)), z = a * a, tail = exp_square(a, 1) * scaled_erfc(a);
    B series;
    if constexpr (single<B>)
        series = polynomial(z, 0.12837916572671346, -0.376126258242157425, 0.11283585148351825, -0.0268538119239664227,
                            0.00518832766464742025, -0.000801019344630895849, 0.0000785386078426976762);
    else
        series = polynomial(z, 0.12837916709551257, -0.376126389031837476, 0.112837916709548575, -0.0268661706450728945,
                            0.00522397762478086399, -0.000854832697874207336, 0.000120553310368952839, -0.0000149255935067906097,
                            1.64609728154562591e-6, -1.6350025206215846e-7, 1.46578797332554316e-8, -1.13656655493522482e-9,
                            5.94526107042099027e-11);
    const B one = literal<B>(1);
    return xsimd::copysign(xsimd::select(a < one, a * series + a, one - tail), x);
}

/// e^(-x^2/2)
template <class B>
XG_INLINE B gaussian(B x) {
    return exp_square(xsimd::abs(x), 0.5);
}
/// erfc(-x / sqrt 2) / 2: the integral of gaussian / sqrt(2 pi) from -inf to x.
template <class B>
XG_INLINE B normal_cdf(B x) {
    const B a = xsimd::abs(x), u = xsimd::min(either<B>(10.8, 28.5), a * literal<B>(0.70710678118654752));
    const B tail = literal<B>(0.5) * exp_square(a, 0.5) * scaled_erfc(u);
    return xsimd::select(x < literal<B>(0), tail, literal<B>(1) - tail);
}

}  // namespace xtgrad::math
