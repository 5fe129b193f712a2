// A formula as a graph of calls of the elementwise rules. Equal calls are one node.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "../rules/rule.hpp"

namespace xtgrad::formula {

/// A node of a graph. Operands have smaller numbers than what they go into.
using Id = std::int32_t;
inline constexpr Id none = -1;

enum class Kind : std::uint8_t {
    input,     // number `which`
    constant,  // p
    value,     // of a rule
    product,   // g times slope `which` of a rule
    choice     // y where a stands to b as `which` says, else g
};
enum class Compare : std::uint8_t { greater, greater_equal, equal };

struct Node {
    Kind kind;
    std::uint8_t which = 0;
    std::uint16_t rule = 0;
    Id a = none, b = none, y = none, g = none;
    Numbers numbers{};

    bool operator==(const Node&) const noexcept;  // also of NaN
};

/// Calls f for each operand that there is.
void for_operands(const Node& n, auto f) {
    for (const Id id : {n.a, n.b, n.y, n.g})
        if (id != none) f(id);
}

class Graph {
public:
    const Node& operator[](Id id) const { return nodes_[std::size_t(id)]; }
    Id size() const { return Id(nodes_.size()); }

    Id input(int i);
    Id constant(double);
    /// A rule's value, by its number. Numbers, signs and powers of two go outwards, where they meet and cancel.
    Id value(int rule, Id a, Id b = none, Numbers = {});
    /// g times slope k of what `value` was called with, whose result is y.
    Id product(int rule, int k, Id a, Id b, Id y, Id g, Numbers = {});
    /// p > q ? a : b, or with >= or ==.
    Id choose(Compare, Id p, Id q, Id a, Id b);

    Id add(Id a, Id b);
    Id subtract(Id a, Id b);
    Id multiply(Id a, Id b);
    Id known_product(Id a, Id b) const;  // or none
    Id divide(Id a, Id b);
    Id power(Id a, Id b);
    /// p x + q
    Id affine(Id x, double p, double q);

private:
    struct Hash {
        std::size_t operator()(const Node&) const noexcept;
    };

    Id intern(const Node&);
    const double* number(Id) const;
    Id unscaled(Id, double& scale) const;

    std::vector<Node> nodes_;
    std::unordered_map<Node, Id, Hash> known_;
};

}  // namespace xtgrad::formula
