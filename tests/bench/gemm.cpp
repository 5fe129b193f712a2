// Who multiplies small matrices best, one thread: our kernel, OpenBLAS, libxsmm where it is. GFLOP/s, the best of several
// rounds taken by turns. b^T: the right operand is a transposed view, as in a backward pass.
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>
#ifdef HAS_LIBXSMM
#include <libxsmm.h>
#endif

#include <xtgrad/xtgrad.hpp>

#include "../../lib/kernels/matrix.hpp"

namespace {

using xtgrad::kernels::Index;

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
        keep(1, [&] {
            const auto op = transposed ? CblasTrans : CblasNoTrans;
            const int step = int(transposed ? k : n);
            if constexpr (sizeof(T) == 4)
                cblas_sgemm(CblasRowMajor, CblasNoTrans, op, int(m), int(n), int(k), 1, a.data(), int(k), b.data(), step, 0,
                            c.data(), int(n));
            else
                cblas_dgemm(CblasRowMajor, CblasNoTrans, op, int(m), int(n), int(k), 1, a.data(), int(k), b.data(), step, 0,
                            c.data(), int(n));
        });
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

}  // namespace

int main() {
    xtgrad::set_num_threads(1);
    std::printf("small products, one thread, %s, GFLOP/s\n%-29s%10s%10s%10s\n", xtgrad::instruction_set(), "", "xtgrad",
                "OpenBLAS", "libxsmm");
    all<float>();
    all<double>();
}
