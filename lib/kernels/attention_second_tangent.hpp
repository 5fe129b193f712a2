// The tangent of attention's tangent; the formulas stand in attention.hpp. Rows of keys are [k' | k | k. | k'.], with a prime for
// the first tangent and a dot for the second, rows of values [v | v' | v. | v'.].
#pragma once
#include "attention_adjoint.hpp"

namespace xtgrad::kernels {
namespace {

template <class T>
struct SecondTangentArrays {
    Index k_step, v_step;
    T *q, *raw, *out, *largest, *log_sum, *mu, *sum, *k, *v, *p, *first, *second, *both, *extra, *bias, *kept;
    Index size;

    SecondTangentArrays(const Attention<T>& a, T* work)
        : k_step(odd_lines<T>(4 * a.width)), v_step(odd_lines<T>(4 * a.value_width)) {
        const Index n = panels<T>(std::min(a.queries, query_chunk(a))), keys = std::min(a.keys, key_block);
        Layout<T> w(work);
        q = w.take(n * 8 * a.width), raw = w.take(4 * panel<T> * a.width), out = w.take(n * a.value_width);
        largest = w.take(n), log_sum = w.take(n), mu = w.take(n), sum = w.take(n);
        k = w.take(keys * k_step), v = w.take(keys * v_step);
        p = w.take(keys * panel<T>), first = w.take(keys * panel<T>), second = w.take(keys * panel<T>);
        both = w.take(keys * panel<T>), extra = w.take(keys * panel<T>), bias = w.take(keys * panel<T>);
        kept = w.take(a.dropout.kept != 0 ? keys * panel<T> : 0);
        size = w.used();
    }
};
template <class T>
Index second_tangent_work(const Attention<T>& a) {
    return SecondTangentArrays<T>(a, nullptr).size;
}

template <class T>
class SecondTangentTask {
public:
    SecondTangentTask(const Attention<T>& a, const AttentionSecondTangent<T>& x, const Chunk& c, T* work)
        : a_(a), x_(x), c_(c), w_(a, work), end_(panels<T>(c.n)), row_((c.b * a.heads + c.h) * a.queries + c.q0) {}

    void run(const AttentionValues<T>& to) {
        const Index kv = c_.h / (a_.heads / a_.kv_heads), d = a_.width, dv = a_.value_width;
        for (Index at = 0; at < end_; at += panel<T>) pack_queries(at);
        pack_sums(a_.rows, row_, c_.n, end_, w_.largest, w_.log_sum);
        std::copy_n(x_.second_values.lse + row_, c_.n, w_.mu);
        fill(w_.mu + c_.n, end_ - c_.n, T(0));
        fill(w_.sum, end_, T(0));
        fill(w_.out, end_ * dv, T(0));
        for (Index k0 = 0; k0 < a_.keys; k0 += key_block) {
            const Index keys = std::min(key_block, a_.keys - k0);
            const Visible any(a_, c_.q0, c_.n, k0, keys);
            if (any.first >= any.last) continue;
            copy_pair(keys, d, x_.first.k, a_.k, c_.b, kv, k0, w_.k, w_.k_step);
            copy_pair(keys, d, x_.second.k, x_.both.k, c_.b, kv, k0, w_.k + 2 * d, w_.k_step);
            copy_pair(keys, dv, a_.v, x_.first.v, c_.b, kv, k0, w_.v, w_.v_step);
            copy_pair(keys, dv, x_.second.v, x_.both.v, c_.b, kv, k0, w_.v + 2 * dv, w_.v_step);
            const bool finite = !may_hide(a_, any) || all_finite(keys, 4 * dv, w_.v, w_.v_step);
            for (Index at = 0; at < end_; at += panel<T>) {
                const Visible rows(a_, c_.q0 + at, std::min(panel<T>, c_.n - at), k0, keys);
                if (rows.first < rows.last) panel_of(at, k0, rows, finite);
            }
        }
        T* out = to.out.at(c_.b, c_.h) + c_.q0 * to.out.row;
        for (Index at = 0; at < end_; at += panel<T>)
            matrix_kernels_of<T, Isa::XG_ISA>().transpose(dv, std::min(panel<T>, c_.n - at), w_.out + at * dv, panel<T>,
                                                          out + at * to.out.row, to.out.row);
        for (Index i = 0; i < c_.n; ++i) {
            const T *o = row_of(x_.values.out, c_.b, c_.h, c_.q0 + i),
                    *moved = row_of(x_.second_values.out, c_.b, c_.h, c_.q0 + i);
            to.lse[row_ + i] = w_.sum[i];
            for (Index j = 0; j < dv; ++j) out[i * to.out.row + j] -= w_.sum[i] * o[j] + x_.first_values.lse[row_ + i] * moved[j];
        }
    }

private:
    using B = Batch<T>;

