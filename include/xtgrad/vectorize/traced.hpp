// A number that writes down what is done to it.
#pragma once
#include <cstdint>

#include "../dtype.hpp"

namespace [[gnu::visibility("default")]] xtgrad {
namespace detail {

/// What a formula may call. The library knows which of its rules each one is.
enum class Call : std::int32_t {
    // clang-format off
    argument, constant, where_greater, where_greater_equal, where_equal, branch, result,
    add, subtract, multiply, divide, negative, abs, maximum, minimum, floor, ceil, round, trunc, fmod,
    sqrt, cbrt, pow, hypot, exp, exp2, expm1, log, log2, log10, log1p, sin, cos, tan, asin, acos, atan, atan2,
    sinh, cosh, tanh, asinh, acosh, atanh, erf, erfc, lgamma, polygamma
    // clang-format on
};

class Traced;

/// Thrown where a number itself is asked for, which a trace has not.
[[noreturn]] void refuse_trace();
/// The call, written into the trace that this thread is making.
Traced traced(Call, const Traced& a);
Traced traced(Call, const Traced& a, const Traced& b);
/// a > b ? c : d, or with >= or ==.
Traced traced(Call, const Traced& a, const Traced& b, const Traced& c, const Traced& d);
/// The outcome of the comparison on the path that is being traced; other paths take the other one.
bool traced_outcome(Call, const Traced& a, const Traced& b);

/// An entry of the trace, or a constant.
class Traced {
public:
    Traced() = default;
    template <Arithmetic N>
    Traced(N number) : constant_(static_cast<double>(number)) {}
    static Traced at(std::int32_t entry) {
        Traced t;
        t.entry_ = entry;
        return t;
    }
    std::int32_t entry() const { return entry_; }
    double constant() const { return constant_; }

    template <Arithmetic N>
    explicit operator N() const {
        if (entry_ >= 0) refuse_trace();
        return static_cast<N>(constant_);
    }

    friend Traced where(bool c, const Traced& a, const Traced& b) { return c ? a : b; }

    friend Traced operator+(const Traced& a) { return a; }
    friend Traced operator-(const Traced& a) { return traced(Call::negative, a); }
    friend Traced operator+(const Traced& a, const Traced& b) { return traced(Call::add, a, b); }
    friend Traced operator-(const Traced& a, const Traced& b) { return traced(Call::subtract, a, b); }
    friend Traced operator*(const Traced& a, const Traced& b) { return traced(Call::multiply, a, b); }
    friend Traced operator/(const Traced& a, const Traced& b) { return traced(Call::divide, a, b); }
    Traced& operator+=(const Traced& b) { return *this = *this + b; }
    Traced& operator-=(const Traced& b) { return *this = *this - b; }
    Traced& operator*=(const Traced& b) { return *this = *this * b; }
    Traced& operator/=(const Traced& b) { return *this = *this / b; }

    friend Traced abs(const Traced& x) { return traced(Call::abs, x); }
    friend Traced fabs(const Traced& x) { return traced(Call::abs, x); }
    friend Traced floor(const Traced& x) { return traced(Call::floor, x); }
    friend Traced ceil(const Traced& x) { return traced(Call::ceil, x); }
    friend Traced round(const Traced& x) { return traced(Call::round, x); }
    friend Traced trunc(const Traced& x) { return traced(Call::trunc, x); }
    friend Traced sqrt(const Traced& x) { return traced(Call::sqrt, x); }
    friend Traced cbrt(const Traced& x) { return traced(Call::cbrt, x); }
    friend Traced exp(const Traced& x) { return traced(Call::exp, x); }
    friend Traced exp2(const Traced& x) { return traced(Call::exp2, x); }
    friend Traced expm1(const Traced& x) { return traced(Call::expm1, x); }
    friend Traced log(const Traced& x) { return traced(Call::log, x); }
    friend Traced log2(const Traced& x) { return traced(Call::log2, x); }
    friend Traced log10(const Traced& x) { return traced(Call::log10, x); }
    friend Traced log1p(const Traced& x) { return traced(Call::log1p, x); }
    friend Traced sin(const Traced& x) { return traced(Call::sin, x); }
    friend Traced cos(const Traced& x) { return traced(Call::cos, x); }
    friend Traced tan(const Traced& x) { return traced(Call::tan, x); }
    friend Traced asin(const Traced& x) { return traced(Call::asin, x); }
    friend Traced acos(const Traced& x) { return traced(Call::acos, x); }
    friend Traced atan(const Traced& x) { return traced(Call::atan, x); }
    friend Traced sinh(const Traced& x) { return traced(Call::sinh, x); }
    friend Traced cosh(const Traced& x) { return traced(Call::cosh, x); }
    friend Traced tanh(const Traced& x) { return traced(Call::tanh, x); }
    friend Traced asinh(const Traced& x) { return traced(Call::asinh, x); }
    friend Traced acosh(const Traced& x) { return traced(Call::acosh, x); }
    friend Traced atanh(const Traced& x) { return traced(Call::atanh, x); }
    friend Traced erf(const Traced& x) { return traced(Call::erf, x); }
    friend Traced erfc(const Traced& x) { return traced(Call::erfc, x); }
    friend Traced lgamma(const Traced& x) { return traced(Call::lgamma, x); }
    friend Traced polygamma(int n, const Traced& x) { return traced(Call::polygamma, x, n); }
    friend Traced pow(const Traced& a, const Traced& b) { return traced(Call::pow, a, b); }
    friend Traced hypot(const Traced& a, const Traced& b) { return traced(Call::hypot, a, b); }
    friend Traced atan2(const Traced& a, const Traced& b) { return traced(Call::atan2, a, b); }
    friend Traced fmod(const Traced& a, const Traced& b) { return traced(Call::fmod, a, b); }
    friend Traced max(const Traced& a, const Traced& b) { return traced(Call::maximum, a, b); }
    friend Traced min(const Traced& a, const Traced& b) { return traced(Call::minimum, a, b); }

private:
    std::int32_t entry_ = -1;
    double constant_ = 0;
};

/// A comparison, or its opposite: a choice in `where`; as a condition two paths.
struct TracedCondition {
    Call by;
    Traced a, b;
    bool holds = true;

    explicit operator bool() const { return traced_outcome(by, a, b) == holds; }
    friend Traced where(const TracedCondition& c, const Traced& x, const Traced& y) {
        return c.holds ? traced(c.by, c.a, c.b, x, y) : traced(c.by, c.a, c.b, y, x);
    }
};
inline TracedCondition operator>(const Traced& a, const Traced& b) { return {Call::where_greater, a, b}; }
inline TracedCondition operator<(const Traced& a, const Traced& b) { return {Call::where_greater, b, a}; }
inline TracedCondition operator>=(const Traced& a, const Traced& b) { return {Call::where_greater_equal, a, b}; }
inline TracedCondition operator<=(const Traced& a, const Traced& b) { return {Call::where_greater_equal, b, a}; }
inline TracedCondition operator==(const Traced& a, const Traced& b) { return {Call::where_equal, a, b}; }
inline TracedCondition operator!=(const Traced& a, const Traced& b) { return {Call::where_equal, a, b, false}; }
inline TracedCondition isnan(const Traced& x) { return {Call::where_equal, x, x, false}; }

}  // namespace detail
}  // namespace xtgrad
