// Problems of attention, and what naive loops say about them.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "ops/attention.hpp"

namespace attention_problems {

namespace xg = xtgrad;
namespace detail = xtgrad::detail;
using xg::Index, xg::Shape, xg::Tensor;
using Tensors = std::vector<Tensor>;

inline constexpr double inf = std::numeric_limits<double>::infinity();

inline std::vector<double> numbers(const Tensor& x) {
    const Tensor dense = xg::copy(xg::astype(x, xg::f64));
    return {dense.data<double>(), dense.data<double>() + dense.size()};
}

/// The largest difference relative to the largest of what is expected, or to `size`.
inline double error(const Tensor& got, const std::vector<double>& want, double size = 0) {
    const auto have = numbers(got);
    if (have.size() != want.size()) return inf;
    double worst = 0;
    for (const double w : want) size = std::max(size, std::fabs(w));
    for (std::size_t i = 0; i < have.size(); ++i) {
        const double d = have[i] == want[i] ? 0 : std::fabs(have[i] - want[i]);
        worst = std::isnan(d) ? inf : std::max(worst, d);
    }
    return worst / std::max(size, 1e-300);
}
inline double error(const Tensor& got, const Tensor& want, double size = 0) {
    return got.shape() == want.shape() ? error(got, numbers(want), size) : inf;
}

/// A sum, and the sum of the sizes of its terms, by which its rounding is measured: sums of large terms may be small.
struct Sum {
    double value = 0, size = 0;
    void add(double factor, double x, double size_of_x) { value += factor * x, size += std::fabs(factor) * size_of_x; }
    void add(double factor, double x) { add(factor, x, std::fabs(x)); }
};
using Sums = std::vector<Sum>;

/// The largest distance of an element, in shares of the sum of its terms' sizes, where probabilities are normal numbers.
inline double error(const Tensor& got, const Sums& want) {
    const auto have = numbers(got);
    if (have.size() != want.size()) return inf;
    double worst = 0;
    for (std::size_t i = 0; i < have.size(); ++i) {
        const double d = have[i] == want[i].value ? 0 : std::fabs(have[i] - want[i].value) / std::max(want[i].size, 1e-30);
        worst = std::isnan(d) ? inf : std::max(worst, d);
    }
    return worst;
}

/// Nine queries are no longer few to any kernel, 1 always is.
struct Sizes {
    Index batch = 2, queries = 9, keys = 11, width = 5, value_width = 3, heads = 2, kv_heads = 2;
};

/// Inputs q, k, v, scale and perhaps bias; what else was chosen is in the options.
struct Problem {
    Sizes n;
    Tensors x;
    xg::AttentionOptions options;
    double dropped = 0;
    static constexpr std::uint64_t seed = 17;

