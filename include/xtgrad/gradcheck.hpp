// Is a derivative right? Differences tell.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "tensor.hpp"

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
}

/// Compares the derivatives of f at x, in both modes and to second order, with central differences in f64. Throws Error naming
/// the op that made the result, the argument, the element and both numbers; also when an argument has no influence on the
/// result, for then zero would be compared with zero. The arguments are f64.
template <class F, class... X>
    requires(AnyTensor<X> && ...) && std::invocable<F&, const X&...>
void gradcheck(F&& f, const GradcheckOptions& options, const X&... x) {
    const auto call = [&](std::span<const Tensor> v) {
        return [&]<std::size_t... i>(std::index_sequence<i...>) { return Tensor(f(v[i]...)); }(std::index_sequence_for<X...>());
    };
    detail::gradcheck(call, {x...}, options);
}
template <class F, class... X>
    requires(AnyTensor<X> && ...) && std::invocable<F&, const X&...>
void gradcheck(F&& f, const X&... x) {
    gradcheck(std::forward<F>(f), GradcheckOptions(), x...);
}

}  // namespace xtgrad
