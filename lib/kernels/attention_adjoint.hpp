// The adjoint of attention and its tangent; the formulas stand in attention.hpp. A task has every `parts`-th block of the keys
// of a head and all its queries, block by block.
#pragma once
#include "attention_scores.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Index query_block = 64;

template <class T>
struct AdjointArrays {
    Index k_step, v_step, q_step, g_step, p_step, k_columns, v_columns;
    T *k, *v, *dk, *dv;                      // of the keys: rows [k | k.], [v. | v], sums
    T *q, *g;                                // of the queries, panels: see pack_scores, and [G; G.]
    T *q_rows, *dq_rows, *g_rows, *dg_rows;  // scale q, scale q. + scale. q, G, G.
    T *x, *x2, *row, *row2;                  // (S k + dS k.)^T, (dS k)^T, and back as rows
    T *largest, *log_sum, *delta, *mu, *rho;
    T *p, *e, *ds, *s, *extra, *bias, *kept;
    T* finite;  // of each block of keys: 1, or 0 where something that is packed is not
    Index size;

    AdjointArrays(const Attention<T>& a, bool second, T* work) {
        const Index twice = second ? 2 : 1, parts = adjoint_parts(a), blocks = (a.keys + key_block - 1) / key_block;
        const Index keys = std::min(a.keys, (blocks + parts - 1) / parts * key_block), n = query_block;
        const Index rows = std::min(a.keys, key_block);
        k_columns = panels<T>(a.width);
        v_columns = panels<T>(a.value_width);
        k_step = odd_lines<T>(twice * a.width);
        v_step = odd_lines<T>(twice * a.value_width);
        q_step = odd_lines<T>(k_columns);
        g_step = odd_lines<T>(v_columns);
        p_step = odd_lines<T>(n);
        Layout<T> w(work);
        k = w.take(keys * k_step), v = w.take(keys * v_step);
        dk = w.take(keys * k_columns), dv = w.take(keys * v_columns);
        q = w.take(n * 2 * a.width), g = w.take(n * twice * a.value_width);
        q_rows = w.take(n * q_step), g_rows = w.take(n * g_step);
        dq_rows = w.take(second ? n * q_step : 0), dg_rows = w.take(second ? n * g_step : 0);
        x = w.take(n * a.width), x2 = w.take(second ? n * a.width : 0);
        row = w.take(n * a.width), row2 = w.take(second ? n * a.width : 0);
        largest = w.take(n), log_sum = w.take(n), delta = w.take(n), mu = w.take(n), rho = w.take(n);
        p = w.take(rows * p_step), ds = w.take(rows * p_step);
        e = w.take(second ? rows * p_step : 0), s = w.take(second ? rows * p_step : 0);
        extra = w.take(rows * n);
        bias = w.take(second ? rows * panel<T> : 0);
        kept = w.take(a.dropout.kept != 0 ? rows * panel<T> : 0);
        finite = w.take(keys / key_block + 1);
        size = w.used();
    }
};
template <class T>
Index adjoint_work(const Attention<T>& a, bool second) {
    return AdjointArrays<T>(a, second, nullptr).size;
}

/// A task: its key head, its part of the blocks of keys.
template <bool second, class T>
class AdjointTask {
public:
    AdjointTask(const Attention<T>& a, const AttentionTangents<T>& d, const AttentionAdjoint<T>& x, Index task, T* work)
        : a_(a),
          d_(d),
          x_(x),
          w_(a, second, work),
          parts_(adjoint_parts(a)),
          part_(task % parts_),
          b_(task / parts_ / a.kv_heads),
          kv_(task / parts_ % a.kv_heads),
          task_(task),
          may_hide_(may_hide(a, Visible(a, 0, a.queries, 0, a.keys))) {}

    void run() {
        pack_keys();
        const Index group = a_.heads / a_.kv_heads;
        double scale = 0;
        for (h_ = kv_ * group; h_ < (kv_ + 1) * group; ++h_)
            for (q0_ = 0; q0_ < a_.queries; q0_ += query_block) {
                n_ = std::min(query_block, a_.queries - q0_);
                end_ = panels<T>(n_);
                pack_queries();
                for (Index k0 = part_ * key_block, at = 0; k0 < a_.keys; k0 += parts_ * key_block, at += key_block)
                    block(k0, at, std::min(key_block, a_.keys - k0));
                scale += double(finish_queries());
            }
        finish_keys();
        if (x_.scale) x_.scale[task_] = scale;
    }

private:
    using B = Batch<T>;

