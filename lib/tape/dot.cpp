// The tape as a picture for Graphviz.
#include <map>
#include <ostream>

#include <xtgrad/tape.hpp>

#include "walk.hpp"

namespace xtgrad {

using namespace detail;

void Tape::dot(std::ostream& os) const {
    const TapeState& t = usable("dot", state_);
    std::map<Tag, std::size_t> nodes, leaves;
    os << "digraph tape {\n  node [shape=box, style=rounded, fontname=\"Helvetica\"];\n";
    for_each_node(t, [&](Tag tag, const Node& n) {
        const std::size_t own = nodes.size();
        os << "  n" << own << " [label=\"" << n.op->name << "\\n" << n.shape() << ' ' << n.dtype() << "\"];\n";
        const auto inputs = n.inputs();
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (const auto from = nodes.find(inputs[i]); from != nodes.end()) {
                os << "  n" << from->second;
            } else {
                const auto [leaf, is_new] = leaves.try_emplace(inputs[i], leaves.size());
                if (is_new) {
                    const Tensor& x = n.in[i < 2 ? i : 0];
                    os << "  x" << leaf->second << " [shape=ellipse, label=\"x" << leaf->second;
                    if (i < n.input_count && x.defined()) os << "\\n" << x.shape() << ' ' << x.dtype();
                    os << "\"];\n";
                }
                os << "  x" << leaf->second;
            }
            os << " -> n" << own;
            if (inputs.size() > 1) os << " [label=\"" << i << "\"]";
            os << ";\n";
        }
        nodes.emplace(tag, own);
    });
    os << "}\n";
}

}  // namespace xtgrad
