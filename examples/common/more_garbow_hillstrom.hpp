// Sums of squares whose minima are published: More, Garbow and Hillstrom, "Testing Unconstrained Optimization Software", ACM
// TOMS 7 (1981), by their numbers, starts and digits there.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include <xtgrad/ops.hpp>

namespace more_garbow_hillstrom {

namespace xg = xtgrad;
using xg::Index, xg::Tensor;

struct Problem {
    int number;
    const char* name;
    std::function<Tensor(const Tensor&)> residuals;
    Tensor start;
    double minimum;
    Tensor solution;  ///< empty where the paper gives none

    Tensor operator()(const Tensor& x) const { return xg::sum(xg::square(residuals(x))); }
    /// Whether this is the minimum, to as many digits as are published.
    bool reached(double value) const { return std::abs(value - minimum) <= (minimum > 0 ? 5e-6 * minimum : 1e-12); }
};

namespace detail {

inline Tensor at(const Tensor& x, int i) { return xg::view(x, i); }

/// arctan(y / x) in turns, on (-1/4, 3/4).
inline Tensor turns(const Tensor& x, const Tensor& y) {
    return xg::atan(y / x) / (2 * std::numbers::pi) + xg::where(x < 0., xg::full({}, 0.5, xg::f64), 0.);
}

inline Tensor rosenbrock(const Tensor& x) { return xg::stack({10. * (at(x, 1) - xg::square(at(x, 0))), 1. - at(x, 0)}); }

inline Tensor jennrich_and_sampson(const Tensor& x) {
    const Tensor i = xg::arange(1., 11.);
    return 2. + 2. * i - (xg::exp(i * at(x, 0)) + xg::exp(i * at(x, 1)));
}

inline Tensor helical_valley(const Tensor& x) {
    const Tensor radius = xg::sqrt(xg::square(at(x, 0)) + xg::square(at(x, 1)));
    return xg::stack({10. * (at(x, 2) - 10. * turns(at(x, 0), at(x, 1))), 10. * (radius - 1.), at(x, 2)});
}

inline Tensor beale(const Tensor& x) {
    return xg::tensor({1.5, 2.25, 2.625}) - at(x, 0) * (1. - xg::pow(at(x, 1), xg::tensor({1., 2., 3.})));
}

inline Tensor bard(const Tensor& x) {
    const Tensor y = xg::tensor({0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39});
    const Tensor u = xg::arange(1., 16.), v = 16. - u;
    return y - (at(x, 0) + u / (v * at(x, 1) + xg::minimum(u, v) * at(x, 2)));
}

inline Tensor gaussian(const Tensor& x) {
    const Tensor rising = xg::tensor({0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521});
    const Tensor y = xg::concatenate({rising, xg::tensor({0.3989}), xg::flip(rising, 0)});
    const Tensor t = (8. - xg::arange(1., 16.)) / 2.;
    return at(x, 0) * xg::exp(-0.5 * at(x, 1) * xg::square(t - at(x, 2))) - y;
}

inline Tensor powell_singular(const Tensor& x) {
    return xg::stack({at(x, 0) + 10. * at(x, 1), std::sqrt(5.) * (at(x, 2) - at(x, 3)), xg::square(at(x, 1) - 2. * at(x, 2)),
                      std::sqrt(10.) * xg::square(at(x, 0) - at(x, 3))});
}

inline Tensor wood(const Tensor& x) {
    return xg::stack({10. * (at(x, 1) - xg::square(at(x, 0))), 1. - at(x, 0), std::sqrt(90.) * (at(x, 3) - xg::square(at(x, 2))),
                      1. - at(x, 2), std::sqrt(10.) * (at(x, 1) + at(x, 3) - 2.), std::sqrt(0.1) * (at(x, 1) - at(x, 3))});
}

inline Tensor kowalik_and_osborne(const Tensor& x) {
    const Tensor y = xg::tensor({0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246});
    const Tensor u = xg::tensor({4., 2., 1., 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625});
    return y - at(x, 0) * (u * u + u * at(x, 1)) / (u * u + u * at(x, 2) + at(x, 3));
}

inline Tensor brown_and_dennis(const Tensor& x) {
    const Tensor t = xg::arange(1., 21.) / 5.;
    return xg::square(at(x, 0) + t * at(x, 1) - xg::exp(t)) + xg::square(at(x, 2) + at(x, 3) * xg::sin(t) - xg::cos(t));
}

inline Tensor osborne_1(const Tensor& x) {
    const Tensor y = xg::tensor({0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751,
                                 0.718, 0.685, 0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490,
                                 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406});
    const Tensor t = 10. * xg::arange(0., 33.);
    return y - (at(x, 0) + at(x, 1) * xg::exp(-t * at(x, 3)) + at(x, 2) * xg::exp(-t * at(x, 4)));
}

/// p' - p^2 - 1 for the polynomial p with coefficients x, at 29 places, and two more.
inline Tensor watson(const Tensor& x) {
    const Tensor t = xg::reshape(xg::arange(1., 30.) / 29., {-1, 1}), j = xg::arange(double(x.shape(0)));
    const Tensor slope = xg::matmul(j * xg::pow(t, j - 1.), x), value = xg::matmul(xg::pow(t, j), x);
    return xg::concatenate({slope - xg::square(value) - 1., xg::stack({at(x, 0), at(x, 1) - xg::square(at(x, 0)) - 1.})});
}

inline Tensor variably_dimensioned(const Tensor& x) {
    const Tensor all = xg::sum(xg::arange(1., double(x.shape(0)) + 1) * (x - 1.));
    return xg::concatenate({x - 1., xg::stack({all, xg::square(all)})});
}

/// Means of the Chebyshev polynomials of degrees 1 to n on (0, 1), minus their integrals.
inline Tensor chebyquad(const Tensor& x) {
    const Tensor y = 2. * x - 1.;
    std::vector<Tensor> t{xg::ones_like(y), y}, means{xg::mean(y)};
    for (int degree = 2; degree <= x.shape(0); ++degree) {
        t.push_back(2. * y * t[t.size() - 1] - t[t.size() - 2]);
        means.push_back(xg::mean(t.back()) + (degree % 2 ? 0. : 1. / (degree * degree - 1)));
    }
    return xg::stack(means);
}

}  // namespace detail

inline std::vector<Problem> problems() {
    using namespace detail;
    using xg::tensor;
    const auto extended_rosenbrock = [](const Tensor& x) {
        const Tensor pairs = xg::reshape(x, {-1, 2}), odd = xg::view(pairs, xt::all(), 0), even = xg::view(pairs, xt::all(), 1);
        return xg::concatenate({10. * (even - xg::square(odd)), 1. - odd});
    };
    return {
        {1, "Rosenbrock", rosenbrock, tensor({-1.2, 1.}), 0, tensor({1., 1.})},
        {5, "Beale", beale, tensor({1., 1.}), 0, tensor({3., 0.5})},
        {6, "Jennrich and Sampson", jennrich_and_sampson, tensor({0.3, 0.4}), 124.362, {}},
        {7, "helical valley", helical_valley, tensor({-1., 0., 0.}), 0, tensor({1., 0., 0.})},
        {8, "Bard", bard, tensor({1., 1., 1.}), 8.21487e-3, {}},
        {9, "Gaussian", gaussian, tensor({0.4, 1., 0.}), 1.12793e-8, {}},
        {13, "Powell singular", powell_singular, tensor({3., -1., 0., 1.}), 0, {}},
        {14, "Wood", wood, tensor({-3., -1., -3., -1.}), 0, tensor({1., 1., 1., 1.})},
        {15, "Kowalik and Osborne", kowalik_and_osborne, tensor({0.25, 0.39, 0.415, 0.39}), 3.07505e-4, {}},
        {16, "Brown and Dennis", brown_and_dennis, tensor({25., 5., -5., -1.}), 85822.2, {}},
        {17, "Osborne 1", osborne_1, tensor({0.5, 1.5, -1., 0.01, 0.02}), 5.46489e-5, {}},
        {20, "Watson, n 6", watson, xg::zeros({6}), 2.28767e-3, {}},
        {21, "extended Rosenbrock, n 20", extended_rosenbrock, xg::tile(tensor({-1.2, 1.}), 10), 0, xg::ones({20})},
        {25, "variably dimensioned, n 10", variably_dimensioned, 1. - xg::arange(1., 11.) / 10., 0, xg::ones({10})},
        {35, "Chebyquad, n 8", chebyquad, xg::arange(1., 9.) / 9., 3.51687e-3, {}},
    };
}

}  // namespace more_garbow_hillstrom