    /// f of the options with these inputs.
    auto with(const Tensors& v, auto f) const {
        xg::Rng rng(seed);
        xg::AttentionOptions o = options;
        o.scale = v[3];
        if (v.size() > 4) o.bias = v[4];
        o.dropout = {dropped, rng};
        return f(o);
    }
    Tensor operator()(const Tensors& v) const {
        return with(v, [&](const auto& o) { return xg::attention(v[0], v[1], v[2], o); });
    }
    Tensor logsumexp(const Tensors& v) const {
        return with(v, [&](const auto& o) { return xg::attention_logsumexp(v[0], v[1], v[2], o).second; });
    }
    /// Output and log-sum-exp; fused, or of other ops.
    Tensor vector(const Tensors& v, bool fused) const {
        const auto call = with(v, [&](const auto& o) { return detail::checked_attention(v[0], v[1], v[2], o); });
        return fused ? detail::fused_attention(call.x, call.who) : detail::composed_attention(call.x, call.who);
    }
    /// Which scores count, in order.
    std::vector<bool> seen(const Tensors& v) const {
        const Shape scores{n.batch, n.heads, n.queries, n.keys};
        const auto broadcast = [&](const Tensor& t) { return numbers(xg::broadcast_to(t, scores)); };
        const auto b = broadcast(v.size() > 4 ? v[4] : Tensor(0.)),
                   m = broadcast(options.mask.defined() ? options.mask : Tensor(1.));
        std::vector<bool> all(b.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Index s = Index(i) % n.keys, at = Index(i) / n.keys % n.queries + options.offset,
                        w = options.window.value_or(1000000);
            all[i] = m[i] != 0 && b[i] != -inf && (options.causal ? s <= at && s > at - w : std::abs(s - at) <= w);
        }
        return all;
    }
    /// What the probability of a score is multiplied by, of all of them in order.
    double factor(Index score) const {
        const std::uint64_t drawn = xg::Rng(seed).split().seed();
        const Index row = score / n.keys, key = score % n.keys;
        const auto words = xg::Rng::block(drawn, std::uint64_t(row * ((n.keys + 3) / 4) + key / 4));
        return words[std::size_t(key % 4)] < dropped * 0x1p32 ? 0 : 1 / (1 - dropped);
    }
};

enum Option {
    causal,
    offset_back,
    offset_on,
    window,
    bias,
    key_bias,
    query_bias,
    mask,
    key_mask,
    grouped,
    minus_inf,
    large,
    zero_scale,
    dropout,
    option_count
};

inline Problem make(const Sizes& sizes, std::vector<Option> chosen, xg::Rng& rng) {
    Problem p{sizes, {}, {}};
    const auto has = [&](Option o) { return std::find(chosen.begin(), chosen.end(), o) != chosen.end(); };
    if (has(grouped)) p.n.kv_heads = p.n.heads, p.n.heads *= 3;
    const Sizes& n = p.n;
    p.x = {xg::randn({n.batch, n.queries, n.heads * n.width}, xg::f64, rng),
           xg::randn({n.batch, n.keys, n.kv_heads * n.width}, xg::f64, rng),
           xg::randn({n.batch, n.keys, n.kv_heads * n.value_width}, xg::f64, rng),
           Tensor(has(large)        ? 100.
                  : has(zero_scale) ? 0.
                                    : 0.4)};
    p.options.causal = has(causal);
    if (has(offset_back)) p.options.offset = n.queries > 4 ? -3 : -1;  // the first queries see nothing when causal
    if (has(offset_on)) p.options.offset = n.keys - n.queries;
    if (has(window)) p.options.window = 3;
    if (has(bias) || has(minus_inf))
        p.x.push_back(xg::randn({n.heads, n.queries, n.keys}, xg::f64, rng));
    else if (has(key_bias))
        p.x.push_back(xg::randn({n.batch, 1, 1, n.keys}, xg::f64, rng));
    else if (has(query_bias))
        p.x.push_back(xg::randn({n.queries, 1}, xg::f64, rng));
    if (has(minus_inf)) p.x[4] = xg::where(p.x[4] > 0.8, -inf, p.x[4]);
    if (has(mask))
        p.options.mask = xg::randn({n.batch, 1, n.queries, n.keys}, xg::f64, rng) > -0.5;
    else if (has(key_mask))
        p.options.mask = xg::fmod(xg::arange(double(n.keys)), 3.) > 0.5;  // every third key is masked, the first one too
    if (has(dropout)) p.dropped = 0.375;
    p.options.heads = n.heads;
    p.options.kv_heads = n.kv_heads;
    return p;
}

/// Output, log-sum-exp, and the adjoints for a cotangent g, by loops over everything that a query sees.
struct Naive {
    std::vector<double> lse;
    Sums out, q, k, v, scale, bias;