    /// With u = scale q, r = u', s = u. and t = u'. the columns [u; r], [s; t; r; u] and [s; u], in units of log 2: what
    /// multiplies [k' | k], all four parts, and [k | k.].
    void pack_queries(Index at) {
        const Index d = a_.width, size = d * panel<T>, n = c_.n - at, q0 = c_.q0 + at;
        const T unit = T(log2_e), scale = score_factor(a_), by_first = x_.first.scale * unit, by_second = x_.second.scale * unit,
                by_both = x_.both.scale * unit;
        const auto pack = [&](const HeadRows<const T>& q, T factor, T* to) {
            pack_panel(n, d, row_of(q, c_.b, c_.h, q0), q.row, factor, to);
        };
        T* const to = w_.q + at * 8 * d;
        pack(a_.q, scale, to);
        T *const q = w_.raw, *const first = q + size, *const second = first + size, *const both = second + size;
        pack(a_.q, T(1), q), pack(x_.first.q, T(1), first), pack(x_.second.q, T(1), second), pack(x_.both.q, T(1), both);
        for (Index i = 0; i < size; ++i) {
            const T u = to[i], r = scale * first[i] + by_first * q[i], s = scale * second[i] + by_second * q[i];
            to[1 * size + i] = to[4 * size + i] = r;
            to[2 * size + i] = to[6 * size + i] = s;
            to[3 * size + i] = scale * both[i] + by_first * second[i] + by_second * first[i] + by_both * q[i];
            to[5 * size + i] = to[7 * size + i] = u;
        }
    }

    /// f(e, at) for each vector of e = k q + bias, in natural units, of a panel and some keys.
    template <class F>
    void each_score(const ScoreGrid<T>& grid, Index at, Index k0, Index keys, Index inner, const T* k, const T* q, F f) {
        const T* bias = grid.at(c_.b, c_.h);
        if (bias) pack_grid(grid, bias + (c_.q0 + at) * grid.query + k0 * grid.key, c_.n - at, keys, T(1), w_.bias);
        const B unit = math::literal<B>(log_2);
        product<false>(keys, inner, k, w_.k_step, q, panel<T>, FromZero(), [&]<int n>(Index begin, Sums<T, n>& sums) {
            each_vector<n, T>(sums, [&](B& x, Index i, Index j) {
                const Index to = (begin + i) * panel<T> + j;
                x = x * unit;
                f(bias ? x + B::load_unaligned(w_.bias + to) : x, to, j);
            });
        });
    }

    void panel_of(Index at, Index k0, Visible rows, bool finite) {
        const Index d = a_.width, dv = a_.value_width, keys = rows.last - rows.first, first_key = k0 + rows.first;
        const T *k = w_.k + rows.first * w_.k_step, *v = w_.v + rows.first * w_.v_step, *q = w_.q + at * 8 * d;
        T *p = w_.p, *first = w_.first, *second = w_.second, *both = w_.both;
        const T* extra = pack_extra(a_, c_.b, c_.h, c_.q0 + at, c_.n - at, k0, rows, w_.extra);
        const Seen<T> seen{extra};
        probabilities(keys, d, k + d, w_.k_step, q, extra, {w_.largest + at, w_.log_sum + at}, p, panel<T>);
        each_score(x_.first.bias, at, first_key, keys, 2 * d, k, q, [&](B e, Index i, Index) { e.store_unaligned(first + i); });
        each_score(x_.second.bias, at, first_key, keys, 2 * d, k + d, q + 6 * d * panel<T>, [&](B e, Index i, Index j) {
            const B mu = B::load_unaligned(w_.mu + at + j);
            seen(B::load_unaligned(p + i) * (e - mu), i).store_unaligned(second + i);
        });
        B sum[2] = {B::load_unaligned(w_.sum + at), B::load_unaligned(w_.sum + at + width<T>)};
        each_score(x_.both.bias, at, first_key, keys, 4 * d, k, q + 2 * d * panel<T>, [&](B e, Index i, Index j) {
            const B probability = B::load_unaligned(p + i), along = B::load_unaligned(first + i);
            const B x = seen(probability * e + B::load_unaligned(second + i) * along, i);
            sum[j != 0] = sum[j != 0] + x;
            x.store_unaligned(both + i);
            seen(probability * along, i).store_unaligned(first + i);
        });
        for (int j = 0; j < 2; ++j) sum[j].store_unaligned(w_.sum + at + j * width<T>);
        if (a_.dropout.kept != 0) {
            pack_dropout(a_, c_.b, c_.h, c_.q0 + at, first_key, keys, w_.kept);
            for (T* x : {p, first, second, both}) multiply(keys, w_.kept, x, panel<T>);
        }
        T* out = w_.out + at * dv;
        const T* factors[] = {both, second, first, p};  // of v, v', v., v'.
        for (int i = 0; i < 4; ++i)
            add_keys(dv, keys, v + i * dv, w_.v_step, factors[i], panel<T>, finite ? nullptr : extra, out);
    }

    const Attention<T>& a_;
    const AttentionSecondTangent<T>& x_;
    const Chunk c_;
    const SecondTangentArrays<T> w_;
    const Index end_, row_;
};

}  // namespace
}  // namespace xtgrad::kernels
