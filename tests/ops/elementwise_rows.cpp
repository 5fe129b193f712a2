#include <complex>

#include "table.hpp"

namespace table {
namespace {

Shape broadcast(const Shape& a, const Shape& b) {
    Shape s = a.size() >= b.size() ? a : b;
    const Shape& other = a.size() >= b.size() ? b : a;
    for (std::size_t i = 0; i < other.size(); ++i)
        if (auto& d = s[i + s.size() - other.size()]; d == 1) d = other[i];
    return s;
}

/// f at every position of the broadcast operands.
template <class F>
auto pointwise(F f) {
    return [f](const Inputs& x) {
        std::vector<Array> in;
        Shape shape;
        for (const Tensor& t : x) {
            in.emplace_back(t);
            shape = broadcast(shape, t.shape());
        }
        Array out(shape);
        for (Index i = 0; i < out.size(); ++i) {
            const Shape p = out.position(i);
            if constexpr (std::is_invocable_v<F, double>)
                out[i] = f(in[0].at(p));
            else if constexpr (std::is_invocable_v<F, double, double>)
                out[i] = f(in[0].at(p), in[1].at(p));
            else
                out[i] = f(in[0].at(p), in[1].at(p), in[2].at(p));
        }
        return out.tensor();
    };
}

std::vector<Sample> unary_samples(double low, double high) {
    return {{"dense", {random({5, 7}, low, high)}},
            {"long", {random({1043}, low, high)}},
            {"scalar", {random({}, low, high)}},
            {"one", {random({1, 1}, low, high)}},
            {"empty", {random({0, 3}, low, high)}}};
}

struct Interval {
    double low = -2, high = 2;
};

std::vector<Sample> binary_samples(Interval a, Interval b) {
    const auto pair = [&](const Shape& s, const Shape& t) { return Inputs{random(s, a.low, a.high), random(t, b.low, b.high)}; };
    return {{"dense", pair({5, 7}, {5, 7})},    {"long", pair({1043}, {1043})},  {"row", pair({5, 7}, {7})},
            {"column", pair({9, 1}, {9, 70})},  {"outer", pair({6, 1}, {1, 9})}, {"scalar", pair({}, {3, 4})},
            {"middle", pair({2, 1, 3}, {4, 1})}, {"one", pair({}, {1, 1})},       {"empty", pair({0, 3}, {1, 3})}};
}

template <class Op, class F>
Row unary(std::string name, Op op, F f, Interval in = {}) {
    return {.name = std::move(name), .op = [op](const Inputs& x) { return op(x[0]); }, .reference = pointwise(f), .samples = unary_samples(in.low, in.high)};
}
template <class Op, class F>
Row binary(std::string name, Op op, F f, Interval a = {}, Interval b = {}) {
    return {.name = std::move(name), .op = [op](const Inputs& x) { return op(x[0], x[1]); }, .reference = pointwise(f), .samples = binary_samples(a, b)};
}
Row unrecorded(Row row) {
    row.differentiable = false;
    return row;
}

/// Each operand has an influence somewhere only when there are several elements.
Row selecting(Row row) {
    std::erase_if(row.samples, [](const Sample& s) { return s.what == "one" || s.what == "scalar"; });
    return row;
}
/// Compares its operands first, so that their dtypes need not be one.
Row of_masks(Row row) {
    row.differentiable = false;
    row.mixes_dtypes = true;
    return row;
}

Tensor positive(const Tensor& x) { return x > 0; }

/// The derivative of log |Gamma| by differences of the fifth order, far above its poles, and the recurrence down from there.
double digamma(double x) {
    if (x < 30) return digamma(x + 1) - 1 / x;
    const auto f = [](long double t) { return std::lgamma(t); };
    const long double h = 0.05L;
    const auto d = [&](int k) { return (f(x + k * h) - f(x - k * h)) / (2 * k * h); };
    return double((15 * d(1) - 6 * d(2) + d(3)) / 10);
}

}  // namespace

std::vector<Row> elementwise_rows() {
    std::vector<Row> rows{
        binary("operator+", [](auto& a, auto& b) { return a + b; }, [](double a, double b) { return a + b; }),
        binary("operator-", [](auto& a, auto& b) { return a - b; }, [](double a, double b) { return a - b; }),
        binary("operator*", [](auto& a, auto& b) { return a * b; }, [](double a, double b) { return a * b; }),
        binary("operator/", [](auto& a, auto& b) { return a / b; }, [](double a, double b) { return a / b; }, {}, {0.5, 3}),
        unary("operator+", [](auto& x) { return 3 + (x + 2.5); }, [](double x) { return x + 5.5; }),
        unary("operator-", [](auto& x) { return 3 - (x - 2.5); }, [](double x) { return 5.5 - x; }),
        unary("operator*", [](auto& x) { return 3 * (x * 2.5); }, [](double x) { return 7.5 * x; }),
        unary("operator/", [](auto& x) { return 3 / (x / 2.5); }, [](double x) { return 7.5 / x; }, {0.5, 3}),
        unary("operator/", [](auto& x) { return x / 4 + x / 3; }, [](double x) { return x / 4 + x / 3; }),
        unary("operator-", [](auto& x) { return -x; }, [](double x) { return -x; }),
        unary("abs", [](auto& x) { return xg::abs(x); }, [](double x) { return std::fabs(x); }, {0.1, 2}),
        unary("abs", [](auto& x) { return xg::abs(x); }, [](double x) { return std::fabs(x); }, {-2, -0.1}),
        unary("square", [](auto& x) { return xg::square(x); }, [](double x) { return x * x; }),
        unary("cube", [](auto& x) { return xg::cube(x); }, [](double x) { return x * x * x; }),
        unary("reciprocal", [](auto& x) { return xg::reciprocal(x); }, [](double x) { return 1 / x; }, {0.5, 3}),
        unary("fabs", [](auto& x) { return xg::fabs(x); }, [](double x) { return std::fabs(x); }, {-2, -0.1}),
        binary("fma", [](auto& a, auto& b) { return xg::fma(a, b, a) + xg::fma(b, a, 2.5) + xg::fma(a, 2, b); }, [](double a, double b) { return 2 * a * b + 3 * a + 2.5 + b; }),
        unary("sign", [](auto& x) { return xg::sign(x) * x; }, [](double x) { return std::fabs(x); }, {-2, -0.1}),
        unary("sign", [](auto& x) { return x * xg::sign(x); }, [](double x) { return std::fabs(x); }, {0.1, 2}),
        unary("floor", [](auto& x) { return xg::floor(x) * x; }, [](double x) { return -3 * x; }, {-2.9, -2.1}),
        unary("floor", [](auto& x) { return xg::floor(x) * x; }, [](double x) { return x; }, {1.1, 1.9}),
        unary("ceil", [](auto& x) { return xg::ceil(x) * x; }, [](double x) { return -2 * x; }, {-2.9, -2.1}),
        unary("ceil", [](auto& x) { return xg::ceil(x) * x; }, [](double x) { return 2 * x; }, {1.1, 1.9}),
        unary("round", [](auto& x) { return xg::round(x) * x; }, [](double x) { return -3 * x; }, {-3.4, -2.6}),
        unary("round", [](auto& x) { return xg::round(x) * x; }, [](double x) { return x; }, {0.6, 1.4}),
        unary("trunc", [](auto& x) { return xg::trunc(x) * x; }, [](double x) { return -2 * x; }, {-2.9, -2.1}),
        unary("trunc", [](auto& x) { return xg::trunc(x) * x; }, [](double x) { return x; }, {1.1, 1.9}),
        binary("fmod", [](auto& a, auto& b) { return xg::fmod(a, b); }, [](double a, double b) { return a - 2 * b; }, {2.1, 2.9}, {0.98, 1.02}),
        binary("fmod", [](auto& a, auto& b) { return xg::fmod(a, b); }, [](double a, double b) { return a + 2 * b; }, {-2.9, -2.1}, {0.98, 1.02}),
        unary("exp", [](auto& x) { return xg::exp(x); }, [](double x) { return std::exp(x); }),
        unary("exp2", [](auto& x) { return xg::exp2(x); }, [](double x) { return std::pow(2., x); }),
        unary("expm1", [](auto& x) { return xg::expm1(x); }, [](double x) { return std::exp(x) - 1; }),
        unary("log", [](auto& x) { return xg::log(x); }, [](double x) { return std::log(x); }, {0.2, 4}),
        unary("log2", [](auto& x) { return xg::log2(x); }, [](double x) { return std::log(x) / std::log(2.); }, {0.2, 4}),
        unary("log10", [](auto& x) { return xg::log10(x); }, [](double x) { return std::log(x) / std::log(10.); }, {0.2, 4}),
        unary("log1p", [](auto& x) { return xg::log1p(x); }, [](double x) { return std::log(1 + x); }, {-0.8, 3}),
        unary("sqrt", [](auto& x) { return xg::sqrt(x); }, [](double x) { return std::sqrt(x); }, {0.2, 4}),
        unary("rsqrt", [](auto& x) { return xg::rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); }, {0.2, 4}),
        unary("cbrt", [](auto& x) { return xg::cbrt(x); }, [](double x) { return std::pow(x, 1 / 3.); }, {0.2, 4}),
        unary("cbrt", [](auto& x) { return xg::cbrt(x); }, [](double x) { return -std::pow(-x, 1 / 3.); }, {-4, -0.2}),
        binary("hypot", [](auto& a, auto& b) { return xg::hypot(a, b); }, [](double a, double b) { return std::sqrt(a * a + b * b); }, {0.2, 3}, {-2, -0.2}),
        unary("erf", [](auto& x) { return xg::erf(x); }, [](double x) { return std::erf(x); }),
        unary("erfc", [](auto& x) { return xg::erfc(x); }, [](double x) { return 1 - std::erf(x); }),
        unary("lgamma", [](auto& x) { return xg::lgamma(x); }, [](double x) { return std::log(std::tgamma(x)); }, {0.3, 6}),
        unary("lgamma", [](auto& x) { return xg::lgamma(x); }, [](double x) { return std::log(-std::tgamma(x)); }, {-2.8, -2.2}),
        unary("digamma", [](auto& x) { return xg::digamma(x); }, digamma, {0.3, 6}),
        unary("digamma", [](auto& x) { return xg::digamma(x); }, digamma, {-2.8, -2.2}),
        unary("sin", [](auto& x) { return xg::sin(x); }, [](double x) { return std::sin(x); }),
        unary("cos", [](auto& x) { return xg::cos(x); }, [](double x) { return std::cos(x); }),
        unary("tan", [](auto& x) { return xg::tan(x); }, [](double x) { return std::sin(x) / std::cos(x); }, {-1.2, 1.2}),
        unary("asin", [](auto& x) { return xg::asin(x); }, [](double x) { return std::atan2(x, std::sqrt(1 - x * x)); }, {-0.9, 0.9}),
        unary("acos", [](auto& x) { return xg::acos(x); }, [](double x) { return std::atan2(std::sqrt(1 - x * x), x); }, {-0.9, 0.9}),
        unary("atan", [](auto& x) { return xg::atan(x); }, [](double x) { return std::asin(x / std::sqrt(1 + x * x)); }),
        binary("atan2", [](auto& a, auto& b) { return xg::atan2(a, b); }, [](double a, double b) { return std::arg(std::complex<double>(b, a)); }, {-2, -0.2}, {-2, 2}),
        unary("sinh", [](auto& x) { return xg::sinh(x); }, [](double x) { return (std::exp(x) - std::exp(-x)) / 2; }),
        unary("cosh", [](auto& x) { return xg::cosh(x); }, [](double x) { return (std::exp(x) + std::exp(-x)) / 2; }),
        unary("asinh", [](auto& x) { return xg::asinh(x); }, [](double x) { return std::log(x + std::sqrt(x * x + 1)); }),
        unary("acosh", [](auto& x) { return xg::acosh(x); }, [](double x) { return std::log(x + std::sqrt(x * x - 1)); }, {1.2, 4}),
        unary("atanh", [](auto& x) { return xg::atanh(x); }, [](double x) { return std::log((1 + x) / (1 - x)) / 2; }, {-0.9, 0.9}),
        unary("tanh", [](auto& x) { return xg::tanh(x); }, [](double x) { return std::tanh(x); }),
        unary("sigmoid", [](auto& x) { return xg::sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }),
        unary("relu", [](auto& x) { return xg::relu(x); }, [](double x) { return x > 0 ? x : 0; }, {0.1, 2}),
        unary("log_sigmoid", [](auto& x) { return xg::log_sigmoid(x); }, [](double x) { return -std::log(1 + std::exp(-x)); }),
        unary("softplus", [](auto& x) { return xg::softplus(x); }, [](double x) { return std::log(1 + std::exp(x)); }),
        unary("leaky_relu", [](auto& x) { return xg::leaky_relu(x); }, [](double x) { return 0.01 * x; }, {-2, -0.1}),
        unary("leaky_relu", [](auto& x) { return xg::leaky_relu(x, 0.3); }, [](double x) { return x; }, {0.1, 2}),
        unary("elu", [](auto& x) { return xg::elu(x); }, [](double x) { return x > 0 ? x : std::exp(x) - 1; }, {0.1, 2}),
        unary("elu", [](auto& x) { return xg::elu(x, 1.5); }, [](double x) { return 1.5 * (std::exp(x) - 1); }, {-2, -0.1}),
        unary("silu", [](auto& x) { return xg::silu(x); }, [](double x) { return x / (1 + std::exp(-x)); }),
        unary("gelu", [](auto& x) { return xg::gelu(x); }, [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.)); }),
        unary("gelu_tanh", [](auto& x) { return xg::gelu_tanh(x); },
              [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }),
        unary("clip", [](auto& x) { return xg::clip(x, 0.5, 5.); }, [](double x) { return x < 0.5 ? 0.5 : x; }, {0.6, 2}),
        binary("pow", [](auto& a, auto& b) { return xg::pow(a, b); }, [](double a, double b) { return std::pow(a, b); }, {0.2, 3}),
        unary("pow", [](auto& x) { return xg::pow(x, 2.5); }, [](double x) { return std::pow(x, 2.5); }, {0.2, 3}),
        unary("pow", [](auto& x) { return xg::pow(x, 3); }, [](double x) { return x * x * x; }),
        unary("pow", [](auto& x) { return xg::pow(2., x); }, [](double x) { return std::pow(2., x); }),
        selecting(binary("maximum", [](auto& a, auto& b) { return xg::maximum(a, b); }, [](double a, double b) { return a > b ? a : b; }, {}, {-2, 2})),
        selecting(binary("minimum", [](auto& a, auto& b) { return xg::minimum(a, b); }, [](double a, double b) { return a < b ? a : b; }, {}, {-2, 2})),
        selecting(binary("where", [](auto& a, auto& b) { return xg::where(xg::stop_gradient(a) > xg::stop_gradient(b), xg::sin(a), xg::cos(b)); },
               [](double a, double b) { return a > b ? std::sin(a) : std::cos(b); })),
        unary("where", [](auto& x) { return xg::where(xg::Tensor(true), x, 3.) * 2; }, [](double x) { return 2 * x; }),
        unary("astype", [](auto& x) { return xg::astype(xg::astype(x, xg::f32), xg::f64); }, [](double x) { return double(float(x)); }),
        unrecorded(binary("less", [](auto& a, auto& b) { return xg::less(a, b); }, [](double a, double b) { return a < b; })),
        unrecorded(binary("less_equal", [](auto& a, auto& b) { return xg::less_equal(a, b); }, [](double a, double b) { return a <= b; })),
        unrecorded(binary("greater", [](auto& a, auto& b) { return xg::greater(a, b); }, [](double a, double b) { return a > b; })),
        unrecorded(binary("greater_equal", [](auto& a, auto& b) { return xg::greater_equal(a, b); }, [](double a, double b) { return a >= b; })),
        unrecorded(binary("equal", [](auto& a, auto& b) { return xg::equal(a, b * 0 + a); }, [](double, double) { return true; })),
        unrecorded(binary("not_equal", [](auto& a, auto& b) { return xg::not_equal(a, b); }, [](double a, double b) { return a != b; })),
        unrecorded(binary("operator<", [](auto& a, auto& b) { return a < b; }, [](double a, double b) { return a < b; })),
        unrecorded(binary("operator<=", [](auto& a, auto& b) { return a <= b; }, [](double a, double b) { return a <= b; })),
        unrecorded(binary("operator>", [](auto& a, auto& b) { return a > b; }, [](double a, double b) { return a > b; })),
        unrecorded(binary("operator>=", [](auto& a, auto& b) { return a >= b; }, [](double a, double b) { return a >= b; })),
        of_masks(binary("operator&&", [](auto& a, auto& b) { return positive(a) && positive(b); }, [](double a, double b) { return a > 0 && b > 0; })),
        of_masks(binary("operator||", [](auto& a, auto& b) { return positive(a) || positive(b); }, [](double a, double b) { return a > 0 || b > 0; })),
        of_masks(unary("operator!", [](auto& x) { return !positive(x); }, [](double x) { return !(x > 0); })),
        of_masks(binary("logical_and", [](auto& a, auto& b) { return xg::logical_and(positive(a), positive(b)); }, [](double a, double b) { return a > 0 && b > 0; })),
        of_masks(binary("logical_or", [](auto& a, auto& b) { return xg::logical_or(positive(a), positive(b)); }, [](double a, double b) { return a > 0 || b > 0; })),
        of_masks(binary("logical_xor", [](auto& a, auto& b) { return xg::logical_xor(positive(a), positive(b)); }, [](double a, double b) { return (a > 0) != (b > 0); })),
        of_masks(unary("logical_not", [](auto& x) { return xg::logical_not(positive(x)); }, [](double x) { return !(x > 0); })),
        of_masks(unary("isfinite", [](auto& x) { return xg::isfinite(1 / xg::relu(x)); }, [](double x) { return x > 0; })),
        of_masks(unary("isinf", [](auto& x) { return xg::isinf(1 / xg::relu(x)); }, [](double x) { return x <= 0; })),
        of_masks(unary("isnan", [](auto& x) { return xg::isnan(xg::sqrt(x)); }, [](double x) { return x < 0; })),
        unrecorded(binary("isclose", [](auto& a, auto& b) { return xg::isclose(a, b, 0.1, 0.2); },
                          [](double a, double b) { return std::fabs(a - b) <= std::max(0.2, 0.1 * std::max(std::fabs(a), std::fabs(b))); })),
    };
    for (Row& row : rows) row.mixes_dtypes |= row.name == "where";
    rows.push_back({.name = "clip",
                    .op = [](const Inputs& x) { return xg::clip(x[0], x[1], x[2]); },
                    .reference = pointwise([](double x, double low, double high) { return x < low ? low : x > high ? high : x; }),
                    .samples = {{"between", {random({3, 5}, -0.9, 0.9), random({5}, -2, -1), random({3, 1}, 1, 2)}}},
                    .differentiable = false});  // the bounds have no influence here; slopes.cpp has clip between tensors
    return rows;
}

}  // namespace table
