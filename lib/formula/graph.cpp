#include "graph.hpp"

#include <bit>
#include <cmath>
#include <functional>
#include <utility>

#include "symbol.hpp"

namespace xtgrad::formula {
namespace {

std::uint64_t bits(double x) noexcept { return std::bit_cast<std::uint64_t>(x); }

/// Is it +-2^n? Then multiplying by it rounds nothing, and may be done elsewhere.
bool exact(double scale) {
    int exponent;
    return std::abs(std::frexp(scale, &exponent)) == 0.5 && std::abs(exponent) < 64;
}

Node product_of(Id a, Id b) {
    if (a == b) return {.kind = Kind::value, .rule = rule_number<rules::Square>, .a = a};
    return {.kind = Kind::value, .rule = rule_number<rules::Multiply>, .a = std::min(a, b), .b = std::max(a, b)};
}

}  // namespace

bool Node::operator==(const Node& n) const noexcept {
    return kind == n.kind && which == n.which && rule == n.rule && a == n.a && b == n.b && y == n.y && g == n.g &&
           bits(numbers.p) == bits(n.numbers.p) && bits(numbers.q) == bits(n.numbers.q);
}

std::size_t Graph::Hash::operator()(const Node& n) const noexcept {
    std::uint64_t h = std::uint64_t(n.kind) | std::uint64_t(n.which) << 8 | std::uint64_t(n.rule) << 16;
    for (const std::uint64_t part :
         {std::uint64_t(n.a), std::uint64_t(n.b), std::uint64_t(n.y), std::uint64_t(n.g), bits(n.numbers.p), bits(n.numbers.q)})
        h = std::rotl(h ^ part, 23) * 0x9e3779b97f4a7c15;
    return std::size_t(h ^ h >> 32);
}

Id Graph::intern(const Node& n) {
    if (const auto at = known_.find(n); at != known_.end()) return at->second;
    nodes_.push_back(n);  // first: a number is known only of a node that is there
    return known_.emplace(n, size() - 1).first->second;
}

/// The number that a node is, or null.
const double* Graph::number(Id id) const {
    const Node& n = (*this)[id];
    return n.kind == Kind::constant ? &n.numbers.p : nullptr;
}
/// id = scale times the result, as far as that is exact; joins `scale`.
Id Graph::unscaled(Id id, double& scale) const {
    const Node& n = (*this)[id];
    if (!is<rules::Affine>(n) || n.numbers.q != 0 || !exact(n.numbers.p)) return id;
    scale *= n.numbers.p;
    return n.a;
}

Id Graph::input(int i) { return intern({.kind = Kind::input, .numbers = {double(i), 0}}); }
Id Graph::constant(double c) { return intern({.kind = Kind::constant, .numbers = {c, 0}}); }

Id Graph::affine(Id x, double p, double q) {
    if (const double* c = number(x)) return constant(p * *c + q);
    if (p == 1 && q == 0) return x;
    const Node n = (*this)[x];
    if (is<rules::Affine>(n)) {
        const double scale = p * n.numbers.p;
        if (n.numbers.q == 0 && (exact(p) || exact(n.numbers.p))) return affine(n.a, scale, q);
        if (q == 0 && exact(p)) return affine(n.a, scale, p * n.numbers.q);
    }
    return intern({.kind = Kind::value, .rule = rule_number<rules::Affine>, .a = x, .numbers = {p, q}});
}

Id Graph::add(Id a, Id b) {
    if (const double* c = number(b)) return affine(a, 1, *c);
    if (const double* c = number(a)) return affine(b, 1, *c);
    if (a == b) return affine(a, 2, 0);
    double p = 1, q = 1;
    const Id x = unscaled(a, p), y = unscaled(b, q);
    if (p == -1 && q == -1) return affine(add(x, y), -1, 0);
    if (q == -1) return subtract(a, y);
    if (p == -1) return subtract(b, x);
    return intern({.kind = Kind::value, .rule = rule_number<rules::Add>, .a = std::min(a, b), .b = std::max(a, b)});
}

Id Graph::subtract(Id a, Id b) {
    if (const double* c = number(b)) return affine(a, 1, -*c);
    if (const double* c = number(a)) return affine(b, -1, *c);
    double scale = 1;
    if (const Id y = unscaled(b, scale); scale == -1) return add(a, y);
    return intern({.kind = Kind::value, .rule = rule_number<rules::Subtract>, .a = a, .b = b});
}

Id Graph::multiply(Id a, Id b) {
    if (const double* c = number(b)) return affine(a, *c, 0);
    if (const double* c = number(a)) return affine(b, *c, 0);
    double scale = 1;
    a = unscaled(a, scale), b = unscaled(b, scale);
    return affine(intern(product_of(a, b)), scale, 0);
}
Id Graph::known_product(Id a, Id b) const {
    const auto at = known_.find(product_of(a, b));
    return at == known_.end() ? none : at->second;
}

Id Graph::divide(Id a, Id b) {
    if (const double* c = number(b); c && exact(*c)) return affine(a, 1 / *c, 0);
    double scale = 1;
    if (const double* c = number(a)) {
        b = unscaled(b, scale);
        return intern({.kind = Kind::value, .rule = rule_number<rules::Reciprocal>, .a = b, .numbers = {*c / scale, 0}});
    }
    a = unscaled(a, scale);
    double below = 1;
    b = unscaled(b, below);
    return affine(intern({.kind = Kind::value, .rule = rule_number<rules::Divide>, .a = a, .b = b}), scale / below, 0);
}

Id Graph::power(Id a, Id b) {
    const double* c = number(b);
    if (!c) return intern({.kind = Kind::value, .rule = rule_number<rules::Pow>, .a = a, .b = b});
    if (*c == 0) return constant(1);
    if (*c == 1) return a;
    if (*c == 2) return multiply(a, a);
    if (*c == 3) return value(rule_number<rules::Cube>, a);
    return intern({.kind = Kind::value, .rule = rule_number<rules::Power>, .a = a, .numbers = {*c, 0}});
}

Id Graph::value(int rule, Id a, Id b, Numbers numbers) {
    switch (rule) {
        case rule_number<rules::Add>: return add(a, b);
        case rule_number<rules::Subtract>: return subtract(a, b);
        case rule_number<rules::Multiply>: return multiply(a, b);
        case rule_number<rules::Square>: return multiply(a, a);
        case rule_number<rules::Divide>: return divide(a, b);
        case rule_number<rules::Pow>: return power(a, b);
        case rule_number<rules::Negative>: return affine(a, -1, 0);
        case rule_number<rules::Affine>: return affine(a, numbers.p, numbers.q);
        default: return intern({.kind = Kind::value, .rule = std::uint16_t(rule), .a = a, .b = b, .numbers = numbers});
    }
}

Id Graph::product(int rule, int k, Id a, Id b, Id y, Id g, Numbers numbers) {
    const auto& row = rule_row(rule).slope[k];
    if (row.constant) return affine(g, *row.constant, 0);
    const auto symbol = [&](Id id) { return Symbol(*this, id); };
    const Symbol slope = row.of(symbol(a), symbol(b), symbol(y), numbers);
    if (slope.is_constant()) return affine(g, slope.constant(), 0);
    double scale = 1;
    if (const Id x = unscaled(slope.id(), scale); x == a || x == b || x == y || number(x))
        return affine(multiply(g, x), scale, 0);
    scale = 1;
    g = unscaled(g, scale);
    return affine(intern({.kind = Kind::product,
                          .which = std::uint8_t(k),
                          .rule = std::uint16_t(rule),
                          .a = row.reads.a ? a : none,
                          .b = row.reads.b ? b : none,
                          .y = row.reads.y ? y : none,
                          .g = g,
                          .numbers = numbers}),
                  scale, 0);
}

Id Graph::choose(Compare by, Id p, Id q, Id a, Id b) {
    if (a == b) return a;
    return intern({.kind = Kind::choice, .which = std::uint8_t(by), .a = p, .b = q, .y = a, .g = b});
}

}  // namespace xtgrad::formula
