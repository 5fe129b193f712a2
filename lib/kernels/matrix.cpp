#include "matrix.hpp"

#include "few_rows.hpp"
#include "transposition.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

// ---- A tile of c stays in registers, rows x panels vectors; b is read by rows, a element by element.

constexpr int panels = 2;
template <class T>
constexpr Index panel = panels * width<T>;

/// Rows of a where they are.
template <class T>
using InPlace = Matrix<T>;
/// Rows of a as pack_lines left them.
template <class T>
struct Packed {
    const T* data;
    static constexpr Index row = 1, column = (tile_rows<T> + width<T> - 1) / width<T> * width<T>;
};

template <class T>
XG_INLINE void store(Batch<T> v, T* to, bool add) {
    (add ? Batch<T>::load_unaligned(to) + v : v).store_unaligned(to);
}

/// n columns of a tile that has more; apart from the tiles, of which there are a hundred.
template <class T>
[[gnu::noinline]] void store_part(Index rows, Index n, const T* from, Index step, T* c, Index c_step, bool add) {
    for (Index i = 0; i < rows; ++i, from += step, c += c_step) {
        Index j = 0;
        for (; j + width<T> <= n; j += width<T>) store<T>(Batch<T>::load_aligned(from + j), c + j, add);
        for (; j < n; ++j) c[j] = add ? c[j] + from[j] : from[j];
    }
}

template <int rows, int vectors, class T, class A>
[[gnu::noinline]] void tile(Index n, Index k, const A& a, const T* b, Index b_step, T* c, Index c_step, bool add) {
    Batch<T> sums[rows][vectors];
    for (int i = 0; i < rows; ++i) {
        __builtin_prefetch(c + i * c_step, 1);
        for (auto& sum : sums[i]) sum = Batch<T>(T(0));
    }
    const T* p = a.data;
    for (Index l = 0; l < k; ++l, p += a.column, b += b_step) {
        Batch<T> v[vectors];
        for (int j = 0; j < vectors; ++j) v[j] = Batch<T>::load_unaligned(b + j * width<T>);
#pragma GCC unroll 12
        for (int i = 0; i < rows; ++i) {
            const Batch<T> x(p[i * a.row]);
            for (int j = 0; j < vectors; ++j) sums[i][j] = xsimd::fma(x, v[j], sums[i][j]);
        }
    }
    constexpr Index columns = vectors * width<T>;
    if (n >= columns) {
#pragma GCC unroll 12
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < vectors; ++j) store<T>(sums[i][j], c + i * c_step + j * width<T>, add);
        return;
    }
    alignas(64) T part[rows * columns];
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < vectors; ++j) sums[i][j].store_aligned(part + i * columns + j * width<T>);
    store_part<T>(rows, n, part, columns, c, c_step, add);
}

template <class T, class A>
using Tile = void (*)(Index, Index, const A&, const T*, Index, T*, Index, bool);
template <class T, class A, int... i>
constexpr Tile<T, A> tile_of(Index rows, Index n, std::integer_sequence<int, i...>) {
    constexpr Tile<T, A> narrow[] = {tile<i + 1, 1, T, A>...}, wide[] = {tile<i + 1, panels, T, A>...};
    return n > width<T> ? wide[rows - 1] : narrow[rows - 1];
}
template <class A, class T>
XG_INLINE void multiply_tile(Index m, Index n, Index k, const A& a, const T* b, Index b_step, T* c, Index c_step, bool add) {
    tile_of<T, A>(m, n, std::make_integer_sequence<int, tile_rows<T>>())(n, k, a, b, b_step, c, c_step, add);
}

/// How many rows the next tile has. The last ones are two of about the same height: a low one waits for its own additions.
template <class T>
XG_INLINE Index next_rows(Index left) {
    return left <= tile_rows<T> ? left : left < 2 * tile_rows<T> ? (left + 1) / 2 : tile_rows<T>;
}

// ---- Small products: b is read in place where that is as good.

constexpr Index enough_rows = 128;  // that read a panel of b, for its lines to be brought together first

