// How a public function of tensors reaches its rule, lib/rules.
#pragma once
#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {
namespace detail {

// Instantiated in the library for every rule.
template <class Rule>
Tensor apply(const Tensor& x);
template <class Rule>
Tensor apply(const Tensor& a, const Tensor& b);

template <class Rule, class A, class B>
Tensor apply_operands(const char* op, const A& a, const B& b) {
    return with_tensors(
        op, [](const Tensor& p, const Tensor& q) { return apply<Rule>(p, q); }, a, b);
}

template <class X>
concept Number = Arithmetic<std::remove_cvref_t<X>>;

}  // namespace detail
}  // namespace xtgrad
