// The error function and the normal distribution: e^(-x^2) times a smooth function on the tails, so that they keep their
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

/// e^(u^2) erfc(u) for 0 <= u < 28.5 or (float) 10.8: (u + k) times it is smooth in q = (u - k) / (u + k). What u + k and its
/// reciprocal r lost to rounding is made good to the first order: y changes with r about as r^(1 + c r^2).
template <class B>
XG_INLINE B scaled_erfc(B u) {
    const B k = either<B>(3, 4), s = u + k, lost = u - (s - k), one = literal<B>(1), r = one / s, q = one - (k + k) * r;
    B y;
    if constexpr (single<B>)
        y = r * polynomial(q, 1.07400690828395167, -0.883394495198650812, 0.590228252659191232, -0.31046576486492194,
                           0.119529794440604603, -0.0268412849042570437, -0.00123051103942887659, 0.00308170896223527882,
                           -0.000475689229641753692, -0.000321400400690292375);
    else
        y = r * polynomial(q, 1.09599566100049112, -0.976548729080882082, 0.773208702265236631, -0.540853831313224639,
                           0.330851587878033752, -0.174010937240298534, 0.0763815149089170834, -0.026370053334552194,
                           0.00611205565941246033, -0.000280958915628347882, -0.000455052706080567996, 0.000176813079894675535,
                           -3.63508167232759408e-6, -0.0000188617399946669089, 4.69416894216549029e-6, 1.42594421192254092e-6,
                           -8.45786472568534343e-7, -7.7704965947711651e-8, 1.23800729481768623e-7, 2.34569069546437806e-9,
                           -1.53988963228299979e-8, -2.7745924605035274e-10, 1.05415074246911013e-9);
    return y + y * (one + either<B>(22, 56) * r * r) * ((one - r * s) - lost * r);
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

/// y between -bound and bound, 0 below and 1 above.
template <class B>
XG_INLINE B settled(B x, B y, double bound) {
    const B zero = literal<B>(0), above = xsimd::select(x > literal<B>(bound), literal<B>(1), y);
    return xsimd::select(x < literal<B>(-bound), zero, above);
}

/// erfc(-x / sqrt 2) / 2, the integral of gaussian / sqrt(2 pi) from -inf to x. Of float 1/2 + x times a rational function of
/// x^2: three times as fast, to 6e-8 absolutely, so that the tail on the left loses digits.
template <class B>
XG_INLINE B normal_cdf(B x) {
    const B one = literal<B>(1), half = literal<B>(0.5);
    if constexpr (single<B>) {
        const B z = xsimd::min(literal<B>(31.36), x * x);
        const B p = polynomial(z, 0.398942271988198522, 0.033930056845285376, 0.00467739787224945213, 0.000168936978260402613,
                               6.28957901983118124e-6, 2.22951487548674636e-8);
        const B q = polynomial(z, 1.0, 0.251716368557663835, 0.0286781028623210572, 0.00188553901414590382,
                               0.0000733452741145890639, 1.17957525439577225e-6);
        return settled(x, x * (p / q) + half, 5.6);
    } else {
        const B a = xsimd::abs(x), u = xsimd::min(literal<B>(28.5), a * literal<B>(0.70710678118654752));
        const B tail = half * exp_square(a, 0.5) * scaled_erfc(u);
        return xsimd::select(x < literal<B>(0), tail, one - tail);
    }
}

/// normal_cdf(x) + x gaussian(x) / sqrt(2 pi), the slope of x normal_cdf(x).
template <class B>
XG_INLINE B gelu_slope(B x) {
    if constexpr (single<B>) {
        const B z = xsimd::min(literal<B>(31.36), x * x);
        const B p =
            polynomial(z, 0.79788455801489144, -0.0274404168617948524, 0.0139493721019316357, 0.000115544164705210124,
                       0.0000321334567752146154, 6.82584779260435584e-7, 1.03283832512004676e-8, -2.79708537750763728e-11);
        const B q = polynomial(z, 1.0, 0.29894178578516884, 0.0421305502012877134, 0.00367190727084862782,
                               0.000216993347263652904, 8.64770695922812503e-6, 2.48414490447937389e-7);
        return settled(x, x * (p / q) + literal<B>(0.5), 5.6);
    } else {
        const B finite = limited(x, literal<B>(-1000), literal<B>(1000));
        return normal_cdf(x) + finite * (literal<B>(0.39894228040143268) * gaussian(x));
    }
}

}  // namespace xtgrad::math
