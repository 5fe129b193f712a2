// The minimum of a smooth function, in one call.
#pragma once
#include <functional>
#include <memory>

#include "../transforms/derivatives.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] optim {

enum class Method {
    lbfgs,     ///< limited-memory quasi-Newton (Nocedal 1980)
    newton_cg  ///< conjugate gradients on Hessian-vector products, within a region that is trusted (Steihaug 1983)
};
using enum Method;

/// Why a minimization ended.
enum class Stop {
    gradient,   ///< it is small: a stationary point
    progress,   ///< neither the value nor the gradient falls any more: the digits end, the function is not smooth, or it has no
                ///< minimum
    iterations  ///< there were as many as were allowed
};

struct MinimizeOptions {
    Method method = Method::lbfgs;
    /// The largest element of the gradient at the end.
    double tolerance = 1e-8;
    int max_iterations = 1000;
    /// How many steps lbfgs remembers.
    int history = 10;
};

/// Where a minimization ended.
template <class A>
struct Minimum {
    A x;
    double value;
    A gradient;
    Stop reason;
    int iterations, evaluations;  ///< evaluations of the value and gradient
};

namespace detail {

using xtgrad::detail::Tensors;

struct Objective {
    std::function<std::pair<double, Tensors>(const Tensors& x)> evaluate;
    /// The product of the Hessian at x with vectors, each a walk over what was recorded once.
    std::function<std::function<Tensors(const Tensors& v)>(const Tensors& x)> hessian;
};
Minimum<Tensors> minimize(const Objective&, const Tensors& x, const MinimizeOptions&);

}  // namespace detail

/// Minimizes f, a function of one element, from x: a tensor, a list of tensors, or a model. A step of lbfgs ends where the value
/// and the slope have fallen enough (weak Wolfe conditions, by bisection: Lewis and Overton 2013); one of newton_cg is as long as
/// the second derivatives have proved right. Nothing of it is recorded. A function without a minimum, such as a sum, ends in
/// Stop::progress: lbfgs at the point from which ever longer steps still led down, newton_cg where numbers end. Throws what grad
/// throws, and Error when f is not finite at x.
template <class F, Argument A>
Minimum<A> minimize(F&& f, const A& x, const MinimizeOptions& options = {}) {
    using xtgrad::detail::leaves, xtgrad::detail::with_leaves;
    const std::tuple<A> like(x);
    const auto restored = [&](const detail::Tensors& t) { return std::get<0>(with_leaves(like, t.data())); };
    const auto evaluate = [&](const detail::Tensors& t) {
        auto [value, gradient] = xtgrad::detail::value_and_grad("minimize", f, restored(t));
        return std::pair(value.template item<double>(), leaves(gradient));
    };
    const auto hessian = [&](const detail::Tensors& t) {
        const auto trace = std::make_shared<xtgrad::detail::Trace>("minimize", t);
        const auto gradient = [&](const A& at) { return leaves(xtgrad::detail::value_and_grad("minimize", f, at).second); };
        xtgrad::detail::run(*trace, gradient, like);
        return [trace](const detail::Tensors& v) { return trace->jvp(v); };
    };
    auto m = detail::minimize({evaluate, hessian}, leaves(x), options);
    return {restored(m.x), m.value, restored(m.gradient), m.reason, m.iterations, m.evaluations};
}

}  // namespace optim
}  // namespace xtgrad
