// Dual numbers: a value and its derivatives along N directions. V is double, the lanes of a register, or a dual number again.
//
// Derivatives that do not exist are as in xtgrad's ops: abs has 0 at 0, max and min share at a tie, rounding has 0.
#pragma once
#include <cmath>
#include <concepts>
#include <numbers>

#include "../dtype.hpp"

namespace [[gnu::visibility("default")]] xtgrad {
namespace detail {

double polygamma(int n, double x) noexcept;
inline double signum(double x) { return double((x > 0) - (x < 0)); }
/// a * b, of which b is a derivative: zero when b is, whatever a.
inline double times(double a, double b) { return b == 0 ? 0 : a * b; }
inline double where(bool c, double a, double b) { return c ? a : b; }

/// N numbers; not an array, which compilers keep in memory.
template <class V, int N>
struct Parts {
    V first{};
    Parts<V, N - 1> rest{};

    /// 1 in place i.
    static Parts unit(int i) { return {V(i == 0), Parts<V, N - 1>::unit(i - 1)}; }
    /// f(i, part) for each.
    void visit(auto f, int i = 0) const {
        f(i, first);
        rest.visit(f, i + 1);
    }
};
template <class V>
struct Parts<V, 0> {
    static Parts unit(int) { return {}; }
    void visit(auto, int = 0) const {}
};

/// f of the parts at each place.
template <class V, int N, class... P>
[[gnu::always_inline]] inline Parts<V, N> each([[maybe_unused]] auto f, const Parts<V, N>& a, const P&... more) {
    if constexpr (N == 0)
        return {};
    else
        return {f(a.first, more.first...), each(f, a.rest, more.rest...)};
}

template <class V, int N>
struct Dual {
    V value;
    Parts<V, N> part{};

    Dual() = default;
    Dual(V v, Parts<V, N> p) : value(v), part(p) {}
    template <std::convertible_to<V> T>
    Dual(const T& constant) : value(static_cast<V>(constant)) {}

    template <Arithmetic T>
    explicit operator T() const {
        return static_cast<T>(value);
    }

    /// f(x), given its value and slope.
    friend Dual chain(const Dual& x, V y, V slope) {
        return {y, each([&](const V& p) { return times(slope, p); }, x.part)};
    }
    friend Dual chain(const Dual& a, const Dual& b, V y, V slope_a, V slope_b) {
        return {y, each([&](const V& p, const V& q) { return times(slope_a, p) + times(slope_b, q); }, a.part, b.part)};
    }
    friend Dual times(const Dual& a, const Dual& b) {
        return {times(a.value, b.value),
                each([&](const V& p, const V& q) { return times(p, b.value) + times(a.value, q); }, a.part, b.part)};
    }

    friend Dual operator+(const Dual& a) { return a; }
    friend Dual operator-(const Dual& a) {
        return {-a.value, each([](const V& p) { return -p; }, a.part)};
    }
    friend Dual operator+(const Dual& a, const Dual& b) {
        return {a.value + b.value, each([](const V& p, const V& q) { return p + q; }, a.part, b.part)};
    }
    friend Dual operator-(const Dual& a, const Dual& b) {
        return {a.value - b.value, each([](const V& p, const V& q) { return p - q; }, a.part, b.part)};
    }
    friend Dual operator*(const Dual& a, const Dual& b) { return chain(a, b, a.value * b.value, b.value, a.value); }
    friend Dual operator/(const Dual& a, const Dual& b) {
        const V y = a.value / b.value, slope = V(1) / b.value;
        return chain(a, b, y, slope, -y * slope);
    }
    Dual& operator+=(const Dual& b) { return *this = *this + b; }
    Dual& operator-=(const Dual& b) { return *this = *this - b; }
    Dual& operator*=(const Dual& b) { return *this = *this * b; }
    Dual& operator/=(const Dual& b) { return *this = *this / b; }

    friend auto operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
    friend auto operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
    friend auto operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
    friend auto operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }
    friend auto operator==(const Dual& a, const Dual& b) { return a.value == b.value; }
    friend auto operator!=(const Dual& a, const Dual& b) { return a.value != b.value; }
    friend auto isnan(const Dual& x) {
        using std::isnan;
        return isnan(x.value);
    }
    template <class Condition>
    friend Dual where(const Condition& c, const Dual& a, const Dual& b) {
        return {where(c, a.value, b.value), each([&](const V& p, const V& q) { return where(c, p, q); }, a.part, b.part)};
    }

