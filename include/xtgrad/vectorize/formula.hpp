// A formula as the library sees it.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "../tensor.hpp"
#include "traced.hpp"

namespace [[gnu::visibility("default")]] xtgrad {
namespace detail {

/// A formula of numbers, with its derivatives.
class Formula {
public:
    virtual ~Formula() = default;
    virtual std::shared_ptr<const Formula> copy() const = 0;

    virtual Traced trace(const Traced* x) const = 0;
    virtual double value(const double* x) const = 0;
    /// The derivatives by each argument.
    virtual void slopes(const double* x, double* by) const = 0;
    /// The derivative by the arguments numbered in `by`, at most max_order of them.
    virtual double derivative(const double* x, std::span<const int> by) const = 0;

    static constexpr int max_order = 3;
};

/// What the formulas of one type were traced to at last, with the programs derived from that. For any thread.
struct LastTraces;
std::shared_ptr<LastTraces> no_traces();

Tensor vectorized(const Formula&, LastTraces&, std::vector<Tensor> x);

}  // namespace detail
}  // namespace xtgrad
