#include "trace.hpp"

#include <array>
#include <new>
#include <span>

#include "rules.hpp"

namespace xtgrad {
namespace formula {
namespace {

using detail::Call;
using detail::Traced;

constexpr std::size_t most_entries = 4096, most_conditions = 16, most_paths = 16;

/// Why a formula is not traced. Nobody sees it: the formula is computed number by number.
struct Untraced {};

/// What this thread is tracing.
struct Tracing {
    Trace entries;
    std::vector<bool> outcomes;  // of the conditions on this path
    std::size_t conditions = 0;  // that the path has met

    Id enter(const Entry& e) {
        if (entries.size() == most_entries) throw Untraced();
        entries.push_back(e);
        return Id(entries.size()) - 1;
    }
    Id entry_of(const Traced& x) { return x.entry() >= 0 ? x.entry() : enter({.call = Call::constant, .number = x.constant()}); }
    /// Turns to the next path: another outcome for the last condition whose first one was all that was tried.
    bool next_path() {
        while (!outcomes.empty() && !outcomes.back()) outcomes.pop_back();
        if (!outcomes.empty()) outcomes.back() = false;
        conditions = 0;
        return !outcomes.empty();
    }
};

constinit thread_local Tracing* current = nullptr;

Tracing& tracing() {
    if (!current) throw Untraced();
    return *current;
}

class Scope {
public:
    explicit Scope(Tracing& t) : before_(std::exchange(current, &t)) {}
    ~Scope() { current = before_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

private:
    Tracing* before_;
};

int rule_of(Call call) {
    using namespace rules;
    switch (call) {
        case Call::add: return rule_number<Add>;
        case Call::subtract: return rule_number<Subtract>;
        case Call::multiply: return rule_number<Multiply>;
        case Call::divide: return rule_number<Divide>;
        case Call::negative: return rule_number<Negative>;
        case Call::abs: return rule_number<Abs>;
        case Call::maximum: return rule_number<Maximum>;
        case Call::minimum: return rule_number<Minimum>;
        case Call::floor: return rule_number<Floor>;
        case Call::ceil: return rule_number<Ceil>;
        case Call::round: return rule_number<Round>;
        case Call::trunc: return rule_number<Trunc>;
        case Call::fmod: return rule_number<Fmod>;
        case Call::sqrt: return rule_number<Sqrt>;
        case Call::cbrt: return rule_number<Cbrt>;
        case Call::pow: return rule_number<Pow>;
        case Call::hypot: return rule_number<Hypot>;
        case Call::exp: return rule_number<Exp>;
        case Call::exp2: return rule_number<Exp2>;
        case Call::expm1: return rule_number<Expm1>;
        case Call::log: return rule_number<Log>;
        case Call::log2: return rule_number<Log2>;
        case Call::log10: return rule_number<Log10>;
        case Call::log1p: return rule_number<Log1p>;
        case Call::sin: return rule_number<Sin>;
        case Call::cos: return rule_number<Cos>;
        case Call::tan: return rule_number<Tan>;
        case Call::asin: return rule_number<Asin>;
        case Call::acos: return rule_number<Acos>;
        case Call::atan: return rule_number<Atan>;
        case Call::atan2: return rule_number<Atan2>;
        case Call::sinh: return rule_number<Sinh>;
        case Call::cosh: return rule_number<Cosh>;
        case Call::tanh: return rule_number<Tanh>;
        case Call::asinh: return rule_number<Asinh>;
        case Call::acosh: return rule_number<Acosh>;
        case Call::atanh: return rule_number<Atanh>;
        case Call::erf: return rule_number<Erf>;
        case Call::erfc: return rule_number<Erfc>;
        case Call::lgamma: return rule_number<Lgamma>;
        default: return -1;
    }
}

/// Arithmetic of constants, for loops that count with the formula's own type; nothing for other calls.
std::optional<double> folded(Call call, double a, double b) {
    switch (call) {
        case Call::add: return a + b;
        case Call::subtract: return a - b;
        case Call::multiply: return a * b;
        case Call::divide: return a / b;
        case Call::negative: return -a;
        default: return {};
    }
}

Compare compare_of(Call call) { return Compare(int(call) - int(Call::where_greater)); }

/// A condition of a path as it was met, and what was found.
struct Condition {
    Compare by;
    Id a, b;
    bool outcome;

