// The number that kernels compute with: a SIMD batch, or one scalar (integers, and the tests' reference). A thin skin over
// both, because xsimd's functions take no literals, its maximum drops NaN, and what it lacks or does slowly is replaced here.
#pragma once
#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <limits>
#include <type_traits>
#include <xsimd/xsimd.hpp>

#include "../rules/rule.hpp"
#include "circular.hpp"
#include "error_functions.hpp"
#include "exponentials.hpp"
#include "logarithms.hpp"
#include "polygamma.hpp"
#include "power.hpp"

namespace xtgrad {

/// The functions of scalars and of batches.
namespace math {
using std::acosh;
using std::asinh;
using std::atanh;
using std::ceil, xsimd::ceil;
using std::cos;
using std::cosh;
using std::erf;
using std::erfc;
using std::exp;
using std::exp2;
using std::expm1;
using std::floor, xsimd::floor;
using std::log;
using std::log1p;
using std::pow;
using std::round, xsimd::round;
using std::sin;
using std::sinh;
using std::sqrt, xsimd::sqrt;
using std::tanh;
using std::trunc, xsimd::trunc;
template <std::floating_point T>
T sigmoid(T x) {
    return 1 / (1 + std::exp(-x));
}
template <std::floating_point T>
T gaussian(T x) {
    return std::exp(x * x / -2);
}
template <std::floating_point T>
T normal_cdf(T x) {
    return std::erfc(x * T(-0.70710678118654752)) / 2;
}
template <std::floating_point T>
T gelu_slope(T x) {
    return normal_cdf(x) + std::clamp<T>(x, -1000, 1000) * gaussian(x) * T(0.39894228040143268);
}
}  // namespace math

/// B is T itself or an xsimd batch of T.
template <class T, class B>
class Lanes {
    static constexpr bool scalar = std::same_as<T, B>;

public:
    using Mask = decltype(B(T(0)) > B(T(0)));

    XG_INLINE Lanes(B v)
        requires(!std::is_arithmetic_v<B>)
        : v_(v) {}
    XG_INLINE Lanes(double c) : v_(T(c)) {}
    XG_INLINE static Lanes of(B v) {
        Lanes l;
        l.v_ = v;
        return l;
    }

    XG_INLINE static Lanes load(const T* p) {
        if constexpr (scalar)
            return of(*p);
        else
            return B::load_unaligned(p);
    }
    XG_INLINE void store(T* p) const {
        if constexpr (scalar)
            *p = v_;
        else
            v_.store_unaligned(p);
    }

    /// By its bit, because xsimd 8.1's is 0 - a for AVX-512, which loses the sign of 0.
    XG_INLINE friend Lanes operator-(Lanes a) {
        if constexpr (std::integral<B>)
            return of(wrapped(0, a.v_, std::minus()));
        else if constexpr (scalar)
            return of(-a.v_);
        else
            return math::from_bits<B>(math::bits(a.v_) ^ math::bits_of<B>(-0.));
    }
    XG_INLINE friend Lanes operator+(Lanes a, Lanes b) { return of(wrapped(a.v_, b.v_, std::plus())); }
    XG_INLINE friend Lanes operator-(Lanes a, Lanes b) { return of(wrapped(a.v_, b.v_, std::minus())); }
    XG_INLINE friend Lanes operator*(Lanes a, Lanes b) { return of(wrapped(a.v_, b.v_, std::multiplies())); }
    XG_INLINE friend Lanes operator/(Lanes a, Lanes b) { return of(a.v_ / b.v_); }

    /// A comparison; all it is good for is `where`.
    struct Comparison {
        Mask mask;
    };
    XG_INLINE friend Lanes where(Comparison c, Lanes a, Lanes b) { return select(c.mask, a.v_, b.v_); }
    XG_INLINE friend Comparison operator>(Lanes a, Lanes b) { return {a.v_ > b.v_}; }
    XG_INLINE friend Comparison operator>=(Lanes a, Lanes b) { return {a.v_ >= b.v_}; }
    XG_INLINE friend Comparison operator<(Lanes a, Lanes b) { return {a.v_ < b.v_}; }

