// A damped pendulum's length, damping and start from noisy angles, with standard errors, by NLopt: three seconds.
//
//   angle'' = -g / length sin(angle) - damping angle'
//
// The steps of Runge and Kutta between one observation and the next are a checkpoint: the tape holds a node for each
// observation, not for each operation. An oscillation has many false minima, in which the fit is off by whole periods; so it
// begins with the first seconds and goes on to more and more of them, each time from where it was.
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "common/by_nlopt.hpp"
#include "common/options.hpp"
#include "common/picture.hpp"
#include "common/ranks.hpp"

namespace xg = xtgrad;
using xg::Index, xg::Tensor;

namespace {

constexpr std::array names{"length, m", "damping, 1/s", "first angle, rad", "first velocity, rad/s"};
constexpr double gravity = 9.81;
constexpr int steps = 4;  ///< between observations

/// The derivative of (angle, velocity).
Tensor slope(const Tensor& parameters, const Tensor& state) {
    const Tensor velocity = xg::view(state, 1);
    const Tensor pull = gravity / xg::view(parameters, 0) * xg::sin(xg::view(state, 0));
    return xg::stack({velocity, -pull - xg::view(parameters, 1) * velocity});
}

/// So many steps of Runge and Kutta's fourth order method.
Tensor swung(const Tensor& parameters, Tensor state, double step, int count) {
    for (int i = 0; i < count; ++i) {
        const Tensor a = slope(parameters, state), b = slope(parameters, state + step / 2 * a),
                     c = slope(parameters, state + step / 2 * b), d = slope(parameters, state + step * c);
        state += step / 6 * (a + 2. * b + 2. * c + d);
    }
    return state;
}

/// The angles at so many times, the first at 0, `apart` seconds from one to the next.
Tensor angles(const Tensor& parameters, Index count, double apart, bool in_checkpoints = true) {
    const auto next = [apart](const Tensor& p, const Tensor& s) { return swung(p, s, apart / steps, steps); };
    Tensor state = xg::view(parameters, xt::range(2, 4));
    std::vector<Tensor> list{xg::view(state, 0)};
    while (Index(list.size()) < count) {
        state = in_checkpoints ? xg::checkpoint(next, parameters, state) : next(parameters, state);
        list.push_back(xg::view(state, 0));
    }
    return xg::stack(list);
}

/// What the tape holds of a simulation.
void tell_memory(const Tensor& parameters, Index count, double apart) {
    const auto held = [&](bool in_checkpoints) {
        xg::Tape tape;
        const Tensor y = angles(parameters, count, apart, in_checkpoints);
        return std::pair(double(tape.nodes()), double(tape.bytes()) / 1e6);
    };
    const auto [nodes, bytes] = held(true);
    const auto [all_nodes, all_bytes] = held(false);
    std::printf("On the tape: %.0f nodes and %.2f MB; without checkpoints %.0f nodes and %.2f MB.\n\n", nodes, bytes, all_nodes,
                all_bytes);
}

struct Fit {
    Tensor parameters;
    double noise = 0;   ///< the standard deviation of the residuals
    Tensor by_j, by_h;  ///< covariances from the Jacobian of the angles and from the Hessian of the loss
};

/// Least squares, from the first seconds to all.
Fit fitted(const Tensor& observed, double apart) {
    const Index all = observed.shape(0);
    Fit fit;
    fit.parameters = xg::stack({Tensor(1.), Tensor(0.), xg::view(observed, 0), Tensor(0.)});
    const auto loss = [&](Index count) {
        return [&observed, count, apart](const Tensor& p) {
            return 0.5 * xg::norm_sq(angles(p, count, apart) - xg::view(observed, xt::range(0, count)));
        };
    };
    std::printf("%8s %6s %12s\n", "seconds", "runs", "noise, rad");
    for (const Index count : {all / 4, all / 2, all}) {
        const auto found =
            example::by_nlopt(nlopt::LD_SLSQP, loss(count), fit.parameters, {.tolerance = 1e-6, .lower = {0.1, 0, -4, -20}});
        if (!found.converged) throw xg::Error("no fit of the first observations: take more of them, or less noise");
        fit.parameters = found.x;
        fit.noise = std::sqrt(2 * found.value / double(count - 4));
        std::printf("%8.1f %6d %12.4f\n", double(count - 1) * apart, found.evaluations, fit.noise);
    }
    const auto at_times = [&](const Tensor& p) { return angles(p, all, apart); };
    const Tensor j = xg::jacobian(at_times)(fit.parameters);
    const double variance = fit.noise * fit.noise;
    fit.by_j = variance * xg::linalg::inv(xg::matmul(xg::transpose(j), j));
    fit.by_h = variance * xg::linalg::inv(xg::hessian(loss(all))(fit.parameters));
    return fit;
}

/// The fitted curve and where 19 of 20 observations should lie, by the propagation of errors.
example::Picture draw(const std::string& path, const Fit& fit, const Tensor& observed, double apart) {
    constexpr Index finer = 4;
    const Index count = observed.shape(0), places = finer * (count - 1) + 1;
    const auto curve = [&](const Tensor& p) { return angles(p, places, apart / finer); };
    const Tensor j = xg::jacobian(curve)(fit.parameters);
    const Tensor variance = xg::sum(xg::matmul(j, fit.by_j) * j, 1) + fit.noise * fit.noise;
    const auto times = [&](Index n) { return xg::linspace(0., double(count - 1) * apart, n); };
    return example::draw_band(path, "A damped pendulum and its fit", "seconds", "angle, rad",
                              {times(places), curve(fit.parameters), xg::sqrt(variance)}, times(count), observed);
}

int curve_fit(int argc, char** argv) {
    example::Options options("curve_fit", "Fits a damped pendulum to noisy angles.");
    std::int64_t count = 192;
    double seconds = 12, noise = 0.1;
    options.seed = 2;
    options.add_count("--count", count, "of observations", 64);
    options.add("--seconds", seconds, "from the first to the last", 8);
    options.add("--noise", noise, "its standard deviation, rad");
    options.add("--seed", options.seed, "of the noise");
    options.add("--out", options.out, "the folder for the picture");
    options.add("--check", options.check, "fail unless all are within three standard errors of the truth");
    options.add("--short", options.short_mode, "a small run for tests, with a check");
    options.parse(argc, argv);
    if (count < 40 || !(seconds > 0)) throw xg::Error("--count is at least 40, --seconds positive");

    const Tensor truth = xg::tensor({0.8, 0.15, 2.6, 0.5});
    const double apart = seconds / double(count - 1);
    xg::Rng rng(std::uint64_t(options.seed));
    const Tensor observed = angles(truth, count, apart) + noise * xg::randn({count}, xg::f64, rng);
    tell_memory(truth, count, apart);
    const Fit fit = fitted(observed, apart);

    const Tensor errors = xg::sqrt(xg::diagonal(fit.by_j)), by_h = xg::sqrt(xg::diagonal(fit.by_h));
    std::printf("\n%-22s %8s %9s %16s %12s\n", "", "true", "found", "standard error", "by Hessian");
    bool near = true;
    for (int i = 0; i < 4; ++i) {
        const auto at = [i](const Tensor& x) { return xg::view(x, i).item<double>(); };
        near = near && std::abs(at(fit.parameters) - at(truth)) < 3 * at(errors);
        std::printf("%-22s %8.4f %9.4f %16.4f %12.4f\n", names[std::size_t(i)], at(truth), at(fit.parameters), at(errors),
                    at(by_h));
    }
    std::printf("%-22s %8.4f %9.4f %16.4f\n", "noise, rad", noise, fit.noise, fit.noise / std::sqrt(2. * double(count - 4)));
    example::tell(draw(options.out + "/fit", fit, observed, apart));
    return options.check && !near;
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("curve_fit", [&] { return curve_fit(argc, argv); });
}
