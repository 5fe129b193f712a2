// Attention made of other ops, with the matrix of the scores: differentiable to any order, and what the tests compare with.
#include <cmath>
#include <limits>

#include <xtgrad/ops/arrangement.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/random.hpp>
#include <xtgrad/tape.hpp>

#include "../tensor/storage.hpp"
#include "attention.hpp"

namespace xtgrad::detail {

AttentionExtents::AttentionExtents(const Attending& a, const Tensor& q, const Tensor& k, const Tensor& v)
    : batch(Shape::of(q.shape().data(), int(q.dimension()) - 2)),
      count(size_of(batch)),
      queries(q.shape(-2)),
      keys(k.shape(-2)),
      width(q.shape(-1) / a.heads),
      value_width(v.shape(-1) / a.kv_heads) {}

namespace {

Shape with(Shape shape, std::initializer_list<Index> more) {
    for (const Index extent : more) shape.push_back(extent);
    return shape;
}

/// [..., rows, heads columns] as [..., kv_heads, group, rows, columns].
Tensor by_head(const Tensor& x, const Shape& batch, Index kv_heads, Index group) {
    const Index b = Index(batch.size());
    const Tensor parts = reshape(x, with(batch, {x.shape(-2), kv_heads, group, x.shape(-1) / (kv_heads * group)}));
    Axes order;
    for (Index i = 0; i < b; ++i) order.push_back(i);
    for (const Index i : {b + 1, b + 2, b, b + 3}) order.push_back(i);
    return permute(parts, order);
}

/// Which scores count, [T, S] or as the mask and the bias broadcast.
Tensor allowed(const AttentionExtents& e, const Attending& a, std::span<const Tensor> x) {
    Tensor range = allocate(Dtype::boolean, {e.queries, e.keys});
    for (Index i = 0; i < e.queries; ++i)
        for (Index j = 0; j < e.keys; ++j) mutable_data<bool>(range)[i * e.keys + j] = j - i >= a.below && j - i <= a.above;
    if (a.mask.defined()) range = range && a.mask;
    return x.size() > 4 ? range && not_equal(x[4], -std::numeric_limits<double>::infinity()) : range;
}

/// What is not finite becomes 0, and a NaN that stands for its row, [..., rows, 1], comes into `spoilt`: where a query sees the
/// row it comes into the score, and where it does not no product meets what stood there.
Tensor finite_rows(const Tensor& x, Tensor& spoilt) {
    const Tensor finite = isfinite(x);
    if (all(finite).item<bool>()) return x;
    const Axes last{-1};
    spoilt = where(all(finite, &last, true), 0, full({}, std::nan(""), x.dtype()));
    return where(finite, x, 0);
}

/// What the probabilities are multiplied by, [..., heads, T, S].
Tensor factors(const AttentionExtents& e, const Attending& a, Dtype dtype) {
    Tensor x = allocate(dtype, e.scores(a));
    const Index groups = (e.keys + 3) / 4;
    with_floating(dtype, [&](auto z) {
        using T = decltype(z);
        for (Index i = 0; i < element_count(x); ++i) {
            const auto words = Rng::block(a.dropped.seed, std::uint64_t(i / e.keys * groups + i % e.keys / 4));
            mutable_data<T>(x)[i] = words[std::size_t(i % e.keys % 4)] < a.dropped.threshold ? T(0) : T(a.dropped.kept());
        }
    });
    return x;
}

}  // namespace

double no_keys(Dtype dtype) {
    return dtype == Dtype::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
}

Shape AttentionExtents::out(const Attending& a) const { return with(batch, {queries, a.heads * value_width}); }
Shape AttentionExtents::rows(const Attending& a) const { return with(batch, {a.heads, queries}); }
Shape AttentionExtents::scores(const Attending& a) const { return with(batch, {a.heads, queries, keys}); }

Tensor part_of(const Tensor& vector, Index first, const Shape& shape) {
    return reshape(sliced(vector, {Slice::range(first, first + size_of(shape))}), shape);
}

Tensor joined(std::span<const Tensor> parts) {
    std::vector<Tensor> flat;
    for (const Tensor& part : parts) flat.push_back(reshape(part, {Index(part.size())}));
    return concatenate(flat);
}

Tensor composed_attention(std::span<const Tensor> x, const Attending& a) {
    const AttentionExtents e(a, x[0], x[1], x[2]);
    const Index group = a.heads / a.kv_heads;
    Tensor spoilt[3];
    const Tensor q = finite_rows(by_head(x[0], e.batch, a.kv_heads, group), spoilt[0]),
                 k = finite_rows(by_head(x[1], e.batch, a.kv_heads, 1), spoilt[1]),
                 v = finite_rows(by_head(x[2], e.batch, a.kv_heads, 1), spoilt[2]);
    const Tensor counts = allowed(e, a, x);
    Tensor scores = where(counts, reshape(matmul(q, swapaxes(k, -1, -2)), e.scores(a)), 0) * x[3];
    if (x.size() > 4) scores = scores + x[4];
    for (const int i : {0, 1, 2})
        if (spoilt[i].defined()) {
            const Tensor each = i == 0 ? spoilt[i] : swapaxes(spoilt[i], -1, -2);
            scores = scores + reshape(broadcast_to(each, with(e.batch, {a.kv_heads, group, e.queries, e.keys})), e.scores(a));
        }
    const double highest = no_keys(q.dtype());
    scores = where(counts, scores, -highest);
    const Axes last{-1};
    Tensor largest;
    {
        const no_record constant;
        largest = e.keys == 0 ? full(with(e.rows(a), {1}), 0., q.dtype()) : amax(scores, &last, true);
        largest = maximum(largest, -highest);
    }
    const Tensor terms = where(counts, exp(where(counts, scores - largest, 0)), 0), total = sum(terms, &last, true);
    const Tensor none = equal(total, 0), safe = where(none, 1, total);
    Tensor p = terms / safe;
    if (a.dropped.threshold) p = p * factors(e, a, p.dtype());
    p = reshape(p, with(e.batch, {a.kv_heads, group, e.queries, e.keys}));
    const Index b = Index(e.batch.size());
    Axes order;
    for (Index i = 0; i < b; ++i) order.push_back(i);
    for (const Index i : {b + 2, b, b + 1, b + 3}) order.push_back(i);
    const Tensor out = permute(matmul(p, v), order);
    const Tensor lse = where(none, highest, log(safe) + largest);
    return joined(std::array{copy(out), lse});
}

}  // namespace xtgrad::detail