    /// NaN if either is. By ==, because xsimd 8.1's != is false for NaN, and its ! of a mask slow.
    XG_INLINE friend Lanes maximum(Lanes a, Lanes b) {
        const Lanes larger = select(a.v_ > b.v_, a.v_, b.v_);
        return select(a.v_ == a.v_, larger.v_, a.v_);
    }
    XG_INLINE friend Lanes minimum(Lanes a, Lanes b) {
        const Lanes smaller = select(a.v_ < b.v_, a.v_, b.v_);
        return select(a.v_ == a.v_, smaller.v_, a.v_);
    }
    XG_INLINE friend Lanes abs(Lanes x) {
        if constexpr (std::integral<B>)
            return x.v_ < 0 ? -x : x;
        else if constexpr (scalar)
            return of(std::abs(x.v_));
        else
            return xsimd::abs(x.v_);
    }
    XG_INLINE friend Lanes sqrt(Lanes x) { return of(math::sqrt(x.v_)); }
    XG_INLINE friend Lanes exp(Lanes x) { return of(math::exp(x.v_)); }
    XG_INLINE friend Lanes exp2(Lanes x) { return of(math::exp2(x.v_)); }
    XG_INLINE friend Lanes expm1(Lanes x) { return of(math::expm1(x.v_)); }
    XG_INLINE friend Lanes log(Lanes x) { return of(math::log(x.v_)); }
    XG_INLINE friend Lanes log1p(Lanes x) { return of(math::log1p(x.v_)); }
    XG_INLINE friend Lanes sin(Lanes x) { return of(math::sin(x.v_)); }
    XG_INLINE friend Lanes cos(Lanes x) { return of(math::cos(x.v_)); }
    XG_INLINE friend Lanes sinh(Lanes x) { return of(math::sinh(x.v_)); }
    XG_INLINE friend Lanes cosh(Lanes x) { return of(math::cosh(x.v_)); }
    XG_INLINE friend Lanes tanh(Lanes x) { return of(math::tanh(x.v_)); }
    XG_INLINE friend Lanes asinh(Lanes x) { return of(math::asinh(x.v_)); }
    XG_INLINE friend Lanes acosh(Lanes x) { return of(math::acosh(x.v_)); }
    XG_INLINE friend Lanes atanh(Lanes x) { return of(math::atanh(x.v_)); }
    XG_INLINE friend Lanes erf(Lanes x) { return of(math::erf(x.v_)); }
    XG_INLINE friend Lanes erfc(Lanes x) { return of(math::erfc(x.v_)); }
    XG_INLINE friend Lanes sigmoid(Lanes x) { return of(math::sigmoid(x.v_)); }
    /// e^(-x^2/2)
    XG_INLINE friend Lanes gaussian(Lanes x) { return of(math::gaussian(x.v_)); }
    /// The integral of gaussian / sqrt(2 pi) from -inf to x.
    XG_INLINE friend Lanes normal_cdf(Lanes x) { return of(math::normal_cdf(x.v_)); }
    /// normal_cdf(x) + x gaussian(x) / sqrt(2 pi)
    XG_INLINE friend Lanes gelu_slope(Lanes x) { return of(math::gelu_slope(x.v_)); }
    /// As C's pow.
    XG_INLINE friend Lanes pow(Lanes a, Lanes b) { return of(math::pow(a.v_, b.v_)); }
    /// The sign is x's: xsimd's for SSE2 drops that of zeros.
    XG_INLINE friend Lanes floor(Lanes x) { return signed_as(math::floor(x.v_), x.v_); }
    XG_INLINE friend Lanes ceil(Lanes x) { return signed_as(math::ceil(x.v_), x.v_); }
    XG_INLINE friend Lanes round(Lanes x) { return signed_as(math::round(x.v_), x.v_); }
    XG_INLINE friend Lanes trunc(Lanes x) { return signed_as(math::trunc(x.v_), x.v_); }

