#include "lapack.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "one_thread.hpp"

namespace xtgrad::kernels {

template <class T>
struct Lapack;

// Fortran's interface: everything by address, matrices by columns. p is the letter of T.
#define XG_ROUTINES(T, p)                                                                                                  \
    extern "C" {                                                                                                           \
    void p##getrf_(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);                              \
    void p##potrf_(const char* uplo, const int* n, T* a, const int* lda, int* info);                                       \
    void p##gelqf_(const int* m, const int* n, T* a, const int* lda, T* tau, T* work, const int* size, int* info);         \
    void p##orglq_(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau, T* work, const int* size, \
                   int* info);                                                                                             \
    void p##syevd_(const char* job, const char* uplo, const int* n, T* a, const int* lda, T* w, T* work, const int* size,  \
                   int* whole, const int* whole_size, int* info);                                                          \
    void p##gesdd_(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u, const int* ldu, T* vt,   \
                   const int* ldvt, T* work, const int* size, int* whole, int* info);                                      \
    }                                                                                                                      \
    template <>                                                                                                            \
    struct Lapack<T> {                                                                                                     \
        static constexpr auto getrf = p##getrf_;                                                                           \
        static constexpr auto potrf = p##potrf_;                                                                           \
        static constexpr auto gelqf = p##gelqf_;                                                                           \
        static constexpr auto orglq = p##orglq_;                                                                           \
        static constexpr auto syevd = p##syevd_;                                                                           \
        static constexpr auto gesdd = p##gesdd_;                                                                           \
        static constexpr auto trsm = cblas_##p##trsm;                                                                      \
    };
XG_ROUTINES(float, s)
XG_ROUTINES(double, d)
#undef XG_ROUTINES

namespace {

int leading(Index n) { return int(std::max<Index>(1, n)); }

/// f(work, size) once to ask how large the work array shall be, and once with it.
template <class T>
void with_work(auto f) {
    const int ask = -1;
    T best = 0;
    f(&best, &ask);
    // A float cannot name every size: a little more than it says.
    const int size = leading(Index(double(best) * 1.00001) + 1);
    std::vector<T> work(static_cast<std::size_t>(size));
    f(work.data(), &size);
}

template <class T>
void swap_rows(T* x, Index k, Index i, Index j) {
    if (i != j) std::swap_ranges(x + i * k, x + (i + 1) * k, x + j * k);
}

}  // namespace

template <class T>
void solve_triangular(Triangular how, Index n, Index k, const T* t, T* x) {
    if (n == 0 || k == 0) return;
    const OneThread one;
    Lapack<T>::trsm(CblasRowMajor, CblasLeft, how.lower ? CblasLower : CblasUpper, how.transposed ? CblasTrans : CblasNoTrans,
                    how.unit ? CblasUnit : CblasNonUnit, int(n), int(k), 1, t, int(n), x, int(k));
}

// LAPACK factors a^T = P L U, so a = U^T L^T P^T: in rows a lower triangle with its diagonal, and a unit upper one.
template <class T>
Index lu(Index n, T* a, Pivot* pivots) {
    const OneThread one;
    const int order = int(n), stride = leading(n);
    int info = 0;
    std::vector<int> exchanged(static_cast<std::size_t>(n));
    Lapack<T>::getrf(&order, &order, a, &stride, exchanged.data(), &info);
    for (Index i = 0; i < n; ++i) pivots[i] = exchanged[std::size_t(i)] - 1;
    return info;
}

template <class T>
void lu_solve(Index n, Index k, const T* factors, const Pivot* pivots, bool transposed, T* x) {
    const Triangular lower{true, transposed, false}, upper{false, transposed, true};
    if (transposed) {
        for (Index i = 0; i < n; ++i) swap_rows(x, k, i, Index(pivots[i]));
        solve_triangular(upper, n, k, factors, x);
        solve_triangular(lower, n, k, factors, x);
    } else {
        solve_triangular(lower, n, k, factors, x);
        solve_triangular(upper, n, k, factors, x);
        for (Index i = n; i-- > 0;) swap_rows(x, k, i, Index(pivots[i]));
    }
}

