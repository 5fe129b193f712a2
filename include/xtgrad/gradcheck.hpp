// Is a derivative right? Differences tell.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "tensor.hpp"
#include "transforms/arguments.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

struct GradcheckOptions {
    /// Largest difference, relative to 1 + the size of the derivative.
    double tolerance = 1e-6;
    /// Also second derivatives, by reverse over reverse, forward over reverse and reverse over forward.
    bool second_order = true;
    /// Inputs of up to so many elements are checked in each of them, larger ones along random directions.
    std::size_t all_elements = 64;
    std::size_t directions = 8;
    /// Of the random directions and cotangents.
    std::uint64_t seed = 1;
};

namespace detail {
void gradcheck(const std::function<Tensor(std::span<const Tensor>)>& f, std::vector<Tensor> x, const GradcheckOptions&);

template <class F, class... A>
void check_arguments(F& f, const std::tuple<A...>& x, const GradcheckOptions& options) {
    const auto call = [&](std::span<const Tensor> v) {
        auto variables = with_leaves(x, v.data());
        return Tensor(std::apply(f, variables));
    };
    detail::gradcheck(call, std::apply([](const A&... a) { return leaves(a...); }, x), options);
}
}  // namespace detail

/// Compares the derivatives of f at x..., in both modes and to second order, with central differences in f64, whose steps are
/// chosen for the size of each element. One to four arguments of f64: tensors, lists or models, as for grad (more: as a list).
/// Throws Error naming the op that made the result, the argument (tensors are counted through lists and models), the element and
/// both numbers; also when an argument has no influence on the result, for then zero would be compared with zero.
template <class F, Argument A>
void gradcheck(F&& f, const A& x, const GradcheckOptions& options = {}) {
    detail::check_arguments(f, std::tuple<A>(x), options);
}
template <class F, Argument A, Argument B>
void gradcheck(F&& f, const A& a, const B& b, const GradcheckOptions& options = {}) {
    detail::check_arguments(f, std::tuple<A, B>(a, b), options);
}
template <class F, Argument A, Argument B, Argument C>
void gradcheck(F&& f, const A& a, const B& b, const C& c, const GradcheckOptions& options = {}) {
    detail::check_arguments(f, std::tuple<A, B, C>(a, b, c), options);
}
template <class F, Argument A, Argument B, Argument C, Argument D>
void gradcheck(F&& f, const A& a, const B& b, const C& c, const D& d, const GradcheckOptions& options = {}) {
    detail::check_arguments(f, std::tuple<A, B, C, D>(a, b, c, d), options);
}

}  // namespace xtgrad