    Naive(const Problem& p, const Tensors& x, const Tensor& cotangent) {
        const Sizes& n = p.n;
        const auto xq = numbers(x[0]), xk = numbers(x[1]), xv = numbers(x[2]), g = numbers(cotangent);
        const double lambda = numbers(x[3])[0];
        const Shape scores{n.batch, n.heads, n.queries, n.keys};
        const auto b = x.size() > 4 ? numbers(xg::broadcast_to(x[4], scores))
                                    : std::vector<double>(std::size_t(n.batch * n.heads * n.queries * n.keys));
        const std::vector<bool> sees = p.seen(x);
        out.resize(std::size_t(n.batch * n.queries * n.heads * n.value_width));
        lse.resize(std::size_t(n.batch * n.heads * n.queries));
        q.resize(xq.size()), k.resize(xk.size()), v.resize(xv.size()), bias.resize(b.size()), scale.resize(1);
        for (Index i = 0; i < n.batch; ++i)
            for (Index h = 0; h < n.heads; ++h)
                for (Index t = 0; t < n.queries; ++t) {
                    const Index kv = h * n.kv_heads / n.heads;
                    const auto iq = [&](Index d) { return std::size_t(((i * n.queries + t) * n.heads + h) * n.width + d); };
                    const auto io = [&](Index d) { return std::size_t(((i * n.queries + t) * n.heads + h) * n.value_width + d); };
                    const auto ik = [&](Index s, Index d) {
                        return std::size_t(((i * n.keys + s) * n.kv_heads + kv) * n.width + d);
                    };
                    const auto iv = [&](Index s, Index d) {
                        return std::size_t(((i * n.keys + s) * n.kv_heads + kv) * n.value_width + d);
                    };
                    const auto is = [&](Index s) { return std::size_t(((i * n.heads + h) * n.queries + t) * n.keys + s); };
                    const auto factor = [&](Index s) { return p.dropped ? p.factor(Index(is(s))) : 1; };
                    std::vector<double> dots, e;
                    double most = -inf, sum = 0;
                    Sum delta;
                    for (Index s = 0; s < n.keys; ++s) {
                        dots.push_back(0);
                        for (Index d = 0; d < n.width && sees[is(s)]; ++d) dots.back() += xq[iq(d)] * xk[ik(s, d)];
                        e.push_back(sees[is(s)] ? lambda * dots.back() + b[is(s)] : -inf);
                        most = std::max(most, e.back());
                    }
                    for (double& term : e) sum += term = most == -inf ? 0 : std::exp(term - most);
                    lse[std::size_t((i * n.heads + h) * n.queries + t)] = sum > 0 ? most + std::log(sum) : -inf;
                    for (Index s = 0; s < n.keys; ++s) {
                        const double pr = sum > 0 ? e[std::size_t(s)] / sum : 0, kept = factor(s);
                        e[std::size_t(s)] = pr;
                        if (!sees[is(s)]) continue;
                        for (Index d = 0; d < n.value_width; ++d) {
                            out[io(d)].add(kept * pr, xv[iv(s, d)]);
                            v[iv(s, d)].add(kept * pr, g[io(d)]);
                        }
                    }
                    for (Index d = 0; d < n.value_width; ++d) delta.add(g[io(d)], out[io(d)].value, out[io(d)].size);
                    for (Index s = 0; s < n.keys; ++s) {
                        if (!sees[is(s)]) continue;
                        const double pr = e[std::size_t(s)];
                        Sum slope;
                        slope.add(-pr, delta.value, delta.size);
                        for (Index d = 0; d < n.value_width; ++d) slope.add(pr * factor(s) * g[io(d)], xv[iv(s, d)]);
                        bias[is(s)] = slope;
                        scale[0].add(dots[std::size_t(s)], slope.value, slope.size);
                        for (Index d = 0; d < n.width; ++d) {
                            q[iq(d)].add(lambda * xk[ik(s, d)], slope.value, slope.size);
                            k[ik(s, d)].add(lambda * xq[iq(d)], slope.value, slope.size);
                        }
                    }
                }
    }
};

/// What is one sum for each score, for each element of a bias that is broadcast to them.
inline Sums summed(const Sums& scores, const Tensor& bias, const Sizes& n) {
    const Tensor places = xg::reshape(xg::arange(double(bias.size())), bias.shape());
    const auto at = numbers(xg::broadcast_to(places, {n.batch, n.heads, n.queries, n.keys}));
    Sums sums(bias.size());
    for (std::size_t i = 0; i < at.size(); ++i) sums[std::size_t(at[i])].add(1, scores[i].value, scores[i].size);
    return sums;
}

/// Against the loops: values and gradients, within `bound`.
inline void check_naive(const Problem& p, xg::Dtype dtype, double bound, xg::Rng& rng) {
    Tensors x;
    for (const Tensor& t : p.x) x.push_back(xg::astype(t, dtype));
    const Tensor g = xg::randn({p.n.batch, p.n.queries, p.n.heads * p.n.value_width}, dtype, rng);
    const Naive want(p, x, g);
    xg::Tape tape;
    const Tensor y = p(x);
    CHECK(error(y, want.out) < bound);
    CHECK(error(p.logsumexp(x), want.lse, 1) < bound * 10);
    const Tensors got = tape.vjp(y, g, x);
    CHECK(error(got[0], want.q) < bound);
    CHECK(error(got[1], want.k) < bound);
    CHECK(error(got[2], want.v) < bound);
    CHECK(error(got[3], want.scale) < bound);
    if (x.size() > 4) CHECK(error(got[4], summed(want.bias, x[4], p.n)) < bound);
}

/// Random tensors like x; -inf has no neighbours.
inline Tensors directions(const Tensors& x, xg::Rng& rng) {
    Tensors d;
    for (const Tensor& t : x) d.push_back(xg::randn(t.shape(), t.dtype(), rng));
    return d;
}

/// Gradients of gradients, in three ways: for each way, of every input and of the cotangent. Then the tangent of a tangent that
/// moves with q, k, v and the scale.
inline std::vector<Tensors> second_order(const std::function<Tensor(const Tensors&)>& f, const Tensors& x, const Tensor& g,
                                         const Tensors& along) {
    std::vector<Tensors> ways;
    Tensors all = x;
    all.push_back(g);
    {
        xg::Tape outer;
        const Tensors first = [&] {
            xg::Tape inner;
            return inner.vjp(f(x), g, x);
        }();
        Tensor total = xg::sum(first[0] * along[0]);
        for (std::size_t i = 1; i < x.size(); ++i) total = total + xg::sum(first[i] * along[i]);
        ways.push_back(outer.gradient(total, all));
    }
    Tensors forward;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xg::Tape outer;
        const Tensors first = [&] {
            xg::Tape inner;
            return inner.vjp(f(x), g, x);
        }();
        forward.push_back(outer.jvp(first[i], all, along));
    }
    ways.push_back(forward);
    {
        xg::Tape outer;
        const Tensor tangent = [&] {
            xg::Tape inner;
            return inner.jvp(f(x), x, Tensors(along.begin(), along.end() - 1));
        }();
        ways.push_back(outer.vjp(tangent, g, x));
    }
    {
        xg::Tape outer;
        Tensors first, second;
        for (std::size_t i = 0; i < x.size(); ++i) {
            first.push_back(i < 4 ? along[i] * x[i] : along[i]);
            second.push_back(xg::square(along[i]) - 1.);
        }
        const Tensor tangent = [&] {
            xg::Tape inner;
            return inner.jvp(f(x), x, first);
        }();
        ways.push_back({outer.jvp(tangent, x, second)});
    }
    return ways;
}