    void pack_keys() {
        for (Index k0 = part_ * key_block, at = 0; k0 < a_.keys; k0 += parts_ * key_block, at += key_block) {
            const Index keys = std::min(key_block, a_.keys - k0);
            T *k = w_.k + at * w_.k_step, *v = w_.v + at * w_.v_step;
            if constexpr (second) {
                copy_pair(keys, a_.width, a_.k, d_.k, b_, kv_, k0, k, w_.k_step);
                copy_pair(keys, a_.value_width, d_.v, a_.v, b_, kv_, k0, v, w_.v_step);
            } else {
                copy_rows(keys, a_.width, a_.k.at(b_, kv_) + k0 * a_.k.row, a_.k.row, T(1), k, w_.k_step);
                copy_rows(keys, a_.value_width, a_.v.at(b_, kv_) + k0 * a_.v.row, a_.v.row, T(1), v, w_.v_step);
            }
            const Index twice = second ? 2 : 1;
            w_.finite[at / key_block] = !may_hide_ || (all_finite(keys, twice * a_.width, k, w_.k_step) &&
                                                       all_finite(keys, twice * a_.value_width, v, w_.v_step));
            fill(w_.dk + at * w_.k_columns, keys * w_.k_columns, T(0));
            fill(w_.dv + at * w_.v_columns, keys * w_.v_columns, T(0));
        }
    }

    /// Rows of queries, padded with zeros in both directions.
    void pack_rows(Index columns, const T* x, Index step, T factor, T* to, Index to_step) const {
        if (n_ < end_ || columns < to_step) fill(to, end_ * to_step, T(0));
        copy_rows(n_, columns, x, step, factor, to, to_step);
    }

    void pack_queries() {
        const Index dv = a_.value_width, first = (b_ * a_.heads + h_) * a_.queries + q0_;
        const T *q = row_of(a_.q, b_, h_, q0_), *g = row_of(x_.cotangent.out, b_, h_, q0_), *dq = row_of(d_.q, b_, h_, q0_),
                *dg = row_of(x_.cotangent_tangent.out, b_, h_, q0_), *o = row_of(x_.values.out, b_, h_, q0_),
                *dout = row_of(x_.tangents.out, b_, h_, q0_);
        const Index g_row = x_.cotangent.out.row, dg_row = x_.cotangent_tangent.out.row;
        for (Index at = 0; at < end_; at += panel<T>) {
            T *to = w_.g + at * (second ? 2 : 1) * dv, *panel_of_q = w_.q + at * (second ? 2 : 1) * a_.width;
            pack_panel(n_ - at, dv, g + at * g_row, g_row, T(1), to);
            if constexpr (second) {
                pack_scores(a_, d_, b_, h_, q0_ + at, n_ - at, panel_of_q);
                if (dg) pack_panel(n_ - at, dv, dg + at * dg_row, dg_row, T(1), to + dv * panel<T>);
            } else {
                pack_panel(n_ - at, a_.width, q + at * a_.q.row, a_.q.row, score_factor(a_), panel_of_q);
            }
        }
        pack_rows(a_.width, q, a_.q.row, a_.scale, w_.q_rows, w_.q_step);
        pack_rows(dv, g, g_row, T(1), w_.g_rows, w_.g_step);
        pack_sums(a_.rows, first, n_, end_, w_.largest, w_.log_sum);
        fill(w_.delta, end_, T(0));
        for (Index i = 0; i < n_; ++i) {
            w_.delta[i] = dot(dv, g + i * g_row, o + i * x_.values.out.row);
            if (x_.cotangent.lse) w_.delta[i] -= x_.cotangent.lse[first + i];
        }
        fill(w_.x, end_ * a_.width, T(0));
        if constexpr (second) {
            pack_rows(a_.width, dq, d_.q.row, a_.scale, w_.dq_rows, w_.q_step);
            for (Index i = 0; i < n_; ++i)
                for (Index j = 0; j < a_.width; ++j) w_.dq_rows[i * w_.q_step + j] += d_.scale * q[i * a_.q.row + j];
            if (dg) pack_rows(dv, dg, dg_row, T(1), w_.dg_rows, w_.g_step);
            fill(w_.mu, end_, T(0));
            fill(w_.rho, end_, T(0));
            for (Index i = 0; i < n_; ++i) {
                w_.mu[i] = x_.tangents.lse[first + i];
                w_.rho[i] = dot(dv, g + i * g_row, dout + i * x_.tangents.out.row);
                if (dg) w_.rho[i] += dot(dv, dg + i * dg_row, o + i * x_.values.out.row);
                if (x_.cotangent_tangent.lse) w_.rho[i] -= x_.cotangent_tangent.lse[first + i];
            }
            fill(w_.x2, end_ * a_.width, T(0));
        }
        const auto finite = [&](Index columns, const T* rows, Index step) { return all_finite(n_, columns, rows, step); };
        finite_ = !may_hide_ || (finite(a_.width, w_.q_rows, w_.q_step) && finite(dv, w_.g_rows, w_.g_step) &&
                                 (!second || finite(a_.width, w_.dq_rows, w_.q_step)) &&
                                 (!(second && dg) || finite(dv, w_.dg_rows, w_.g_step)));
    }

