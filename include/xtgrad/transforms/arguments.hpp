// What the functions that transforms take may have as arguments: tensors, vectors and arrays of them, models.
#pragma once
#include <array>
#include <tuple>
#include <type_traits>
#include <vector>

#include "../nn/visit.hpp"
#include "../tensor.hpp"

namespace xtgrad {

/// A Tensor, a std::vector or std::array of them, or a struct with `visit`, of which the parameters are meant.
template <class A>
concept Argument = nn::Field<A>;

namespace detail {

using Tensors = std::vector<Tensor>;

/// Calls f with each tensor of an argument that is differentiated.
template <class A>
void for_each_leaf(A& argument, auto&& f) {
    if constexpr (AnyTensor<A>)
        f(argument);
    else
        nn::for_each_tensor(argument, [&](std::string_view, auto& x, nn::Role role) {
            if (role == nn::Role::parameter) f(x);
        });
}

/// The tensors of all arguments, in order.
template <class... A>
Tensors leaves(const A&... arguments) {
    Tensors list;
    (for_each_leaf(arguments, [&](const Tensor& x) { list.push_back(x); }), ...);
    return list;
}

/// The argument with the tensors at `next` in place of its own.
template <class A>
A with_leaves(A argument, const Tensor*& next) {
    for_each_leaf(argument, [&](Tensor& x) { x = *next++; });
    return argument;
}

template <class... A>
std::tuple<A...> with_leaves(const std::tuple<A...>& arguments, const Tensor* next) {
    return std::apply([&](const A&... a) { return std::tuple<A...>{with_leaves(a, next)...}; }, arguments);
}

/// One for each argument, of its type: the thing itself for one argument, an array for tensors, else a tuple.
template <class... A>
auto one_each(const std::tuple<A...>& like, const Tensors& tensors) {
    auto parts = with_leaves(like, tensors.data());
    if constexpr (sizeof...(A) == 1)
        return std::get<0>(std::move(parts));
    else if constexpr ((std::same_as<A, Tensor> && ...))
        return std::apply([](A&... a) { return std::array<Tensor, sizeof...(A)>{std::move(a)...}; }, parts);
    else
        return parts;
}

}  // namespace detail
}  // namespace xtgrad
