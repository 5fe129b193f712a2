// Attention, tile by tile: forward, tangent, adjoint, and the second derivative that is the adjoint of the adjoint, the adjoint
// of the tangent and the tangent of the adjoint. Compiled for each instruction set.
//
// With s = scale q k^T + bias, L the log-sum-exp of its rows, P = exp(s - L), O = P v, for tangents q. ... of the inputs
//     E = scale (q. k^T + q k.^T) + scale. q k^T + bias.,  mu = L. = rowsum(P E),  O. = (P E) v + P v. - mu O
// and for cotangents G of O and g of L, with delta = rowsum(G O) - g,
//     dS = P (G v^T - delta),  q' = scale dS k,  k' = scale dS^T q,  v' = P^T G,  scale' = <dS k, q>,  bias' = dS
// whose tangents, with rho = rowsum(G O. + G. O) - g., F = G v.^T + G. v^T and S = P ((E - mu) (G v^T - delta) + F - rho), are
//     q'. = scale (S k + dS k.) + scale. dS k,  k'. = scale S^T q + dS^T (scale. q + scale q.),
//     v'. = (P (E - mu))^T G + P^T G.,  scale'. = <S k + dS k., q> + <dS k, q.>,  bias'. = S.
// The tangent of the tangent along x' for tangents x. of x and x'. of x', with E' and E. as above and
//     E'. = scale (q'. k^T + q' k.^T + q. k'^T + q k'.^T) + scale' (q. k^T + q k.^T) + scale. (q' k^T + q k'^T) + scale'. q k^T +
//     bias'.,
// has mu'. = rowsum(A) with A = P ((E. - mu.) E' + E'.), and O'. = A v + (P E') v. + P (E. - mu.) v' + P v'. - mu'. O - mu' O. .
// With dropout Z, 0 or 1 / (1 - rate) for each score, a factor Z stands with P wherever P multiplies v, v., G or G., and with
// G v^T and F: O = (Z P) v, dS = P (Z (G v^T) - delta), v' = (Z P)^T G.
#pragma once
#include <cstdint>

#include "isa.hpp"
#include "parallel.hpp"

namespace xtgrad::kernels {

/// Rows of heads: those of head h of batch b begin at data + b batch + h head, `row` apart. Null: zeros.
template <class T>
struct HeadRows {
    T* data = nullptr;
    Index batch = 0, head = 0, row = 0;

    T* at(Index b, Index h) const { return data ? data + b * batch + h * head : nullptr; }
};

/// Something for each score, by strides; those of a batch begin at data + batch[b]. Null: none.
template <class T>
struct ScoreGrid {
    const T* data = nullptr;
    const Index* batch = nullptr;
    Index head = 0, query = 0, key = 0;

    const T* at(Index b, Index h) const { return data ? data + batch[b] + h * head : nullptr; }
};

/// Of the scores of each query, in units of log 2: the largest, and the logarithm of the sum of 2^(score - largest); dense,
/// [batch, heads, queries]. Apart, because in the log-sum-exp a large score leaves no digits to the sum.
template <class T>
struct AttentionRows {
    T *largest = nullptr, *log_sum = nullptr;
};

/// Which probabilities are dropped: of the words of a generator, four keys of a query to a position.
template <class T>
struct AttentionDropout {
    std::uint64_t seed = 0;
    std::uint32_t threshold = 0;  // a word below it drops
    T kept = 0;                   // 1 / (1 - rate); 0: no dropout
};

template <class T>
struct Attention {
    Index batch, heads, kv_heads, queries, keys, width, value_width;
    Index below, above;  // query i attends to keys i + below .. i + above
    T scale;
    HeadRows<const T> q, k, v;
    ScoreGrid<T> bias;
    ScoreGrid<bool> mask;
    AttentionDropout<T> dropout;
    AttentionRows<const T> rows;  // as the forward pass found them, for the others
};

/// Tangents of the inputs, or the cotangents of their cotangents.
template <class T>
struct AttentionTangents {
    HeadRows<const T> q, k, v;
    T scale;
    ScoreGrid<T> bias;
};

/// O, L and their tangents; what is [batch, heads, queries] is dense.
template <class T>
struct AttentionValues {
    HeadRows<T> out;
    T* lse;
};

/// Of the tangent's tangent: two tangents of the inputs and that of one along the other; O, mu', and O. and mu. .
template <class T>
struct AttentionSecondTangent {
    AttentionTangents<T> first, second, both;
    AttentionValues<const T> values, first_values, second_values;
};

/// Of the adjoint and its tangent.
template <class T>
struct AttentionAdjoint {
    AttentionValues<const T> cotangent, values;            // G, g; O, L
    AttentionValues<const T> cotangent_tangent, tangents;  // G., g.; O., mu: of the second derivative
    HeadRows<T> q, k, v;                                   // the results
    Index part;                                            // between the parts of q', which are to be added up
    double* scale;                                         // of each task; null: not wanted
    T* bias;           // [batch or 1, heads, queries or 1, keys], zeros at first; null: not wanted
    Index bias_batch;  // between its batches; 0: added up, the tasks of one batch after those of another
    Index bias_query;  // between its queries; 0: summed over them
};

template <class T>
struct AttentionKernels {
    /// How many elements of work a task needs.
    Index (*forward_work)(const Attention<T>&);
    /// Without rows when no other pass will follow.
    void (*forward)(const Attention<T>&, const AttentionValues<T>&, const AttentionRows<T>&, Index task, T* work);
    Index (*tangent_work)(const Attention<T>&);
    void (*tangent)(const Attention<T>&, const AttentionTangents<T>&, const AttentionValues<const T>&, const AttentionValues<T>&,
                    Index task, T* work);
    Index (*second_tangent_work)(const Attention<T>&);
    void (*second_tangent)(const Attention<T>&, const AttentionSecondTangent<T>&, const AttentionValues<T>&, Index task, T* work);
    Index (*adjoint_work)(const Attention<T>&, bool second);
    void (*adjoint)(const Attention<T>&, const AttentionAdjoint<T>&, Index task, T* work);
    void (*second)(const Attention<T>&, const AttentionTangents<T>&, const AttentionAdjoint<T>&, Index task, T* work);
};

/// Keys of a block: whole tiles of products of every width.
inline constexpr Index key_block = 132;

/// Queries of a task of forward or tangent, fewer when there are few heads, whatever the number of threads.
template <class T>
Index query_chunk(const Attention<T>& a) {
    return std::clamp<Index>(a.batch * a.heads * a.queries / 8, 32, 256) / 32 * 32;
}
template <class T>
Index attention_tasks(const Attention<T>& a) {
    const Index chunk = query_chunk(a);
    return a.batch * a.heads * ((a.queries + chunk - 1) / chunk);
}

/// In how many parts the adjoint splits the keys of a head: more when there are few heads, whatever the number of threads.
template <class T>
Index adjoint_parts(const Attention<T>& a) {
    const Index blocks = (a.keys + key_block - 1) / key_block, pairs = std::max<Index>(1, a.batch * a.kv_heads);
    return std::clamp<Index>(std::min(8 / pairs, blocks), 1, 8);
}
template <class T>
Index adjoint_tasks(const Attention<T>& a) {
    return a.batch * a.kv_heads * adjoint_parts(a);
}

/// Of one instruction set; defined in attention.cpp.
template <class T, Isa>
const AttentionKernels<T>& attention_kernels_of();

/// Of the active one.
template <class T>
const AttentionKernels<T>& attention_kernels() noexcept;

}  // namespace xtgrad::kernels
