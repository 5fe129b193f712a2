// The tape as a picture for Graphviz.
#include <map>
#include <ostream>

#include <xtgrad/tape.hpp>

#include "walk.hpp"

namespace xtgrad {

using namespace detail;

void Tape::dot(std::ostream& os) const {
    const TapeState& t = usable("dot", state_);
    Record& r = *this_record;
    std::map<Tag, std::size_t> leaves;
    os << "digraph tape {\n  rankdir=TB;\n  node [shape=box, style=rounded, fontname=\"Helvetica\"];\n";
    for (Tag tag = t.begin; tag != r.next; ++tag) {
        const Node& n = r[tag];
        const std::size_t slot = tag - t.begin;
        os << "  n" << slot << " [label=\"" << n.op->name << "\\n" << n.shape() << ' ' << n.dtype() << "\"];\n";
        const auto inputs = n.inputs();
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (const std::size_t from = inputs[i] - t.begin; from < slot) {
                os << "  n" << from;
            } else {
                const auto [leaf, is_new] = leaves.try_emplace(inputs[i], leaves.size());
                const Tensor* x = i < 2 && n.extra == nullptr && n.in[i].defined() ? &n.in[i] : nullptr;
                if (is_new) {
                    os << "  x" << leaf->second << " [shape=ellipse, label=\"x" << leaf->second;
                    if (x) os << "\\n" << x->shape() << ' ' << x->dtype();
                    os << "\"];\n";
                }
                os << "  x" << leaf->second;
            }
            os << " -> n" << slot;
            if (inputs.size() > 1) os << " [label=\"" << i << "\"]";
            os << ";\n";
        }
    }
    os << "}\n";
}

}  // namespace xtgrad