template <class T>
void multiply(Index m, Index n, Index k, Matrix<T> a, Matrix<T> b, T* c, Index step) {
    alignas(64) T packed[most_inner * panel<T>];
    for (Index j = 0; j < n; j += panel<T>) {
        const Index columns = n - j < panel<T> ? n - j : panel<T>;
        const T* from = b.data + j * b.column;
        const bool in_place = b.column == 1 && columns == panel<T> && m < enough_rows;
        if (!in_place) pack_lines<panel<T>, T>(columns, k, {from, b.column, b.row}, packed);
        for (Index i = 0, rows; i < m; i += rows) {
            rows = next_rows<T>(m - i);
            multiply_tile(rows, columns, k, InPlace<T>{a.data + i * a.row, a.row, a.column}, in_place ? from : packed,
                          in_place ? b.row : panel<T>, c + i * step + j, step, false);
        }
    }
}

// ---- Large products: blocks of k in which a panel of b and a tile's rows of a fit the first cache.

template <class T>
constexpr Index inner_block = 24576 / Index(sizeof(T)) / (panel<T> + Packed<T>::column);
template <class T>
constexpr Index rows_block = 384 / Index(sizeof(T));

/// Lines side by side are packed so many elements of k at a time, before the cache lines that they share are gone.
constexpr Index near = 8;

template <class T>
void pack(Index n, Index k, Matrix<T> b, T* to) {
    const Index strip = b.column == 1 ? near : 64;  // of k: what several panels read of a row of b lies in few pages
    for (Index l = 0; l < k; l += strip)
        for (Index j = 0; j < n; j += panel<T>)
            pack_lines<panel<T>, T>(n - j, k - l < strip ? k - l : strip, {b.data + j * b.column + l * b.row, b.column, b.row},
                                    to + j * k + l * panel<T>);
}

/// Tiles of rows [first, end) one after the other.
template <class T>
void pack_rows(Index first, Index end, Index k, Matrix<T> a, T* to) {
    const Index strip = a.row == 1 ? near : k;
    constexpr Index height = Packed<T>::column;
    for (Index l = 0; l < k; l += strip) {
        T* part = to + l * height;
        for (Index i = first, rows; i < end; i += rows, part += height * k) {
            rows = next_rows<T>(end - i);
            pack_lines<height, T>(rows, k - l < strip ? k - l : strip, {a.data + i * a.row + l * a.column, a.row, a.column},
                                  part);
        }
    }
}

template <class T>
void multiply_packed(Index m, Index n, Index k, Matrix<T> a, const T* b, T* c, Index step, bool add) {
    constexpr Index height = Packed<T>::column;
    constexpr Index enough_columns = 16 * panel<T>;  // that read a row of a, for it to be packed
    const bool in_place = a.column == 1 && (k <= inner_block<T> || n <= enough_columns);  // rows are read where they are
    alignas(64) T packed[(rows_block<T> / tile_rows<T> + 1) * height * inner_block<T>];
    for (Index l = 0; l < k; l += inner_block<T>) {
        const Index inner = k - l < inner_block<T> ? k - l : inner_block<T>;
        for (Index first = 0; first < m; first += rows_block<T>) {
            const Index end = m - first < rows_block<T> ? m : first + rows_block<T>;
            if (!in_place) pack_rows(first, end, inner, {a.data + l * a.column, a.row, a.column}, packed);
            for (Index j = 0; j < n; j += panel<T>) {
                const T *p = packed, *q = b + j * k + l * panel<T>;
                for (Index i = first, rows; i < end; i += rows, p += height * inner) {
                    rows = next_rows<T>(end - i);
                    const auto times_panel = [&](const auto& lines) {
                        multiply_tile(rows, n - j, inner, lines, q, panel<T>, c + i * step + j, step, add || l > 0);
                    };
                    if (in_place)
                        times_panel(InPlace<T>{a.data + i * a.row + l, a.row, 1});
                    else
                        times_panel(Packed<T>{p});
                }
            }
        }
    }
}

template <class T>
constexpr MatrixKernels<T> table{panel<T>,        tile_rows<T>, rows_block<T>,      inner_block<T>, multiply<T>,
                                 multiply_few<T>, pack<T>,      multiply_packed<T>, transpose<T>};

}  // namespace

template <>
const MatrixKernels<float>& matrix_kernels_of<float, this_isa>() {
    return table<float>;
}
template <>
const MatrixKernels<double>& matrix_kernels_of<double, this_isa>() {
    return table<double>;
}

}  // namespace xtgrad::kernels
