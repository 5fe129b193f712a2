// Who multiplies matrices best on one thread: our kernels, OpenBLAS, libxsmm where it is; large products also on two threads of
// ours (OpenBLAS's would stay awake and take the core from them). GFLOP/s, the best of several rounds taken by turns. a^T, b^T:
// that operand is a transposed view, as in the passes of a linear layer with 768 rows of inputs.
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>
#ifdef HAS_LIBXSMM
#include <libxsmm.h>
#endif

#include <xtgrad/xtgrad.hpp>

#include "../../lib/kernels/gemm.hpp"

namespace {

using xtgrad::kernels::Index;

template <class T>
void blas(Index m, Index n, Index k, bool a_transposed, bool b_transposed, const T* a, const T* b, T* c) {
    const auto op = [](bool transposed) { return transposed ? CblasTrans : CblasNoTrans; };
    const int rows = int(m), columns = int(n), inner = int(k), lda = int(a_transposed ? m : k), ldb = int(b_transposed ? k : n);
    if constexpr (sizeof(T) == 4)
        cblas_sgemm(CblasRowMajor, op(a_transposed), op(b_transposed), rows, columns, inner, 1, a, lda, b, ldb, 0, c, columns);
    else
        cblas_dgemm(CblasRowMajor, op(a_transposed), op(b_transposed), rows, columns, inner, 1, a, lda, b, ldb, 0, c, columns);
}

double rate(Index m, Index n, Index k, auto f) {
    const int calls = int(std::max<Index>(1, 1000000 / (m * n * k)));
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) f();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    return 2e-9 * double(m * n * k) * calls / time.count();
}

template <class T>
void compare(Index m, Index n, Index k, bool transposed) {
    const std::size_t padding = 64;
    std::vector<T> a(std::size_t(m * k) + padding, T(1)), b(std::size_t(k * n) + padding, T(1)), c(std::size_t(m * n) + padding);
    double best[3] = {};
    for (int round = 0; round < 15; ++round) {
        const auto keep = [&](int i, auto f) { best[i] = std::max(best[i], rate(m, n, k, f)); };
        keep(0, [&] {
            const xtgrad::kernels::Matrix<T> right{b.data(), transposed ? 1 : n, transposed ? k : 1};
            xtgrad::kernels::matrix_kernels<T>().multiply(m, n, k, {a.data(), k, 1}, right, c.data(), n);
        });
        keep(1, [&] { blas(m, n, k, false, transposed, a.data(), b.data(), c.data()); });
#ifdef HAS_LIBXSMM
        static_cast<void>(libxsmm_init);
        if (!transposed) {  // its kernels take no transposed operand without a copy
            const libxsmm_blasint rows = int(n), columns = int(m), inner = int(k);  // column-major
            const T one = 1, zero = 0;
            if constexpr (sizeof(T) == 4) {
                const auto f =
                    libxsmm_smmdispatch(rows, columns, inner, nullptr, nullptr, nullptr, &one, &zero, nullptr, nullptr);
                if (f) keep(2, [&] { f(b.data(), a.data(), c.data()); });
            } else {
                const auto f =
                    libxsmm_dmmdispatch(rows, columns, inner, nullptr, nullptr, nullptr, &one, &zero, nullptr, nullptr);
                if (f) keep(2, [&] { f(b.data(), a.data(), c.data()); });
            }
        }
#endif
    }
    std::printf("%s %4td x %4td x %4td %-4s%10.1f%10.1f", sizeof(T) == 4 ? "f32" : "f64", m, k, n, transposed ? "b^T" : "",
                best[0], best[1]);
    best[2] > 0 ? std::printf("%10.1f\n", best[2]) : std::printf("%10s\n", "-");
}

template <class T>
void all() {
    constexpr Index sizes[][3] = {{1, 32, 32},   {16, 32, 32}, {32, 32, 16},    {64, 64, 64},    {128, 10, 256},
                                  {100, 70, 50}, {96, 96, 96}, {128, 128, 128}, {256, 256, 256}, {128, 256, 512}};
    for (const auto& [m, n, k] : sizes)
        for (const bool transposed : {false, true}) compare<T>(m, n, k, transposed);
}

template <class T>
void compare_large(Index m, Index n, Index k, bool a_transposed, bool b_transposed) {
    std::vector<T> a(std::size_t(m * k) + 64, T(1)), b(std::size_t(k * n) + 64, T(1)), c(std::size_t(m * n) + 64);
    const xtgrad::kernels::Product<T> product{
        {a.data(), a_transposed ? 1 : k, a_transposed ? m : 1}, {b.data(), b_transposed ? 1 : n, b_transposed ? k : 1}, c.data()};
    double best[3] = {};
    for (int round = 0; round < 100; ++round) {
        const auto keep = [&](int i, auto f) { best[i] = std::max(best[i], rate(m, n, k, f)); };
        const auto ours = [&] { xtgrad::kernels::gemm<T>(1, m, n, k, [&](Index) { return product; }); };
        keep(0, ours);
        keep(1, [&] { blas(m, n, k, a_transposed, b_transposed, a.data(), b.data(), c.data()); });
        xtgrad::set_num_threads(2);
        keep(2, ours);
        xtgrad::set_num_threads(1);
    }
    std::printf("%s %4td x %4td x %4td %s %s%10.1f%10.1f%13.1f\n", sizeof(T) == 4 ? "f32" : "f64", m, k, n,
                a_transposed ? "a^T" : "   ", b_transposed ? "b^T" : "   ", best[0], best[1], best[2]);
}

/// The three products of a linear layer.
template <class T>
void layer(Index rows, Index in, Index out) {
    compare_large<T>(rows, out, in, false, true);
    compare_large<T>(rows, in, out, false, false);
    compare_large<T>(out, in, rows, true, false);
}

}  // namespace

int main() {
    openblas_set_num_threads(1);
    xtgrad::set_num_threads(1);
    std::printf("products of linear layers, %s, GFLOP/s\n%-32s%10s%10s%13s\n", xtgrad::instruction_set(), "", "xtgrad",
                "OpenBLAS", "two threads");
    for (const auto& [in, out] : {std::pair<Index, Index>{128, 128}, {128, 512}, {512, 128}}) layer<float>(768, in, out);
    layer<double>(768, 128, 512);
    compare_large<float>(1024, 1024, 1024, false, false);
    compare_large<double>(1024, 1024, 1024, false, false);
    std::printf("small products, one thread, %s, GFLOP/s\n%-29s%10s%10s%10s\n", xtgrad::instruction_set(), "", "xtgrad",
                "OpenBLAS", "libxsmm");
    all<float>();
    all<double>();
}
