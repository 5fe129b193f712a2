// Hyperparameters of a Gaussian process by maximum likelihood: a second.
//
// Newton's method with the second derivatives of the likelihood, which are also the error bars (the inverse of the observed
// information).
//
// The data are a draw from a process whose parameters are known: y ~ N(0, K + noise^2), K = amplitude^2 exp(-d^2 / 2 length^2).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

#include <xtgrad/xtgrad.hpp>

#include "common/options.hpp"
#include "common/picture.hpp"
#include "common/ranks.hpp"

namespace xg = xtgrad;
using xg::Tensor;

namespace {

constexpr std::array names{"amplitude", "length", "noise"};
const Tensor truth = xg::log(xg::tensor({1.2, 0.7, 0.15}));  // all parameters are logarithms

Tensor parameter(const Tensor& theta, int i) { return xg::exp(xg::view(theta, i)); }

Tensor kernel(const Tensor& theta, const Tensor& a, const Tensor& b) {
    const Tensor distance = (xg::expand_dims(a, 1) - b) / parameter(theta, 1);
    return xg::square(parameter(theta, 0)) * xg::exp(-0.5 * xg::square(distance));
}

Tensor covariance(const Tensor& theta, const Tensor& x) {
    return kernel(theta, x, x) + xg::square(parameter(theta, 2)) * xg::eye(x.shape(0));
}

/// -log p(y | x, theta)
Tensor loss(const Tensor& theta, const Tensor& x, const Tensor& y) {
    const Tensor k = covariance(theta, x);
    const Tensor explained = xg::linalg::dot(y, xg::linalg::solve_cholesky(xg::linalg::cholesky(k), y));
    return 0.5 * (explained + xg::linalg::slogdet(k).logdet + double(x.shape(0)) * std::log(2 * std::numbers::pi));
}

struct Point {
    Tensor theta, gradient, hessian;
    double value;

    Point(const Tensor& at, const Tensor& x, const Tensor& y) : theta(at) {
        const auto f = [&](const Tensor& t) { return loss(t, x, y); };
        const auto [l, g] = xg::value_and_grad(f)(theta);
        value = l.item<double>();
        gradient = g;
        hessian = xg::hessian(f)(theta);
    }
};

/// Newton's steps, shortened towards the gradient's until they go down.
Point minimize(const Tensor& start, const Tensor& x, const Tensor& y) {
    Point now(start, x, y);
    double damping = 1;
    for (int step = 0; step < 100; ++step) {
        const double slope = xg::linalg::norm(now.gradient).item<double>();
        std::printf("%4d %12.6f %10.2e\n", step, now.value, slope);
        if (slope < 1e-8) break;
        const Tensor curvature = now.hessian + damping * xg::eye(3);
        const bool downwards = xg::amin(xg::linalg::eigvalsh(curvature)).item<double>() > 0;
        const Point next(downwards ? now.theta - xg::linalg::solve(curvature, now.gradient) : now.theta, x, y);
        const bool better = downwards && next.value < now.value + 1e-12;
        if (better) now = next;
        damping = better ? damping * 0.1 : std::max(damping, 1e-3) * 10;
    }
    return now;
}

/// Mean and standard deviation of the process at other places.
example::Picture draw(const std::string& path, const Tensor& theta, const Tensor& x, const Tensor& y) {
    const Tensor places = xg::linspace(-0.5, 8.5, 181), l = xg::linalg::cholesky(covariance(theta, x)),
                 k = kernel(theta, places, x);
    const Tensor mean = xg::matmul(k, xg::linalg::solve_cholesky(l, y));
    const Tensor known = xg::sum(xg::square(xg::linalg::solve_triangular(l, xg::transpose(k))), 0);
    const Tensor deviation = xg::sqrt(xg::square(parameter(theta, 0)) - known);
    return example::draw_band(path, "A Gaussian process", "x", "y", {places, mean, deviation}, x, y);
}

int gaussian_process(int argc, char** argv) {
    example::Options options("gaussian_process", "Finds the hyperparameters of a Gaussian process.");
    std::int64_t count = 80;
    options.seed = 7;
    options.add_count("--count", count, "of observations");
    options.add("--seed", options.seed, "of the observations");
    options.add("--out", options.out, "the folder for the picture");
    options.add("--check", options.check, "fail unless all are within three standard errors of the truth");
    options.parse(argc, argv);

    xg::Rng rng(std::uint64_t(options.seed));
    const Tensor x = xg::sort(xg::uniform({count}, xg::f64, rng, 0, 8));
    const Tensor y = xg::matmul(xg::linalg::cholesky(covariance(truth, x)), xg::randn({count}, xg::f64, rng));

    std::puts("step  -log likelihood   |gradient|");
    const Point best = minimize(xg::zeros({3}), x, y);
    const Tensor errors = xg::sqrt(xg::diagonal(xg::linalg::inv(best.hessian)));  // of the logarithms

    std::printf("\n%-10s %8s %10s %18s\n", "", "true", "found", "standard error");
    bool near = true;
    for (int i = 0; i < 3; ++i) {
        const double found = parameter(best.theta, i).item<double>(), error = xg::view(errors, i).item<double>();
        near = near && std::abs(xg::view(best.theta - truth, i).item<double>()) < 3 * error;
        std::printf("%-10s %8.3f %10.3f %18.3f\n", names[std::size_t(i)], parameter(truth, i).item<double>(), found,
                    found * error);
    }
    example::tell(draw(options.out + "/process", best.theta, x, y));
    return options.check && !near;
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("gaussian_process", [&] { return gaussian_process(argc, argv); });
}
