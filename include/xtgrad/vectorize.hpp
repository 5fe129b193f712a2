// A scalar formula as one op. Not part of <xtgrad/xtgrad.hpp>: it includes xsimd, which takes the compiler a second.
#pragma once
#include <memory>
#include <span>
#include <tuple>

#include "ops/operands.hpp"
#include "vectorize/dual.hpp"
#include "vectorize/formula.hpp"
#include "vectorize/lanes.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

/// Runs over a stretch with V = Lanes<T>, and when lanes part or are too few, with V = double.
template <class T>
void over(Index n, auto step) {
    constexpr auto width = Index(Lanes<T>::count);
    Index i = 0;
    try {
        for (; i + width <= n; i += width) step(i, Lanes<T>());
    } catch (const Divergent&) {
    }
    for (; i < n; ++i) step(i, double());
}
template <class V, class T>
V load(const T* p) {
    if constexpr (std::same_as<V, double>)
        return *p;
    else
        return V::Register::load_unaligned(p);
}
template <class V, class T>
void store(T* p, const V& v) {
    if constexpr (std::same_as<V, double>)
        *p = static_cast<T>(v);
    else
        v.lanes().store_unaligned(p);
}

template <class F, int N>
class FormulaOf final : public Formula {
public:
    explicit FormulaOf(F f) : f_(std::move(f)) {}

    void value(const Stretch<float>& s, float* out) const override { run(s, out); }
    void value(const Stretch<double>& s, double* out) const override { run(s, out); }
    void slopes(const Stretch<float>& s, const Products<float>& p) const override { run(s, p); }
    void slopes(const Stretch<double>& s, const Products<double>& p) const override { run(s, p); }
    double derivative(const double* x, std::span<const int> by) const override {
        return nested<max_order, double>([x](int i) { return x[i]; }, by);
    }

private:
    static constexpr auto places = std::make_integer_sequence<int, N>();

    /// f(make(0), make(1), ...), of lvalues.
    template <class V>
    V call(auto make) const {
        return [&]<int... i>(std::integer_sequence<int, i...>) {
            auto arguments = std::tuple(make(i)...);
            static_assert(std::invocable<const F&, decltype(make(i))&...>,
                          "a formula takes as many arguments as it is given, as auto");
            return V(std::apply(f_, arguments));
        }(places);
    }
    template <class V, class T>
    static V argument(const Stretch<T>& s, int i, Index at) {
        return s.x_step[i] ? load<V>(s.x[i] + at) : V(*s.x[i]);
    }

    template <class T>
    void run(const Stretch<T>& s, T* out) const {
        over<T>(s.n, [&]<class V>(Index at, V) { store(out + at, call<V>([&](int i) { return argument<V>(s, i, at); })); });
    }
    template <class T>
    void run(const Stretch<T>& s, const Products<T>& p) const {
        over<T>(s.n, [&]<class V>(Index at, V sum) {
            using D = Dual<V, N>;
            const D y = call<D>([&](int i) { return D(argument<V>(s, i, at), Parts<V, N>::unit(i)); });
            y.part.visit([&](int i, const V& part) {
                if (p.tangents) {
                    if (p.tangents[i]) sum = sum + times(load<V>(p.tangents[i] + at), part);
                } else if (p.out[i]) {
                    store(p.out[i] + at, p.cotangent ? times(load<V>(p.cotangent + at), part) : part);
                }
            });
            if (p.tangents) store(p.out[0] + at, sum);
        });
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

/// a or b: the choice for formulas that keeps lanes together, where `if` may part them.
template <Arithmetic A, Arithmetic B>
constexpr std::common_type_t<A, B> where(bool condition, A a, B b) {
    return condition ? static_cast<std::common_type_t<A, B>>(a) : static_cast<std::common_type_t<A, B>>(b);
}

/// A scalar formula as an op of tensors: vectorize(f)(a, b...) is f of each element, broadcast; numbers and xtensor expressions
/// may be arguments too. f takes `auto`, calls functions of <cmath> unqualified after `using std::exp;`, and may be called by
/// several threads at once. It runs on SIMD registers, of the instruction set that the caller's file is compiled for; and where a
/// condition (`if`, `?:`, `while`) differs between neighbours, on numbers, from there to the end of some thousand elements. Its
/// derivatives are its own, by dual numbers, up to the third order: the value and all first derivatives take one pass each.
/// Throws ShapeError when shapes do not broadcast, DtypeError unless all are f32 or all f64, Error for a fourth derivative.
template <class F>
auto vectorize(F f) {
    return [f = std::move(f)]<class... X>
        requires TensorOperands<X...>(const X&... x)
        ->Tensor {
        const Tensor& like = detail::first_tensor(x...);
        return detail::vectorized(std::make_shared<detail::FormulaOf<F, int(sizeof...(X))>>(f),
                                  {Tensor(detail::as_tensor("vectorize", x, like))...});
    };
}

}  // namespace xtgrad
