// Products with few rows, above all of one: a vector times a matrix. Each element of b is read once, so nothing of it is brought
// together first. Where b lies by columns, an element is a sum over vectors; where it lies by rows, rows are added up.
#pragma once
#include "transposition.hpp"

namespace xtgrad::kernels {
namespace {

/// So much of k at a time that a few lines of b stay in the first cache while all rows of a use them.
constexpr Index few_inner = 512;

/// c += a b for columns of b in lanes, column r at lines[r]; a has whole vectors.
template <class T>
XG_INLINE void add_sums(Index k, const T* a, const T* const* lines, T* c) {
    constexpr Index w = width<T>;
    Native<T> sums[w] = {};
    for (Index l = 0; l < k; l += w) {
        const auto x = Native<T>(Batch<T>::load_unaligned(a + l).data);
#pragma GCC unroll 16
        for (Index r = 0; r < w; ++r) sums[r] += x * Native<T>(Batch<T>::load_unaligned(lines[r] + l).data);
    }
    add_across<1, T>(sums);
    (Batch<T>::load_unaligned(c) + Batch<T>(typename Batch<T>::register_type(sums[0]))).store_unaligned(c);
}

/// c += a b with rows of a and columns of b that have their elements side by side.
template <class T>
void add_by_columns(Index m, Index n, Index k, const T* a, Index a_row, const T* b, Index b_column, T* c, Index step) {
    constexpr Index w = width<T>;
    const Index whole = k / w * w;
    Index j = 0;
    for (; j + w <= n; j += w) {
        const T* lines[w];
        for (Index r = 0; r < w; ++r) lines[r] = b + (j + r) * b_column;
        for (Index i = 0; i < m && whole > 0; ++i) add_sums(whole, a + i * a_row, lines, c + i * step + j);
        if (whole == k) continue;
        alignas(64) T ends[w + 1][w] = {};  // of the columns and of a row
        const T* at[w];
        for (Index r = 0; r < w; ++r) {
            at[r] = ends[r];
            for (Index l = whole; l < k; ++l) ends[r][l - whole] = lines[r][l];
        }
        for (Index i = 0; i < m; ++i) {
            for (Index l = whole; l < k; ++l) ends[w][l - whole] = a[i * a_row + l];
            add_sums(w, ends[w], at, c + i * step + j);
        }
    }
    for (; j < n; ++j)
        for (Index i = 0; i < m; ++i) c[i * step + j] += dot(k, a + i * a_row, b + j * b_column);
}

/// Columns [0, n) of c += `lines` of k, whole vectors of them.
template <Index lines, class T>
XG_INLINE void add_lines(Index n, const T* a, Index a_column, const T* b, Index b_row, T* c) {
    Batch<T> factors[lines];
#pragma GCC unroll 8
    for (Index l = 0; l < lines; ++l) factors[l] = Batch<T>(a[l * a_column]);
    for (Index j = 0; j < n; j += width<T>) {
        Batch<T> sum = Batch<T>::load_unaligned(c + j);
#pragma GCC unroll 8
        for (Index l = 0; l < lines; ++l) sum = xsimd::fma(factors[l], Batch<T>::load_unaligned(b + l * b_row + j), sum);
        sum.store_unaligned(c + j);
    }
}

/// c += a b with rows of b that have their elements side by side.
template <class T>
void add_by_rows(Index m, Index n, Index k, Matrix<T> a, const T* b, Index b_row, T* c, Index step) {
    constexpr Index some = 8;
    const Index whole = n / width<T> * width<T>;
    for (Index l = 0, lines; l < k; l += lines) {
        lines = k - l < some ? 1 : some;
        for (Index i = 0; i < m; ++i) {
            const T *x = a.data + i * a.row + l * a.column, *y = b + l * b_row;
            if (lines == some)
                add_lines<some>(whole, x, a.column, y, b_row, c + i * step);
            else
                add_lines<1>(whole, x, a.column, y, b_row, c + i * step);
            for (Index r = 0; r < lines; ++r)
                for (Index j = whole; j < n; ++j) c[i * step + j] += x[r * a.column] * y[r * b_row + j];
        }
    }
}

/// c = a b; b's elements lie side by side along its rows, or along its columns as a's along its rows.
template <class T>
void multiply_few(Index m, Index n, Index k, Matrix<T> a, Matrix<T> b, T* c, Index step) {
    for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < n; ++j) c[i * step + j] = T(0);
    for (Index l = 0; l < k; l += few_inner) {
        const Index inner = k - l < few_inner ? k - l : few_inner;
        const Matrix<T> x{a.data + l * a.column, a.row, a.column};
        const T* y = b.data + l * b.row;
        if (side_by_side(a, b) && (k > 1 || b.column != 1))
            add_by_columns(m, n, inner, x.data, x.row, y, b.column, c, step);
        else
            add_by_rows(m, n, inner, x, y, b.row, c, step);
    }
}

}  // namespace
}  // namespace xtgrad::kernels
