#include "gemm.hpp"

#include <cblas.h>

#include <concepts>
#include <cstdlib>
#include <utility>

#include "one_thread.hpp"
#include "thread_end.hpp"

namespace xtgrad::kernels {
namespace {

constexpr double serial_work = 1 << 19, block_work = 1 << 23;  // multiplications

bool row_major(Index rows, Index columns, Index row, Index column) noexcept {
    return (column == 1 || columns <= 1) && (rows <= 1 || row >= std::max<Index>(1, columns));
}

template <class T>
void call(Index m, Index n, Index k, const Matrix<T>& a, const Matrix<T>& b, T* c, Index ldc) {
    const auto layout = [](const Matrix<T>& x, Index rows, Index columns) {
        const bool plain = row_major(rows, columns, x.row, x.column);
        const Index stride =
            plain ? (rows <= 1 ? std::max<Index>(1, columns) : x.row) : (columns <= 1 ? std::max<Index>(1, rows) : x.column);
        return std::pair(plain ? CblasNoTrans : CblasTrans, int(stride));
    };
    const auto [ta, lda] = layout(a, m, k);
    const auto [tb, ldb] = layout(b, k, n);
    if constexpr (std::same_as<T, float>)
        cblas_sgemm(CblasRowMajor, ta, tb, int(m), int(n), int(k), 1, a.data, lda, b.data, ldb, 0, c, int(ldc));
    else
        cblas_dgemm(CblasRowMajor, ta, tb, int(m), int(n), int(k), 1, a.data, lda, b.data, ldb, 0, c, int(ldc));
}

/// How a product is split: by its extents alone, so that the bits do not depend on the number of threads.
struct Blocks {
    Index rows, columns, down, across;

