// Derivatives of graphs, as graphs.
#pragma once
#include <vector>

#include "graph.hpp"

namespace xtgrad::formula {

/// Does node i go into the root? Of all nodes up to it.
std::vector<bool> reachable(const Graph&, const std::vector<Id>& roots);

/// The cotangents of the wanted inputs for the cotangent `seed` of the root; `none` where zero, or not wanted.
std::vector<Id> pullback(Graph&, Id root, const std::vector<bool>& wanted, Id seed);

/// The tangent of the root for these tangents of the inputs; `none` is zero.
Id pushforward(Graph&, Id root, const std::vector<Id>& tangents);

}  // namespace xtgrad::formula
