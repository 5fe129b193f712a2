#include "gemm.hpp"

#include <cblas.h>

#include <concepts>
#include <cstdlib>
#include <memory>
#include <new>

#include "one_thread.hpp"

namespace xtgrad::kernels {
namespace {

constexpr double serial_work = 1 << 19, block_work = 1 << 23;  // multiplications
constexpr Index tasks_wanted = 16;

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

/// Memory of the calling thread.
template <class T>
T* scratch(Index size) {
    static thread_local std::unique_ptr<T, void (*)(void*)> memory(nullptr, std::free);
    static thread_local Index length = 0;
    if (size > length) {
        memory.reset();
        memory.reset(static_cast<T*>(std::aligned_alloc(64, std::size_t((size * Index(sizeof(T)) + 63) / 64 * 64))));
        length = memory ? size : 0;
        if (!memory) throw std::bad_alloc();
    }
    return memory.get();
}

/// A part of the columns of b at a time is brought together, by all; then rows of a multiply it.
template <class T>
void multiply_large(Index m, Index n, Index k, const Product<T>& p, double work) {
    constexpr Index most = 1 << 20, few = 64;  // elements of such a part; columns that a task packs, or that a task has at least
    const auto& kernels = matrix_kernels<T>();
    const Index strip = std::max(few, most / k / few * few), down = (m + kernels.rows - 1) / kernels.rows;
    const Index rows = ((m + down - 1) / down + few - 1) / few * few;
    T* const packed = scratch<T>(k * std::min(strip, (n + few - 1) / few * few));
    for (Index first = 0; first < n; first += strip) {
        const Index width = std::min(strip, n - first), parts = (width + few - 1) / few;
        const T* b = p.b.data + first * p.b.column;
        run(parts, work, [&](Index t) {
            const Index j = t * few;
            kernels.pack(std::min(few, width - j), k, {b + j * p.b.column, p.b.row, p.b.column}, packed + j * k);
        });
        const Index across = std::clamp<Index>(tasks_wanted / down, 1, parts), columns = (parts + across - 1) / across * few;
        run(down * across, work, [&](Index t) {
            const Index i = t / across * rows, j = t % across * columns;
            if (i >= m || j >= width) return;
            kernels.multiply_packed(std::min(rows, m - i), std::min(columns, width - j), k,
                                    {p.a.data + i * p.a.row, p.a.row, p.a.column}, packed + j * k, p.c + i * n + first + j, n);
        });
    }
}

}  // namespace

bool blas_readable(Index rows, Index columns, Index row, Index column) noexcept {
    return row_major(rows, columns, row, column) || row_major(columns, rows, column, row);
}

template <class T>
void gemm(Index count, Index m, Index n, Index k, FunctionRef<Product<T>(Index)> f) {
    if (count == 0 || m == 0 || n == 0) return;
    if (k == 0) {
        for (Index i = 0; i < count; ++i) std::fill_n(f(i).c, m * n, T(0));
        return;
    }
    const double work = double(count) * double(m) * double(n) * double(k);
    if (is_small(m, n, k, sizeof(T))) {
        const auto& kernels = matrix_kernels<T>();
        const Index some = std::max<Index>(1, (1 << 15) / (m * n * k));  // in one task
        const auto task = [&](Index t) {
            for (Index i = t * some, end = std::min(count, i + some); i < end; ++i) {
                const Product<T> p = f(i);
                kernels.multiply(m, n, k, p.a, p.b, p.c, n);
            }
        };
        return run((count + some - 1) / some, work, task);
    }
    if (is_ours(m, n, k, sizeof(T))) {
        for (Index i = 0; i < count; ++i) multiply_large<T>(m, n, k, f(i), work);
        return;
    }
    const Blocks blocks(count, m, n, work);
    const Index each = blocks.down * blocks.across;
    const auto task = [&](Index t) {
        const Product<T> p = f(t / each);
        const Index i = t % each / blocks.across * blocks.rows, j = t % blocks.across * blocks.columns;
        const Matrix<T> a{p.a.data + i * p.a.row, p.a.row, p.a.column}, b{p.b.data + j * p.b.column, p.b.row, p.b.column};
        const OneThread one;
        call(std::min(blocks.rows, m - i), std::min(blocks.columns, n - j), k, a, b, p.c + i * n + j, n);
    };
    run(count * each, work, task);
}

template void gemm(Index, Index, Index, Index, FunctionRef<Product<float>(Index)>);
template void gemm(Index, Index, Index, Index, FunctionRef<Product<double>(Index)>);

}  // namespace xtgrad::kernels
