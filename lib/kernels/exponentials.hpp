// Functions made of e^r - 1 for |r| <= log(2) / 2; polynomials are minimax, relative to the function.
#pragma once
#include "batch.hpp"

namespace xtgrad::math {

/// x = n log 2 + r with n whole and |r| <= log(2) / 2.
template <class B>
struct Reduced {
    B n, r;

    XG_INLINE explicit Reduced(B x) : n(nearest(x * literal<B>(1.4426950408889634))), r(x) {
        r = r - n * either<B>(0x1.63p-1, 0x1.62e42feep-1);
        r = r - n * either<B>(-2.12194440e-4, 1.90821492927058770002e-10);
    }
};

/// e^r - 1 for |r| <= log(2) / 2, without cancellation.
template <class B>
XG_INLINE B small_expm1(B r) {
    if constexpr (single<B>)
        return r * r *
                   polynomial(r, 0.500000004439988012, 0.166666663688763293, 0.0416663598192720566, 0.00833338956913327215,
                              0.00139407200705886271, 0.000198458865095718212) +
               r;
    else
        return r * r *
                   polynomial(r, 0.500000000000000523, 0.166666666666665886, 0.0416666666665761082, 0.00833333333338996165,
                              0.00138888889317951238, 0.000198412697183348629, 0.0000248015049787542117, 2.75574078722088802e-6,
                              2.76261614668400579e-7, 2.50537739473750928e-8) +
               r;
}

/// e^x 2^shift.
template <class B>
XG_INLINE B shifted_exp(B x, double shift) {
    const Reduced reduced(limited(x, either<B>(-105, -746), either<B>(90, 711)));
    return scaled(literal<B>(1) + small_expm1(reduced.r), reduced.n + literal<B>(shift));
}
template <class B>
XG_INLINE B exp(B x) {
    return shifted_exp(x, 0);
}

template <class B>
XG_INLINE B exp2(B x) {
    x = limited(x, either<B>(-152, -1080), either<B>(129, 1025));
    const B n = nearest(x);
    return scaled(literal<B>(1) + small_expm1((x - n) * literal<B>(0.69314718055994531)), n);
}

/// 2 (t e + (t - 1/2)) with t = 2^(n-1), which does not overflow before the result does, nor up to the limit of x.
template <class B>
XG_INLINE B expm1(B x) {
    const Reduced reduced(limited(x, either<B>(-20, -40), either<B>(89, 710)));
    const B t = power_of_two(reduced.n - literal<B>(1)), half = t * small_expm1(reduced.r) + (t - literal<B>(0.5));
    return xsimd::select(xsimd::abs(x) < literal<B>(0x1p-60), x, half + half);
}

/// e / (e + 2) with e = expm1(2 |x|).
template <class B>
XG_INLINE B tanh(B x) {
    const B a = xsimd::min(either<B>(9.25, 20), xsimd::abs(x));
    const Reduced reduced(a + a);
    const B t = power_of_two(reduced.n), e = t * small_expm1(reduced.r) + (t - literal<B>(1));
    return xsimd::copysign(e / (e + literal<B>(2)), x);
}

/// e^-|x| does not overflow.
template <class B>
XG_INLINE B sigmoid(B x) {
    const B e = math::exp(-xsimd::abs(x)), one = literal<B>(1);
    return xsimd::select(x < literal<B>(0), e, one) / (one + e);
}

/// h - 1 / (4 h) with h = e^|x| / 2, a series below 1.
template <class B>
XG_INLINE B sinh(B x) {
    const B a = xsimd::abs(x), h = shifted_exp(a, -1), z = a * a;
    B series;
    if constexpr (single<B>)
        series = polynomial(z, 0.1666666649879858, 0.00833335007467578736, 0.000198361481343106241, 2.81704108191002449e-6);
    else
        series = polynomial(z, 0.166666666666666673, 0.00833333333333316006, 0.000198412698414257032, 2.75573191585629826e-6,
                            2.50521229485995561e-8, 1.60572717118267358e-10, 7.75844727694169634e-13);
    const B one = literal<B>(1);
    return xsimd::copysign(xsimd::select(a < one, a * z * series + a, h - literal<B>(0.25) / h), x);
}
template <class B>
XG_INLINE B cosh(B x) {
    const B h = shifted_exp(xsimd::abs(x), -1);
    return h + literal<B>(0.25) / h;
}

}  // namespace xtgrad::math
