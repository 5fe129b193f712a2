#include "checks.hpp"

#include <cmath>

#include "kernels/isa.hpp"
#include "layout.hpp"

namespace views {
namespace {

using xg::is_floating;

double epsilon(Dtype d) { return d == xg::f32 ? 0x1p-23 : 0x1p-52; }

/// The largest difference by the largest element; infinite where one is NaN and the other not.
double distance(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return INFINITY;
    const auto x = elements(a), y = elements(b);
    double most = 0, size = 1;
    for (const double v : x)
        if (std::isfinite(v)) size = std::max(size, std::fabs(v));
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
        const double d = std::fabs(x[i] - y[i]);
        most = std::isfinite(d) ? std::max(most, d) : INFINITY;
    }
    return most / size;
}

/// A sum of products, and how large its terms are.
struct Product {
    double sum = 0, size = 0;

    void add(const Tensor& a, const Tensor& b) {
        const auto x = elements(a), y = elements(b);
        for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i], size += std::fabs(x[i] * y[i]);
    }
};
/// Equal but for rounding, or not numbers.
bool agree(const Product& a, const Product& b, Dtype d) {
    if (!std::isfinite(a.size) || !std::isfinite(b.size)) return true;
    return std::fabs(a.sum - b.sum) <= 3e4 * epsilon(d) * (1 + a.size + b.size);
}

struct Results {
    std::string error;
    Tensor value;
    Inputs gradients;
};

/// The value, and the gradients of <g, value> in those inputs that have any.
Results results(const Case& c, const Inputs& x, const Inputs& wanted, const Tensor& g) {
    Results r;
    try {
        xg::Tape tape;
        r.value = c.call(x);
        if (g.defined()) r.gradients = tape.vjp(r.value, g, wanted, xg::zeros_if_unused);
    } catch (const xg::Error& e) {
        r.error = e.what();
    }
    return r;
}

std::string difference(const char* what, const Results& got, const Results& want, Agreement value, Agreement gradients) {
    if (got.error != want.error) return text(what, ": \"", got.error, "\" instead of \"", want.error, '"');
    const auto equal = [](const Tensor& a, const Tensor& b, Agreement agreement) {
        if (agreement == Agreement::bits) return same_bits(a, b);
        return distance(b, a) <= (a.dtype() == xg::f32 ? 1e-4 : 1e-11);
    };
    if (!got.value.defined()) return {};
    if (!equal(got.value, want.value, value)) return text(what, ": the value\n", got.value, "\ninstead of\n", want.value);
    for (std::size_t i = 0; i < got.gradients.size(); ++i)
        if (!equal(got.gradients[i], want.gradients[i], gradients))
            return text(what, ": gradient ", i, '\n', got.gradients[i], "\ninstead of\n", want.gradients[i]);
    return {};
}

/// Sets the number of threads, or the instruction set, for a scope.
struct Threads {
    int before = xg::num_threads();
    explicit Threads(int n) { xg::set_num_threads(n); }
    ~Threads() { xg::set_num_threads(before); }
};
struct InstructionSet {
    xg::kernels::Isa before = xg::kernels::active_isa();
    explicit InstructionSet(xg::kernels::Isa i) { xg::kernels::use(i); }
    ~InstructionSet() { xg::kernels::use(before); }
};

Inputs pick(const Inputs& x, const std::vector<std::size_t>& which) {
    Inputs some;
    for (const std::size_t i : which) some.push_back(x[i]);
    return some;
}

class Check {
public:
    Check(const Op& op, std::uint64_t seed) : r_(seed), c_(op.make(r_)) {
        const bool as_views = r_.chance(90);
        for (const Input& in : c_.inputs) {
            x_.push_back(laid_out(r_, in, as_views && r_.chance(85)));
            dense_.push_back(dense_copy(x_.back()));
            if (is_floating(in.dtype) && !in.constant) floating_.push_back(x_.size() - 1);
        }
    }

