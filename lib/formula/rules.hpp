// The elementwise rules by number.
#pragma once
#include <optional>

#include "../rules/all.hpp"
#include "graph.hpp"

namespace xtgrad::formula {

/// Its place in the list of all rules.
template <class Rule>
inline constexpr int rule_number = [] {
    int at = 0, found = -1;
    rules::All::each([&]<class R> {
        if (std::same_as<R, Rule>) found = at;
        ++at;
    });
    return found;
}();

/// Is the node a value of the rule?
template <class Rule>
bool is(const Node& n) {
    return n.kind == Kind::value && n.rule == rule_number<Rule>;
}

class Symbol;

/// What graphs need to know of a rule.
struct SlopeRow {
    std::optional<double> constant;
    Reads reads;
    Symbol (*of)(const Symbol& a, const Symbol& b, const Symbol& y, Numbers);
};
struct RuleRow {
    Place place;
    SlopeRow slope[2];
};
const RuleRow& rule_row(int number);

}  // namespace xtgrad::formula
