// Attention with any of its options.
#include "cases.hpp"

namespace views {
namespace {

Case attention(Random& r, bool logsumexp) {
    const Index kv_heads = r.between(1, 3), heads = kv_heads * r.between(1, 3), width = r.between(1, 6),
                value_width = r.between(0, 6);
    const bool large = r.chance(5);
    const Index queries = large ? r.between(30, 90) : r.extent(), keys = large ? r.between(100, 300) : r.extent();
    const Shape batch = r.shape(0, 2, 0, large || queries * keys > 500 ? 2 : 6);
    const auto with = [&](Shape s, std::initializer_list<Index> more) {
        for (const Index n : more) s.push_back(n);
        return s;
    };
    const Dtype dtype = r.floating();
    xg::AttentionOptions o{.heads = heads, .kv_heads = kv_heads};
    o.causal = r.chance(40);
    o.offset = r.chance(5) ? r.one_of<Index>({INT64_MIN, INT64_MAX}) : r.chance(50) ? 0 : r.between(-4, 9);
    if (r.chance(30)) o.window = r.chance(10) ? INT64_MAX : r.between(0, 6);
    Case c{.inputs = {{with(batch, {queries, heads * width}), dtype},
                      {with(batch, {keys, kv_heads * width}), dtype},
                      {with(batch, {keys, kv_heads * value_width}), dtype},
                      {Shape(), dtype, 0.2, 1}},
           .call = {}};
    const Shape scores = with(batch, {heads, queries, keys});
    const bool bias = r.chance(50), mask = r.chance(30);
    if (bias) c.inputs.push_back({r.part_of(scores), dtype});
    if (mask) c.inputs.push_back({r.part_of(scores), xg::boolean, 0, 2});
    const double rate = r.chance(20) ? 0.3 : 0;
    const auto seed = r.bits();
    c.call = [=](const Inputs& x) {
        xg::Rng rng(seed);
        xg::AttentionOptions all = o;
        all.scale = x[3];
        std::size_t next = 4;
        if (bias) all.bias = x[next++];
        if (mask) all.mask = x[next];
        if (rate > 0) all.dropout = {rate, rng};
        return logsumexp ? xg::attention_logsumexp(x[0], x[1], x[2], all).second : xg::attention(x[0], x[1], x[2], all);
    };
    c.arguments = text(heads, " heads of ", kv_heads, o.causal ? ", causal" : "", ", offset ", o.offset, ", window ",
                       o.window.value_or(-1), ", dropout ", rate);
    return c;
}

Case block(Random& r) {
    const Index n = r.between(1, 8), p = r.extent(), m = r.extent(), rank = r.between(1, 6);
    const Dtype dtype = r.floating();
    return by_rounding({.inputs = {{{n, p}, dtype, -1, 1},
                                   {{n, m}, dtype, -1, 1},
                                   {{rank, n}, dtype, -1, 1},
                                   {{rank, n}, dtype, -1, 1},
                                   {{m, n}, dtype, -1, 1},
                                   {Shape(), dtype}},
                        .call = [](const Inputs& x) { return xg::attention_block(x[0], x[1], x[2], x[3], x[4], x[5]); }});
}

}  // namespace

std::vector<Op> attention_ops() {
    return {{"attention", [](Random& r) { return attention(r, false); }},
            {"attention_logsumexp", [](Random& r) { return attention(r, true); }},
            {"attention_block", block}};
}

}  // namespace views