    friend Dual signum(const Dual& x) { return {signum(x.value), {}}; }
    friend Dual abs(const Dual& x) {
        using std::abs;
        return chain(x, abs(x.value), signum(x.value));
    }
    friend Dual fabs(const Dual& x) { return abs(x); }
    friend Dual floor(const Dual& x) {
        using std::floor;
        return {floor(x.value), {}};
    }
    friend Dual ceil(const Dual& x) {
        using std::ceil;
        return {ceil(x.value), {}};
    }
    friend Dual round(const Dual& x) {
        using std::round;
        return {round(x.value), {}};
    }
    friend Dual trunc(const Dual& x) {
        using std::trunc;
        return {trunc(x.value), {}};
    }
    friend Dual sqrt(const Dual& x) {
        using std::sqrt;
        const V y = sqrt(x.value);
        return chain(x, y, V(0.5) / y);
    }
    friend Dual cbrt(const Dual& x) {
        using std::cbrt;
        const V y = cbrt(x.value);
        return chain(x, y, V(1) / (V(3) * y * y));
    }
    friend Dual exp(const Dual& x) {
        using std::exp;
        const V y = exp(x.value);
        return chain(x, y, y);
    }
    friend Dual exp2(const Dual& x) {
        using std::exp2;
        const V y = exp2(x.value);
        return chain(x, y, y * V(std::numbers::ln2));
    }
    friend Dual expm1(const Dual& x) {
        using std::expm1;
        const V y = expm1(x.value);
        return chain(x, y, y + V(1));
    }
    friend Dual log(const Dual& x) {
        using std::log;
        return chain(x, log(x.value), V(1) / x.value);
    }
    friend Dual log2(const Dual& x) {
        using std::log2;
        return chain(x, log2(x.value), V(std::numbers::log2e) / x.value);
    }
    friend Dual log10(const Dual& x) {
        using std::log10;
        return chain(x, log10(x.value), V(std::numbers::log10e) / x.value);
    }
    friend Dual log1p(const Dual& x) {
        using std::log1p;
        return chain(x, log1p(x.value), V(1) / (x.value + V(1)));
    }
    friend Dual sin(const Dual& x) {
        using std::cos, std::sin;
        return chain(x, sin(x.value), cos(x.value));
    }
    friend Dual cos(const Dual& x) {
        using std::cos, std::sin;
        return chain(x, cos(x.value), -sin(x.value));
    }
    friend Dual tan(const Dual& x) {
        using std::tan;
        const V y = tan(x.value);
        return chain(x, y, V(1) + y * y);
    }
    friend Dual asin(const Dual& x) {
        using std::asin, std::sqrt;
        return chain(x, asin(x.value), V(1) / sqrt((V(1) - x.value) * (V(1) + x.value)));
    }
    friend Dual acos(const Dual& x) {
        using std::acos, std::sqrt;
        return chain(x, acos(x.value), V(-1) / sqrt((V(1) - x.value) * (V(1) + x.value)));
    }
    friend Dual atan(const Dual& x) {
        using std::atan;
        return chain(x, atan(x.value), V(1) / (V(1) + x.value * x.value));
    }
    friend Dual sinh(const Dual& x) {
        using std::cosh, std::sinh;
        return chain(x, sinh(x.value), cosh(x.value));
    }
    friend Dual cosh(const Dual& x) {
        using std::cosh, std::sinh;
        return chain(x, cosh(x.value), sinh(x.value));
    }
    friend Dual tanh(const Dual& x) {
        using std::tanh;
        const V y = tanh(x.value);
        return chain(x, y, (V(1) - y) * (V(1) + y));
    }
    friend Dual asinh(const Dual& x) {
        using std::asinh, std::sqrt;
        return chain(x, asinh(x.value), V(1) / sqrt(x.value * x.value + V(1)));
    }
    friend Dual acosh(const Dual& x) {
        using std::acosh, std::sqrt;
        return chain(x, acosh(x.value), V(1) / sqrt((x.value - V(1)) * (x.value + V(1))));
    }
    friend Dual atanh(const Dual& x) {
        using std::atanh;
        return chain(x, atanh(x.value), V(1) / ((V(1) - x.value) * (V(1) + x.value)));
    }
    friend Dual erf(const Dual& x) {
        using std::erf;
        return chain(x, erf(x.value), bell(x.value));
    }
    friend Dual erfc(const Dual& x) {
        using std::erfc;
        return chain(x, erfc(x.value), -bell(x.value));
    }
    friend Dual lgamma(const Dual& x) {
        using std::lgamma;
        return chain(x, lgamma(x.value), polygamma(0, x.value));
    }
    friend Dual polygamma(int n, const Dual& x) { return chain(x, polygamma(n, x.value), polygamma(n + 1, x.value)); }

    /// x^y with a fixed exponent.
    template <Arithmetic T>
    friend Dual pow(const Dual& x, T exponent) {
        using std::pow;
        const auto y = static_cast<double>(exponent);
        if (y == 0) return 1;
        return chain(x, pow(x.value, V(y)), V(y) * pow(x.value, V(y - 1)));
    }
    friend Dual pow(const Dual& x, const Dual& y) {
        using std::log, std::pow;
        const V z = pow(x.value, y.value);
        const auto zero = x.value == V(0);  // where x^y is flat in y
        return chain(x, y, z, y.value * pow(x.value, y.value - V(1)), where(zero, V(0), z * log(where(zero, V(1), x.value))));
    }
    template <Arithmetic T>
    friend Dual pow(T x, const Dual& y) {
        return pow(Dual(x), y);
    }
    friend Dual atan2(const Dual& y, const Dual& x) {
        using std::atan2;
        const V squares = x.value * x.value + y.value * y.value;
        const auto zero = squares == V(0);
        const V divisor = where(zero, V(1), squares);
        return chain(y, x, atan2(y.value, x.value), where(zero, V(0), x.value / divisor), where(zero, V(0), -y.value / divisor));
    }
    friend Dual hypot(const Dual& a, const Dual& b) {
        using std::hypot;
        const V y = hypot(a.value, b.value);
        const auto zero = y == V(0);
        const V divisor = where(zero, V(1), y);
        return chain(a, b, y, where(zero, V(0), a.value / divisor), where(zero, V(0), b.value / divisor));
    }
    friend Dual fmod(const Dual& a, const Dual& b) {
        using std::fmod, std::trunc;
        return chain(a, b, fmod(a.value, b.value), V(1), -trunc(a.value / b.value));
    }
    friend Dual max(const Dual& a, const Dual& b) {
        using std::max;
        const V share = V(0.5) + V(0.5) * signum(a.value - b.value);
        return chain(a, b, max(a.value, b.value), share, V(1) - share);
    }
    friend Dual min(const Dual& a, const Dual& b) { return -max(-a, -b); }

private:
    /// The derivative of erf.
    static V bell(const V& x) {
        using std::exp;
        return V(2 * std::numbers::inv_sqrtpi) * exp(-x * x);
    }
};

}  // namespace detail
}  // namespace xtgrad
