// Test functions with published minima by Newton's method, by L-BFGS and by NLopt: a second.
//
// Newton's direction comes from conjugate gradients on Hessian-vector products, forward walks over the recorded gradient, so that
// no matrix is ever made. The functions are sums of squares from the collection of More, Garbow and Hillstrom.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "common/by_nlopt.hpp"
#include "common/more_garbow_hillstrom.hpp"
#include "common/options.hpp"
#include "common/picture.hpp"
#include "common/ranks.hpp"

namespace xg = xtgrad;
using more_garbow_hillstrom::Problem, more_garbow_hillstrom::problems, xg::Index, xg::Tensor;

namespace {

constexpr double tolerance = 1e-8;
constexpr std::array methods{"Newton-CG", "L-BFGS", "NLopt's SLSQP"};
constexpr std::size_t ours = 2;  ///< the first ones

struct End {
    double value, slope;
    int steps = 0;  ///< NLopt does not say
};

End minimum(std::size_t method, const std::function<Tensor(const Tensor&)>& f, const Tensor& start) {
    const auto norm = [](const Tensor& gradient) { return xg::linalg::norm(gradient).item<double>(); };
    if (method >= ours) {
        const auto found = example::by_nlopt(nlopt::LD_SLSQP, f, start, {.tolerance = tolerance});
        return {found.value, norm(found.gradient)};
    }
    const auto which = method == 0 ? xg::optim::newton_cg : xg::optim::lbfgs;
    const auto m = xg::optim::minimize(f, start, {.method = which, .tolerance = tolerance});
    return {m.value, norm(m.gradient), m.iterations};
}

/// A row for each method; how many of ours missed the published minimum.
int compare(const Problem& p) {
    int missed = 0;
    std::string name = std::to_string(p.number) + ", " + p.name;
    for (std::size_t i = 0; i < methods.size(); ++i) {
        int runs = 0;
        const auto counted = [&](const Tensor& x) {
            ++runs;
            return p(x);
        };
        const End end = minimum(i, counted, p.start);
        const bool found = p.reached(end.value);
        missed += !found && i < ours;
        std::printf("%-31s%-14s%6s %5d %12.6g %10.1e %12.6g%s\n", name.c_str(), methods[i],
                    end.steps ? std::to_string(end.steps).c_str() : "-", runs, end.value, end.slope, p.minimum,
                    found ? "" : "  missed");
        name.clear();
    }
    return missed;
}

/// The points where each method was lowest so far, on a map of Rosenbrock's valley.
example::Picture draw_ways(const std::string& path) {
    const Problem rosenbrock = problems()[0];
    std::vector<example::Curve> ways;
    for (std::size_t i = 0; i < methods.size(); ++i) {
        example::Curve way{methods[i], {}};
        double lowest = INFINITY;
        const auto watched = [&](const Tensor& x) {
            const Tensor y = rosenbrock(x);
            if (y.item<double>() < lowest) way.points.emplace_back(xg::view(x, 0).item<double>(), xg::view(x, 1).item<double>());
            lowest = std::min(lowest, y.item<double>());
            return y;
        };
        minimum(i, watched, rosenbrock.start);
        ways.push_back(std::move(way));
    }
    const example::Rectangle area{-1.6, 1.6, -0.9, 2.1};
    const Tensor x = xg::linspace(area.x0, area.x1, 161), y = xg::reshape(xg::linspace(area.y0, area.y1, 151), {-1, 1});
    const Tensor height = xg::log10(100. * xg::square(y - xg::square(x)) + xg::square(1. - x) + 1e-2);
    return example::draw_ways(path, "Ways down Rosenbrock's valley", {"x", "y"}, height, area, ways);
}

int newton(int argc, char** argv) {
    example::Options options("newton", "Minimizes functions with published minima, by Newton's method and two others.");
    std::int64_t only = 0;
    options.add("--problem", only, "only the one of this number in the collection; 0: all", {.least = 0});
    options.add("--out", options.out, "the folder for the picture");
    options.add("--check", options.check, "fail when Newton-CG or L-BFGS misses a minimum");
    options.parse(argc, argv);

    std::vector<Problem> chosen = problems();
    if (only) std::erase_if(chosen, [&](const Problem& p) { return p.number != only; });
    if (chosen.empty())
        throw xg::Error("--problem " + std::to_string(only) + " is not in the collection; without it there are all");
    std::printf("%-31s%-14s%6s %5s %12s %10s %12s\n", "problem", "method", "steps", "runs", "f", "|gradient|", "published");
    int missed = 0;
    for (const Problem& p : chosen) missed += compare(p);
    std::puts("\nRuns of f: one for each value and gradient, and one for the Hessian-vector products of a step.");
    if (only == 0) example::tell(draw_ways(options.out + "/ways"));
    return options.check && missed;
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("newton", [&] { return newton(argc, argv); });
}