    bool same_as(const Condition& c) const { return by == c.by && a == c.a && b == c.b; }
};
struct Path {
    std::vector<Condition> conditions;
    Id result;
};

/// The choice between paths that agree up to a depth; they are in the order of the outcomes, true first.
std::optional<Id> choice_of(Graph& graph, std::span<const Path> paths, std::size_t depth) {
    if (paths.size() == 1 && paths[0].conditions.size() == depth) return paths[0].result;
    std::size_t holds = 0;
    for (const Path& p : paths) {
        if (p.conditions.size() <= depth || !p.conditions[depth].same_as(paths[0].conditions[depth])) return {};
        holds += p.conditions[depth].outcome;
    }
    if (holds == 0 || holds == paths.size()) return {};
    const auto a = choice_of(graph, paths.first(holds), depth + 1), b = choice_of(graph, paths.subspan(holds), depth + 1);
    const Condition& c = paths[0].conditions[depth];
    return a && b ? std::optional(graph.choose(c.by, c.a, c.b, *a, *b)) : std::nullopt;
}

}  // namespace

std::optional<Trace> trace(const detail::Formula& formula, int arity) {
    Tracing t;
    t.entries.reserve(64);
    std::vector<Traced> x;
    x.reserve(std::size_t(arity));
    for (int i = 0; i < arity; ++i) x.push_back(Traced::at(t.enter({.call = Call::argument, .number = double(i)})));
    const Scope scope(t);
    try {
        std::size_t paths = 0;
        do {
            if (++paths > most_paths) return {};
            const Traced y = formula.trace(x.data());
            t.enter({.call = Call::result, .operands = {t.entry_of(y), -1, -1, -1, -1}});
        } while (t.next_path());
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {  // also what a formula throws: only its numbers can tell whether it does
        return {};
    }
    return std::move(t.entries);
}

std::optional<Id> value_of(const Trace& trace, Graph& graph) {
    std::vector<Id> ids;
    std::vector<Path> paths;
    std::vector<Condition> conditions;
    for (const Entry& e : trace) {
        const auto at = [&](int k) { return e.operands[k] < 0 ? none : ids[std::size_t(e.operands[k])]; };
        Id here = none;
        switch (e.call) {
            case Call::argument: here = graph.input(int(e.number)); break;
            case Call::constant: here = graph.constant(e.number); break;
            case Call::where_greater:
            case Call::where_greater_equal:
            case Call::where_equal: here = graph.choose(compare_of(e.call), at(0), at(1), at(2), at(3)); break;
            case Call::branch: conditions.push_back({Compare(int(e.number)), at(0), at(1), e.operands[4] == 1}); break;
            case Call::result: paths.push_back({std::exchange(conditions, {}), at(0)}); break;
            case Call::polygamma: here = graph.value(rule_number<rules::Polygamma>, at(0), none, {e.number, 0}); break;
            default: here = graph.value(rule_of(e.call), at(0), at(1));
        }
        ids.push_back(here);
    }
    return choice_of(graph, paths, 0);
}

}  // namespace formula

namespace detail {

using formula::tracing;

void refuse_trace() { throw formula::Untraced(); }

Traced traced(Call call, const Traced& a) {
    if (a.entry() < 0)
        if (const auto c = formula::folded(call, a.constant(), 0)) return *c;
    auto& t = tracing();
    return Traced::at(t.enter({.call = call, .operands = {t.entry_of(a), -1, -1, -1, -1}}));
}
Traced traced(Call call, const Traced& a, const Traced& b) {
    auto& t = tracing();
    if (call == Call::polygamma)
        return Traced::at(t.enter({.call = call, .operands = {t.entry_of(a), -1, -1, -1, -1}, .number = b.constant()}));
    if (a.entry() < 0 && b.entry() < 0)
        if (const auto c = formula::folded(call, a.constant(), b.constant())) return *c;
    const auto p = t.entry_of(a), q = t.entry_of(b);
    return Traced::at(t.enter({.call = call, .operands = {p, q, -1, -1, -1}}));
}
Traced traced(Call call, const Traced& a, const Traced& b, const Traced& c, const Traced& d) {
    auto& t = tracing();
    const auto p = t.entry_of(a), q = t.entry_of(b), x = t.entry_of(c), y = t.entry_of(d);
    return Traced::at(t.enter({.call = call, .operands = {p, q, x, y, -1}}));
}

bool traced_outcome(Call call, const Traced& a, const Traced& b) {
    if (a.entry() < 0 && b.entry() < 0) {
        const double p = a.constant(), q = b.constant();
        return call == Call::where_equal ? p == q : call == Call::where_greater ? p > q : p >= q;
    }
    auto& t = tracing();
    if (t.conditions == t.outcomes.size()) {
        if (t.conditions == formula::most_conditions) throw formula::Untraced();
        t.outcomes.push_back(true);
    }
    const bool outcome = t.outcomes[t.conditions++];
    const auto p = t.entry_of(a), q = t.entry_of(b);
    t.enter({.call = Call::branch, .operands = {p, q, -1, -1, outcome}, .number = double(int(formula::compare_of(call)))});
    return outcome;
}

}  // namespace detail
}  // namespace xtgrad