template <class T>
Index large_pivots(Index n, T* a, T least, Pivot* rows, Pivot* columns, double& sign) {
    sign = 1;
    std::iota(rows, rows + n, 0);
    std::iota(columns, columns + n, 0);
    T first = 0;
    for (Index k = 0; k < n; ++k) {
        T largest = 0;
        Index row = k, column = k;
        for (Index i = k; i < n; ++i)
            for (Index j = k; j < n; ++j)
                if (std::abs(a[i * n + j]) > largest) largest = std::abs(a[i * n + j]), row = i, column = j;
        if (k == 0) first = largest;
        if (largest == 0 || largest < least * first) return k;
        if (row != k) std::swap(rows[k], rows[row]), sign = -sign;
        if (column != k) std::swap(columns[k], columns[column]), sign = -sign;
        swap_rows(a, n, k, row);
        for (Index i = 0; i < n; ++i) std::swap(a[i * n + k], a[i * n + column]);
        for (Index i = k + 1; i < n; ++i) {
            const T factor = a[i * n + k] / a[k * n + k];
            for (Index j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
        }
    }
    return n;
}

template <class T>
Index cholesky(Index n, T* a) {
    const OneThread one;
    const int order = int(n), stride = leading(n);
    int info = 0;
    Lapack<T>::potrf("U", &order, a, &stride, &info);  // by columns the upper triangle
    for (Index i = 0; i < n; ++i) std::fill(a + i * n + i + 1, a + (i + 1) * n, T(0));
    return info;
}

// LAPACK factors a^T = L Q^T: by rows, R and Q.
template <class T>
void qr(Index m, Index n, Index width, T* q, T* r) {
    const OneThread one;
    const int rows = int(m), columns = int(n), all = int(width), stride = leading(width);
    int info = 0;
    std::vector<T> tau(static_cast<std::size_t>(leading(n)));
    with_work<T>([&](T* work, const int* size) { Lapack<T>::gelqf(&columns, &rows, q, &stride, tau.data(), work, size, &info); });
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < n; ++j) r[i * n + j] = j < i ? T(0) : q[i * width + j];
    with_work<T>(
        [&](T* work, const int* size) { Lapack<T>::orglq(&all, &rows, &columns, q, &stride, tau.data(), work, size, &info); });
}

template <class T>
Index eigh(Index n, bool vectors, T* a, T* w) {
    if (n == 0) return 0;
    const OneThread one;
    const int order = int(n), stride = leading(n);
    int info = 0, ask = -1, whole_size = 1;
    T best = 0;
    const char* job = vectors ? "V" : "N";
    Lapack<T>::syevd(job, "L", &order, a, &stride, w, &best, &ask, &whole_size, &ask, &info);
    std::vector<int> whole(static_cast<std::size_t>(whole_size));
    with_work<T>([&](T* work, const int* size) {
        Lapack<T>::syevd(job, "L", &order, a, &stride, w, work, size, *size < 0 ? &ask : whole.data(),
                         *size < 0 ? &ask : &whole_size, &info);
    });
    return info;
}

// LAPACK factors a^T = v s u^T: by rows, its first factor is vt and its last u.
template <class T>
Index svd(Index m, Index n, bool full, T* a, T* u, T* s, T* vt) {
    const Index k = std::min(m, n);
    if (k == 0) {
        const auto identity = [](Index size, T* x) {
            for (Index i = 0; i < size * size; ++i) x[i] = i % (size + 1) == 0;
        };
        if (full && u) identity(m, u), identity(n, vt);
        return 0;
    }
    const OneThread one;
    const int rows = int(n), columns = int(m), stride = int(n), left = int(n), right = int(full ? m : k);
    int info = 0;
    std::vector<int> whole(static_cast<std::size_t>(8 * k));
    with_work<T>([&](T* work, const int* size) {
        Lapack<T>::gesdd(!u     ? "N"
                         : full ? "A"
                                : "S",
                         &rows, &columns, a, &stride, s, vt, &left, u, &right, work, size, whole.data(), &info);
    });
    return info;
}

#define XG_LAPACK(T)                                                        \
    template void solve_triangular(Triangular, Index, Index, const T*, T*); \
    template Index lu(Index, T*, Pivot*);                                   \
    template void lu_solve(Index, Index, const T*, const Pivot*, bool, T*); \
    template Index large_pivots(Index, T*, T, Pivot*, Pivot*, double&);     \
    template Index cholesky(Index, T*);                                     \
    template void qr(Index, Index, Index, T*, T*);                          \
    template Index eigh(Index, bool, T*, T*);                               \
    template Index svd(Index, Index, bool, T*, T*, T*, T*);
XG_LAPACK(float)
XG_LAPACK(double)
#undef XG_LAPACK

}  // namespace xtgrad::kernels
