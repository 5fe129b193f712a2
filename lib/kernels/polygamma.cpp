#include "polygamma.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace xtgrad::kernels {
namespace {

constexpr int highest = 30;
constexpr double pi = std::numbers::pi, inf = std::numeric_limits<double>::infinity(),
                 nan = std::numeric_limits<double>::quiet_NaN();

/// The n-th derivative of cot(pi x), as a polynomial in c = cot(pi x): each step is -pi (1 + c^2) d/dc.
double cotangent_derivative(int n, double x) {
    const double f = pi * (x - std::round(x)), c = std::cos(f) / std::sin(f);
    double p[highest + 2] = {0, 1}, next[highest + 2];
    for (int step = 0; step < n; ++step) {
        for (double& v : next) v = 0;
        for (int k = 1; k <= step + 1; ++k) {
            next[k - 1] -= pi * k * p[k];
            next[k + 1] -= pi * k * p[k];
        }
        for (int k = 0; k < highest + 2; ++k) p[k] = next[k];
    }
    double sum = 0;
    for (int k = n + 1; k >= 0; --k) sum = sum * c + p[k];
    return sum;
}

}  // namespace

// psi_n(x) = psi_n(x + 1) - (-1)^n n! / x^(n+1) until x is large; then with the Bernoulli numbers B (DLMF 5.11.2, 5.15.8)
// psi_n(x) = -(-1)^n [(n-1)! / x^n + n! / (2 x^(n+1)) + sum_k B_2k (2k+n-1)! / ((2k)! x^(2k+n))], log x for the first term when
// n = 0; for x < 0 by reflection, (-1)^n psi_n(1 - x) - psi_n(x) = pi d^n/dx^n cot(pi x).
double polygamma(double order, double x) noexcept {
    if (!(order >= 0 && order <= highest)) return nan;
    const int n = int(order);
    const bool odd = n % 2 != 0;
    if (x == 0) return odd ? inf : std::copysign(inf, -x);
    if (x < 0) {
        if (x == std::floor(x)) return odd && x > -inf ? inf : nan;
        return (odd ? -1 : 1) * polygamma(order, 1 - x) - pi * cotangent_derivative(n, x);
    }
    constexpr double bernoulli[] = {1. / 6,       -1. / 30, 1. / 42,      -1. / 30,     5. / 66,
                                    -691. / 2730, 7. / 6,   -3617. / 510, 43867. / 798, -174611. / 330};
    const double factorial = std::tgamma(n + 1.);
    double shifted = 0;
    for (; x < 10 + n; ++x) shifted += std::pow(x, -n - 1);
    const double power = std::pow(x, -n), s = 1 / (x * x);
    double tail = 0, scale = factorial / 2 * power * s * (n + 1);  // (2k+n-1)! / (2k)! x^-(2k+n) for k = 1
    for (int k = 1; k <= 10; ++k) {
        tail += bernoulli[k - 1] * scale;
        scale *= (2. * k + n) * (2. * k + n + 1) / ((2. * k + 1) * (2. * k + 2)) * s;
    }
    const double first = n == 0 ? -std::log(x) : factorial / n * power;
    return (odd ? 1 : -1) * (factorial * shifted + (first + (factorial * power / (2 * x) + tail)));
}

}  // namespace xtgrad::kernels
