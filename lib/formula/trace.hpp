// From a user's function to a graph.
#pragma once
#include <optional>
#include <vector>

#include <xtgrad/vectorize/formula.hpp>

#include "graph.hpp"

namespace xtgrad::formula {

/// A call that a formula made, of entries before it. Traces of one formula are compared by their bytes.
struct Entry {
    detail::Call call;
    std::int32_t operands[5] = {-1, -1, -1, -1, -1};  // the last: the outcome of a branch
    double number = 0;
};
static_assert(sizeof(Entry) == 32);
using Trace = std::vector<Entry>;

/// Everything that the formula does with so many arguments, on each path through its conditions; nothing when it asks for a
/// number, throws, or has more paths, conditions on one, or calls than are worth it.
std::optional<Trace> trace(const detail::Formula&, int arity);

/// The formula's value as a node of the graph; paths become choices. Nothing when the paths contradict one another.
std::optional<Id> value_of(const Trace&, Graph&);

}  // namespace xtgrad::formula
