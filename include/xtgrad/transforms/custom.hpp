// Ops with derivatives of one's own.
#pragma once
#include <array>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "../tensor.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

struct CustomRules {
    std::function<Tensor(std::span<const Tensor> x)> forward;
    std::function<std::vector<Tensor>(const Tensor& g, std::span<const Tensor> x, const Tensor& y)> adjoint;
    std::function<Tensor(std::span<const Tensor> dx, std::span<const Tensor> x, const Tensor& y)> tangent;  // or none
};
Tensor custom(std::string_view name, CustomRules, std::vector<Tensor> x);

/// f(begin[0], ..., begin[N - 1])
template <std::size_t N>
auto spread(auto&& f, std::span<const Tensor> x) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) { return f(x[i]...); }(std::make_index_sequence<N>());
}

template <std::size_t N, class V>
auto adjoint_rule(V adjoint) {
    return [adjoint = std::move(adjoint)](const Tensor& g, std::span<const Tensor> x, const Tensor& y) {
        const auto cotangents = spread<N>([&](const auto&... xs) { return adjoint(g, xs..., y); }, x);
        if constexpr (AnyTensor<decltype(cotangents)>) {
            static_assert(N == 1, "the adjoint of an op with several inputs returns a std::array, one cotangent for each");
            return std::vector<Tensor>{cotangents};
        } else {
            static_assert(std::same_as<std::remove_const_t<decltype(cotangents)>, std::array<Tensor, N>>,
                          "an adjoint returns a Tensor, or a std::array with one for each input");
            return std::vector<Tensor>(cotangents.begin(), cotangents.end());
        }
    };
}

}  // namespace detail

/// An op of one's own, called at once: its value is forward(x...), which is not recorded, and its derivative is
/// adjoint(g, x..., y): the cotangent of x for the cotangent g of the result y; for several inputs a std::array, one each. An
/// empty Tensor is zero. The adjoint is written in ops, and so it can be differentiated in turn; the tangent is derived from it.
/// Rules hold no references to what dies before the tape.
/// Throws ShapeError or DtypeError naming the op when a cotangent has not its input's shape and dtype.
template <class F, class V, std::same_as<Tensor>... X>
    requires(sizeof...(X) > 0)
Tensor custom(std::string_view name, F&& forward, V adjoint, const X&... x) {
    constexpr std::size_t n = sizeof...(X);
    return detail::custom(name,
                          {[&](std::span<const Tensor> v) { return Tensor(detail::spread<n>(forward, v)); },
                           detail::adjoint_rule<n>(std::move(adjoint)), nullptr},
                          {x...});
}

/// The same with a tangent rule: tangent(dx..., x..., y) is the tangent of y; a dx is zeros where an input does not move.
template <class F, class V, class J, std::same_as<Tensor>... X>
    requires(sizeof...(X) > 0 && !AnyTensor<J>)
Tensor custom(std::string_view name, F&& forward, V adjoint, J tangent, const X&... x) {
    constexpr std::size_t n = sizeof...(X);
    const auto tangent_rule = [tangent = std::move(tangent)](std::span<const Tensor> dx, std::span<const Tensor> v,
                                                             const Tensor& y) {
        return detail::spread<n>(
            [&](const auto&... dxs) {
                return Tensor(detail::spread<n>([&](const auto&... xs) { return tangent(dxs..., xs..., y); }, v));
            },
            dx);
    };
    return detail::custom(name,
                          {[&](std::span<const Tensor> v) { return Tensor(detail::spread<n>(forward, v)); },
                           detail::adjoint_rule<n>(std::move(adjoint)), tangent_rule},
                          {x...});
}

}  // namespace xtgrad
