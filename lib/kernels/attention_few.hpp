// Attention of few queries, as in generation with a cache. Queries in the lanes would leave most of the lanes empty, and all that
// counts is to read keys and values once, where they lie: scores, and output, are products with few rows.
#pragma once
#include "attention_scores.hpp"

namespace xtgrad::kernels {
namespace {

/// So few that this is faster: the other way costs the same for any number up to a panel. Not where other passes follow, which
/// must find the same scores to the last bit, or rows of large ones would not sum to 1.
template <class T>
bool few_queries(const Attention<T>& a, const AttentionRows<T>& rows) {
    return a.queries <= panel<T> / 4 && !rows.largest && a.dropout.kept == 0;
}

template <class T>
struct FewArrays {
    static constexpr Index block = most_inner;  // keys
    T *q, *s, *part, *out, *m, *l;
    Index size;

    FewArrays(const Attention<T>& a, T* work) {
        Layout<T> layout(work);
        q = layout.take(a.queries * a.width);
        s = layout.take(a.queries * block);
        part = layout.take(a.queries * a.value_width);
        out = layout.take(a.queries * a.value_width);
        m = layout.take(a.queries);
        l = layout.take(a.queries);
        size = layout.used();
    }
};

/// Adds the bias to query i's scores of keys k .. k + keys - 1, and hides what it does not see.
template <class T>
void few_extra(const Attention<T>& a, Index b, Index h, Index i, Index k, Index keys, T* s) {
    if (const T* bias = a.bias.at(b, h)) {
        bias += i * a.bias.query + k * a.bias.key;
        for (Index j = 0; j < keys; ++j) {
            const T x = scaled_bias(T(log2_e), bias[j * a.bias.key]);
            s[j] = x == never<T> ? x : s[j] + x;
        }
    }
    if (const bool* mask = a.mask.at(b, h)) {
        mask += i * a.mask.query + k * a.mask.key;
        for (Index j = 0; j < keys; ++j)
            if (!mask[j * a.mask.key]) s[j] = never<T>;
    }
    const Index begin = std::clamp<Index>(i + a.below - k, 0, keys), end = std::clamp<Index>(i + a.above + 1 - k, 0, keys);
    fill(s, begin, never<T>);
    if (end < rounded_up(keys, width<T>)) fill(s + end, rounded_up(keys, width<T>) - end, never<T>);
}

/// s = 2^(s - m) with the new m, l += its sum; by how much what was before shrinks.
template <class T>
T few_probabilities(Index keys, T* s, T& m, T& l) {
    using B = Batch<T>;
    B top(m), sum(T(0));
    for (Index j = 0; j < keys; j += width<T>) top = xsimd::max(top, B::load_unaligned(s + j));
    alignas(64) T lane[width<T>];
    top.store_aligned(lane);
    T most = m;
    for (const T x : lane) most = x > most ? x : most;
    for (Index j = 0; j < keys; j += width<T>) {
        const B p = power_of_2(B::load_unaligned(s + j) - B(most));
        p.store_unaligned(s + j);
        sum = sum + p;
    }
    power_of_2(B(m - most)).store_aligned(lane);
    const T shrink = lane[0];
    sum.store_aligned(lane);
    T total = 0;
    for (const T x : lane) total += x;
    l = l * shrink + total;
    m = most;
    return shrink;
}

/// Does query i see a key?
template <class T>
bool sees(const Attention<T>& a, Index b, Index h, Index i, Index key) {
    const T* bias = a.bias.at(b, h);
    const bool* mask = a.mask.at(b, h);
    return key >= i + a.below && key <= i + a.above && !(mask && !mask[i * a.mask.query + key * a.mask.key]) &&
           !(bias && bias[i * a.bias.query + key * a.bias.key] == never<T>);
}
/// The part of the output that `keys` keys from `first` on have, of those that are seen.
template <class T>
[[gnu::noinline]] void add_seen_few(const Attention<T>& a, Index b, Index h, Index first, Index keys, const T* v, const T* s,
                                    Index step, T* part) {
    const Index dv = a.value_width;
    fill(part, a.queries * dv, T(0));
    for (Index i = 0; i < a.queries; ++i)
        for (Index j = 0; j < keys; ++j)
            if (sees(a, b, h, i, first + j))
                for (Index c = 0; c < dv; ++c) part[i * dv + c] += s[i * step + j] * v[j * a.v.row + c];
}

template <class T>
void forward_few(const Attention<T>& a, const AttentionValues<T>& to, Index b, Index h, T* work) {
    const FewArrays<T> w(a, work);
    const Index kv = h / (a.heads / a.kv_heads), n = a.queries, dv = a.value_width;
    const T *q = a.q.at(b, h), *k = a.k.at(b, kv), *v = a.v.at(b, kv);
    const auto& kernels = matrix_kernels_of<T, Isa::XG_ISA>();
    const auto& multiply = n <= 2 ? kernels.multiply_few : kernels.multiply;
    copy_rows(n, a.width, q, a.q.row, score_factor(a), w.q, a.width);
    fill(w.out, n * dv, T(0));
    fill(w.m, n, lowest<T>);
    fill(w.l, n, T(0));
    for (Index k0 = 0; k0 < a.keys; k0 += w.block) {
        const Visible any(a, 0, n, k0, std::min(w.block, a.keys - k0));
        const Index first = k0 + any.first, keys = any.last - any.first;
        if (keys <= 0) continue;
        multiply(n, keys, a.width, {w.q, a.width, 1}, {k + first * a.k.row, 1, a.k.row}, w.s, w.block);
        for (Index i = 0; i < n; ++i) {
            T *s = w.s + i * w.block, *out = w.out + i * dv;
            few_extra(a, b, h, i, first, keys, s);
            const T shrink = few_probabilities(keys, s, w.m[i], w.l[i]);
            for (Index c = 0; c < dv; ++c) out[c] *= shrink;
        }
        multiply(n, dv, keys, {w.s, w.block, 1}, {v + first * a.v.row, a.v.row, 1}, w.part, dv);
        if (may_hide(a, any) && !all_finite(1, n * dv, w.part, n * dv))
            add_seen_few(a, b, h, first, keys, v + first * a.v.row, w.s, w.block, w.part);
        for (Index c = 0; c < n * dv; ++c) w.out[c] += w.part[c];
    }
    T *out = to.out.at(b, h), *lse = to.lse + (b * a.heads + h) * n;
    for (Index i = 0; i < n; ++i) {
        lse[i] = log_sum_exp(w.m[i], w.l[i]);
        const T factor = reciprocal(w.l[i]);
        for (Index c = 0; c < dv; ++c) out[i * to.out.row + c] = factor * w.out[i * dv + c];
    }
}

}  // namespace
}  // namespace xtgrad::kernels
