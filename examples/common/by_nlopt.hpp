// NLopt with the tape's gradients.
#pragma once
#include <exception>
#include <limits>
#include <nlopt.hpp>
#include <vector>

#include <xtensor/xadapt.hpp>
#include <xtgrad/ops.hpp>
#include <xtgrad/transforms/derivatives.hpp>

namespace example {

struct NloptOptions {
    /// The largest element of the gradient at the end.
    double tolerance = 1e-8;
    int max_evaluations = 2000;
    /// Bounds of the elements of x, or none.
    std::vector<double> lower = {};
};

/// The lowest point that NLopt saw.
struct Found {
    xtgrad::Tensor x, gradient;
    double value = std::numeric_limits<double>::infinity();
    int evaluations = 0;
    bool converged = false;  ///< the gradient is small there
};

/// The minimum of f, a function of a vector of f64 with one element as result. Throws what f throws.
template <class F>
Found by_nlopt(nlopt::algorithm algorithm, const F& f, const xtgrad::Tensor& start, const NloptOptions& options = {}) {
    struct Search {
        const F& f;
        double tolerance;
        Found found = {};
        std::exception_ptr error = {};

        double operator()(const std::vector<double>& at, std::vector<double>& slope) {
            const xtgrad::Tensor x = xt::adapt(at);
            const auto [value, gradient] = xtgrad::value_and_grad(f)(x);
            const auto elements = gradient.template values<double>();
            if (!slope.empty()) slope.assign(elements.begin(), elements.end());
            const double y = value.template item<double>();
            const bool flat = xtgrad::amax(xtgrad::abs(gradient)).template item<double>() <= tolerance;
            if (flat || y < found.value) found = {x, gradient, y, found.evaluations, flat};
            ++found.evaluations;
            if (flat) throw nlopt::forced_stop();  // NLopt has no such criterion of its own
            return y;
        }
    } search{f, options.tolerance};

    const auto begin = start.values<double>();
    std::vector<double> x(begin.begin(), begin.end());
    nlopt::opt optimizer(algorithm, unsigned(x.size()));
    optimizer.set_min_objective(
        [](const std::vector<double>& at, std::vector<double>& slope, void* data) {
            auto& self = *static_cast<Search*>(data);
            try {
                return self(at, slope);
            } catch (const nlopt::forced_stop&) {
            } catch (...) {  // NLopt would forget what it was
                self.error = std::current_exception();
            }
            throw nlopt::forced_stop();
        },
        &search);
    optimizer.set_maxeval(options.max_evaluations);
    if (!options.lower.empty()) optimizer.set_lower_bounds(options.lower);
    double value;
    try {
        optimizer.optimize(x, value);
    } catch (const nlopt::forced_stop&) {
    } catch (const std::runtime_error&) {  // no lower point in sight: what there is of digits is used up
    }
    if (search.error) std::rethrow_exception(search.error);
    return search.found;
}

}  // namespace example
