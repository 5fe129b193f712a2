// The elements of a SIMD register as one number.
#pragma once
#include <array>
#include <cmath>
#include <type_traits>

#include <xsimd/xsimd.hpp>

#include "../dtype.hpp"

namespace xtgrad::detail {

/// Thrown where lanes part; each is then computed by itself.
struct Divergent {};

template <class T>
class Lanes;

/// A truth value for each lane. As a condition it must be the same in all.
template <class T>
class Mask {
public:
    using Register = xsimd::batch_bool<T>;
    Mask(Register lanes) : lanes_(lanes) {}
    explicit operator bool() const {
        if (xsimd::all(lanes_)) return true;
        if (xsimd::any(lanes_)) throw Divergent();
        return false;
    }
    Register lanes() const { return lanes_; }

private:
    Register lanes_;
};

template <class T>
class Lanes {
public:
    using Register = xsimd::batch<T>;
    static constexpr std::size_t count = Register::size;

    Lanes() : lanes_(T(0)) {}
    Lanes(Register lanes) : lanes_(lanes) {}
    template <Arithmetic N>
    Lanes(N number) : lanes_(static_cast<T>(number)) {}
    Register lanes() const { return lanes_; }

    /// The number that all lanes have.
    template <Arithmetic N>
    explicit operator N() const {
        if (!xsimd::all(lanes_ == Register(lanes_.get(0)))) throw Divergent();
        return static_cast<N>(lanes_.get(0));
    }

    friend Lanes operator+(const Lanes& a) { return a; }
    friend Lanes operator-(const Lanes& a) { return -a.lanes_; }
    friend Lanes operator+(const Lanes& a, const Lanes& b) { return a.lanes_ + b.lanes_; }
    friend Lanes operator-(const Lanes& a, const Lanes& b) { return a.lanes_ - b.lanes_; }
    friend Lanes operator*(const Lanes& a, const Lanes& b) { return a.lanes_ * b.lanes_; }
    friend Lanes operator/(const Lanes& a, const Lanes& b) { return a.lanes_ / b.lanes_; }
    Lanes& operator+=(const Lanes& b) { return *this = *this + b; }
    Lanes& operator-=(const Lanes& b) { return *this = *this - b; }
    Lanes& operator*=(const Lanes& b) { return *this = *this * b; }
    Lanes& operator/=(const Lanes& b) { return *this = *this / b; }

    friend Mask<T> operator<(const Lanes& a, const Lanes& b) { return a.lanes_ < b.lanes_; }
    friend Mask<T> operator>(const Lanes& a, const Lanes& b) { return a.lanes_ > b.lanes_; }
    friend Mask<T> operator<=(const Lanes& a, const Lanes& b) { return a.lanes_ <= b.lanes_; }
    friend Mask<T> operator>=(const Lanes& a, const Lanes& b) { return a.lanes_ >= b.lanes_; }
    friend Mask<T> operator==(const Lanes& a, const Lanes& b) { return a.lanes_ == b.lanes_; }
    friend Mask<T> operator!=(const Lanes& a, const Lanes& b) { return !(a.lanes_ == b.lanes_); }
    friend Mask<T> isnan(const Lanes& x) { return !(x.lanes_ == x.lanes_); }

