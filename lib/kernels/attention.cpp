#include "attention.hpp"

#include "attention_adjoint.hpp"
#include "attention_few.hpp"
#include "attention_scores.hpp"
#include "attention_second_tangent.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

// ---- forward: per query m, the largest score so far, and l = sum e^(s - m); O^T = sum e^(s - m) v; all in powers of 2

template <class T>
struct ForwardArrays {
    Index k_step, v_step;
    T *q, *out, *m, *l, *k, *v, *s, *extra, *kept;
    Index size;

    ForwardArrays(const Attention<T>& a, T* work) : k_step(odd_lines<T>(a.width)), v_step(odd_lines<T>(a.value_width)) {
        const Index n = panels<T>(std::min(a.queries, query_chunk(a))), keys = std::min(a.keys, key_block);
        Layout<T> layout(work);
        q = layout.take(n * a.width);
        out = layout.take(n * a.value_width);
        m = layout.take(n);
        l = layout.take(n);
        k = layout.take(keys * k_step);
        v = layout.take(keys * v_step);
        s = layout.take(keys * panel<T>);
        extra = layout.take(keys * panel<T>);
        kept = layout.take(a.dropout.kept != 0 ? keys * panel<T> : 0);
        size = layout.used();
    }
};
template <class T>
Index forward_work(const Attention<T>& a) {
    const Index few = few_queries(a, {}) ? FewArrays<T>(a, nullptr).size : 0;
    return std::max(few, ForwardArrays<T>(a, nullptr).size);
}

/// One panel of queries against one block of keys, whose values may be `finite`.
template <class T>
void forward_panel(const Attention<T>& a, const Chunk& c, const ForwardArrays<T>& w, Index at, Index k0, Visible rows,
                   bool finite) {
    using B = Batch<T>;
    const Index q0 = c.q0 + at, keys = rows.last - rows.first;
    const T *q = w.q + at * a.width, *k = w.k + rows.first * w.k_step, *v = w.v + rows.first * w.v_step;
    T *s = w.s, *m = w.m + at, *l = w.l + at, *out = w.out + at * a.value_width;
    const T* extra = pack_extra(a, c.b, c.h, q0, c.n - at, k0, rows, w.extra);
    B old[2], top[2];
    for (int j = 0; j < 2; ++j) old[j] = top[j] = B::load_unaligned(m + j * width<T>);
    product<false>(keys, a.width, k, w.k_step, q, panel<T>, FromZero(), [&]<int n>(Index first, Sums<T, n>& sums) {
        B t[2] = {top[0], top[1]};
        each_vector<n, T>(sums, [&](B& x, Index i, Index j) {
            const Index to = (first + i) * panel<T> + j;
            if (extra) x = Seen<T>{extra}(x + B::load_unaligned(extra + to), to, never<T>);
            x.store_unaligned(s + to);
            t[j != 0] = xsimd::max(t[j != 0], x);
        });
        top[0] = t[0], top[1] = t[1];
    });
    B sum[2] = {B(T(0)), B(T(0))}, shrink[2];
    for (Index i = 0; i < keys; ++i)
        for (int j = 0; j < 2; ++j) {
            T* p = s + i * panel<T> + j * width<T>;
            const B e = power_of_2(B::load_unaligned(p) - top[j]);
            e.store_unaligned(p);
            sum[j] = sum[j] + e;
        }
    if (a.dropout.kept != 0) {
        pack_dropout(a, c.b, c.h, q0, k0 + rows.first, keys, w.kept);
        multiply(keys, w.kept, s, panel<T>);
    }
    for (int j = 0; j < 2; ++j) {
        shrink[j] = power_of_2(old[j] - top[j]);
        top[j].store_unaligned(m + j * width<T>);
        (B::load_unaligned(l + j * width<T>) * shrink[j] + sum[j]).store_unaligned(l + j * width<T>);
    }
    if (extra && !finite) {
        for (Index i = 0; i < a.value_width * panel<T>; i += width<T>)
            (B::load_unaligned(out + i) * shrink[i % panel<T> != 0]).store_unaligned(out + i);
        return add_keys(a.value_width, keys, v, w.v_step, s, panel<T>, extra, out);
    }
    product<true>(
        a.value_width, keys, v, w.v_step, s, panel<T>,
        [&]<int n>(Index first, Sums<T, n>& sums) {
            each_vector<n, T>(
                sums, [&](B& x, Index i, Index j) { x = B::load_unaligned(out + (first + i) * panel<T> + j) * shrink[j != 0]; });
        },
        [&]<int n>(Index first, Sums<T, n>& sums) {
            each_vector<n, T>(sums, [&](B& x, Index i, Index j) { x.store_unaligned(out + (first + i) * panel<T> + j); });
        });
}