    /// The block of queries against keys from k0 on, packed at `at`.
    void block(Index k0, Index at, Index keys) {
        const Visible any(a_, q0_, n_, k0, keys);
        if (any.first >= any.last) return;
        const bool apart = !finite_ || w_.finite[at / key_block] == 0;
        for (Index j = 0; j < end_; j += panel<T>) {
            const Visible rows(a_, q0_ + j, std::min(panel<T>, n_ - j), k0, keys);
            clear(j, any.first, std::min(rows.first, any.last));
            clear(j, std::max(rows.last, any.first), any.last);
            if (rows.first < rows.last) panel_of(j, k0, at, rows, apart);
        }
        if (apart)
            return add_to_keys(at, [&](auto share) {
                for (Index j = 0; j < end_; j += panel<T>) {
                    const Visible rows(a_, q0_ + j, std::min(panel<T>, n_ - j), k0, keys);
                    if (rows.first < rows.last) share(rows.first, rows.last - rows.first, j, panel<T>, extra_[j / panel<T>]);
                }
            });
        // Where a query sees only some of the keys, a few rows at a time against the queries that see them.
        const Index step = any.whole ? any.last - any.first : 2 * tile_rows<T>;
        add_to_keys(at, [&](auto share) {
            for (Index r = any.first; r < any.last; r += step) {
                const Index m = std::min(step, any.last - r);
                const Index begin = std::clamp<Index>(k0 + r - a_.above - q0_, 0, n_) / panel<T> * panel<T>,
                            end = panels<T>(std::clamp<Index>(k0 + r + m - a_.below - q0_, 0, n_));
                if (begin < end) share(r, m, begin, end - begin, nullptr);
            }
        });
    }

    void clear(Index j, Index first, Index last) {
        T* tiles[] = {w_.p, w_.ds, w_.e, w_.s};
        for (int i = 0; i < (second ? 4 : 2); ++i)
            for (Index r = first; r < last; ++r) fill(tiles[i] + r * w_.p_step + j, panel<T>, T(0));
    }