    // Lane by lane, by libm.
    XG_INLINE friend Lanes cbrt(Lanes x) {
        return by_lane([](T v) { return std::cbrt(v); }, x);
    }
    XG_INLINE friend Lanes log2(Lanes x) {
        return by_lane([](T v) { return std::log2(v); }, x);
    }
    XG_INLINE friend Lanes log10(Lanes x) {
        return by_lane([](T v) { return std::log10(v); }, x);
    }
    XG_INLINE friend Lanes tan(Lanes x) {
        return by_lane([](T v) { return std::tan(v); }, x);
    }
    XG_INLINE friend Lanes asin(Lanes x) {
        return by_lane([](T v) { return std::asin(v); }, x);
    }
    XG_INLINE friend Lanes acos(Lanes x) {
        return by_lane([](T v) { return std::acos(v); }, x);
    }
    XG_INLINE friend Lanes atan(Lanes x) {
        return by_lane([](T v) { return std::atan(v); }, x);
    }
    XG_INLINE friend Lanes lgamma(Lanes x) {
        return by_lane(
            [](double v) {
                int sign;
                return ::lgamma_r(v, &sign);
            },
            x);
    }
    XG_INLINE friend Lanes polygamma(double n, Lanes x) {
        return by_lane([n](double v) { return kernels::polygamma(n, v); }, x);
    }

    XG_INLINE friend Lanes fmod(Lanes a, Lanes b) {
        return by_lane([](T p, T q) { return std::fmod(p, q); }, a, b);
    }
    XG_INLINE friend Lanes atan2(Lanes a, Lanes b) {
        return by_lane([](T p, T q) { return std::atan2(p, q); }, a, b);
    }
    /// Scaled by the larger one, so that squares neither overflow nor vanish; inf if either is, even if the other is NaN.
    XG_INLINE friend Lanes hypot(Lanes a, Lanes b) {
        const Lanes inf = std::numeric_limits<double>::infinity(), p = abs(a), q = abs(b);
        const Lanes large = where(p > q, p, q), ratio = where(p > q, q, p) / where(large > 0, large, 1);
        return where(p >= inf, p, where(q >= inf, q, large * sqrt(1 + ratio * ratio)));
    }

private:
    Lanes() = default;

    /// Integers wrap around, as unsigned ones do.
    XG_INLINE static B wrapped(B a, B b, auto f) {
        if constexpr (std::integral<B>)
            return B(f(std::make_unsigned_t<B>(a), std::make_unsigned_t<B>(b)));
        else
            return f(a, b);
    }
    XG_INLINE static Lanes select(Mask m, B a, B b) {
        if constexpr (scalar)
            return of(m ? a : b);
        else
            return xsimd::select(m, a, b);
    }
    XG_INLINE static Lanes signed_as(B x, B sign) {
        if constexpr (scalar)
            return of(std::copysign(x, sign));
        else
            return xsimd::copysign(x, sign);
    }
    template <class F, class... L>
    XG_INLINE static Lanes by_lane(F f, L... x) {
        if constexpr (scalar) {
            return of(T(f(x.v_...)));
        } else {
            constexpr std::size_t n = B::size;
            alignas(64) T in[sizeof...(L)][n], out[n];
            std::size_t k = 0;
            (x.v_.store_aligned(in[k++]), ...);
            for (std::size_t i = 0; i < n; ++i) {
                if constexpr (sizeof...(L) == 1)
                    out[i] = T(f(in[0][i]));
                else
                    out[i] = T(f(in[0][i], in[1][i]));
            }
            return B::load_aligned(out);
        }
    }

    B v_;
};

template <class T, class B>
inline constexpr bool is_number<Lanes<T, B>> = true;

}  // namespace xtgrad
