// Transforms: from a function to its derivatives. A function takes tensors, std::vectors or std::arrays of them, or models
// (structs with `visit`, whose parameters are meant), as lvalues, and returns a Tensor. It is handed fresh variables, so that
// nested calls never mix, and may read other tensors, which are constants to this transform and variables to those around it. A
// function that does not depend on an argument has derivative zero in it. Transforms are functions again: they nest.
//
// Tied fields of a model are one variable: in a struct of gradients both hold the gradient of the one parameter, the sum of what
// its uses contribute, and a tangent is given to both alike. Tensors of a list are variables of their own, also where two are
// one.
//
// All throw DtypeError when an argument is not f32 or f64 (capture labels and indices instead), TapeError when a function of
// which a gradient is asked does not return one element.
#pragma once
#include <memory>
#include <utility>

#include "../tape.hpp"
#include "arguments.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// Which walks a jacobian is made of: one forward for each element of the arguments, one reverse for each of the result, or
/// whichever are fewer.
enum class JacobianMode { automatic, reverse, forward };

namespace detail {

/// Fresh variables of the tapes that record. Throws naming `op` when one cannot be differentiated.
Tensors fresh_variables(const char* op, const Tensors& arguments);
/// The gradients of y, which `tape` may have recorded.
Tensors gradients(const char* op, Tape& tape, const Tensor& y, const Tensors& variables);

/// A function's run, kept so that it can be differentiated any number of times. Belongs to its thread.
class Trace {
public:
    Trace(const char* op, const Tensors& arguments);
    const Tensors& variables() const { return variables_; }
    /// Ends the recording.
    void finish(Tensors results);
    const Tensors& results() const { return results_; }

    /// One cotangent of each variable, for one of each result.
    Tensors vjp(const Tensors& cotangents);
    /// One tangent of each result, for one of each variable.
    Tensors jvp(const Tensors& tangents);
    /// For each result the derivatives in each variable.
    std::vector<Tensors> jacobian(JacobianMode);

private:
    /// Results of one dtype as one tensor, so that one walk reaches all.
    struct Pack {
        Tensor tensor;
        std::vector<std::size_t> of;
    };
    Tensors forward(const Tensors& variables, const Tensors& tangents);
    std::vector<Tensors> by_rows();
    std::vector<Tensors> by_columns();

    const char* op_;
    Tape tape_;
    Tensors variables_, results_;
    std::vector<Pack> packs_;
};

/// Runs f under a trace and returns what it returns.
template <class F, class... A>
auto run(Trace& trace, F& f, const std::tuple<A...>& arguments) {
    auto variables = with_leaves(arguments, trace.variables().data());
    auto result = std::apply(f, variables);
    static_assert(Argument<decltype(result)>, "a function returns a Tensor, or a vector, array or struct of them");
    trace.finish(fields(result));
    return result;
}

/// The blocks of a jacobian, arranged as the result and in that as the arguments.
template <class R, class Like>
auto blocks(const Like& like, const std::vector<Tensors>& rows) {
    if constexpr (AnyTensor<R>) {
        return one_each(like, rows[0]);
    } else {
        using Row = decltype(one_each(like, rows[0]));
        if constexpr (std::same_as<R, std::vector<Tensor>>) {
            std::vector<Row> all;
            for (const Tensors& row : rows) all.push_back(one_each(like, row));
            return all;
        } else {
            static_assert(std::same_as<R, std::array<Tensor, std::tuple_size<R>::value>>,
                          "a jacobian is of a function that returns a Tensor, or a vector or array of them; for models use hvp");
            return [&]<std::size_t... i>(std::index_sequence<i...>) {
                return std::array<Row, sizeof...(i)>{one_each(like, rows[i])...};
            }(std::make_index_sequence<std::tuple_size_v<R>>());
        }
    }
}

template <class F, class... A>
auto value_and_grad(const char* op, F& f, const A&... x) {
    Tape tape;
    const Tensors flat = fresh_variables(op, leaves(x...));
    const std::tuple<A...> arguments(x...);
    auto variables = with_leaves(arguments, flat.data());
    Tensor y = std::apply(f, variables);
    Tensors gradient = gradients(op, tape, y, flat);
    return std::pair(std::move(y), one_each(arguments, gradient));
}

template <class F, class... A>
auto jvp(const char* op, F&& f, const std::tuple<A...>& x, const Tensors& dx) {
    Trace trace(op, std::apply([](const A&... a) { return leaves(a...); }, x));
    auto y = run(trace, f, x);
    return std::pair(y, with_fields(y, trace.jvp(dx)));
}

/// The tensors of a list in braces, as arguments of their own.
template <std::size_t N>
auto separate(const Tensor (&x)[N]) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) { return std::tuple(x[i]...); }(std::make_index_sequence<N>());
}

}  // namespace detail

