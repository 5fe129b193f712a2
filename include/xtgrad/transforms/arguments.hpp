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

/// A tensor, or a list of lists: its tensors are arguments of their own, also where two are one tensor, as the starts in
/// std::vector<Tensor>(3, zeros). In a model they are tied.
template <class A>
inline constexpr bool is_list = AnyTensor<A>;
template <class A>
inline constexpr bool is_list<std::vector<A>> = is_list<A>;
template <class A, std::size_t N>
inline constexpr bool is_list<std::array<A, N>> = is_list<A>;

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

/// The tensors of what a function returns, in order.
template <class R>
Tensors fields(const R& result) {
    Tensors list;
    for_each_leaf(result, [&](const Tensor& x) { list.push_back(x); });
    return list;
}

/// The variables of all arguments, in order: of tied fields one.
template <class... A>
Tensors leaves(const A&... arguments) {
    Tensors list;
    const auto add = [&](const auto& argument) {
        const std::size_t begin = list.size();
        for_each_leaf(argument, [&](const Tensor& x) { list.push_back(x); });
        if constexpr (!is_list<std::remove_cvref_t<decltype(argument)>>) nn::detail::keep_distinct(list, begin);
    };
    (add(arguments), ...);
    return list;
}

/// One for each variable of x, from something of the same type: tangents, gradients. Throws Error when tied fields have two.
template <class A>
Tensors leaves_like(const char* op, const A& x, const A& like) {
    if constexpr (is_list<A>)
        return fields(like);
    else
        return nn::detail::distinct_like(op, nn::detail::trained_fields(x), nn::detail::trained_fields(like));
}

/// The argument with the tensors at `next` in place of its variables.
template <class A>
A with_leaves(A argument, const Tensor*& next) {
    if constexpr (is_list<A>) {
        for_each_leaf(argument, [&](Tensor& x) { x = *next++; });
    } else {
        std::vector<Tensor*> fields;
        for_each_leaf(argument, [&](Tensor& x) { fields.push_back(&x); });
        next = nn::detail::assign_distinct(fields, next);
    }
    return argument;
}

template <class... A>
std::tuple<A...> with_leaves(const std::tuple<A...>& arguments, const Tensor* next) {
    return std::apply([&](const A&... a) { return std::tuple<A...>{with_leaves(a, next)...}; }, arguments);
}

/// A result with the tensors of a list, one for each field, in place of its own; fields of a struct that hold one tensor get one.
template <class R>
R with_fields(R result, const Tensors& list) {
    if constexpr (is_list<R>) {
        auto next = list.begin();
        for_each_leaf(result, [&](Tensor& x) { x = *next++; });
    } else {
        std::vector<Tensor*> fields;
        for_each_leaf(result, [&](Tensor& x) { fields.push_back(&x); });
        nn::detail::assign_each(fields, list);
    }
    return result;
}

/// The same tensors; one that was there before is another variable, so that in a struct of them no fields seem tied.
Tensors separate(Tensors);

/// One for each variable of the arguments, of their types: the thing itself for one argument, an array for tensors, else a tuple.
template <class... A>
auto one_each(const std::tuple<A...>& like, const Tensors& tensors) {
    auto parts = with_leaves(like, (is_list<A> && ...) ? tensors.data() : separate(tensors).data());
    if constexpr (sizeof...(A) == 1)
        return std::get<0>(std::move(parts));
    else if constexpr ((std::same_as<A, Tensor> && ...))
        return std::apply([](A&... a) { return std::array<Tensor, sizeof...(A)>{std::move(a)...}; }, parts);
    else
        return parts;
}

}  // namespace detail
}  // namespace xtgrad
