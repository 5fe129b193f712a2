// What the kernels of attention are made of. Queries lie in the lanes: a panel is two vectors of them. Every product is
// c += a b with a read element by element and b by rows, a tile of c in registers.
#pragma once
#include <cmath>
#include <limits>
#include <utility>

#include "attention.hpp"
#include "batch.hpp"
#include "matrix.hpp"
#include "philox.hpp"
#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

template <class T>
constexpr Index panel = 2 * width<T>;

constexpr double log2_e = 1.4426950408889634, log_2 = 0.69314718055994531;

XG_INLINE Index rounded_up(Index n, Index step) { return (n + step - 1) / step * step; }
template <class T>
XG_INLINE Index panels(Index n) {
    return rounded_up(n, panel<T>);
}
/// A row's length so that rows begin an odd number of cache lines apart: then they spread over the cache.
template <class T>
XG_INLINE Index odd_lines(Index n) {
    constexpr Index line = 64 / sizeof(T);
    return (rounded_up(n, line) / line | 1) * line;
}

/// 2^x, 0 far below; NaN where x is. Relative error 2^-23, or 2^-52.
template <class B>
XG_INLINE B power_of_2(B x) {
    using namespace math;
    x = xsimd::max(literal<B>(1 - bias<B> - 1), x);  // where the bits below are all 0, as the polynomial is 1 at 0
    const B t = x + literal<B>(magic<B>), f = x - (t - literal<B>(magic<B>));
    B p;
    if constexpr (single<B>)
        p = polynomial(f, 1, 0.6931469775990531, 0.2402224208525512, 0.05550733743407623, 0.0096715126451523,
                       0.0013264727151092168);
    else
        p = polynomial(f, 1, 0.69314718055994529, 0.24022650695910069, 0.055504108664821576, 0.0096181291076284769,
                       0.0013333558146428441, 0.00015403530393381606, 1.5252733804059838e-05, 1.3215486790144305e-06,
                       1.0178086009239696e-07, 7.0549116208011209e-09, 4.4455382178708101e-10, 2.5678435993488196e-11,
                       1.3691488853904124e-12);
    return from_bits<B>(bits(p) + (bits(t) << fraction_bits<B>));
}

/// Where a running maximum begins.
template <class T>
constexpr T lowest = std::numeric_limits<T>::lowest();
/// What stands for the log-sum-exp of a query that sees no keys.
template <class T>
constexpr T highest = std::numeric_limits<T>::max();
/// log sum e^s from the maximum m of s and l = sum e^(s - m), m in units of log 2.
template <class T>
XG_INLINE T log_sum_exp(T m, T l) {
    return l == 0 ? highest<T> : m * T(log_2) + std::log(l);
}
/// What a sum is divided by; of no keys 0, and NaN stays.
template <class T>
XG_INLINE T reciprocal(T l) {
    return l > 0 ? 1 / l : l == 0 ? T(0) : l;
}

/// What makes scores in units of log 2 of products q k. All passes take it, and the same sums, so that their scores have the
/// same bits.
template <class T>
XG_INLINE T score_factor(const Attention<T>& a) {
    return a.scale * T(log2_e);
}

// ---- products

template <class T, int rows>
using Sums = Batch<T>[rows][2];

/// f(sum, i, j) for every vector of a tile.
template <int rows, class T>
XG_INLINE void each_vector(Sums<T, rows>& sums, auto f) {
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
        f(sums[i][0], Index(i), Index(0));
        f(sums[i][1], Index(i), width<T>);
    }
}

template <int rows, bool by_column, class T, class Start, class Finish>
[[gnu::noinline]] void tile(Index first, Index inner, const T* a, Index a_step, const T* b, Index b_step, const Start& start,
                            const Finish& finish) {
    Sums<T, rows> sums;
    start(first, sums);
    const T* p = a + (by_column ? first : first * a_step);
    for (Index l = 0; l < inner; ++l, p += by_column ? a_step : 1, b += b_step) {
        const Batch<T> v = Batch<T>::load_unaligned(b), w = Batch<T>::load_unaligned(b + width<T>);
#pragma GCC unroll 12
        for (int i = 0; i < rows; ++i) {
            const Batch<T> x(p[by_column ? i : i * a_step]);
            sums[i][0] = xsimd::fma(x, v, sums[i][0]);
            sums[i][1] = xsimd::fma(x, w, sums[i][1]);
        }
    }
    finish(first, sums);
}

