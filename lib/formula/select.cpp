#include "select.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "derive.hpp"
#include "rules.hpp"

namespace xtgrad::formula {
namespace {

using Do = kernels::Instruction::Kind;

/// p times a node.
struct Scaled {
    Id of;
    double p = 1;
};

class Selector {
public:
    Selector(const Graph& graph, const std::vector<Id>& roots, const std::vector<bool>& fixed)
        : graph_(graph), roots_(roots), fixed_(fixed), readers_(fixed.size()), steps_(fixed.size()) {
        const std::vector<bool> needed = reachable(graph, roots);
        const auto for_needed = [&](auto f) {
            for (Id id = 0; id < Id(needed.size()); ++id)
                if (needed[std::size_t(id)]) f(id, graph[id]);
        };
        for_needed([&](Id, const Node& n) { for_operands(n, [&](Id operand) { ++readers(operand); }); });
        for (const Id root : roots) ++readers(root);
        for_needed([&](Id id, const Node& n) { at(id) = step(id, n); });
        for (Step& step : steps_)  // now that it is known who reads what
            if (step.needed) join(step);
    }
    std::vector<Step> steps() { return std::move(steps_); }

private:
    Step& at(Id id) { return steps_[std::size_t(id)]; }
    int& readers(Id id) { return readers_[std::size_t(id)]; }
    bool is_fixed(Id id) const { return fixed_[std::size_t(id)]; }
    /// May its only reader do its work?
    bool is_free(Id id) { return readers(id) == 1 && !is_fixed(id); }
    /// Is it computed in any case?
    bool stays(Id id) {
        return at(id).needed && (readers(id) > 1 || std::find(roots_.begin(), roots_.end(), id) != roots_.end());
    }

    /// One of its readers computes it from its operands.
    void absorb(Id id) {
        if (--readers(id) == 0)
            at(id).needed = false;
        else
            for_operands(at(id).node, [&](Id operand) { ++readers(operand); });
    }

    /// What the reader of a node may scale by itself.
    Scaled unscaled(Id id) {
        const Step& x = at(id);
        if (x.what != Do::value || !is<rules::Affine>(x.node) || x.node.numbers.q != 0 || is_fixed(id)) return {id};
        absorb(id);
        return {x.node.a, x.node.numbers.p};
    }

    /// Makes p x of a product with no other reader p a b: the operands and p of `to`.
    bool multiplied(Scaled x, Node& to) {
        const auto& [needed, what, n] = at(x.of);
        const bool scales = what == Do::scaled_product && n.numbers.q == 0 && std::abs(x.p) == 1,
                   product = what == Do::value && (is<rules::Multiply>(n) || is<rules::Square>(n));
        if (!(scales || product) || !is_free(x.of)) return false;
        absorb(x.of);
        to.a = n.a;
        to.b = n.b == none ? n.a : n.b;
        to.numbers.p = scales ? x.p * n.numbers.p : x.p;
        return true;
    }

    /// (u v) b as (u b) v where that saves a product: u b is computed in any case, and nothing else reads u v.
    Node regrouped(Id id, const Node& n) {
        for (const auto& [whole, other] : {std::pair(n.a, n.b), std::pair(n.b, n.a)}) {
            const Step& x = at(whole);
            if (x.what != Do::value || !is<rules::Multiply>(x.node) || !is_free(whole)) continue;
            for (const auto& [part, rest] : {std::pair(x.node.a, x.node.b), std::pair(x.node.b, x.node.a)}) {
                const Id there = graph_.known_product(part, other);
                if (there == none || there > id || !stays(there)) continue;
                absorb(whole);
                --readers(part), --readers(other), ++readers(there);
                return {.kind = n.kind, .rule = n.rule, .a = there, .b = rest};
            }
        }
        return n;
    }

    Step multiply(Id id, const Node& given) {
        const Node n = regrouped(id, given);
        const Scaled x = unscaled(n.a), y = unscaled(n.b);
        if (x.p == 1 && y.p == 1) return {true, Do::value, n};
        return {true, Do::product_of_scaled, {.kind = n.kind, .a = x.of, .b = y.of, .numbers = {x.p, y.p}}};
    }

    /// a + sign b
    Step add(const Node& n, double sign) {
        const Scaled x = unscaled(n.a);
        Scaled y = unscaled(n.b);
        y.p *= sign;
        Node sum{.kind = n.kind};
        for (const auto& [product, other] : {std::pair(y, x), std::pair(x, y)})
            if (multiplied(product, sum)) {
                sum.y = other.of;
                sum.numbers.q = other.p;
                return {true, Do::product_sum, sum};
            }
        if (x.of == n.a && y.of == n.b) return {true, Do::value, n};
        return {true, Do::sum_of_scaled, {.kind = n.kind, .a = x.of, .b = y.of, .numbers = {x.p, y.p}}};
    }

    Step affine(const Node& n) {
        Node to = n;
        if (!multiplied({n.a, n.numbers.p}, to)) return {true, Do::value, n};
        if (to.numbers.q == 0) to.numbers.q = -0.;  // adding it keeps the sign of zero
        return {true, Do::scaled_product, to};
    }

    Step step(Id id, const Node& n) {
        constexpr Do choices[] = {Do::greater, Do::greater_equal, Do::equal};
        if (n.kind == Kind::choice) return {true, choices[n.which], n};
        if (n.kind == Kind::product) return {true, Do::product, n};
        if (is<rules::Affine>(n)) return affine(n);
        if (is<rules::Multiply>(n)) return multiply(id, n);
        if (is<rules::Add>(n)) return add(n, 1);
        if (is<rules::Subtract>(n)) return add(n, -1);
        return {true, Do::value, n};
    }

    /// A product with a product, or with an exponential of one, by one instruction.
    void join(Step& step) {
        const bool scales = step.what == Do::scaled_product && step.node.numbers.q == 0;
        if (!scales && !(step.what == Do::value && is<rules::Multiply>(step.node))) return;
        for (const auto& [inner, other] : {std::pair(step.node.a, step.node.b), std::pair(step.node.b, step.node.a)}) {
            Node to{.kind = Kind::value, .y = other, .numbers = {1, -0.}};
            const Step& x = at(inner);
            if (inner == other || x.what != Do::value || !is_free(inner)) continue;
            if (is<rules::Multiply>(x.node)) {
                to.a = x.node.a, to.b = x.node.b;
                if (scales) to.numbers.p = step.node.numbers.p;
            } else if (scales || !is<rules::Exp>(x.node) || !exponent(x.node.a, to)) {
                continue;
            }
            absorb(inner);
            step = {true, is<rules::Exp>(x.node) ? Do::exp_product : Do::triple_product, to};
            return;
        }
    }
    /// p a b + q of `to` instead of the node.
    bool exponent(Id id, Node& to) {
        const Step& x = at(id);
        if (x.what != Do::scaled_product || !is_free(id)) return multiplied({id}, to);
        absorb(id);
        to.a = x.node.a, to.b = x.node.b, to.numbers = x.node.numbers;
        return true;
    }

    const Graph& graph_;
    const std::vector<Id>& roots_;
    const std::vector<bool>& fixed_;
    std::vector<int> readers_;
    std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> select(const Graph& graph, const std::vector<Id>& roots, const std::vector<bool>& fixed) {
    return Selector(graph, roots, fixed).steps();
}

}  // namespace xtgrad::formula
