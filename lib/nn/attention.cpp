#include <xtgrad/nn/attention.hpp>

#include <cmath>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/rotary.hpp>

#include "../tape/record.hpp"
#include "../tensor/option.hpp"
#include "sizes.hpp"

namespace xtgrad::nn {

using namespace xtgrad::detail;

LearnedPositions::LearnedPositions(Index positions, Index width, Rng& rng, const LearnedPositionsOptions& options)
    : weight(randn({positions, width}, options.dtype, rng)) {
    const Unrecorded inner;
    weight = weight * 0.02;
}
Tensor LearnedPositions::operator()(const Tensor& x, Index offset) const {
    check_floating("LearnedPositions", x);
    const Index positions = weight.shape(0), n = x.dimension() < 2 ? 1 : x.shape(-2);
    if (x.dimension() < 2 || x.shape(-1) != weight.shape(1) || offset < 0 || offset + n > positions)
        fail<ShapeError>("LearnedPositions", "the weight ", weight.shape(), " has no rows ", offset, " to ", offset + n,
                         " for the inputs ", x.shape(), "; give at most ", positions, " positions of its width");
    return x + sliced(weight, {Slice::range(offset, offset + n)});
}

namespace {

/// A part of a xavier_uniform weight (rows, in).
Linear projection(Index in, Index out, Index rows, Rng& rng, const MultiHeadAttentionOptions& options) {
    Linear layer;
    const double bound = std::sqrt(6 / double(in + rows));
    layer.weight = uniform({out, in}, options.dtype, rng, -bound, bound);
    if (options.bias) layer.bias = zeros({out}, options.dtype);
    return layer;
}

/// What a cache holds, and behind it what comes in. Throws ShapeError when they differ in more than their lengths.
Tensor appended(const char* name, const Tensor& held, const Tensor& x) {
    Shape same = held.shape();
    if (held.dimension() == x.dimension()) same[same.size() - 2] = x.shape(-2);
    if (same != x.shape())
        fail<ShapeError>("MultiHeadAttention", "the KeyValueCache holds ", name, ' ', held.shape(), " and the inputs make ",
                         x.shape(), "; give each batch, and each layer, a cache of its own");
    return concatenate(std::array{held, x}, -2);
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(Index width, Rng& rng, const MultiHeadAttentionOptions& o) : options(o) {
    const Index heads = o.heads, groups = o.kv_heads.value_or(heads), memory = o.memory.value_or(width);
    check_sizes("MultiHeadAttention", {{"width", width}, {"memory", memory}});
    if (heads < 1 || groups < 1 || width % heads != 0 || heads % groups != 0)
        fail<Error>("MultiHeadAttention", heads, " heads with ", groups, " for keys and values do not divide the width ", width,
                    "; take a width that is a multiple of heads, and heads that are a multiple of kv_heads");
    check_option("MultiHeadAttention", "dropout", o.dropout, below_one);
    check_option("MultiHeadAttention", "rotary_base", o.rotary_base, positive);
    if (o.rotary && width / heads % 2 != 0)
        fail<Error>("MultiHeadAttention", "heads of width ", width / heads, " have no pairs to rotate; take an even one");
    const Index narrow = width / heads * groups;
    const auto rows = [&](Index own) { return memory == width ? width + 2 * narrow : own; };
    query = projection(width, width, rows(width), rng, o);
    key = projection(memory, narrow, rows(narrow), rng, o);
    value = projection(memory, narrow, rows(narrow), rng, o);
    out = Linear(width, width, rng, {.bias = o.bias, .dtype = o.dtype});
    if (o.bias) out.bias = zeros({width}, o.dtype);
}

Tensor MultiHeadAttention::attend(const Tensor& x, const AttendOptions& given, KeyValueCache* cache, Rng* rng) const {
    const Tensor& memory = given.memory.defined() ? given.memory : x;
    const Index groups = options.kv_heads.value_or(options.heads), before = cache ? cache->length() : 0;
    Tensor q = query(x), k = key(memory), v = value(memory);
    if (options.rotary) {
        q = rotary(q, {.heads = options.heads, .offset = before, .base = options.rotary_base});
        k = rotary(k, {.heads = groups, .offset = before, .base = options.rotary_base});
    }
    if (before) k = appended("keys", cache->keys, k), v = appended("values", cache->values, v);
    const bool drops = rng && options.dropout != 0;
    Tensor y = out(attention(q, k, v,
                             {.causal = options.causal,
                              .offset = before,
                              .window = options.window,
                              .mask = given.mask,
                              .heads = options.heads,
                              .kv_heads = groups,
                              .dropout = drops ? AttentionDropout(options.dropout, *rng) : AttentionDropout()}));
    if (cache) *cache = {k, v};
    return y;
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const AttendOptions& given) const {
    return attend(x, given, nullptr, nullptr);
}
Tensor MultiHeadAttention::operator()(const Tensor& x, Rng& rng, const AttendOptions& given) const {
    return attend(x, given, nullptr, &rng);
}
Tensor MultiHeadAttention::operator()(const Tensor& x, KeyValueCache& cache) const { return attend(x, {}, &cache, nullptr); }

}  // namespace xtgrad::nn
