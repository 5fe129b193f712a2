// The number that rules compute with while an outer tape records: a Tensor, with the vocabulary of Lanes.
#pragma once
#include <xtgrad/ops/elementwise.hpp>

#include "../rules/rule.hpp"

namespace xtgrad {

class Recorded {
public:
    Recorded(Tensor t) : tensor_(std::move(t)) {}
    const Tensor& tensor() const { return tensor_; }

    friend Recorded operator-(const Recorded& a) { return -a.tensor_; }
    friend Recorded operator+(const Recorded& a, const Recorded& b) { return a.tensor_ + b.tensor_; }
    friend Recorded operator-(const Recorded& a, const Recorded& b) { return a.tensor_ - b.tensor_; }
    friend Recorded operator*(const Recorded& a, const Recorded& b) { return a.tensor_ * b.tensor_; }
    friend Recorded operator/(const Recorded& a, const Recorded& b) { return a.tensor_ / b.tensor_; }
    friend Recorded operator+(const Recorded& a, double c) { return a.tensor_ + c; }
    friend Recorded operator+(double c, const Recorded& a) { return c + a.tensor_; }
    friend Recorded operator-(const Recorded& a, double c) { return a.tensor_ - c; }
    friend Recorded operator-(double c, const Recorded& a) { return c - a.tensor_; }
    friend Recorded operator*(const Recorded& a, double c) { return a.tensor_ * c; }
    friend Recorded operator*(double c, const Recorded& a) { return c * a.tensor_; }
    friend Recorded operator/(const Recorded& a, double c) { return a.tensor_ / c; }
    friend Recorded operator/(double c, const Recorded& a) { return c / a.tensor_; }

    /// A comparison; all it is good for is `where`. It remembers a tensor whose dtype literals take.
    struct Comparison {
        Tensor mask, like;

        Tensor operand(double literal) const { return detail::number_like("where", like, literal); }
        const Tensor& operand(const Recorded& x) const { return x.tensor_; }
    };
    friend Comparison operator>(const Recorded& a, const Recorded& b) { return {a.tensor_ > b.tensor_, a.tensor_}; }
    friend Comparison operator>=(const Recorded& a, const Recorded& b) { return {a.tensor_ >= b.tensor_, a.tensor_}; }
    friend Comparison operator<(const Recorded& a, const Recorded& b) { return {a.tensor_ < b.tensor_, a.tensor_}; }
    friend Comparison operator>(const Recorded& a, double c) { return {a.tensor_ > c, a.tensor_}; }
    friend Comparison operator>=(const Recorded& a, double c) { return {a.tensor_ >= c, a.tensor_}; }
    friend Comparison operator>=(double c, const Recorded& a) { return {a.tensor_ <= c, a.tensor_}; }
    friend Comparison operator<(const Recorded& a, double c) { return {a.tensor_ < c, a.tensor_}; }

    template <class A, class B>
    friend Recorded where(const Comparison& c, const A& a, const B& b) {
        return detail::select(c.mask, c.operand(a), c.operand(b));
    }

    friend Recorded abs(const Recorded& x) { return abs(x.tensor_); }
    friend Recorded sqrt(const Recorded& x) { return sqrt(x.tensor_); }
    friend Recorded cbrt(const Recorded& x) { return cbrt(x.tensor_); }
    friend Recorded floor(const Recorded& x) { return floor(x.tensor_); }
    friend Recorded ceil(const Recorded& x) { return ceil(x.tensor_); }
    friend Recorded round(const Recorded& x) { return round(x.tensor_); }
    friend Recorded trunc(const Recorded& x) { return trunc(x.tensor_); }
    friend Recorded exp(const Recorded& x) { return exp(x.tensor_); }
    friend Recorded exp2(const Recorded& x) { return exp2(x.tensor_); }
    friend Recorded expm1(const Recorded& x) { return expm1(x.tensor_); }
    friend Recorded log(const Recorded& x) { return log(x.tensor_); }
    friend Recorded log2(const Recorded& x) { return log2(x.tensor_); }
    friend Recorded log10(const Recorded& x) { return log10(x.tensor_); }
    friend Recorded log1p(const Recorded& x) { return log1p(x.tensor_); }
    friend Recorded sin(const Recorded& x) { return sin(x.tensor_); }
    friend Recorded cos(const Recorded& x) { return cos(x.tensor_); }
    friend Recorded tan(const Recorded& x) { return tan(x.tensor_); }
    friend Recorded asin(const Recorded& x) { return asin(x.tensor_); }
    friend Recorded acos(const Recorded& x) { return acos(x.tensor_); }
    friend Recorded atan(const Recorded& x) { return atan(x.tensor_); }
    friend Recorded sinh(const Recorded& x) { return sinh(x.tensor_); }
    friend Recorded cosh(const Recorded& x) { return cosh(x.tensor_); }
    friend Recorded tanh(const Recorded& x) { return tanh(x.tensor_); }
    friend Recorded asinh(const Recorded& x) { return asinh(x.tensor_); }
    friend Recorded acosh(const Recorded& x) { return acosh(x.tensor_); }
    friend Recorded atanh(const Recorded& x) { return atanh(x.tensor_); }
    friend Recorded erf(const Recorded& x) { return erf(x.tensor_); }
    friend Recorded erfc(const Recorded& x) { return erfc(x.tensor_); }
    friend Recorded lgamma(const Recorded& x) { return lgamma(x.tensor_); }
    friend Recorded sigmoid(const Recorded& x) { return sigmoid(x.tensor_); }
    friend Recorded gaussian(const Recorded& x) { return exp(square(x.tensor_) * -0.5); }
    friend Recorded normal_cdf(const Recorded& x) { return erfc(x.tensor_ * -0.70710678118654752) * 0.5; }
    friend Recorded gelu_slope(const Recorded& x) {
        return normal_cdf(x) + where(abs(x) < 1000, x, 0) * (0.39894228040143268 * gaussian(x));
    }
    friend Recorded polygamma(double n, const Recorded& x) { return detail::polygamma(n, x.tensor_); }
    friend Recorded pow(const Recorded& a, const Recorded& b) { return pow(a.tensor_, b.tensor_); }
    friend Recorded pow(const Recorded& a, double b) { return pow(a.tensor_, b); }
    friend Recorded fmod(const Recorded& a, const Recorded& b) { return fmod(a.tensor_, b.tensor_); }
    friend Recorded atan2(const Recorded& a, const Recorded& b) { return atan2(a.tensor_, b.tensor_); }
    friend Recorded hypot(const Recorded& a, const Recorded& b) { return hypot(a.tensor_, b.tensor_); }
    friend Recorded hypot(const Recorded& a, double b) { return hypot(a.tensor_, b); }

private:
    Tensor tensor_;
};

template <>
inline constexpr bool is_number<Recorded> = true;

}  // namespace xtgrad
