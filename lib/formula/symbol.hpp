// The number that slopes compute with to be differentiated once more: a node of a graph, with the vocabulary of Lanes.
#pragma once
#include <functional>

#include "graph.hpp"
#include "rules.hpp"

namespace xtgrad::formula {

/// A node, or a number that is not yet one.
class Symbol {
public:
    Symbol(double constant) : constant_(constant) {}
    Symbol(Graph& graph, Id id) : graph_(&graph), id_(id) {}
    bool is_constant() const { return !graph_; }
    double constant() const { return constant_; }
    Id id() const { return id_; }

    friend Symbol operator-(const Symbol& a) { return {*a.graph_, a.graph_->affine(a.id_, -1, 0)}; }
    friend Symbol operator+(const Symbol& a, const Symbol& b) { return both(a, b, &Graph::add); }
    friend Symbol operator-(const Symbol& a, const Symbol& b) { return both(a, b, &Graph::subtract); }
    friend Symbol operator*(const Symbol& a, const Symbol& b) { return both(a, b, &Graph::multiply); }
    friend Symbol operator/(const Symbol& a, const Symbol& b) { return both(a, b, &Graph::divide); }
    friend Symbol pow(const Symbol& a, const Symbol& b) { return both(a, b, &Graph::power); }

    /// A comparison; all it is good for is `where`.
    struct Comparison {
        Graph& graph;
        Compare by;
        Id p, q;
    };
    friend Comparison operator>(const Symbol& a, const Symbol& b) { return compared(Compare::greater, a, b); }
    friend Comparison operator<(const Symbol& a, const Symbol& b) { return compared(Compare::greater, b, a); }
    friend Comparison operator>=(const Symbol& a, const Symbol& b) { return compared(Compare::greater_equal, a, b); }
    friend Symbol where(const Comparison& c, const Symbol& a, const Symbol& b) {
        return {c.graph, c.graph.choose(c.by, c.p, c.q, a.in(c.graph), b.in(c.graph))};
    }

    friend Symbol abs(const Symbol& x) { return x.call<rules::Abs>(); }
    friend Symbol sqrt(const Symbol& x) { return x.call<rules::Sqrt>(); }
    friend Symbol exp(const Symbol& x) { return x.call<rules::Exp>(); }
    friend Symbol log(const Symbol& x) { return x.call<rules::Log>(); }
    friend Symbol sin(const Symbol& x) { return x.call<rules::Sin>(); }
    friend Symbol cos(const Symbol& x) { return x.call<rules::Cos>(); }
    friend Symbol sinh(const Symbol& x) { return x.call<rules::Sinh>(); }
    friend Symbol cosh(const Symbol& x) { return x.call<rules::Cosh>(); }
    friend Symbol tanh(const Symbol& x) { return x.call<rules::Tanh>(); }
    friend Symbol erfc(const Symbol& x) { return x.call<rules::Erfc>(); }
    friend Symbol round(const Symbol& x) { return x.call<rules::Round>(); }
    friend Symbol sigmoid(const Symbol& x) { return x.call<rules::Sigmoid>(); }
    friend Symbol polygamma(double n, const Symbol& x) { return x.call<rules::Polygamma>({n, 0}); }
    friend Symbol hypot(const Symbol& a, const Symbol& b) {
        return both(a, b, [](Graph& g, Id p, Id q) { return g.value(rule_number<rules::Hypot>, p, q); });
    }
    friend Symbol gelu_slope(const Symbol& x) {
        return 0.5 * erfc(-0.70710678118654752 * x) + where(abs(x) < 1000, x, 0) * (0.39894228040143268 * exp(-0.5 * (x * x)));
    }

private:
    Id in(Graph& graph) const { return graph_ ? id_ : graph.constant(constant_); }
    static Symbol both(const Symbol& a, const Symbol& b, auto f) {
        Graph& graph = a.graph_ ? *a.graph_ : *b.graph_;
        const Id p = a.in(graph), q = b.in(graph);
        return {graph, std::invoke(f, graph, p, q)};
    }
    static Comparison compared(Compare by, const Symbol& a, const Symbol& b) {
        Graph& graph = a.graph_ ? *a.graph_ : *b.graph_;
        return {graph, by, a.in(graph), b.in(graph)};
    }
    template <class Rule>
    Symbol call(Numbers numbers = {}) const {
        return {*graph_, graph_->value(rule_number<Rule>, id_, none, numbers)};
    }

    Graph* graph_ = nullptr;
    Id id_ = none;
    double constant_ = 0;
};

}  // namespace xtgrad::formula

template <>
inline constexpr bool xtgrad::is_number<xtgrad::formula::Symbol> = true;
