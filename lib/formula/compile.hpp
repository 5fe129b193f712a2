// Graphs as programs for the kernels.
#pragma once
#include "../kernels/program.hpp"
#include "graph.hpp"

namespace xtgrad::formula {

/// Computes the roots, one an output. repeats[i]: input i is one element, which goes with all. Those roots that are `none` have
/// no output.
kernels::Program compile(const Graph&, const std::vector<Id>& roots, const std::vector<bool>& repeats);

}  // namespace xtgrad::formula
