// The number that kernels compute with: a SIMD batch, or one scalar (integers, and the tests' reference). A thin skin over
// both, because xsimd's functions take no literals, its maximum drops NaN, and what it lacks or does slowly is replaced here.
#pragma once
#include <cmath>
#include <xsimd/xsimd.hpp>

#include "../rules/rule.hpp"

#define XG_INLINE [[gnu::always_inline]] inline

namespace xtgrad {

/// The functions of scalars and of batches.
namespace math {
using std::cos, xsimd::cos;
using std::erf, xsimd::erf;
using std::exp, xsimd::exp;
using std::log, xsimd::log;
using std::sin, xsimd::sin;
using std::sqrt, xsimd::sqrt;
using std::tanh, xsimd::tanh;
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

    XG_INLINE friend Lanes operator-(Lanes a) { return of(-a.v_); }
    XG_INLINE friend Lanes operator+(Lanes a, Lanes b) { return of(a.v_ + b.v_); }
    XG_INLINE friend Lanes operator-(Lanes a, Lanes b) { return of(a.v_ - b.v_); }
    XG_INLINE friend Lanes operator*(Lanes a, Lanes b) { return of(a.v_ * b.v_); }
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
    XG_INLINE friend Lanes abs(Lanes x) {
        if constexpr (scalar)
            return of(x.v_ < 0 ? -x.v_ : x.v_);
        else
            return xsimd::abs(x.v_);
    }
    XG_INLINE friend Lanes sqrt(Lanes x) { return of(math::sqrt(x.v_)); }
    XG_INLINE friend Lanes exp(Lanes x) { return of(math::exp(x.v_)); }
    XG_INLINE friend Lanes log(Lanes x) { return of(math::log(x.v_)); }
    XG_INLINE friend Lanes sin(Lanes x) { return of(math::sin(x.v_)); }
    XG_INLINE friend Lanes cos(Lanes x) { return of(math::cos(x.v_)); }
    XG_INLINE friend Lanes tanh(Lanes x) { return of(math::tanh(x.v_)); }
    XG_INLINE friend Lanes erf(Lanes x) { return of(math::erf(x.v_)); }
    /// Lane by lane: xsimd 8.1 takes exp(b log a), which loses digits as the exponent grows.
    XG_INLINE friend Lanes pow(Lanes a, Lanes b) {
        if constexpr (scalar) {
            return of(std::pow(a.v_, b.v_));
        } else {
            alignas(64) T p[B::size], q[B::size];
            a.v_.store_aligned(p);
            b.v_.store_aligned(q);
            for (std::size_t i = 0; i < B::size; ++i) p[i] = std::pow(p[i], q[i]);
            return B::load_aligned(p);
        }
    }

private:
    Lanes() = default;

    XG_INLINE static Lanes select(Mask m, B a, B b) {
        if constexpr (scalar)
            return of(m ? a : b);
        else
            return xsimd::select(m, a, b);
    }

    B v_;
};

template <class T, class B>
inline constexpr bool is_number<Lanes<T, B>> = true;

}  // namespace xtgrad
