// The scores of attention: what is added to them, what becomes of those that a query does not see, and sums without these.
//
// A query does not see a key by the mask, by `below` and `above`, or where the bias is -inf. Such a score is -inf whatever it
// was, what is multiplied by its probability is 0 whatever it was, and where operands are not finite it is left out of sums: 0
// times NaN is NaN. So the results have the bits that they have when zeros stand there.
#pragma once
#include "attention_tile.hpp"

namespace xtgrad::kernels {
namespace {

/// The score of a key that a query does not see.
template <class T>
constexpr T never = -std::numeric_limits<T>::infinity();

/// c, rows of a panel for the keys rows.first .. rows.last - 1 of a block, becomes `never` where one of n queries is too far from
/// the key, and beyond n.
template <class T>
void hide(const Attention<T>& a, Index q0, Index n, Index k0, Visible rows, T* c) {
    using B = Batch<T>;
    alignas(64) T lanes[panel<T>];
    for (Index j = 0; j < panel<T>; ++j) lanes[j] = T(j);
    n = std::min(n, panel<T>);
    for (Index r = k0 + rows.first; r < k0 + rows.last; ++r, c += panel<T>) {
        const Index begin = std::clamp<Index>(r - a.above - q0, 0, n), end = std::clamp<Index>(r - a.below - q0 + 1, 0, n);
        if (begin == 0 && end == panel<T>) continue;
        for (Index j = 0; j < panel<T>; j += width<T>) {
            const B lane = B::load_aligned(lanes + j),
                    x = xsimd::select(lane >= B(T(begin)), B::load_unaligned(c + j), B(never<T>));
            xsimd::select(lane < B(T(end)), x, B(never<T>)).store_unaligned(c + j);
        }
    }
}

/// factor x; what is finite stays so: the lowest numbers hide a key less than -inf does.
template <class T>
XG_INLINE T scaled_bias(T factor, T x) {
    const T y = factor * x;
    return y < lowest<T> && x >= lowest<T> ? lowest<T> : y;
}
/// to = factor times what the grid says of n queries and some keys, keys in rows a panel long.
template <class T>
void pack_grid(const ScoreGrid<T>& grid, const T* x, Index n, Index keys, T factor, T* to) {
    n = std::min(n, panel<T>);
    if (grid.query == 0) {
        for (Index r = 0; r < keys; ++r) fill(to + r * panel<T>, panel<T>, scaled_bias(factor, x[r * grid.key]));
        return;
    }
    if (n < panel<T>) fill(to, keys * panel<T>, T(0));
    if (grid.key == 1) {
        matrix_kernels_of<T, Isa::XG_ISA>().transpose(n, keys, x, grid.query, to, panel<T>);
        for (Index i = 0; i < keys * panel<T>; ++i) to[i] = scaled_bias(factor, to[i]);
        return;
    }
    for (Index r = 0; r < keys; ++r)
        for (Index j = 0; j < n; ++j) to[r * panel<T> + j] = scaled_bias(factor, x[j * grid.query + r * grid.key]);
}

/// What is added to the scores, in units of log 2, of a panel and the visible rows of a block: the bias, and `never` for what
/// is hidden. Null when there is nothing to add: then each query sees all of them.
template <class T>
const T* pack_extra(const Attention<T>& a, Index b, Index h, Index q0, Index n, Index k0, Visible rows, T* to) {
    const T* bias = a.bias.at(b, h);
    const bool* mask = a.mask.at(b, h);
    if (!bias && !mask && rows.whole) return nullptr;
    const Index keys = rows.last - rows.first, k = k0 + rows.first;
    if (bias)
        pack_grid(a.bias, bias + q0 * a.bias.query + k * a.bias.key, n, keys, T(log2_e), to);
    else
        fill(to, keys * panel<T>, T(0));
    if (mask) {
        const Index count = std::min(n, panel<T>);
        const bool* m = mask + q0 * a.mask.query + k * a.mask.key;
        for (Index r = 0; r < keys; ++r)
            if (a.mask.query == 0) {
                if (!m[r * a.mask.key]) fill(to + r * panel<T>, panel<T>, never<T>);
            } else
                for (Index j = 0; j < count; ++j)
                    if (!m[j * a.mask.query + r * a.mask.key]) to[r * panel<T> + j] = never<T>;
    }
    if (!rows.whole || n < panel<T>) hide(a, q0, n, k0, rows, to);
    return to;
}

/// What the queries of a panel see of some keys, by what is added to their scores; null: everything.
template <class T>
struct Seen {
    const T* extra;

