// A scalar formula as one op. Not part of <xtgrad/xtgrad.hpp>, whose time in the compiler is measured.
#pragma once
#include <memory>
#include <span>
#include <tuple>

#include "ops/operands.hpp"
#include "vectorize/dual.hpp"
#include "vectorize/formula.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

template <class F, int N>
class FormulaOf final : public Formula {
public:
    explicit FormulaOf(const F& f) : f_(f) {}
    std::shared_ptr<const Formula> copy() const override { return std::make_shared<FormulaOf<F, N>>(*this); }

    Traced trace(const Traced* x) const override {
        return call<Traced>([x](int i) { return x[i]; });
    }
    double value(const double* x) const override { return derivative(x, {}); }
    void slopes(const double* x, double* by) const override {
        using D = Dual<double, N>;
        call<D>([x](int i) { return D(x[i], Parts<double, N>::unit(i)); }).part.visit([by](int i, double part) { by[i] = part; });
    }
    double derivative(const double* x, std::span<const int> by) const override {
        return nested<max_order, double>([x](int i) { return x[i]; }, by);
    }

private:
    /// f(make(0), make(1), ...), of lvalues.
    template <class V>
    V call(auto make) const {
        return [&]<int... i>(std::integer_sequence<int, i...>) {
            auto arguments = std::tuple(make(i)...);
            static_assert(std::invocable<const F&, decltype(make(i))&...>,
                          "a formula takes as many arguments as it is given, as auto");
            return V(std::apply(f_, arguments));
        }(std::make_integer_sequence<int, N>());
    }

    /// One direction more at each depth.
    template <int depth, class V>
    V nested(auto x, std::span<const int> by) const {
        if constexpr (depth > 0) {
            if (!by.empty()) {
                using D = Dual<V, 1>;
                return nested<depth - 1, D>([&](int i) { return D(x(i), {V(i == by[0]), {}}); }, by.subspan(1)).part.first;
            }
        }
        return call<V>(x);
    }

    F f_;
};

}  // namespace detail

/// a or b: so that generic formulas may choose by it, of numbers too.
template <Arithmetic A, Arithmetic B>
constexpr std::common_type_t<A, B> where(bool condition, A a, B b) {
    return condition ? static_cast<std::common_type_t<A, B>>(a) : static_cast<std::common_type_t<A, B>>(b);
}

/// A scalar formula as an op of tensors: vectorize(f)(a, b...) is f of each element, broadcast; numbers and xtensor expressions
/// may be arguments too. f takes `auto` and calls functions of <cmath> unqualified after `using std::exp;`. It is called once at
/// each call with numbers that write down what is done to them, and once more for each path through its conditions; that runs in
/// the kernels of the library's elementwise ops, block by block, and so do its derivatives of every order and in both modes, one
/// pass each. They are those of the ops. A formula that this cannot be done with (its conditions are met more often than a few
/// times, as in a loop until convergence, or it converts its argument to a number) runs number by number, by dual numbers up to
/// the third order, and may be called by several threads at once. Throws ShapeError when shapes do not broadcast, DtypeError
/// unless all are f32 or all f64.
template <class F>
auto vectorize(F f) {
    return [f = std::move(f)]<class... X>
        requires TensorOperands<X...>(const X&... x)
        ->Tensor {
        using Formula = detail::FormulaOf<F, int(sizeof...(X))>;
        static const auto last = detail::no_traces();
        const Tensor& like = detail::first_tensor(x...);
        return detail::vectorized(Formula(f), *last, {Tensor(detail::as_tensor("vectorize", x, like))...});
    };
}

}  // namespace xtgrad