template <class T>
void forward(const Attention<T>& a, const AttentionValues<T>& to, const AttentionRows<T>& rows, Index task, T* work) {
    const Chunk c(a, task);
    if (few_queries(a, rows)) return forward_few(a, to, c.b, c.h, work);
    const ForwardArrays<T> w(a, work);
    const Index kv = c.h / (a.heads / a.kv_heads), end = panels<T>(c.n);
    const T* q = a.q.at(c.b, c.h);
    for (Index at = 0; at < end; at += panel<T>)
        pack_panel(c.n - at, a.width, q + (c.q0 + at) * a.q.row, a.q.row, score_factor(a), w.q + at * a.width);
    fill(w.m, end, lowest<T>);
    fill(w.l, end, T(0));
    fill(w.out, end * a.value_width, T(0));
    for (Index k0 = 0; k0 < a.keys; k0 += key_block) {
        const Index keys = std::min(key_block, a.keys - k0);
        const Visible any(a, c.q0, c.n, k0, keys);
        if (any.first >= any.last) continue;
        copy_rows(keys, a.width, a.k.at(c.b, kv) + k0 * a.k.row, a.k.row, T(1), w.k, w.k_step);
        copy_rows(keys, a.value_width, a.v.at(c.b, kv) + k0 * a.v.row, a.v.row, T(1), w.v, w.v_step);
        const bool finite = !may_hide(a, any) || all_finite(keys, a.value_width, w.v, w.v_step);
        for (Index at = 0; at < end; at += panel<T>) {
            const Visible visible(a, c.q0 + at, std::min(panel<T>, c.n - at), k0, keys);
            if (visible.first < visible.last) forward_panel(a, c, w, at, k0, visible, finite);
        }
    }
    const Index first = (c.b * a.heads + c.h) * a.queries + c.q0;
    T* out = to.out.at(c.b, c.h);
    for (Index at = 0; at < end; at += panel<T>) {
        const Index n = std::min(panel<T>, c.n - at);
        T *l = w.l + at, *columns = w.out + at * a.value_width;
        for (Index j = 0; j < n; ++j) to.lse[first + at + j] = log_sum_exp(w.m[at + j], l[j]);
        for (Index j = 0; j < n && rows.largest; ++j) {
            rows.largest[first + at + j] = l[j] == 0 ? T(0) : w.m[at + j];
            rows.log_sum[first + at + j] = l[j] == 0 ? highest<T> : std::log2(l[j]);
        }
        for (Index j = 0; j < panel<T>; ++j) l[j] = reciprocal(l[j]);
        for (Index d = 0; d < a.value_width; ++d)
            for (Index j = 0; j < panel<T>; ++j) columns[d * panel<T> + j] *= l[j];
        matrix_kernels_of<T, this_isa>().transpose(a.value_width, n, columns, panel<T>, out + (c.q0 + at) * to.out.row,
                                                   to.out.row);
    }
}

// ---- tangent: rows of k are [k | k.], of v [v | v.]; columns of q as pack_scores has them

template <class T>
struct TangentArrays {
    Index k_step, v_step;
    T *q, *out, *largest, *log_sum, *mu, *k, *v, *p, *e, *extra, *bias, *kept;
    Index size;

    TangentArrays(const Attention<T>& a, T* work) : k_step(odd_lines<T>(2 * a.width)), v_step(odd_lines<T>(2 * a.value_width)) {
        const Index n = panels<T>(std::min(a.queries, query_chunk(a))), keys = std::min(a.keys, key_block);
        Layout<T> layout(work);
        q = layout.take(n * 2 * a.width);
        out = layout.take(n * a.value_width);
        largest = layout.take(n);
        log_sum = layout.take(n);
        mu = layout.take(n);
        k = layout.take(keys * k_step);
        v = layout.take(keys * v_step);
        p = layout.take(keys * panel<T>);
        e = layout.take(keys * panel<T>);
        extra = layout.take(keys * panel<T>);
        bias = layout.take(keys * panel<T>);
        kept = layout.take(a.dropout.kept != 0 ? keys * panel<T> : 0);
        size = layout.used();
    }
};
template <class T>
Index tangent_work(const Attention<T>& a) {
    return TangentArrays<T>(a, nullptr).size;
}