    std::string run(Index& refused) {
        std::vector<xg::kernels::Isa> sets;
        for (int i = 0; i < xg::kernels::isa_count; ++i)
            if (xg::kernels::has(xg::kernels::Isa(i))) sets.push_back(xg::kernels::Isa(i));
        const InstructionSet set(sets[std::size_t(r_.between(0, Index(sets.size())))]);
        for (const Tensor& x : x_)
            if (const std::string rule = broken_rule(x); !rule.empty()) return "an input: " + rule;
        const Results plain = results(c_, dense_, {}, {});
        if (!plain.value.defined()) ++refused;
        const bool derivatives =
            plain.value.defined() && c_.differentiable && is_floating(plain.value.dtype()) && !floating_.empty();
        const Dtype dtype = plain.value.defined() ? plain.value.dtype() : xg::f64;
        Dtype coarsest = dtype;
        for (const Input& in : c_.inputs)
            if (in.dtype == xg::f32) coarsest = xg::f32;
        Tensor g;
        if (derivatives) g = laid_out(r_, {plain.value.shape(), dtype, -1, 1}, r_.chance(70));
        const Results want = derivatives ? results(c_, dense_, pick(dense_, floating_), dense_copy(g)) : plain;
        const Results got = results(c_, x_, derivatives ? pick(x_, floating_) : Inputs(), g);
        if (auto d = difference("a view", got, want, c_.agreement, c_.gradients); !d.empty()) return d;
        if (!got.value.defined()) return {};
        if (!got.error.empty()) return "the adjoint: " + got.error;
        if (const std::string rule = broken_rule(got.value); !rule.empty()) return "the value: " + rule;
        for (const Tensor& x : got.gradients)
            if (const std::string rule = broken_rule(x); !rule.empty()) return "a gradient: " + rule;
        for (std::size_t i = 0; i < x_.size(); ++i)
            if (!same_bits(x_[i], dense_[i])) return text("input ", i, " was changed");
        const double work = double(got.value.size()) + [&] {
            double n = 0;
            for (const Tensor& x : x_) n += double(x.size());
            return n;
        }();
        if (work > 1 << 14 || r_.chance(2)) {
            const Threads other(int(r_.between(1, 6)));
            if (auto d = difference("other threads", results(c_, x_, derivatives ? pick(x_, floating_) : Inputs(), g), got,
                                    Agreement::bits, Agreement::bits);
                !d.empty())
                return d;
        }
        if (sets.size() > 1 && r_.chance(10)) {
            const InstructionSet another(sets[std::size_t(r_.between(0, Index(sets.size())))]);
            Results there = results(c_, x_, {}, {}), here = got;
            here.gradients.clear();
            if (auto d = difference("another instruction set", there, here, Agreement::rounding, Agreement::rounding); !d.empty())
                return d;
        }
        for (const Tensor& x : x_)
            if (x.block() == got.value.block()) return {};  // nothing was done
        return derivatives ? walks(g, coarsest, got.gradients) : "";
    }

    std::string print() const {
        std::string s = c_.arguments;
        for (const Tensor& x : x_) s += text("\n    ", x.dtype(), ' ', x.shape(), " with strides ", x.strides());
        return s;
    }

private:
    Inputs directions() {
        Inputs list;
        for (const std::size_t i : floating_) list.push_back(laid_out(r_, {x_[i].shape(), x_[i].dtype(), -1, 1}, r_.chance(30)));
        return list;
    }

    /// <g, J v> = <J^T g, v>, and with f = <g, value>: <a, H b> is the same by forward over reverse and by reverse over reverse.
    std::string walks(const Tensor& g, Dtype dtype, const Inputs& gradients) {
        const Inputs x = pick(x_, floating_), v = directions();
        Product left, right;
        {
            xg::Tape tape;
            const Tensor y = c_.call(x_);
            left.add(dense_copy(g), tape.jvp(y, x, v));
        }
        for (std::size_t i = 0; i < x.size(); ++i) right.add(gradients[i], v[i]);
        if (!agree(left, right, dtype)) return text("<g, J v> is ", left.sum, ", <J^T g, v> is ", right.sum);
        if (!r_.chance(40)) return {};
        const Inputs a = directions();
        xg::Tape outer(xg::persistent);
        const Inputs first = results(c_, x_, x, g).gradients;
        Tensor along_a, along_v;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto add = [](Tensor& sum, const Tensor& term) { sum = sum.defined() ? sum + term : term; };
            add(along_a, xg::sum(first[i] * a[i]));
            add(along_v, xg::sum(first[i] * v[i]));
        }
        Product reverse, forward, swapped;
        const auto hessian_a = outer.gradient(along_a, x, xg::zeros_if_unused);
        for (std::size_t i = 0; i < x.size(); ++i) reverse.add(hessian_a[i], v[i]);
        const auto number = [](Product& p, const Tensor& t) { p.sum = t.item<double>(), p.size = std::fabs(p.sum); };
        number(forward, outer.jvp(along_a, x, v));
        number(swapped, outer.jvp(along_v, x, a));
        reverse.size = std::max({reverse.size, forward.size, swapped.size});
        if (!agree(reverse, forward, dtype) || !agree(reverse, swapped, dtype))
            return text("<a, H v> is ", forward.sum, " forward over reverse, ", reverse.sum,
                        " reverse over reverse, <v, H a> is ", swapped.sum);
        return {};
    }

    Random r_;
    Case c_;
    Inputs x_, dense_;
    std::vector<std::size_t> floating_;
};

}  // namespace

std::string finding(const Op& op, std::uint64_t seed, Index& refused) {
    Check check(op, seed);
    std::string wrong;
    try {
        wrong = check.run(refused);
    } catch (const std::exception& e) {
        wrong = text("threw ", e.what());
    }
    return wrong.empty() ? wrong : text(op.name, ' ', check.print(), "\n  ", wrong);
}

}  // namespace views