    /// The panel j of queries; `apart` where not all is finite, and what is hidden is left out of sums.
    void panel_of(Index j, Index k0, Index at, Visible rows, bool apart) {
        const Index m = rows.last - rows.first, dv = a_.value_width, here = rows.first * w_.p_step + j, q0 = q0_ + j;
        const Index step = w_.p_step;
        const T *k = w_.k + (at + rows.first) * w_.k_step, *v = w_.v + (at + rows.first) * w_.v_step;
        const T *q = w_.q + j * (second ? 2 : 1) * a_.width, *g = w_.g + j * (second ? 2 : 1) * dv;
        T *p = w_.p + here, *ds = w_.ds + here;
        const T* extra = pack_extra(a_, b_, h_, q0, n_ - j, k0, rows, w_.extra + (apart ? j * std::min(a_.keys, key_block) : 0));
        extra_[j / panel<T>] = extra;
        probabilities(m, a_.width, k, w_.k_step, second ? q + a_.width * panel<T> : q, extra, {w_.largest + j, w_.log_sum + j}, p,
                      step);
        const T* gaps = apart ? extra : nullptr;
        const Seen<T> seen{extra};
        const T* kept = a_.dropout.kept != 0 ? w_.kept : nullptr;
        if (kept) pack_dropout(a_, b_, h_, q0, k0 + rows.first, m, w_.kept);
        if constexpr (second) {
            T *e = w_.e + here, *s = w_.s + here;
            const T* bias = d_.bias.at(b_, h_);
            if (bias) pack_grid(d_.bias, bias + q0 * d_.bias.query + (k0 + rows.first) * d_.bias.key, n_ - j, m, T(1), w_.bias);
            const B unit = math::literal<B>(log_2);
            const B mu[2] = {B::load_unaligned(w_.mu + j), B::load_unaligned(w_.mu + j + width<T>)};
            product<false>(m, 2 * a_.width, k, w_.k_step, q, panel<T>, FromZero(), [&]<int n>(Index first, Sums<T, n>& sums) {
                each_vector<n, T>(sums, [&](B& x, Index i, Index l) {
                    x = x * unit;
                    if (bias) x = x + B::load_unaligned(w_.bias + (first + i) * panel<T> + l);
                    (x - mu[l != 0]).store_unaligned(e + (first + i) * step + l);
                });
            });
            score_adjoint(m, dv, v + dv, g, w_.delta + j, p, kept, seen, ds);
            const B rho[2] = {B::load_unaligned(w_.rho + j), B::load_unaligned(w_.rho + j + width<T>)};
            const Index inner = x_.cotangent_tangent.out.data ? 2 * dv : dv;
            with_factors<T>(kept, [&](auto factor) {
                product<false>(m, inner, v, w_.v_step, g, panel<T>, FromZero(), [&]<int n>(Index first, Sums<T, n>& sums) {
                    each_vector<n, T>(sums, [&](B& x, Index i, Index l) {
                        const Index to = (first + i) * step + l, at_factor = (first + i) * panel<T> + l;
                        const B c = B::load_unaligned(e + to), pr = B::load_unaligned(p + to);
                        const B change = c * B::load_unaligned(ds + to) + pr * (factor(x, at_factor) - rho[l != 0]);
                        seen(change, at_factor).store_unaligned(s + to);
                        seen(factor(pr * c, at_factor), at_factor).store_unaligned(e + to);
                    });
                });
            });
            write_bias(q0, n_ - j, k0, rows, s);
            T* x = w_.x + j * a_.width;
            add_keys(a_.width, m, k, w_.k_step, s, step, gaps, x);
            if (d_.k.data) add_keys(a_.width, m, k + a_.width, w_.k_step, ds, step, gaps, x);
            if (scale_counts()) add_keys(a_.width, m, k, w_.k_step, ds, step, gaps, w_.x2 + j * a_.width);
        } else {
            score_adjoint(m, dv, v, g, w_.delta + j, p, kept, seen, ds);
            write_bias(q0, n_ - j, k0, rows, ds);
            add_keys(a_.width, m, k, w_.k_step, ds, step, gaps, w_.x + j * a_.width);
        }
        if (kept) multiply(m, kept, p, step);
    }

    /// ds = p (kept (G v^T) - delta)
    void score_adjoint(Index m, Index inner, const T* v, const T* g, const T* shift, const T* p, const T* kept, Seen<T> seen,
                       T* ds) {
        const B delta[2] = {B::load_unaligned(shift), B::load_unaligned(shift + width<T>)};
        with_factors<T>(kept, [&](auto factor) {
            product<false>(m, inner, v, w_.v_step, g, panel<T>, FromZero(), [&]<int n>(Index first, Sums<T, n>& sums) {
                each_vector<n, T>(sums, [&](B& x, Index i, Index l) {
                    const Index to = (first + i) * w_.p_step + l, at_factor = (first + i) * panel<T> + l;
                    x = factor(x, at_factor) - delta[l != 0];
                    seen(B::load_unaligned(p + to) * x, at_factor).store_unaligned(ds + to);
                });
            });
        });
    }
    void write_bias(Index q0, Index n, Index k0, Visible rows, const T* ds) {
        if (!x_.bias) return;
        const Index m = rows.last - rows.first, head = (x_.bias_query ? a_.queries : 1) * a_.keys;
        T* to = x_.bias + b_ * x_.bias_batch + h_ * head + q0 * x_.bias_query + k0 + rows.first;
        if (x_.bias_query) {
            const auto& transpose = matrix_kernels_of<T, Isa::XG_ISA>().transpose;
            n = std::min(n, panel<T>);
            if (x_.bias_batch) return transpose(m, n, ds, w_.p_step, to, a_.keys);
            T part[panel<T> * key_block];
            transpose(m, n, ds, w_.p_step, part, key_block);
            for (Index j = 0; j < n; ++j)
                for (Index r = 0; r < m; ++r) to[j * a_.keys + r] += part[j * key_block + r];
            return;
        }
        for (Index r = 0; r < m; ++r)
            for (Index j = 0; j < panel<T>; ++j) to[r] += ds[r * w_.p_step + j];
    }

