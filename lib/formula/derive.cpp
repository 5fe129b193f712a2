#include "derive.hpp"

#include <algorithm>
#include <optional>

#include "symbol.hpp"

namespace xtgrad::formula {

std::vector<bool> reachable(const Graph& graph, const std::vector<Id>& roots) {
    std::vector<bool> found(std::size_t(*std::max_element(roots.begin(), roots.end()) + 1));
    for (const Id root : roots)
        if (root != none) found[std::size_t(root)] = true;
    for (Id id = Id(found.size()) - 1; id >= 0; --id)
        if (found[std::size_t(id)]) for_operands(graph[id], [&](Id operand) { found[std::size_t(operand)] = true; });
    return found;
}

namespace {

/// The nodes that a root needs, in the order of their computation.
std::vector<Id> needed(const Graph& graph, Id root) {
    const std::vector<bool> found = reachable(graph, {root});
    std::vector<Id> ids;
    for (Id id = 0; id <= root; ++id)
        if (found[std::size_t(id)]) ids.push_back(id);
    return ids;
}

/// The same root without products: what their slopes are made of is to be differentiated too.
Id expanded(Graph& graph, Id root) {
    std::vector<Id> now(std::size_t(root) + 1, none);
    for (const Id id : needed(graph, root)) {
        const Node n = graph[id];
        const auto at = [&](Id operand) { return operand == none ? none : now[std::size_t(operand)]; };
        const auto symbol = [&](Id operand) { return Symbol(graph, at(operand)); };
        Id& here = now[std::size_t(id)];
        switch (n.kind) {
            case Kind::input:
            case Kind::constant: here = id; break;
            case Kind::value: here = graph.value(n.rule, at(n.a), at(n.b), n.numbers); break;
            case Kind::choice: here = graph.choose(Compare(n.which), at(n.a), at(n.b), at(n.y), at(n.g)); break;
            case Kind::product:
                here = (symbol(n.g) * rule_row(n.rule).slope[n.which].of(symbol(n.a), symbol(n.b), symbol(n.y), n.numbers)).id();
        }
    }
    return now[std::size_t(root)];
}

/// Calls f(operand, k) for each operand that the node's value has a derivative by; k is the slope's number, or the branch's.
void for_differentiable(const Node& n, auto f) {
    if (n.kind == Kind::value) {
        const auto& slope = rule_row(n.rule).slope;
        if (slope[0].constant != 0) f(n.a, 0);
        if (n.b != none && slope[1].constant != 0) f(n.b, 1);
    } else if (n.kind == Kind::choice) {
        f(n.y, 0);
        f(n.g, 1);
    }
}

/// Where choices have been made, and how: a tree. Cotangents of different cases go their ways apart, unmasked, and meet at the
/// inputs: so an infinite slope in the branch that is not taken cannot meet a zero, and spoil the one that is.
class Cases {
public:
    static constexpr int always = 0, never = -1;

    /// The case within `outer` where the choice takes its first or its second branch. Nothing when there are too many cases.
    std::optional<int> within(int outer, const Node& choice, bool first) {
        for (int at = outer; at != always; at = cases_[std::size_t(at)].outer)
            if (cases_[std::size_t(at)].same_choice(choice)) return cases_[std::size_t(at)].first == first ? outer : int(never);
        if (const int found = find(outer, choice, first); found != never) return found;
        if (cases_.size() >= most) return {};
        cases_.push_back({outer, choice, first});
        return int(cases_.size()) - 1;
    }

    /// One result of the results in each case.
    Id joined(Graph& graph, std::vector<Id> of) const {
        of.resize(cases_.size(), none);
        for (int at = int(cases_.size()) - 1; at != always; --at) {
            const Case& c = cases_[std::size_t(at)];
            const int other = find(c.outer, c.choice, !c.first);
            if (other != never && other < at) continue;  // joined there, when all cases within it are
            const Id here = of[std::size_t(at)], there = other == never ? none : of[std::size_t(other)];
            if (here == none && there == none) continue;
            const auto or_zero = [&](Id id) { return id == none ? graph.constant(0) : id; };
            const Id a = or_zero(c.first ? here : there), b = or_zero(c.first ? there : here);
            const Id both = graph.choose(Compare(c.choice.which), c.choice.a, c.choice.b, a, b);
            Id& outer = of[std::size_t(c.outer)];
            outer = outer == none ? both : graph.add(outer, both);
        }
        return of[always];
    }

private:
    static constexpr std::size_t most = 32;

