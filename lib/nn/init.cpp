#include <xtgrad/nn/init.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <xtgrad/ops/elementwise.hpp>

#include "../tape/record.hpp"
#include "../tensor/option.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::nn {

using namespace xtgrad::detail;

namespace {

struct Fans {
    double in, out;

    Fans(const char* op, const Shape& shape, double gain) {
        check_option(op, "gain", gain, finite);
        if (shape.size() < 2)
            fail<ShapeError>(op, "the shape ", shape,
                             " is not (out, in, ...), so how much a unit sums up is not known; use uniform or randn");
        const double window = double(xtgrad::detail::size_of(Shape::of(shape.data() + 2, int(shape.size()) - 2)));
        in = double(shape[1]) * window;
        out = double(shape[0]) * window;
    }
    /// sqrt(squares / sum), or 0 of weights of which there are none.
    static double root(double squares, double sum) { return sum > 0 ? std::sqrt(squares / sum) : 0; }
};

Tensor normal(const Shape& shape, Dtype dtype, Rng& rng, double stddev) {
    const Unrecorded inner;
    return randn(shape, dtype, rng) * stddev;
}

double normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

/// x with normal_cdf(x) = u for 0 < u <= 1/2: formula 26.2.23 of Abramowitz and Stegun, then Halley's steps.
double lower_quantile(double u) {
    const double t = std::sqrt(-2 * std::log(u));
    double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
    for (int i = 0; i < 2; ++i) {
        const double step = (normal_cdf(x) - u) * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
        x -= step / (1 + x * step / 2);
    }
    return x;
}

/// Less lies in a tail whose mass f64 holds with too few digits.
constexpr double far_tail = 1e-290;

/// How far beyond `nearest`, which is large, a normal number of [nearest, nearest + length] lies: that has the density
/// exp(-nearest s - s^2 / 2), so an exponential number of the rate `nearest` is taken with probability exp(-s^2 / 2) (Robert,
/// arXiv:0907.4010).
double beyond_far(double nearest, double length, Rng& rng) {
    while (true) {
        const Tensor pair = uniform({2}, Dtype::f64, rng);
        const double s = -std::log1p(std::expm1(-nearest * length) * mutable_data<double>(pair)[0]) / nearest;
        if (mutable_data<double>(pair)[1] < std::exp(-s * s / 2)) return s;
    }
}

}  // namespace

Tensor xavier_uniform(const Shape& shape, Dtype dtype, Rng& rng, double gain) {
    const Fans fan("xavier_uniform", shape, gain);
    const double bound = std::abs(gain) * fan.root(6, fan.in + fan.out);
    return uniform(shape, dtype, rng, -bound, bound);
}
Tensor xavier_normal(const Shape& shape, Dtype dtype, Rng& rng, double gain) {
    const Fans fan("xavier_normal", shape, gain);
    return normal(shape, dtype, rng, gain * fan.root(2, fan.in + fan.out));
}
Tensor kaiming_uniform(const Shape& shape, Dtype dtype, Rng& rng, double gain) {
    const double bound = std::abs(gain) * Fans::root(3, Fans("kaiming_uniform", shape, gain).in);
    return uniform(shape, dtype, rng, -bound, bound);
}
Tensor kaiming_normal(const Shape& shape, Dtype dtype, Rng& rng, double gain) {
    return normal(shape, dtype, rng, gain / std::sqrt(Fans("kaiming_normal", shape, gain).in));
}

Tensor truncated_normal(const Shape& shape, Dtype dtype, Rng& rng, const TruncatedNormalOptions& options) {
    const auto [mean, stddev, low, high] = options;
    if (!(low < high) || !(stddev > 0) || !std::isfinite(mean) || !std::isfinite(stddev))
        fail<Error>("truncated_normal", "nothing lies in [", low, ", ", high, "] with a mean of ", mean,
                    " and a standard deviation of ", stddev, "; give low < high and finite ones, the latter positive");
    // The inverse of the distribution function, in the tail where that is small.
    const double a = (low - mean) / stddev, b = (high - mean) / stddev;
    const double from = normal_cdf(a > 0 ? -b : a), to = normal_cdf(a > 0 ? -a : b), sign = a > 0 ? -1 : 1;
    const Unrecorded inner;
    if (to < far_tail) {
        const double nearest = a > 0 ? a : -b, length = (high - low) / stddev;
        const Tensor x = allocate(Dtype::f64, shape, "truncated_normal");
        double* p = mutable_data<double>(x);
        for (Index i = 0, n = element_count(x); i < n; ++i) {
            const double beyond = stddev * beyond_far(nearest, length, rng);
            p[i] = std::clamp(a > 0 ? low + beyond : high - beyond, low, high);
        }
        return astype(x, dtype);
    }
    const Tensor x = uniform(shape, Dtype::f64, rng, from, to);
    double* p = mutable_data<double>(x);
    for (Index i = 0, n = element_count(x); i < n; ++i) {
        const double u = std::max(p[i], std::numeric_limits<double>::min());
        const double quantile = u > 0.5 ? -lower_quantile(1 - u) : lower_quantile(u);
        p[i] = std::clamp(mean + stddev * sign * quantile, low, high);
    }
    return astype(x, dtype);
}

}  // namespace xtgrad::nn