inline void check_second(const Problem& p, const Tensors& x, xg::Rng& rng, double bound) {
    const Index total = p.n.batch * p.n.heads * p.n.queries * (p.n.value_width + 1);
    for (const bool lse_too : {false, true}) {
        const auto f = [&](bool fused) {
            return [&p, fused, lse_too, total](const Tensors& v) {
                if (!lse_too && fused) return p(v);
                const Tensor both = p.vector(v, fused);
                return lse_too ? both
                               : xg::reshape(xg::view(both, xt::range(Index(0), total / (p.n.value_width + 1) * p.n.value_width)),
                                             {p.n.batch, p.n.queries, p.n.heads * p.n.value_width});
            };
        };
        const Tensor g = xg::randn(f(true)(x).shape(), x[0].dtype(), rng);
        Tensors along = directions(x, rng);
        along.push_back(xg::randn(g.shape(), g.dtype(), rng));
        const auto got = second_order(f(true), x, g, along), want = second_order(f(false), x, g, along);
        for (std::size_t way = 0; way < got.size(); ++way)
            for (std::size_t i = 0; i < got[way].size(); ++i) {
                CAPTURE(lse_too);
                CAPTURE(way);
                CAPTURE(i);
                CHECK(error(got[way][i], want[way][i], 1) < bound);
            }
    }
}

}  // namespace attention_problems
