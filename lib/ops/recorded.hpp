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
    friend Recorded exp(const Recorded& x) { return exp(x.tensor_); }
    friend Recorded log(const Recorded& x) { return log(x.tensor_); }
    friend Recorded sin(const Recorded& x) { return sin(x.tensor_); }
    friend Recorded cos(const Recorded& x) { return cos(x.tensor_); }
    friend Recorded tanh(const Recorded& x) { return tanh(x.tensor_); }
    friend Recorded erf(const Recorded& x) { return erf(x.tensor_); }
    friend Recorded pow(const Recorded& a, const Recorded& b) { return pow(a.tensor_, b.tensor_); }
    friend Recorded pow(const Recorded& a, double b) { return pow(a.tensor_, b); }

private:
    Tensor tensor_;
};

template <>
inline constexpr bool is_number<Recorded> = true;

}  // namespace xtgrad