template <class T>
void tangent_panel(const Attention<T>& a, const AttentionTangents<T>& d, const Chunk& c, const TangentArrays<T>& w, Index at,
                   Index k0, Visible rows, bool finite) {
    using B = Batch<T>;
    const Index q0 = c.q0 + at, keys = rows.last - rows.first;
    const T *q = w.q + at * 2 * a.width, *k = w.k + rows.first * w.k_step, *v = w.v + rows.first * w.v_step;
    T *p = w.p, *e = w.e, *out = w.out + at * a.value_width;
    const T* extra = pack_extra(a, c.b, c.h, q0, c.n - at, k0, rows, w.extra);
    probabilities(keys, a.width, k, w.k_step, q + a.width * panel<T>, extra, {w.largest + at, w.log_sum + at}, p, panel<T>);
    const T* bias = d.bias.at(c.b, c.h);
    if (bias) pack_grid(d.bias, bias + q0 * d.bias.query + (k0 + rows.first) * d.bias.key, c.n - at, keys, T(1), w.bias);
    const B unit = math::literal<B>(log_2);
    B sum[2];
    for (int j = 0; j < 2; ++j) sum[j] = B::load_unaligned(w.mu + at + j * width<T>);
    product<false>(keys, 2 * a.width, k, w.k_step, q, panel<T>, FromZero(), [&]<int n>(Index first, Sums<T, n>& sums) {
        each_vector<n, T>(sums, [&](B& x, Index i, Index j) {
            const Index to = (first + i) * panel<T> + j;
            x = x * unit;
            if (bias) x = x + B::load_unaligned(w.bias + to);
            x = Seen<T>{extra}(x * B::load_unaligned(p + to), to);
            sum[j != 0] = sum[j != 0] + x;
            x.store_unaligned(e + to);
        });
    });
    for (int j = 0; j < 2; ++j) sum[j].store_unaligned(w.mu + at + j * width<T>);
    if (a.dropout.kept != 0) {
        pack_dropout(a, c.b, c.h, q0, k0 + rows.first, keys, w.kept);
        for (T* x : {p, e}) multiply(keys, w.kept, x, panel<T>);
    }
    const T* gaps = finite ? nullptr : extra;
    add_keys(a.value_width, keys, v, w.v_step, e, panel<T>, gaps, out);
    if (d.v.data) add_keys(a.value_width, keys, v + a.value_width, w.v_step, p, panel<T>, gaps, out);
}

template <class T>
void tangent(const Attention<T>& a, const AttentionTangents<T>& d, const AttentionValues<const T>& values,
             const AttentionValues<T>& to, Index task, T* work) {
    const Chunk c(a, task);
    const TangentArrays<T> w(a, work);
    const Index kv = c.h / (a.heads / a.kv_heads), end = panels<T>(c.n), first_row = (c.b * a.heads + c.h) * a.queries + c.q0;
    for (Index at = 0; at < end; at += panel<T>) pack_scores(a, d, c.b, c.h, c.q0 + at, c.n - at, w.q + at * 2 * a.width);
    pack_sums(a.rows, first_row, c.n, end, w.largest, w.log_sum);
    fill(w.mu, end, T(0));
    fill(w.out, end * a.value_width, T(0));
    for (Index k0 = 0; k0 < a.keys; k0 += key_block) {
        const Index keys = std::min(key_block, a.keys - k0);
        const Visible any(a, c.q0, c.n, k0, keys);
        if (any.first >= any.last) continue;
        copy_pair(keys, a.width, a.k, d.k, c.b, kv, k0, w.k, w.k_step);
        copy_pair(keys, a.value_width, a.v, d.v, c.b, kv, k0, w.v, w.v_step);
        const bool finite = !may_hide(a, any) || all_finite(keys, 2 * a.value_width, w.v, w.v_step);
        for (Index at = 0; at < end; at += panel<T>) {
            const Visible rows(a, c.q0 + at, std::min(panel<T>, c.n - at), k0, keys);
            if (rows.first < rows.last) tangent_panel(a, d, c, w, at, k0, rows, finite);
        }
    }
    T* out = to.out.at(c.b, c.h) + c.q0 * to.out.row;
    const T* o = values.out.at(c.b, c.h) + c.q0 * values.out.row;
    for (Index at = 0; at < end; at += panel<T>)
        matrix_kernels_of<T, this_isa>().transpose(a.value_width, std::min(panel<T>, c.n - at), w.out + at * a.value_width,
                                                   panel<T>, out + at * to.out.row, to.out.row);
    for (Index i = 0; i < c.n; ++i) {
        to.lse[first_row + i] = w.mu[i];
        for (Index j = 0; j < a.value_width; ++j) out[i * to.out.row + j] -= w.mu[i] * o[i * values.out.row + j];
    }
}

template <class T>
void second_tangent(const Attention<T>& a, const AttentionSecondTangent<T>& x, const AttentionValues<T>& to, Index task,
                    T* work) {
    SecondTangentTask<T>(a, x, Chunk(a, task), work).run(to);
}

template <class T>
constexpr AttentionKernels<T> table{forward_work<T>,        forward<T>,        tangent_work<T>, tangent<T>,
                                    second_tangent_work<T>, second_tangent<T>, adjoint_work<T>, first_adjoint<T>,
                                    second_adjoint<T>};

}  // namespace

template <>
const AttentionKernels<float>& attention_kernels_of<float, this_isa>() {
    return table<float>;
}
template <>
const AttentionKernels<double>& attention_kernels_of<double, this_isa>() {
    return table<double>;
}

}  // namespace xtgrad::kernels
