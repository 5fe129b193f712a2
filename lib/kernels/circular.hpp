// Sine and cosine. xsimd brings arguments into the first quadrant in one of several ways, by the largest of the batch, so that
// the last bit of one lane would depend on its neighbours. Here each way gets lanes of its own.
#pragma once
#include "batch.hpp"

namespace xtgrad::math {

/// f(x), for a lane the same whatever the others hold.
template <class B>
XG_INLINE B by_size(B x, auto f) {
    // Up to 20 pi one way, up to 64 pi or 2^18 pi another, and lane by lane beyond, as for NaN.
    const B size = xsimd::abs(x), near = either<B>(0x1.f6a7a2p5, 0x1.f6a7a2955385ep5),
            medium = either<B>(0x1.921fb6p7, 0x1.921fb54442d18p19);
    const auto is_near = size <= near, is_medium = size <= medium;
    if (xsimd::all(is_near)) [[likely]]
        return f(x);
    // What stands in for the lanes of the others keeps f on the way of the rest.
    const B after_near = literal<B>(100), after_medium = either<B>(300, 1e6);
    B y = literal<B>(0);
    if (xsimd::any(is_near)) y = f(xsimd::select(is_near, x, y));
    if (xsimd::any((size > near) & is_medium))
        y = xsimd::select(is_near, y, f(xsimd::select((size > near) & is_medium, x, after_near)));
    if (xsimd::all(is_medium)) return y;
    return xsimd::select(is_medium, y, f(xsimd::select(is_medium, after_medium, x)));
}

template <class B>
XG_INLINE B sin(B x) {
    return by_size(x, [](B v) { return xsimd::sin(v); });
}
template <class B>
XG_INLINE B cos(B x) {
    return by_size(x, [](B v) { return xsimd::cos(v); });
}

}  // namespace xtgrad::math
