#include "matrix.hpp"

#include <utility>

#include "lanes.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
constexpr Index width = Batch<T>::size;

// ---- products: a tile of c stays in registers, rows x panels vectors; b is read by rows, a element by element.

constexpr int panels = 2;
constexpr Index worth_packing = 128;  // rows of a that read a panel of b, for its lines to be brought together first
template <class T>
constexpr int tile_rows = Batch<T>::size * sizeof(T) == 64 ? 12 : 6;  // of 32 or 16 registers
template <class T>
constexpr Index panel = panels * width<T>;

/// The whole of a vector of c, or as much of it as there is.
template <class T>
XG_INLINE void store(Batch<T> v, T* to, Index n) {
    if (n >= width<T>) return v.store_unaligned(to);
    alignas(64) T part[width<T>];
    v.store_aligned(part);
    for (Index i = 0; i < n; ++i) to[i] = part[i];
}

template <int rows, int vectors, class T>
[[gnu::noinline]] void tile(Index n, Index k, Matrix<T> a, const T* b, Index b_step, T* c, Index c_step) {
    Batch<T> sums[rows][vectors];
    for (auto& row : sums)
        for (auto& sum : row) sum = Batch<T>(T(0));
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
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < vectors; ++j) store<T>(sums[i][j], c + i * c_step + j * width<T>, n - j * width<T>);
}

template <class T>
using Tile = void (*)(Index, Index, Matrix<T>, const T*, Index, T*, Index);
template <int vectors, class T, int... i>
constexpr Tile<T> tile_of(Index rows, std::integer_sequence<int, i...>) {
    constexpr Tile<T> all[] = {tile<i + 1, vectors, T>...};
    return all[rows - 1];
}

/// All rows of c times one panel of b, n columns wide.
template <class T>
XG_INLINE void multiply_panel(Index m, Index n, Index k, Matrix<T> a, const T* b, Index b_step, T* c, Index c_step) {
    constexpr auto heights = std::make_integer_sequence<int, tile_rows<T>>();
    for (Index i = 0, rows; i < m; i += rows) {
        const Index left = m - i;
        // The last rows in two tiles of about the same height: a low one waits for its own additions.
        rows = left <= tile_rows<T> ? left : left < 2 * tile_rows<T> ? (left + 1) / 2 : tile_rows<T>;
        const auto f = n > width<T> ? tile_of<panels, T>(rows, heights) : tile_of<1, T>(rows, heights);
        f(n, k, {a.data + i * a.row, a.row, a.column}, b, b_step, c + i * c_step, c_step);
    }
}

template <class T>
void transpose(Index rows, Index columns, const T* from, Index from_step, T* to, Index to_step);

template <class T>
void multiply(Index m, Index n, Index k, Matrix<T> a, Matrix<T> b, T* c, Index step) {
    alignas(64) T packed[most_inner * panel<T>];
    for (Index j = 0; j < n; j += panel<T>, c += panel<T>) {
        const Index columns = n - j < panel<T> ? n - j : panel<T>;
        const T* from = b.data + j * b.column;
        if (b.column == 1 && columns == panel<T> && m < worth_packing) {
            multiply_panel<T>(m, columns, k, a, from, b.row, c, step);
            continue;
        }
        if (columns < panel<T>)
            for (Index i = 0; i < k * panel<T>; i += width<T>) Batch<T>(T(0)).store_aligned(packed + i);
        if (b.row == 1) {
            transpose<T>(columns, k, from, b.column, packed, panel<T>);
        } else if (b.column == 1) {
            for (Index i = 0; i < k; ++i)
                for (Index l = 0; l < columns; ++l) packed[i * panel<T> + l] = from[i * b.row + l];
        } else {
            for (Index i = 0; i < k; ++i)
                for (Index l = 0; l < columns; ++l) packed[i * panel<T> + l] = from[i * b.row + l * b.column];
        }
        multiply_panel<T>(m, columns, k, a, packed, panel<T>, c, step);
    }
}

// ---- transposition: of squares of vectors, by exchanging one bit of the row's number with that bit of the lane's at a time

template <class T>
using Native [[gnu::vector_size(sizeof(T) * width<T>)]] = T;

template <Index bit, class T, std::size_t... lane>
XG_INLINE void exchange(Native<T>& a, Native<T>& b, std::index_sequence<lane...>) {
    constexpr Index n = width<T>;
    const Native<T> low = __builtin_shufflevector(a, b, (Index(lane) & bit ? n + (Index(lane) & ~bit) : Index(lane))...);
    b = __builtin_shufflevector(a, b, (Index(lane) & bit ? n + Index(lane) : Index(lane) | bit)...);
    a = low;
}
template <Index bit, class T>
XG_INLINE void exchange_all(Native<T>* v) {
#pragma GCC unroll 16
    for (Index i = 0; i < width<T>; ++i)
        if (!(i & bit)) exchange<bit, T>(v[i], v[i | bit], std::make_index_sequence<width<T>>());
    if constexpr (2 * bit < width<T>) exchange_all<2 * bit, T>(v);
}

template <class T>
void transpose(Index rows, Index columns, const T* from, Index from_step, T* to, Index to_step) {
    constexpr Index n = width<T>;
    Index i = 0;
    for (; i + n <= rows; i += n) {
        Index j = 0;
        for (; j + n <= columns; j += n) {
            Native<T> v[n];
#pragma GCC unroll 16
            for (Index l = 0; l < n; ++l) v[l] = Native<T>(Batch<T>::load_unaligned(from + (i + l) * from_step + j).data);
            exchange_all<1, T>(v);
#pragma GCC unroll 16
            for (Index l = 0; l < n; ++l)
                Batch<T>(typename Batch<T>::register_type(v[l])).store_unaligned(to + (j + l) * to_step + i);
        }
        for (; j < columns; ++j)
            for (Index l = i; l < i + n; ++l) to[j * to_step + l] = from[l * from_step + j];
    }
    for (Index j = 0; j < columns; ++j)
        for (Index l = i; l < rows; ++l) to[j * to_step + l] = from[l * from_step + j];
}

template <class T>
constexpr MatrixKernels<T> table{multiply<T>, transpose<T>};

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
