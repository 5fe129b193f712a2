// Which instructions compute a graph: one may do the work of several nodes.
#pragma once
#include "../kernels/program.hpp"
#include "graph.hpp"

namespace xtgrad::formula {

/// How one instruction computes a node.
struct Step {
    bool needed = false;  // else those that read the node do its work
    kernels::Instruction::Kind what{};
    Node node{};  // its operands and numbers
};

/// A step for each node up to the last root. fixed: the nodes that are the same for all elements.
std::vector<Step> select(const Graph&, const std::vector<Id>& roots, const std::vector<bool>& fixed);

}  // namespace xtgrad::formula