    Blocks(Index count, Index m, Index n, double work) {
        constexpr Index largest = 256, smallest = 64, enough = 16;
        set(even_part(m, (m + largest - 1) / largest), even_part(n, (n + largest - 1) / largest), m, n);
        while (count * down * across < enough && work > block_work * double(count * down * across)) {
            if (std::max(rows, columns) < 2 * smallest) break;
            if (columns >= rows)
                set(rows, even_part(n, 2 * across), m, n);
            else
                set(even_part(m, 2 * down), columns, m, n);
        }
    }

private:
    void set(Index r, Index c, Index m, Index n) {
        rows = r, columns = c;
        down = (m + rows - 1) / rows, across = (n + columns - 1) / columns;
    }
    /// Rounded up to whole tiles of the BLAS's kernels.
    static Index even_part(Index extent, Index parts) { return ((extent + parts - 1) / parts + 15) / 16 * 16; }
};

void run(Index tasks, double work, FunctionRef<void(Index)> task) {
    if (work < serial_work)
        for (Index t = 0; t < tasks; ++t) task(t);
    else
        parallel_tasks(tasks, task);
}

/// Finishes the part of c, of n columns, that begins at (first, left), while it is in the cache.
template <class T>
void add_bias(const Product<T>& p, Index n, Index first, Index left, Index rows, Index columns) {
    if (!p.bias) return;
    const T* bias = p.bias + left;
    for (Index i = first; i < first + rows; ++i)
        for (Index j = 0; j < columns; ++j) p.c[i * n + left + j] += bias[j];
}

/// Memory that each thread keeps to pack into.
template <class T>
constinit thread_local T* kept = nullptr;
template <class T>
void free_kept() noexcept {
    std::free(std::exchange(kept<T>, nullptr));
}
/// Null when there is none.
template <class T>
T* kept_memory(Index size) {
    if (!kept<T> && AtThreadEnd<free_kept<T>>::ask())
        kept<T> = static_cast<T*>(std::aligned_alloc(64, std::size_t(size) * sizeof(T)));
    return kept<T>;
}

/// With few rows, or one column, which is a row of the transposed product; false where another kernel is better.
template <class T>
bool multiply_few(Index count, Index m, Index n, Index k, double work, FunctionRef<Product<T>(Index)> f) {
    constexpr Index enough = 1 << 16;
    const bool turned = n == 1 && m > 1;
    const Index rows = turned ? 1 : m, columns = turned ? m : n;
    if (rows > 4) return false;
    const auto operands = [turned](const Product<T>& p) {
        const auto turn = [](const Matrix<T>& x) { return Matrix<T>{x.data, x.column, x.row}; };
        return turned ? std::pair(turn(p.b), turn(p.a)) : std::pair(p.a, p.b);
    };
    const auto [left, right] = operands(f(0));
    if (!few_readable(left, right)) return false;
    // In the caches tiles are better for a few rows, and where lines are short.
    if (is_small(m, n, k, sizeof(T)) && (side_by_side(left, right) ? rows > 2 : rows > 1 || columns < 128)) return false;
    const auto& kernels = matrix_kernels<T>();
    // In pieces that are worth a task, of whole vectors.
    const Index breadth = std::max<Index>(64, enough / (rows * k) / 64 * 64), pieces = (columns + breadth - 1) / breadth;
    run(count * pieces, work, [&](Index t) {
        const Product<T> p = f(t / pieces);
        const auto [a, b] = operands(p);
        const Index j = t % pieces * breadth, width = std::min(breadth, columns - j);
        kernels.multiply_few(rows, width, k, a, {b.data + j * b.column, b.row, b.column}, p.c + j, columns);
        if (turned)
            add_bias(p, 1, j, 0, width, 1);
        else
            add_bias(p, n, 0, j, m, width);
    });
    return true;
}

template <class T>
void multiply_large(Index m, Index n, Index k, const Product<T>& p) {
    constexpr Index enough = 1 << 20;
    if (T* const memory = kept_memory<T>(enough)) return multiply_large(m, n, k, p, memory, enough);
    alignas(64) T memory[least_memory];
    multiply_large(m, n, k, p, memory, least_memory);
}

}  // namespace

bool blas_readable(Index rows, Index columns, Index row, Index column) noexcept {
    return row_major(rows, columns, row, column) || row_major(columns, rows, column, row);
}

/// A part of b at a time is brought together, by all; then rows of a multiply it.
template <class T>
void multiply_large(Index m, Index n, Index k, const Product<T>& p, T* packed, Index elements) {
    constexpr Index few = 64;  // columns that a task packs, or that a task has at least
    const auto& kernels = matrix_kernels<T>();
    const auto whole = [](Index x, Index parts) { return (x + parts - 1) / parts * parts; };
    const Index depth = std::min(k, elements / few / kernels.inner * kernels.inner);
    const Index strip = std::min(elements / depth / few * few, whole(n, few));
    const Index down = (m + kernels.rows - 1) / kernels.rows, rows = whole((m + down - 1) / down, kernels.tile);
    const double work = double(m) * double(strip) * double(depth);
    for (Index first = 0; first < n; first += strip)
        for (Index l = 0; l < k; l += depth) {
            const Index width = std::min(strip, n - first), inner = std::min(depth, k - l), parts = (width + few - 1) / few;
            const Matrix<T> a{p.a.data + l * p.a.column, p.a.row, p.a.column},
                b{p.b.data + first * p.b.column + l * p.b.row, p.b.row, p.b.column};
            run(parts, work, [&](Index t) {
                const Index j = t * few;
                kernels.pack(std::min(few, width - j), inner, {b.data + j * b.column, b.row, b.column}, packed + j * inner);
            });
            const Index across = std::clamp<Index>(4 * threads() / down, 1, parts), columns = (parts + across - 1) / across * few;
            run(down * across, work, [&](Index t) {
                const Index i = t / across * rows, j = t % across * columns;
                if (i >= m || j >= width) return;
                const Index height = std::min(rows, m - i), breadth = std::min(columns, width - j);
                kernels.multiply_packed(height, breadth, inner, {a.data + i * a.row, a.row, a.column}, packed + j * inner,
                                        p.c + i * n + first + j, n, l > 0);
                if (l + inner == k) add_bias(p, n, i, first + j, height, breadth);
            });
        }
}

template <class T>
void gemm(Index count, Index m, Index n, Index k, FunctionRef<Product<T>(Index)> f) {
    if (count == 0 || m == 0 || n == 0) return;
    if (k == 0) {
        for (Index i = 0; i < count; ++i) {
            const Product<T> p = f(i);
            std::fill_n(p.c, m * n, T(0));
            add_bias(p, n, 0, 0, m, n);
        }
        return;
    }
    const double work = double(count) * double(m) * double(n) * double(k);
    if (multiply_few(count, m, n, k, work, f)) return;
    if (is_small(m, n, k, sizeof(T))) {
        const auto& kernels = matrix_kernels<T>();
        const Index some = std::max<Index>(1, (1 << 15) / (m * n * k));  // in one task
        // Of few products that are worth more than one thread, each by columns.
        const Index panels = (n + kernels.panel - 1) / kernels.panel,
                    wanted = work < serial_work ? 1 : std::clamp<Index>(4 / count, 1, panels),
                    columns = (panels + wanted - 1) / wanted * kernels.panel, pieces = (n + columns - 1) / columns;
        const auto task = [&](Index t) {
            const Index j = t % pieces * columns, breadth = std::min(columns, n - j);
            for (Index i = t / pieces * some, end = std::min(count, i + some); i < end; ++i) {
                const Product<T> p = f(i);
                kernels.multiply(m, breadth, k, p.a, {p.b.data + j * p.b.column, p.b.row, p.b.column}, p.c + j, n);
                add_bias(p, n, 0, j, m, breadth);
            }
        };
        return run((count + some - 1) / some * pieces, work, task);
    }
    if (is_ours(m, n, k, sizeof(T))) {
        for (Index i = 0; i < count; ++i) multiply_large(m, n, k, f(i));
        return;
    }
    const Blocks blocks(count, m, n, work);
    const Index each = blocks.down * blocks.across;
    const auto task = [&](Index t) {
        const Product<T> p = f(t / each);
        const Index i = t % each / blocks.across * blocks.rows, j = t % blocks.across * blocks.columns;
        const Matrix<T> a{p.a.data + i * p.a.row, p.a.row, p.a.column}, b{p.b.data + j * p.b.column, p.b.row, p.b.column};
        const Index rows = std::min(blocks.rows, m - i), columns = std::min(blocks.columns, n - j);
        const OneThread one;
        call(rows, columns, k, a, b, p.c + i * n + j, n);
        add_bias(p, n, i, j, rows, columns);
    };
    run(count * each, work, task);
}

template void multiply_large(Index, Index, Index, const Product<float>&, float*, Index);
template void multiply_large(Index, Index, Index, const Product<double>&, double*, Index);
template void gemm(Index, Index, Index, Index, FunctionRef<Product<float>(Index)>);
template void gemm(Index, Index, Index, Index, FunctionRef<Product<double>(Index)>);

}  // namespace xtgrad::kernels