template <bool by_column, class T, class Start, class Finish, int... i>
XG_INLINE void product(Index m, Index inner, const T* a, Index a_step, const T* b, Index b_step, const Start& start,
                       const Finish& finish, std::integer_sequence<int, i...>) {
    using Tile = void (*)(Index, Index, const T*, Index, const T*, Index, const Start&, const Finish&);
    static constexpr Tile of_height[] = {tile<i + 1, by_column, T, Start, Finish>...};
    constexpr Index most = tile_rows<T>;
    for (Index first = 0, rows; first < m; first += rows) {
        const Index left = m - first;
        // The last rows in two tiles of about the same height: a low one waits for its own additions.
        rows = left <= most ? left : left < 2 * most ? (left + 1) / 2 : most;
        of_height[rows - 1](first, inner, a, a_step, b, b_step, start, finish);
    }
}

/// For a panel of a b, m rows high: start(first, sums) sets the sums of some rows, finish(first, sums) gets them. An element
/// of a is a[i a_step + l], by column a[i + l a_step].
template <bool by_column, class T, class Start, class Finish>
XG_INLINE void product(Index m, Index inner, const T* a, Index a_step, const T* b, Index b_step, const Start& start,
                       const Finish& finish) {
    product<by_column>(m, inner, a, a_step, b, b_step, start, finish, std::make_integer_sequence<int, tile_rows<T>>());
}

struct FromZero {
    template <class T, int rows>
    XG_INLINE void operator()(Index, Batch<T> (&sums)[rows][2]) const {
        each_vector<rows, T>(sums, [](Batch<T>& sum, Index, Index) { sum = Batch<T>(T(0)); });
    }
};
/// c += a b.
template <class T>
struct Onto {
    T* c;
    Index step;

    template <int rows>
    XG_INLINE void start(Index first, Sums<T, rows>& sums) const {
        each_vector<rows, T>(
            sums, [&](Batch<T>& sum, Index i, Index j) { sum = Batch<T>::load_unaligned(c + (first + i) * step + j); });
    }
    template <int rows>
    XG_INLINE void finish(Index first, Sums<T, rows>& sums) const {
        each_vector<rows, T>(sums, [&](Batch<T>& sum, Index i, Index j) { sum.store_unaligned(c + (first + i) * step + j); });
    }
};
template <bool by_column, class T>
XG_INLINE void add_product(Index m, Index inner, const T* a, Index a_step, const T* b, Index b_step, T* c, Index c_step) {
    const Onto<T> onto{c, c_step};
    product<by_column>(
        m, inner, a, a_step, b, b_step,
        [onto]<int rows>(Index first, Sums<T, rows>& sums) { onto.template start<rows>(first, sums); },
        [onto]<int rows>(Index first, Sums<T, rows>& sums) { onto.template finish<rows>(first, sums); });
}

// ---- packing

template <class T>
XG_INLINE void fill(T* to, Index n, T value) {
    for (Index i = 0; i < n; ++i) to[i] = value;
}
/// factor x, of rows of `columns` elements; zeros where x is null.
template <class T>
XG_INLINE void copy_rows(Index rows, Index columns, const T* x, Index step, T factor, T* to, Index to_step) {
    for (Index i = 0; i < rows; ++i, to += to_step) {
        if (!x) {
            fill(to, columns, T(0));
            continue;
        }
        for (Index j = 0; j < columns; ++j) to[j] = factor * x[j];
        x += step;
    }
}
/// to (+)= factor x^T, a panel wide; beyond n rows of x it is 0.
template <class T>
void pack_panel(Index n, Index columns, const T* x, Index step, T factor, T* to) {
    if (!x) return fill(to, columns * panel<T>, T(0));
    if (n < panel<T>) fill(to, columns * panel<T>, T(0));
    matrix_kernels_of<T, Isa::XG_ISA>().transpose(std::min(n, panel<T>), columns, x, step, to, panel<T>);
    if (factor != T(1))
        for (Index i = 0; i < columns * panel<T>; i += width<T>)
            (Batch<T>::load_unaligned(to + i) * Batch<T>(factor)).store_unaligned(to + i);
}