    /// The vector x that stands at i, and `hidden` where a query does not see the key.
    XG_INLINE Batch<T> operator()(Batch<T> x, Index i, T hidden = 0) const {
        using B = Batch<T>;
        return extra ? xsimd::select(B::load_unaligned(extra + i) == B(never<T>), B(hidden), x) : x;
    }
};

/// p = 2^(k q + extra - largest - log_sum), 0 where a query does not see the key.
template <class T>
XG_INLINE void probabilities(Index keys, Index inner, const T* k, Index k_step, const T* q, const T* extra,
                             AttentionRows<const T> rows, T* p, Index step) {
    using B = Batch<T>;
    const auto run = [&](auto with_extra) {
        product<false>(keys, inner, k, k_step, q, panel<T>, FromZero(), [&]<int n>(Index first, Sums<T, n>& sums) {
            const B largest[2] = {B::load_unaligned(rows.largest), B::load_unaligned(rows.largest + width<T>)};
            const B log_sum[2] = {B::load_unaligned(rows.log_sum), B::load_unaligned(rows.log_sum + width<T>)};
            each_vector<n, T>(sums, [&](B& x, Index i, Index j) {
                const Index at = (first + i) * panel<T> + j;
                if constexpr (with_extra) x = x + B::load_unaligned(extra + at);
                x = power_of_2((x - largest[j != 0]) - log_sum[j != 0]);
                if constexpr (with_extra) x = Seen<T>{extra}(x, at);
                x.store_unaligned(p + (first + i) * step + j);
            });
        });
    };
    if (extra)
        run(std::true_type());
    else
        run(std::false_type());
}

/// [scale q. + scale. q; scale q] of a panel in units of log 2, transposed: what multiplies rows [k | k.].
template <class T>
void pack_scores(const Attention<T>& a, const AttentionTangents<T>& d, Index b, Index h, Index q0, Index n, T* to) {
    const Index size = a.width * panel<T>;
    const T *q = a.q.at(b, h) + q0 * a.q.row, *dq = d.q.at(b, h);
    const T factor = score_factor(a), moving = d.scale * T(log2_e);
    pack_panel(n, a.width, q, a.q.row, T(1), to + size);
    pack_panel(n, a.width, dq ? dq + q0 * d.q.row : nullptr, d.q.row, factor, to);
    for (Index i = 0; i < size; ++i) {
        to[i] += moving * to[size + i];
        to[size + i] *= factor;
    }
}
/// Of n queries; beyond them, numbers of which every probability is 0.
template <class T>
void pack_sums(const AttentionRows<const T>& rows, Index first, Index n, Index end, T* largest, T* log_sum) {
    std::copy_n(rows.largest + first, n, largest);
    std::copy_n(rows.log_sum + first, n, log_sum);
    fill(largest + n, end - n, T(0));
    fill(log_sum + n, end - n, highest<T>);
}

// ---- sums without what is hidden

/// Are all elements of rows of `columns` finite?
template <class T>
bool all_finite(Index rows, Index columns, const T* x, Index step) {
    using B = Batch<T>;
    constexpr int lines = 4;  // at a time, as a sum waits for its own additions
    B zeros[lines] = {B(T(0)), B(T(0)), B(T(0)), B(T(0))};
    T zero = 0;
    const Index whole = columns / width<T> * width<T>;
    for (Index i = 0; i < rows; i += lines) {
        const T* line[lines];
        for (int l = 0; l < lines; ++l) line[l] = x + std::min(i + l, rows - 1) * step;
        for (Index j = 0; j < whole; j += width<T>)
            for (int l = 0; l < lines; ++l) zeros[l] = xsimd::fma(B::load_unaligned(line[l] + j), B(T(0)), zeros[l]);
        for (Index j = whole; j < columns; ++j)
            for (int l = 0; l < lines; ++l) zero += line[l][j] * T(0);
    }
    alignas(64) T lane[width<T>];
    ((zeros[0] + zeros[1]) + (zeros[2] + zeros[3])).store_aligned(lane);
    for (const T l : lane) zero += l;
    return zero == 0;
}

/// Can a query not see what others see of those keys?
template <class T>
XG_INLINE bool may_hide(const Attention<T>& a, const Visible& keys) {
    return a.bias.data || a.mask.data || !keys.whole;
}

/// c += a b for a panel of weights b and rows of keys a; c a panel, m rows high. Where `extra` is given, only of the keys that a
/// query sees; in the same order, so with the same bits.
template <class T>
[[gnu::noinline]] void add_seen_keys(Index m, Index keys, const T* a, Index a_step, const T* b, Index b_step, const T* extra,
                                     T* c) {
    using B = Batch<T>;
    for (Index l = 0; l < keys; ++l, a += a_step, b += b_step, extra += panel<T>)
        for (Index j = 0; j < panel<T>; j += width<T>) {
            const B weight = B::load_unaligned(b + j);
            const auto hidden = B::load_unaligned(extra + j) == B(never<T>);
            for (Index i = 0; i < m; ++i) {
                T* to = c + i * panel<T> + j;
                const B old = B::load_unaligned(to);
                xsimd::select(hidden, old, xsimd::fma(B(a[i]), weight, old)).store_unaligned(to);
            }
        }
}
template <class T>
XG_INLINE void add_keys(Index m, Index keys, const T* a, Index a_step, const T* b, Index b_step, const T* extra, T* c) {
    if (extra)
        add_seen_keys(m, keys, a, a_step, b, b_step, extra, c);
    else
        add_product<true>(m, keys, a, a_step, b, b_step, c, panel<T>);
}

/// c += a b for weights a of some keys, one panel of queries, and rows of queries b, whole panels wide, as c is. Likewise.
template <class T>
[[gnu::noinline]] void add_seen_queries(Index keys, const T* a, Index a_step, Index columns, const T* b, Index b_step,
                                        const T* extra, T* c) {
    using B = Batch<T>;
    for (Index r = 0; r < keys; ++r, a += a_step, extra += panel<T>, c += columns)
        for (Index i = 0; i < panel<T>; ++i) {
            if (extra[i] == never<T>) continue;
            for (Index j = 0; j < columns; j += width<T>)
                xsimd::fma(B(a[i]), B::load_unaligned(b + i * b_step + j), B::load_unaligned(c + j)).store_unaligned(c + j);
        }
}

}  // namespace
}  // namespace xtgrad::kernels