    friend Lanes abs(const Lanes& x) { return xsimd::abs(x.lanes_); }
    friend Lanes fabs(const Lanes& x) { return xsimd::abs(x.lanes_); }
    friend Lanes sqrt(const Lanes& x) { return xsimd::sqrt(x.lanes_); }
    friend Lanes cbrt(const Lanes& x) { return xsimd::cbrt(x.lanes_); }
    friend Lanes exp(const Lanes& x) { return xsimd::exp(x.lanes_); }
    friend Lanes exp2(const Lanes& x) { return xsimd::exp2(x.lanes_); }
    friend Lanes expm1(const Lanes& x) { return xsimd::expm1(x.lanes_); }
    friend Lanes log(const Lanes& x) { return xsimd::log(x.lanes_); }
    friend Lanes log2(const Lanes& x) { return xsimd::log2(x.lanes_); }
    friend Lanes log10(const Lanes& x) { return xsimd::log10(x.lanes_); }
    friend Lanes log1p(const Lanes& x) { return xsimd::log1p(x.lanes_); }
    friend Lanes sin(const Lanes& x) { return xsimd::sin(x.lanes_); }
    friend Lanes cos(const Lanes& x) { return xsimd::cos(x.lanes_); }
    friend Lanes tan(const Lanes& x) { return xsimd::tan(x.lanes_); }
    friend Lanes asin(const Lanes& x) { return xsimd::asin(x.lanes_); }
    friend Lanes acos(const Lanes& x) { return xsimd::acos(x.lanes_); }
    friend Lanes atan(const Lanes& x) { return xsimd::atan(x.lanes_); }
    friend Lanes sinh(const Lanes& x) { return xsimd::sinh(x.lanes_); }
    friend Lanes cosh(const Lanes& x) { return xsimd::cosh(x.lanes_); }
    friend Lanes tanh(const Lanes& x) { return xsimd::tanh(x.lanes_); }
    friend Lanes asinh(const Lanes& x) { return xsimd::asinh(x.lanes_); }
    friend Lanes acosh(const Lanes& x) { return xsimd::acosh(x.lanes_); }
    friend Lanes atanh(const Lanes& x) { return xsimd::atanh(x.lanes_); }
    friend Lanes erf(const Lanes& x) { return xsimd::erf(x.lanes_); }
    friend Lanes erfc(const Lanes& x) { return xsimd::erfc(x.lanes_); }
    friend Lanes floor(const Lanes& x) { return xsimd::floor(x.lanes_); }
    friend Lanes ceil(const Lanes& x) { return xsimd::ceil(x.lanes_); }
    friend Lanes trunc(const Lanes& x) { return xsimd::trunc(x.lanes_); }
    friend Lanes round(const Lanes& x) { return xsimd::round(x.lanes_); }
    friend Lanes max(const Lanes& a, const Lanes& b) { return xsimd::max(a.lanes_, b.lanes_); }
    friend Lanes min(const Lanes& a, const Lanes& b) { return xsimd::min(a.lanes_, b.lanes_); }
    friend Lanes signum(const Lanes& x) {
        const Register one(1), zero(0);
        return xsimd::select(x.lanes_ > zero, one, xsimd::select(x.lanes_ < zero, -one, x.lanes_));
    }
    // What xsimd computes less well than the C library, or not at all.
    friend Lanes lgamma(const Lanes& x) {
        return each([](T t) { return std::lgamma(t); }, x);
    }
    friend Lanes polygamma(int n, const Lanes& x) {
        return each([n](T t) { return T(polygamma(n, double(t))); }, x);
    }
    friend Lanes pow(const Lanes& a, const Lanes& b) {
        return each([](T p, T q) { return std::pow(p, q); }, a, b);
    }
    friend Lanes atan2(const Lanes& a, const Lanes& b) {
        return each([](T p, T q) { return std::atan2(p, q); }, a, b);
    }
    friend Lanes hypot(const Lanes& a, const Lanes& b) {
        return each([](T p, T q) { return std::hypot(p, q); }, a, b);
    }
    friend Lanes fmod(const Lanes& a, const Lanes& b) {
        return each([](T p, T q) { return std::fmod(p, q); }, a, b);
    }

    /// a * b, of which b is a derivative: zero where b is.
    friend Lanes times(const Lanes& a, const Lanes& b) {
        const Register zero(0);
        return xsimd::select(b.lanes_ == zero, zero, a.lanes_ * b.lanes_);
    }

private:
    template <std::same_as<Lanes>... X>
    static Lanes each(auto f, const X&... x) {
        alignas(64) std::array<T, count> result;
        for (std::size_t i = 0; i < count; ++i) result[i] = f(x.lanes_.get(i)...);
        return Register::load_unaligned(result.data());
    }

    Register lanes_;
};

template <class T>
Lanes<T> where(const Mask<T>& c, const std::type_identity_t<Lanes<T>>& a, const std::type_identity_t<Lanes<T>>& b) {
    return xsimd::select(c.lanes(), a.lanes(), b.lanes());
}

}  // namespace xtgrad::detail
