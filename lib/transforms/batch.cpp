#include <xtgrad/vectorize/batch.hpp>

#include <cmath>

#include <xtgrad/ops.hpp>
#include <xtgrad/vectorize/dual.hpp>

#include "../kernels/polygamma.hpp"

namespace xtgrad::detail {

double polygamma(int n, double x) noexcept { return kernels::polygamma(n, x); }

namespace {

/// f of the lanes or of the number.
Batch map(const Batch& x, auto f) { return x.is_number() ? Batch(f(x.number())) : Batch(f(x.lanes())); }
Batch map(const Batch& a, const Batch& b, auto f) {
    if (a.is_number()) return b.is_number() ? Batch(f(a.number(), b.number())) : Batch(f(a.number(), b.lanes()));
    return b.is_number() ? Batch(f(a.lanes(), b.number())) : Batch(f(a.lanes(), b.lanes()));
}

}  // namespace

Mask::operator bool() const {
    if (!lanes_.defined()) return all_;
    const bool first = all(lanes_).item<bool>();
    if (!first && any(lanes_).item<bool>()) throw Divergent();
    return first;
}

double Batch::uniform() const {
    if (!lanes_.defined()) return number_;
    const double low = amin(lanes_).item<double>();
    if (low != amax(lanes_).item<double>()) throw Divergent();
    return low;
}

Batch operator-(const Batch& x) {
    return map(x, [](const auto& t) { return -t; });
}
Batch operator+(const Batch& a, const Batch& b) {
    if (a.is_number(0)) return b;
    if (b.is_number(0)) return a;
    return map(a, b, [](const auto& p, const auto& q) { return p + q; });
}
Batch operator-(const Batch& a, const Batch& b) {
    if (b.is_number(0)) return a;
    return map(a, b, [](const auto& p, const auto& q) { return p - q; });
}
Batch operator*(const Batch& a, const Batch& b) {
    if (a.is_number(1)) return b;
    if (b.is_number(1)) return a;
    return map(a, b, [](const auto& p, const auto& q) { return p * q; });
}
Batch operator/(const Batch& a, const Batch& b) {
    if (b.is_number(1)) return a;
    return map(a, b, [](const auto& p, const auto& q) { return p / q; });
}

namespace {

/// A comparison of lanes with lanes or a number.
Mask compare(const Batch& a, const Batch& b, auto f) {
    if (a.is_number() && b.is_number()) return Mask(bool(f(a.number(), b.number())));
    if (a.is_number()) return Mask(f(a.number(), b.lanes()), b.lanes().dtype());
    if (b.is_number()) return Mask(f(a.lanes(), b.number()), a.lanes().dtype());
    return Mask(f(a.lanes(), b.lanes()), a.lanes().dtype());
}

}  // namespace

Mask operator<(const Batch& a, const Batch& b) {
    return compare(a, b, [](const auto& p, const auto& q) { return p < q; });
}
Mask operator<=(const Batch& a, const Batch& b) {
    return compare(a, b, [](const auto& p, const auto& q) { return p <= q; });
}
Mask operator==(const Batch& a, const Batch& b) {
    return compare(a, b, [](const auto& p, const auto& q) {
        if constexpr (AnyTensor<decltype(p)> || AnyTensor<decltype(q)>)
            return equal(p, q);
        else
            return p == q;
    });
}
Mask operator!=(const Batch& a, const Batch& b) {
    return compare(a, b, [](const auto& p, const auto& q) {
        if constexpr (AnyTensor<decltype(p)> || AnyTensor<decltype(q)>)
            return not_equal(p, q);
        else
            return p != q;
    });
}
Mask isnan(const Batch& x) {
    return x.is_number() ? Mask(std::isnan(x.number())) : Mask(xtgrad::isnan(x.lanes()), x.lanes().dtype());
}

Batch where(const Mask& c, const Batch& a, const Batch& b) {
    if (!c.lanes().defined()) return bool(c) ? a : b;
    const auto lanes = [&](const Batch& x) { return x.is_number() ? full(Shape(), x.number(), c.compared()) : x.lanes(); };
    return Batch(xtgrad::where(c.lanes(), lanes(a), lanes(b)));
}

Batch abs(const Batch& x) {
    using std::abs;
    return map(x, [](const auto& t) { return abs(t); });
}
Batch sqrt(const Batch& x) {
    using std::sqrt;
    return map(x, [](const auto& t) { return sqrt(t); });
}
Batch cbrt(const Batch& x) {
    using std::cbrt;
    return map(x, [](const auto& t) { return cbrt(t); });
}
Batch exp(const Batch& x) {
    using std::exp;
    return map(x, [](const auto& t) { return exp(t); });
}
Batch exp2(const Batch& x) {
    using std::exp2;
    return map(x, [](const auto& t) { return exp2(t); });
}
Batch expm1(const Batch& x) {
    using std::expm1;
    return map(x, [](const auto& t) { return expm1(t); });
}
Batch log(const Batch& x) {
    using std::log;
    return map(x, [](const auto& t) { return log(t); });
}
Batch log2(const Batch& x) {
    using std::log2;
    return map(x, [](const auto& t) { return log2(t); });
}
Batch log10(const Batch& x) {
    using std::log10;
    return map(x, [](const auto& t) { return log10(t); });
}
Batch log1p(const Batch& x) {
    using std::log1p;
    return map(x, [](const auto& t) { return log1p(t); });
}
Batch sin(const Batch& x) {
    using std::sin;
    return map(x, [](const auto& t) { return sin(t); });
}
Batch cos(const Batch& x) {
    using std::cos;
    return map(x, [](const auto& t) { return cos(t); });
}
Batch tan(const Batch& x) {
    using std::tan;
    return map(x, [](const auto& t) { return tan(t); });
}
Batch asin(const Batch& x) {
    using std::asin;
    return map(x, [](const auto& t) { return asin(t); });
}
Batch acos(const Batch& x) {
    using std::acos;
    return map(x, [](const auto& t) { return acos(t); });
}
Batch atan(const Batch& x) {
    using std::atan;
    return map(x, [](const auto& t) { return atan(t); });
}
Batch sinh(const Batch& x) {
    using std::sinh;
    return map(x, [](const auto& t) { return sinh(t); });
}
Batch cosh(const Batch& x) {
    using std::cosh;
    return map(x, [](const auto& t) { return cosh(t); });
}
Batch tanh(const Batch& x) {
    using std::tanh;
    return map(x, [](const auto& t) { return tanh(t); });
}
Batch asinh(const Batch& x) {
    using std::asinh;
    return map(x, [](const auto& t) { return asinh(t); });
}
Batch acosh(const Batch& x) {
    using std::acosh;
    return map(x, [](const auto& t) { return acosh(t); });
}
Batch atanh(const Batch& x) {
    using std::atanh;
    return map(x, [](const auto& t) { return atanh(t); });
}
Batch erf(const Batch& x) {
    using std::erf;
    return map(x, [](const auto& t) { return erf(t); });
}
Batch erfc(const Batch& x) {
    using std::erfc;
    return map(x, [](const auto& t) { return erfc(t); });
}
Batch lgamma(const Batch& x) {
    using std::lgamma;
    return map(x, [](const auto& t) { return lgamma(t); });
}
Batch floor(const Batch& x) {
    using std::floor;
    return map(x, [](const auto& t) { return floor(t); });
}
Batch ceil(const Batch& x) {
    using std::ceil;
    return map(x, [](const auto& t) { return ceil(t); });
}
Batch round(const Batch& x) {
    using std::round;
    return map(x, [](const auto& t) { return round(t); });
}
Batch trunc(const Batch& x) {
    using std::trunc;
    return map(x, [](const auto& t) { return trunc(t); });
}
Batch pow(const Batch& a, const Batch& b) {
    using std::pow;
    return map(a, b, [](const auto& p, const auto& q) { return pow(p, q); });
}
Batch atan2(const Batch& a, const Batch& b) {
    using std::atan2;
    return map(a, b, [](const auto& p, const auto& q) { return atan2(p, q); });
}
Batch hypot(const Batch& a, const Batch& b) {
    using std::hypot;
    return map(a, b, [](const auto& p, const auto& q) { return hypot(p, q); });
}
Batch fmod(const Batch& a, const Batch& b) {
    using std::fmod;
    return map(a, b, [](const auto& p, const auto& q) { return fmod(p, q); });
}
Batch max(const Batch& a, const Batch& b) {
    if (a.is_number() && b.is_number()) return std::max(a.number(), b.number());
    return map(a, b, [](const auto& p, const auto& q) {
        if constexpr (AnyTensor<decltype(p)> || AnyTensor<decltype(q)>)
            return maximum(p, q);
        else
            return std::max(p, q);
    });
}
Batch min(const Batch& a, const Batch& b) { return -max(-a, -b); }
Batch signum(const Batch& x) { return x.is_number() ? Batch(signum(x.number())) : Batch(sign(x.lanes())); }
Batch polygamma(int n, const Batch& x) {
    return x.is_number() ? Batch(polygamma(n, x.number())) : Batch(polygamma(double(n), x.lanes()));
}

}  // namespace xtgrad::detail
