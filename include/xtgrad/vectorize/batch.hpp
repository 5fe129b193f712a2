// Some thousand lanes of a tensor that stay in the cache while a formula computes with them, as one number.
#pragma once
#include "../tensor.hpp"

namespace [[gnu::visibility("default")]] xtgrad {
namespace detail {

/// Thrown where lanes part; the driver then computes each by itself.
struct Divergent {};

/// A truth value for each lane. As a condition it must be the same for all.
class Mask {
public:
    Mask(bool all) : all_(all) {}
    Mask(Tensor lanes, Dtype compared) : lanes_(std::move(lanes)), compared_(compared) {}
    explicit operator bool() const;
    const Tensor& lanes() const { return lanes_; }
    /// The dtype of what was compared, which numbers take.
    Dtype compared() const { return compared_; }

private:
    Tensor lanes_;  // or none: `all_` for all
    bool all_ = false;
    Dtype compared_ = Dtype::f64;
};

/// A number for each lane, or one for all.
class Batch {
public:
    Batch() = default;
    template <Arithmetic N>
    Batch(N number) : number_(static_cast<double>(number)) {}
    explicit Batch(Tensor lanes) : lanes_(std::move(lanes)) {}

    bool is_number(double n) const { return !lanes_.defined() && number_ == n; }
    bool is_number() const { return !lanes_.defined(); }
    double number() const { return number_; }
    const Tensor& lanes() const { return lanes_; }

    /// The value that all lanes have.
    template <Arithmetic N>
    explicit operator N() const {
        return static_cast<N>(uniform());
    }

    Batch& operator+=(const Batch& b) { return *this = *this + b; }
    Batch& operator-=(const Batch& b) { return *this = *this - b; }
    Batch& operator*=(const Batch& b) { return *this = *this * b; }
    Batch& operator/=(const Batch& b) { return *this = *this / b; }
    friend Batch operator+(const Batch& a) { return a; }
    friend Batch operator-(const Batch&);
    friend Batch operator+(const Batch&, const Batch&);
    friend Batch operator-(const Batch&, const Batch&);
    friend Batch operator*(const Batch&, const Batch&);
    friend Batch operator/(const Batch&, const Batch&);
    friend Mask operator<(const Batch&, const Batch&);
    friend Mask operator<=(const Batch&, const Batch&);
    friend Mask operator==(const Batch&, const Batch&);
    friend Mask operator!=(const Batch&, const Batch&);
    friend Mask operator>(const Batch& a, const Batch& b) { return b < a; }
    friend Mask operator>=(const Batch& a, const Batch& b) { return b <= a; }
    friend Mask isnan(const Batch&);

    friend Batch abs(const Batch&);
    friend Batch fabs(const Batch& x) { return abs(x); }
    friend Batch sqrt(const Batch&);
    friend Batch cbrt(const Batch&);
    friend Batch exp(const Batch&);
    friend Batch exp2(const Batch&);
    friend Batch expm1(const Batch&);
    friend Batch log(const Batch&);
    friend Batch log2(const Batch&);
    friend Batch log10(const Batch&);
    friend Batch log1p(const Batch&);
    friend Batch sin(const Batch&);
    friend Batch cos(const Batch&);
    friend Batch tan(const Batch&);
    friend Batch asin(const Batch&);
    friend Batch acos(const Batch&);
    friend Batch atan(const Batch&);
    friend Batch sinh(const Batch&);
    friend Batch cosh(const Batch&);
    friend Batch tanh(const Batch&);
    friend Batch asinh(const Batch&);
    friend Batch acosh(const Batch&);
    friend Batch atanh(const Batch&);
    friend Batch erf(const Batch&);
    friend Batch erfc(const Batch&);
    friend Batch lgamma(const Batch&);
    friend Batch floor(const Batch&);
    friend Batch ceil(const Batch&);
    friend Batch round(const Batch&);
    friend Batch trunc(const Batch&);
    friend Batch pow(const Batch&, const Batch&);
    friend Batch atan2(const Batch&, const Batch&);
    friend Batch hypot(const Batch&, const Batch&);
    friend Batch fmod(const Batch&, const Batch&);
    friend Batch max(const Batch&, const Batch&);
    friend Batch min(const Batch&, const Batch&);
    /// 1, 0 or -1.
    friend Batch signum(const Batch&);
    /// The n-th derivative of digamma.
    friend Batch polygamma(int n, const Batch&);

private:
    double uniform() const;

    Tensor lanes_;  // or none: `number_` in all
    double number_ = 0;
};

Batch where(const Mask&, const Batch&, const Batch&);

/// a * b where one is a derivative: nothing, when either is the number zero.
inline Batch times(const Batch& a, const Batch& b) { return a.is_number(0) || b.is_number(0) ? Batch() : a * b; }

}  // namespace detail
}  // namespace xtgrad
