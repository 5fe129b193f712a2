#include "gemm.hpp"

#include <cblas.h>
#include <dlfcn.h>

#include <concepts>

// OpenBLAS's own; absent in other libraries.
extern "C" [[gnu::weak]] int openblas_get_parallel();
extern "C" [[gnu::weak]] void openblas_set_num_threads(int);

namespace xtgrad::kernels {
namespace {

constexpr double serial_work = 1 << 19, block_work = 1 << 23;  // multiplications

/// While one lives, BLAS calls of this thread use one thread: a BLAS splits products as it likes, and the bits follow.
class OneThread {
public:
    OneThread() noexcept {
        // An OpenBLAS with threads of its own has one number for the whole process, which we set for good.
        static const bool own_threads = openblas_get_parallel && openblas_get_parallel() == 1;
        static const bool quiet = own_threads && (openblas_set_num_threads(1), true);
        static_cast<void>(quiet);
        if (openmp.get) before_ = openmp.get();
        if (before_ != 1) openmp.set(1);
    }
    ~OneThread() {
        if (before_ != 1) openmp.set(before_);
    }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

private:
    /// OpenMP's numbers of threads, which are each thread's own; null when the BLAS brought no OpenMP.
    struct OpenMp {
        int (*get)();
        void (*set)(int);

        OpenMp() noexcept
            : get(reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"))),
              set(reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) {}
    };
    static inline const OpenMp openmp;

    int before_ = 1;
};

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
