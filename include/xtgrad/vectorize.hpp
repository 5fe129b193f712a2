// A scalar formula as one op.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "ops/operands.hpp"
#include "vectorize/batch.hpp"
#include "vectorize/dual.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

/// A formula and its derivatives, of batches and of single numbers.
class Formula {
public:
    virtual ~Formula() = default;
    /// The derivative by the arguments numbered in `by`, at most max_order of them; of none, the value.
    virtual Batch derivative(const Batch* x, std::span<const int> by) const = 0;
    virtual double derivative(const double* x, std::span<const int> by) const = 0;
    /// The derivatives by all arguments.
    virtual void gradient(const Batch* x, Batch* parts) const = 0;
    virtual void gradient(const double* x, double* parts) const = 0;

    static constexpr int max_order = 3;
};

Tensor vectorized(std::shared_ptr<const Formula>, std::vector<Tensor> x);

template <class F, int N>
class FormulaOf final : public Formula {
public:
    explicit FormulaOf(F f) : f_(std::move(f)) {}

    Batch derivative(const Batch* x, std::span<const int> by) const override { return differentiated<max_order>(x, by); }
    double derivative(const double* x, std::span<const int> by) const override { return differentiated<max_order>(x, by); }
    void gradient(const Batch* x, Batch* parts) const override { all(x, parts); }
    void gradient(const double* x, double* parts) const override { all(x, parts); }

private:
    template <class V>
    V value(const V* x) const {
        return [&]<std::size_t... i>(std::index_sequence<i...>) {
            static_assert(std::invocable<const F&, decltype(x[i])...>,
                          "a formula takes as many arguments as it is given, as auto");
            return V(f_(x[i]...));
        }(std::make_index_sequence<N>());
    }
    template <int depth, class V>
    V differentiated(const V* x, std::span<const int> by) const {
        if constexpr (depth > 0) {
            if (!by.empty()) {
                std::array<Dual<V, 1>, N> moved;
                for (int i = 0; i < N; ++i) moved[i] = {x[i], {V(i == by[0])}};
                return differentiated<depth - 1>(moved.data(), by.subspan(1)).part[0];
            }
        }
        return value(x);
    }
    template <class V>
    void all(const V* x, V* parts) const {
        std::array<Dual<V, N>, N> moved;
        for (int i = 0; i < N; ++i) {
            moved[i].value = x[i];
            moved[i].part[i] = V(1);
        }
        const Dual<V, N> y = value(moved.data());
        std::copy_n(y.part.data(), N, parts);
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
/// several threads at once. It runs on blocks that stay in the cache, in the kernels of the library; and where a condition
/// (`if`, `?:`, `while`) differs within a block, on single numbers. Its derivatives are its own, by dual numbers, up to the third
/// order: the value and all first derivatives take one pass each.
/// Throws ShapeError when shapes do not broadcast, DtypeError unless all are f32 or all f64, Error for a fourth derivative.
template <class F>
auto vectorize(F f) {
    return [f = std::move(f)]<class... X>
        requires TensorOperands<X...>(const X&... x)
        ->Tensor {
        constexpr int n = sizeof...(X);
        const Tensor& like = detail::first_tensor(x...);
        return detail::vectorized(std::make_shared<detail::FormulaOf<F, n>>(f),
                                  {Tensor(detail::as_tensor("vectorize", x, like))...});
    };
}

}  // namespace xtgrad
