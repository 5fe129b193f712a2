// A formula as the library sees it.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "../tensor.hpp"

namespace [[gnu::visibility("default")]] xtgrad {
namespace detail {

/// Elements for a formula to run over. An operand with step 0 is one number.
template <class T>
struct Stretch {
    Index n;
    const T* const* x;
    const Index* x_step;
};
/// What to make of the derivatives f_i: out[i] = f_i, times the cotangent if there is one, for each i with an out; or, when there
/// are tangents, out[0] = the sum of f_i tangents[i], of those that there are.
template <class T>
struct Products {
    const T* cotangent;
    const T* const* tangents;
    T* const* out;
};

/// A formula with its derivatives.
class Formula {
public:
    virtual ~Formula() = default;
    virtual void value(const Stretch<float>&, float* out) const = 0;
    virtual void value(const Stretch<double>&, double* out) const = 0;
    virtual void slopes(const Stretch<float>&, const Products<float>&) const = 0;
    virtual void slopes(const Stretch<double>&, const Products<double>&) const = 0;
    /// The derivative by the arguments numbered in `by`, at most max_order of them.
    virtual double derivative(const double* x, std::span<const int> by) const = 0;

    static constexpr int max_order = 3;
};

Tensor vectorized(std::shared_ptr<const Formula>, std::vector<Tensor> x);

}  // namespace detail
}  // namespace xtgrad
