#include "compile.hpp"

#include <algorithm>
#include <utility>

#include "derive.hpp"
#include "rules.hpp"
#include "select.hpp"

namespace xtgrad::formula {
namespace {

using kernels::Instruction;
using kernels::Slot;

using Do = Instruction::Kind;

/// The nodes that roots need and that are the same for all elements.
std::vector<bool> fixed_nodes(const Graph& graph, const std::vector<Id>& roots, const std::vector<bool>& repeats) {
    std::vector<bool> fixed = reachable(graph, roots);
    for (Id id = 0; id < Id(fixed.size()); ++id) {
        if (!fixed[std::size_t(id)]) continue;
        const Node& n = graph[id];
        bool all = n.kind != Kind::input || repeats[std::size_t(n.numbers.p)];
        for_operands(n, [&](Id operand) { all = all && fixed[std::size_t(operand)]; });
        fixed[std::size_t(id)] = all;
    }
    return fixed;
}

class Compiler {
public:
    Compiler(const Graph& graph, std::vector<Id> roots, const std::vector<bool>& repeats)
        : roots_(std::move(roots)),
          fixed_(fixed_nodes(graph, roots_, repeats)),
          steps_(select(graph, roots_, fixed_)),
          last_use_(steps_.size(), none),
          place_(steps_.size()) {
        program_.inputs = Slot(repeats.size());
        program_.outputs = Slot(roots_.size());
        for_needed(
            [&](Id id, const Step& step) { for_operands(step.node, [&](Id operand) { last_use_[std::size_t(operand)] = id; }); });
        for (std::size_t i = 0; i < roots_.size(); ++i) {  // computed where they are wanted
            const auto root = std::size_t(roots_[i]);
            if (graph[roots_[i]].kind != Kind::input && !fixed_[root] && !place_[root]) place_[root] = output(i);
        }
    }

    kernels::Program program() {
        for_needed([&](Id id, const Step& step) { emit(id, step); });
        for (std::size_t i = 0; i < roots_.size(); ++i)
            if (const Slot from = place(roots_[i]); from != output(i))
                program_.each.push_back({.kind = Do::copy, .out = output(i), .a = from});
        return std::move(program_);
    }

private:
    void for_needed(auto f) const {
        for (Id id = 0; id < Id(steps_.size()); ++id)
            if (const Step& step = steps_[std::size_t(id)]; step.needed) f(id, step);
    }
    Slot output(std::size_t i) const { return Slot(1 + program_.inputs + i); }
    Slot place(Id id) const { return id == none ? Slot(0) : place_[std::size_t(id)]; }

    Slot take_buffer() {
        if (free_.empty()) return Slot(1 + program_.inputs + program_.outputs + program_.buffers++);
        const Slot buffer = free_.back();
        free_.pop_back();
        return buffer;
    }

    void emit(Id id, const Step& step) {
        const Node& n = step.node;
        Slot& here = place_[std::size_t(id)];
        if (n.kind == Kind::constant) {
            program_.constants.push_back({here = own_buffer(), n.numbers.p});
        } else if (n.kind == Kind::input) {
            const auto input = Slot(1 + std::size_t(n.numbers.p));
            if (fixed_[std::size_t(id)])
                program_.repeated.push_back({here = own_buffer(), input});
            else
                program_.streamed.push_back(here = input);
        } else if (fixed_[std::size_t(id)]) {
            here = own_buffer();
            program_.once.push_back(instruction(step, here));
        } else {
            Id done[4] = {none, none, none, none}, *end = done;
            for_operands(n, [&](Id operand) {  // a result may take the place of an operand
                if (last_use_[std::size_t(operand)] == id && is_buffer(operand) && std::find(done, end, operand) == end)
                    free_.push_back(place(*end++ = operand));
            });
            if (!here) here = take_buffer();
            program_.each.push_back(instruction(step, here));
        }
    }
    /// Buffers of what is computed once are not reused.
    Slot own_buffer() { return Slot(1 + program_.inputs + program_.outputs + program_.buffers++); }
    bool is_buffer(Id id) const { return !fixed_[std::size_t(id)] && place(id) > program_.inputs + program_.outputs; }

    Instruction instruction(const Step& step, Slot out) const {
        const Node& n = step.node;
        Instruction i{.kind = step.what,
                      .which = n.which,
                      .out = out,
                      .a = place(n.a),
                      .b = place(n.b),
                      .y = place(n.y),
                      .g = place(n.g),
                      .numbers = n.numbers};
        const bool negates = is<rules::Affine>(n) && n.numbers.p == -1 && n.numbers.q == 0;
        i.rule = rule_row(negates ? rule_number<rules::Negative> : n.rule).place;  // which keeps the sign of zero
        return i;
    }

    std::vector<Id> roots_;
    std::vector<bool> fixed_;
    std::vector<Step> steps_;
    std::vector<Id> last_use_;
    std::vector<Slot> place_;
    std::vector<Slot> free_;
    kernels::Program program_;
};

}  // namespace

kernels::Program compile(const Graph& graph, const std::vector<Id>& roots, const std::vector<bool>& repeats) {
    std::vector<Id> wanted;
    for (const Id root : roots)
        if (root != none) wanted.push_back(root);
    return wanted.empty() ? kernels::Program() : Compiler(graph, std::move(wanted), repeats).program();
}

}  // namespace xtgrad::formula
