// Time for memory: what is recomputed in the backward pass need not be stored.
#pragma once
#include <functional>
#include <span>

#include "arguments.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {
using Replayed = std::function<Tensor(std::span<const Tensor>)>;
Tensor checkpoint(Replayed f, Tensors x);
}  // namespace detail

/// f(x...), of which the tapes keep the arguments and f alone: each walk runs f again. Tensors that f reads besides, as the
/// weights of a layer, get their gradients too. f is kept until the walk, so let it capture tensors by value: a reference may
/// dangle then. Every run is of a copy of f, and ops draw the same random numbers in each: a generator that f holds by reference
/// moves on in the first run alone. Checkpoints nest, and have derivatives of every order.
///
/// Throws TapeError in the walk when f does something else then than it did before: the ops between what it reads and its result,
/// their shapes and numbers, the tensors captured and the bits of the result are compared.
template <class F, Argument... A>
Tensor checkpoint(F f, const A&... x) {
    return detail::checkpoint(
        [f = std::move(f), arguments = std::tuple<A...>(x...)](std::span<const Tensor> v) {
            F copy = f;
            auto variables = detail::with_leaves(arguments, v.data());
            return Tensor(std::apply(copy, variables));
        },
        detail::leaves(x...));
}

}  // namespace xtgrad
