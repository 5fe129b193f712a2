#include "compile.hpp"

#include <algorithm>
#include <utility>

#include "derive.hpp"
#include "rules.hpp"

namespace xtgrad::formula {
namespace {

using kernels::Instruction;
using kernels::Slot;

using Do = Instruction::Kind;

/// A node as one instruction computes it. A product that is only scaled, or added to something, is a part of that.
struct Step {
    Do what;
    Node node;  // its operands
};

class Compiler {
public:
    Compiler(const Graph& graph, std::vector<Id> roots, const std::vector<bool>& repeats)
        : graph_(graph),
          roots_(std::move(roots)),
          needed_(reachable(graph, roots_)),
          fixed_(needed_.size()),
          steps_(needed_.size()),
          last_use_(needed_.size(), none),
          place_(needed_.size()) {
        program_.inputs = Slot(repeats.size());
        program_.outputs = Slot(roots_.size());
        std::vector<int> uses(needed_.size());
        for_needed([&](Id, const Node& n) { for_operands(n, [&](Id operand) { ++uses[std::size_t(operand)]; }); });
        for (const Id root : roots_) ++uses[std::size_t(root)];
        for_needed([&](Id id, const Node& n) { steps_[std::size_t(id)] = step(n, uses); });
        for_needed([&](Id id, const Node&) {
            const Node& n = steps_[std::size_t(id)].node;
            bool fixed = n.kind == Kind::input ? bool(repeats[std::size_t(n.numbers.p)]) : true;
            for_operands(n, [&](Id operand) {
                last_use_[std::size_t(operand)] = id;
                fixed = fixed && fixed_[std::size_t(operand)];
            });
            fixed_[std::size_t(id)] = fixed;
        });
        for (std::size_t i = 0; i < roots_.size(); ++i) {  // computed where they are wanted
            const auto root = std::size_t(roots_[i]);
            if (graph_[roots_[i]].kind != Kind::input && !fixed_[root] && !place_[root]) place_[root] = output(i);
        }
    }

    kernels::Program program() {
        for_needed([&](Id id, const Node&) { emit(id, steps_[std::size_t(id)]); });
        for (std::size_t i = 0; i < roots_.size(); ++i)
            if (const Slot from = place(roots_[i]); from != output(i))
                program_.each.push_back({.kind = Do::copy, .out = output(i), .a = from});
        return std::move(program_);
    }

private:
    void for_needed(auto f) const {
        for (Id id = 0; id < Id(needed_.size()); ++id)
            if (needed_[std::size_t(id)]) f(id, graph_[id]);
    }
    Slot output(std::size_t i) const { return Slot(1 + program_.inputs + i); }
    Slot place(Id id) const { return id == none ? Slot(0) : place_[std::size_t(id)]; }

    Slot take_buffer() {
        if (free_.empty()) return Slot(1 + program_.inputs + program_.outputs + program_.buffers++);
        const Slot buffer = free_.back();
        free_.pop_back();
        return buffer;
    }

    bool is(const Node& n, int rule) const { return n.kind == Kind::value && n.rule == rule; }
    /// A product that has one reader, who thus can compute it; it is needed no more.
    bool absorb(Id id, const std::vector<int>& uses, Node& into) {
        const Node& n = graph_[id];
        if (uses[std::size_t(id)] != 1 || !(is(n, rule_number<rules::Multiply>) || is(n, rule_number<rules::Square>)))
            return false;
        into.a = n.a;
        into.b = n.b == none ? n.a : n.b;
        needed_[std::size_t(id)] = false;
        return true;
    }
    Step step(const Node& n, const std::vector<int>& uses) {
        Node to = n;
        if (is(n, rule_number<rules::Affine>) && absorb(n.a, uses, to)) {
            if (to.numbers.q == 0) to.numbers.q = -0.;  // adding it keeps the sign of zero
            return {Do::scaled_product, to};
        }
        if (is(n, rule_number<rules::Add>)) {
            to.y = n.a;
            if (absorb(n.b, uses, to)) return {Do::product_sum, to};
            to.y = n.b;
            if (absorb(n.a, uses, to)) return {Do::product_sum, to};
            return {Do::value, n};
        }
        constexpr Do choices[] = {Do::greater, Do::greater_equal, Do::equal};
        return {n.kind == Kind::choice ? choices[n.which] : n.kind == Kind::product ? Do::product : Do::value, n};
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
        const bool negates = is(n, rule_number<rules::Affine>) && n.numbers.p == -1 && n.numbers.q == 0;
        i.rule = rule_row(negates ? rule_number<rules::Negative> : n.rule).place;  // which keeps the sign of zero
        return i;
    }

    const Graph& graph_;
    std::vector<Id> roots_;
    std::vector<bool> needed_, fixed_;  // fixed: the same for all elements
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
