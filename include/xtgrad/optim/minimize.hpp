// The minimum of a smooth function, in one call.
#pragma once
#include <functional>

#include "../transforms/derivatives.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] optim {

enum class Method {
    lbfgs,     ///< limited-memory quasi-Newton (Nocedal 1980)
    newton_cg  ///< Newton's direction by conjugate gradients on Hessian-vector products (Dembo and Steihaug 1983)
};
using enum Method;

/// Why a minimization ended.
enum class Stop {
    gradient,   ///< it is small: a stationary point
    progress,   ///< neither the value nor the gradient falls any more: the digits end, or the function is not smooth
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
    std::function<Tensors(const Tensors& x, const Tensors& v)> hessian_product;
};
Minimum<Tensors> minimize(const Objective&, const Tensors& x, const MinimizeOptions&);

}  // namespace detail

/// Minimizes f, a function of one element, from x: a tensor, a list of tensors, or a model. Each step ends where the value and
/// the slope have fallen enough (weak Wolfe conditions, by bisection: Lewis and Overton 2013). Nothing of it is recorded. Throws
/// what grad throws, and Error when f is not finite at x.
template <class F, Argument A>
Minimum<A> minimize(F&& f, const A& x, const MinimizeOptions& options = {}) {
    using xtgrad::detail::leaves, xtgrad::detail::with_leaves;
    const std::tuple<A> like(x);
    const auto restored = [&](const detail::Tensors& t) { return std::get<0>(with_leaves(like, t.data())); };
    const detail::Objective objective{[&](const detail::Tensors& t) {
                                          auto [value, gradient] = xtgrad::detail::value_and_grad("minimize", f, restored(t));
                                          return std::pair(value.template item<double>(), leaves(gradient));
                                      },
                                      [&](const detail::Tensors& t, const detail::Tensors& v) {
                                          return leaves(hvp([&](const A& at) { return f(at); })(restored(t), restored(v)));
                                      }};
    auto m = detail::minimize(objective, leaves(x), options);
    return {restored(m.x), m.value, restored(m.gradient), m.reason, m.iterations, m.evaluations};
}

}  // namespace optim
}  // namespace xtgrad
