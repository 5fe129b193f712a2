#include "source.hpp"

#include "compile.hpp"
#include "derive.hpp"

namespace xtgrad::formula {
namespace {

std::vector<Id> derived(Graph& graph, Mode mode, Id root, std::size_t arity, const std::vector<bool>& of) {
    if (mode == Mode::value) return {root};
    int next = int(arity);
    if (mode == Mode::cotangents) return pullback(graph, root, of, graph.input(next));
    std::vector<Id> tangents;
    tangents.reserve(of.size());
    for (const bool has_one : of) tangents.push_back(has_one ? graph.input(next++) : none);
    return {pushforward(graph, root, tangents)};
}

Plan make_plan(Graph& graph, Mode mode, Id root, std::size_t arity, const std::vector<bool>& of,
               const std::vector<bool>& repeats) {
    Plan plan;
    plan.roots = derived(graph, mode, root, arity, of);
    std::vector<Id> computed;
    for (const Id id : plan.roots) {
        std::vector<bool> reads(repeats.size());
        int passed = -1;
        if (id != none) {
            const std::vector<bool> found = reachable(graph, {id});
            for (std::size_t i = 0; i < found.size(); ++i)
                if (const Node& n = graph[Id(i)]; found[i] && n.kind == Kind::input) reads[std::size_t(n.numbers.p)] = true;
            if (const Node& n = graph[id]; n.kind == Kind::input && mode != Mode::value) passed = int(n.numbers.p);
        }
        plan.reads.push_back(std::move(reads));
        plan.passed.push_back(passed);
        computed.push_back(passed < 0 ? id : none);
    }
    plan.program = compile(graph, computed, repeats);
    return plan;
}

}  // namespace

std::shared_ptr<Source> Source::of(const Trace& trace) {
    auto source = std::make_shared<Source>();
    const auto root = value_of(trace, source->graph_);
    if (!root) return nullptr;
    source->value_ = *root;
    return source;
}

const Plan& Source::plan(Mode mode, Id root, std::size_t arity, const std::vector<bool>& of, const std::vector<bool>& repeats) {
    const std::lock_guard lock(mutex_);
    for (const auto& k : known_)
        if (k->mode == mode && k->root == root && k->arity == arity && k->of == of && k->repeats == repeats) return k->plan;
    known_.push_back(
        std::make_unique<const Known>(Known{mode, root, arity, of, repeats, make_plan(graph_, mode, root, arity, of, repeats)}));
    return known_.back()->plan;
}

}  // namespace xtgrad::formula