    /// Rows of the keys packed at `at` get their share of queries: each(share) calls share(row, m, first, n, extra) for keys row
    /// .. row + m - 1 of the block and queries first .. first + n - 1; given `extra`, of a panel and without what is hidden.
    void add_to_keys(Index at, auto each) {
        const auto add = [&](Index columns, const T* tile, const T* rows, Index step, T* sum) {
            each([&](Index row, Index m, Index first, Index n, const T* extra) {
                const T *from = tile + row * w_.p_step + first, *of = rows + first * step;
                T* to = sum + (at + row) * columns;
                if (extra) return add_seen_queries(m, from, w_.p_step, columns, of, step, extra, to);
                for (Index c = 0; c < columns; c += panel<T>)
                    add_product<false>(m, n, from, w_.p_step, of + c, step, to + c, columns);
            });
        };
        if constexpr (second) {
            add(w_.k_columns, w_.s, w_.q_rows, w_.q_step, w_.dk);
            add(w_.k_columns, w_.ds, w_.dq_rows, w_.q_step, w_.dk);
            add(w_.v_columns, w_.e, w_.g_rows, w_.g_step, w_.dv);
            if (x_.cotangent_tangent.out.data) add(w_.v_columns, w_.p, w_.dg_rows, w_.g_step, w_.dv);
        } else {
            add(w_.k_columns, w_.ds, w_.q_rows, w_.q_step, w_.dk);
            add(w_.v_columns, w_.p, w_.g_rows, w_.g_step, w_.dv);
        }
    }

    /// Is (dS k) wanted by itself?
    bool scale_counts() const { return second && (x_.scale || d_.scale != 0); }

    /// Writes the rows of q'; their share of scale'.
    T finish_queries() {
        const auto rows_of = [&](const T* columns, T* rows) {
            for (Index at = 0; at < end_; at += panel<T>)
                matrix_kernels_of<T, Isa::XG_ISA>().transpose(a_.width, std::min(panel<T>, n_ - at), columns + at * a_.width,
                                                              panel<T>, rows + at * a_.width, a_.width);
        };
        rows_of(w_.x, w_.row);
        if (scale_counts()) rows_of(w_.x2, w_.row2);
        const T *q = row_of(a_.q, b_, h_, q0_), *dq = row_of(d_.q, b_, h_, q0_);
        T *to = x_.q.at(b_, h_) + q0_ * x_.q.row + part_ * x_.part, scale = 0;
        for (Index i = 0; i < n_; ++i) {
            const T *x = w_.row + i * a_.width, *x2 = w_.row2 + i * a_.width;
            if (w_.log_sum[i] == highest<T>) {  // sees nothing: neither q nor the scale may spoil that
                fill(to + i * x_.q.row, a_.width, T(0));
                continue;
            }
            for (Index c = 0; c < a_.width; ++c) to[i * x_.q.row + c] = a_.scale * x[c];
            if (x_.scale) scale += dot(a_.width, x, q + i * a_.q.row);
            if (!scale_counts()) continue;
            for (Index c = 0; c < a_.width; ++c) to[i * x_.q.row + c] += d_.scale * x2[c];
            if (x_.scale && dq) scale += dot(a_.width, x2, dq + i * d_.q.row);
        }
        return scale;
    }

    void finish_keys() {
        const auto write = [&](Index columns, const HeadRows<T>& to, const T* sum, Index step) {
            for (Index k0 = part_ * key_block, at = 0; k0 < a_.keys; k0 += parts_ * key_block, at += key_block)
                copy_rows(std::min(key_block, a_.keys - k0), columns, sum + at * step, step, T(1), to.at(b_, kv_) + k0 * to.row,
                          to.row);
        };
        write(a_.width, x_.k, w_.dk, w_.k_columns);
        write(a_.value_width, x_.v, w_.dv, w_.v_columns);
    }

    const Attention<T>& a_;
    const AttentionTangents<T> d_;
    const AttentionAdjoint<T>& x_;
    const AdjointArrays<T> w_;
    const Index parts_, part_, b_, kv_, task_;
    const bool may_hide_;
    Index h_ = 0, q0_ = 0, n_ = 0, end_ = 0;
    bool finite_ = true;                      // is what is packed of the queries?
    const T* extra_[query_block / panel<T>];  // of each panel
};

template <class T>
void first_adjoint(const Attention<T>& a, const AttentionAdjoint<T>& x, Index task, T* work) {
    AdjointTask<false, T>(a, {}, x, task, work).run();
}
template <class T>
void second_adjoint(const Attention<T>& a, const AttentionTangents<T>& d, const AttentionAdjoint<T>& x, Index task, T* work) {
    AdjointTask<true, T>(a, d, x, task, work).run();
}

}  // namespace
}  // namespace xtgrad::kernels