    struct Case {
        int outer;
        Node choice;
        bool first;

        bool same_choice(const Node& n) const { return choice.which == n.which && choice.a == n.a && choice.b == n.b; }
    };

    int find(int outer, const Node& choice, bool first) const {
        for (std::size_t i = 1; i < cases_.size(); ++i)
            if (cases_[i].outer == outer && cases_[i].first == first && cases_[i].same_choice(choice)) return int(i);
        return never;
    }

    std::vector<Case> cases_{{always, {}, true}};
};

}  // namespace

std::vector<Id> pullback(Graph& graph, Id root, const std::vector<bool>& wanted, Id seed) {
    root = expanded(graph, root);
    std::vector<Id> ids = needed(graph, root);
    std::vector<bool> active(std::size_t(root) + 1);
    for (const Id id : ids) {
        const Node& n = graph[id];
        const auto input = std::size_t(n.numbers.p);
        bool here = n.kind == Kind::input && input < wanted.size() && wanted[input];
        for_differentiable(n, [&](Id operand, int) { here = here || active[std::size_t(operand)]; });
        active[std::size_t(id)] = here;
    }

    Cases cases;
    std::vector<std::vector<Id>> cotangents(std::size_t(root) + 1);  // of each node, in each case
    const auto accumulate = [&](Id id, int in, Id g) {
        auto& of = cotangents[std::size_t(id)];
        if (of.size() <= std::size_t(in)) of.resize(std::size_t(in) + 1, none);
        Id& sum = of[std::size_t(in)];
        sum = sum == none ? g : graph.add(sum, g);
    };
    std::vector<Id> results(wanted.size(), none);
    if (active[std::size_t(root)]) accumulate(root, Cases::always, seed);
    std::reverse(ids.begin(), ids.end());
    for (const Id id : ids) {
        const Node n = graph[id];
        const std::vector<Id> of = std::move(cotangents[std::size_t(id)]);
        if (of.empty()) continue;
        if (n.kind == Kind::input) results[std::size_t(n.numbers.p)] = cases.joined(graph, of);
        for (int in = 0; in < int(of.size()); ++in) {
            const Id g = of[std::size_t(in)];
            if (g == none) continue;
            for_differentiable(n, [&](Id operand, int k) {
                if (!active[std::size_t(operand)]) return;
                if (n.kind == Kind::value) {
                    accumulate(operand, in, graph.product(n.rule, k, n.a, n.b, id, g, n.numbers));
                } else if (const auto inner = cases.within(in, n, k == 0); !inner) {
                    const Id zero = graph.constant(0);
                    accumulate(operand, in, graph.choose(Compare(n.which), n.a, n.b, k == 0 ? g : zero, k == 0 ? zero : g));
                } else if (*inner != Cases::never) {
                    accumulate(operand, *inner, g);
                }
            });
        }
    }
    return results;
}

Id pushforward(Graph& graph, Id root, const std::vector<Id>& tangents) {
    root = expanded(graph, root);
    std::vector<Id> of(std::size_t(root) + 1, none);
    for (const Id id : needed(graph, root)) {
        const Node n = graph[id];
        Id& here = of[std::size_t(id)];
        if (n.kind == Kind::input) {
            if (const auto input = std::size_t(n.numbers.p); input < tangents.size()) here = tangents[input];
        } else if (n.kind == Kind::choice) {
            const Id a = of[std::size_t(n.y)], b = of[std::size_t(n.g)], zero = graph.constant(0);
            if (a != none || b != none)
                here = graph.choose(Compare(n.which), n.a, n.b, a == none ? zero : a, b == none ? zero : b);
        } else {
            for_differentiable(n, [&](Id operand, int k) {
                const Id t = of[std::size_t(operand)];
                if (t == none) return;
                const Id part = graph.product(n.rule, k, n.a, n.b, id, t, n.numbers);
                here = here == none ? part : graph.add(here, part);
            });
        }
    }
    return of[std::size_t(root)];
}

}  // namespace xtgrad::formula