/// The gradient of f, a function of one element: grad(f)(x) is df/dx, of x's type and shape; several arguments give an array of
/// tensors, or a tuple when they are not all tensors.
template <class F>
auto grad(F f) {
    return [f = std::move(f)]<Argument... A>(const A&... x) { return detail::value_and_grad("grad", f, x...).second; };
}

/// The same, as a pair with f's value.
template <class F>
auto value_and_grad(F f) {
    return [f = std::move(f)]<Argument... A>(const A&... x) { return detail::value_and_grad("value_and_grad", f, x...); };
}

/// What vjp returns beside the value: takes a cotangent of the result and returns one of the arguments, any number of times,
/// on the thread that made it. It holds what was recorded.
template <class R, class... A>
class Pullback {
public:
    Pullback(std::shared_ptr<detail::Trace> trace, const A&... x) : trace_(std::move(trace)), like_(x...) {}
    auto operator()(const R& cotangent) const { return detail::one_each(like_, trace_->vjp(detail::fields(cotangent))); }

private:
    std::shared_ptr<detail::Trace> trace_;
    std::tuple<A...> like_;
};

/// f(x...) and its vector-Jacobian product, a function: auto [y, pullback] = vjp(f, x); pullback(gy) is the gradient of sum(y
/// gy). Throws ShapeError when gy has not y's shape.
template <class F, Argument... A>
auto vjp(F&& f, const A&... x) {
    auto trace = std::make_shared<detail::Trace>("vjp", detail::leaves(x...));
    auto y = detail::run(*trace, f, std::tuple(x...));
    return std::pair(y, Pullback<decltype(y), A...>(trace, x...));
}

/// f(x) and its tangent when x moves along dx. Throws ShapeError when dx has not x's shape.
template <class F, Argument A>
auto jvp(F&& f, const A& x, const A& dx) {
    return detail::jvp("jvp", f, std::tuple(x), detail::leaves_like("jvp", x, dx));
}
/// Of several tensors: jvp(f, {x, b}, {dx, db}).
template <class F, std::same_as<Tensor> T, std::size_t N>
    requires(N > 1)
auto jvp(F&& f, const T (&x)[N], const T (&dx)[N]) {
    return detail::jvp("jvp", f, detail::separate(x), detail::Tensors(dx, dx + N));
}

/// All derivatives: jacobian(f)(x) has the shape of the result followed by that of x; for several arguments an array of these.
/// f may also return an array or a vector of tensors, and then this is one. One run of f, then a walk for each element of the
/// result or of the arguments, whichever are fewer.
template <class F>
auto jacobian(F f, JacobianMode mode = JacobianMode::automatic) {
    return [f = std::move(f), mode]<Argument... A>(const A&... x) {
        detail::Trace trace("jacobian", detail::leaves(x...));
        const std::tuple<A...> arguments(x...);
        using Result = decltype(detail::run(trace, f, arguments));
        static_cast<void>(detail::run(trace, f, arguments));
        return detail::blocks<Result>(arguments, trace.jacobian(mode));
    };
}

/// The second derivatives of a function of one element: x.shape + x.shape, an array of arrays for several arguments. Forward
/// over reverse.
template <class F>
auto hessian(F f) {
    return jacobian([f = std::move(f)](const auto&... x) { return detail::value_and_grad("hessian", f, x...).second; },
                    JacobianMode::forward);
}

namespace detail {

template <class F>
class HessianProduct {
public:
    explicit HessianProduct(F f) : f_(std::move(f)) {}

    template <Argument A>
    auto operator()(const A& x, const A& v) const {
        return detail::jvp("hvp", gradient(), std::tuple(x), leaves_like("hvp", x, v)).second;
    }
    template <std::same_as<Tensor> T, std::size_t N>
        requires(N > 1)
    auto operator()(const T (&x)[N], const T (&v)[N]) const {
        return detail::jvp("hvp", gradient(), separate(x), Tensors(v, v + N)).second;
    }

private:
    auto gradient() const {
        return [this](const auto&... x) { return detail::value_and_grad("hvp", f_, x...).second; };
    }
    F f_;
};

}  // namespace detail

/// The product of the Hessian of a function of one element with a vector: hvp(f)(x, v), or hvp(f)({x, b}, {v, c}). One forward
/// walk over a reverse one; the cost is a small multiple of f's, whatever the size of x.
template <class F>
auto hvp(F f) {
    return detail::HessianProduct<F>(std::move(f));
}

}  // namespace xtgrad