/// Row `row` of a head; null: zeros.
template <class T>
const T* row_of(const HeadRows<const T>& x, Index b, Index h, Index row) {
    return x.data ? x.at(b, h) + row * x.row : nullptr;
}
/// Rows [x | y] of keys.
template <class T>
void copy_pair(Index rows, Index columns, const HeadRows<const T>& x, const HeadRows<const T>& y, Index b, Index h, Index first,
               T* to, Index step) {
    copy_rows(rows, columns, row_of(x, b, h, first), x.row, T(1), to, step);
    copy_rows(rows, columns, row_of(y, b, h, first), y.row, T(1), to + columns, step);
}

/// The queries of a task: a chunk of a head's.
struct Chunk {
    Index b, h, q0, n;

    template <class T>
    Chunk(const Attention<T>& a, Index task) {
        const Index heads = a.batch * a.heads, chunk = query_chunk(a), chunks = (a.queries + chunk - 1) / chunk;
        b = task % heads / a.heads;
        h = task % a.heads;
        q0 = (chunks - 1 - task / heads) * chunk;  // when causal the longest first
        n = std::min(chunk, a.queries - q0);
    }
};

/// What is visible of a block of keys to a block of queries: the rows first .. last - 1; all of them to every query?
struct Visible {
    Index first, last;
    bool whole;

    template <class T>
    XG_INLINE Visible(const Attention<T>& a, Index q0, Index n, Index k0, Index keys)
        : first(std::clamp<Index>(q0 + a.below - k0, 0, keys)),
          last(std::clamp<Index>(q0 + n + a.above - k0, 0, keys)),
          whole(q0 + n - 1 + a.below <= k0 + first && q0 + a.above >= k0 + last - 1) {}
};

// ---- dropout

/// What the probabilities of a panel and of keys k .. k + keys - 1 are multiplied by, keys in rows a panel long. The words are
/// those of Rng::block.
template <class T>
void pack_dropout(const Attention<T>& a, Index b, Index h, Index q0, Index k, Index keys, T* to) {
    constexpr Index n = panel<T>;
    const Index groups = (a.keys + 3) / 4, first = (b * a.heads + h) * a.queries + q0;
    for (Index c = k / 4; 4 * c < k + keys; ++c) {
        std::uint32_t w[4][n];
        philox(
            a.dropout.seed, [&](int j) { return std::uint64_t((first + j) * groups + c); }, w);
        for (Index i = 0; i < 4; ++i)
            if (const Index row = 4 * c + i - k; row >= 0 && row < keys)
                for (Index j = 0; j < n; ++j) to[row * n + j] = w[i][j] < a.dropout.threshold ? T(0) : a.dropout.kept;
    }
}
/// c = factors c, of some keys.
template <class T>
XG_INLINE void multiply(Index keys, const T* factors, T* c, Index step) {
    for (Index i = 0; i < keys; ++i)
        for (Index j = 0; j < panel<T>; ++j) c[i * step + j] *= factors[i * panel<T> + j];
}
/// f(g), where g(x, i) is a vector x times the factors at i, or x when there are none.
template <class T>
XG_INLINE void with_factors(const T* factors, auto f) {
    if (factors)
        f([factors](Batch<T> x, Index i) { return x * Batch<T>::load_unaligned(factors + i); });
    else
        f([](Batch<T> x, Index) { return x; });
}

/// Where a task puts its arrays: one after the other, on cache lines. Without memory it counts.
template <class T>
class Layout {
public:
    explicit Layout(T* work) : begin_(work) {}
    T* take(Index n) {
        constexpr Index line = 64 / sizeof(T);
        T* p = begin_ ? begin_ + used_ : nullptr;
        used_ += rounded_up(n, line);
        return p;
    }
    Index used() const { return used_; }

private:
    T* begin_;
    Index used_ = 0;
};

}  // namespace
}  // namespace xtgrad::kernels
