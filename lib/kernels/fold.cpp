#include "fold.hpp"

#include <limits>

#include "lanes.hpp"
#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
using Vec = Lanes<T, Batch<T>>;
template <class T>
using One = Lanes<T, T>;

// How elements enter and are joined; over Lanes, and over plain integers and booleans.

struct Sum {
    template <class T>
    static constexpr T identity = T(0);
    XG_INLINE static auto element(auto x) { return x; }
    XG_INLINE static auto join(auto a, decltype(a) b) { return decltype(a)(a + b); }
};
struct SumSquares : Sum {
    XG_INLINE static auto element(auto x) { return decltype(x)(x * x); }
};
struct Product {
    template <class T>
    static constexpr T identity = T(1);
    XG_INLINE static auto element(auto x) { return x; }
    XG_INLINE static auto join(auto a, decltype(a) b) { return decltype(a)(a * b); }
};
struct Max {
    template <class T>
    static constexpr T identity =
        std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    XG_INLINE static auto element(auto x) { return x; }
    XG_INLINE static auto join(auto a, decltype(a) b) {
        if constexpr (std::is_arithmetic_v<decltype(a)>)
            return a > b ? a : b;
        else
            return maximum(a, b);
    }
};
struct Min {
    template <class T>
    static constexpr T identity =
        std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
    XG_INLINE static auto element(auto x) { return x; }
    XG_INLINE static auto join(auto a, decltype(a) b) {
        if constexpr (std::is_arithmetic_v<decltype(a)>)
            return a < b ? a : b;
        else
            return -maximum(-a, -b);
    }
};

template <class T>
XG_INLINE T scalar(One<T> x) {
    T v;
    x.store(&v);
    return v;
}

/// Joins the lanes pairwise.
template <class R, class T>
XG_INLINE T joined(Vec<T> v) {
    alignas(64) T part[width<T>];
    v.store(part);
    for (Index w = width<T> / 2; w > 0; w /= 2)
        for (Index k = 0; k < w; ++k) part[k] = scalar<T>(R::join(One<T>::of(part[k]), One<T>::of(part[k + w])));
    return part[0];
}

/// The last elements of a line, fewer than a vector has, with the identity behind them.
template <class R, class T>
XG_INLINE Vec<T> rest(const T* x, Index n) {
    alignas(64) T part[width<T>];
    for (Index k = 0; k < width<T>; ++k) part[k] = k < n ? scalar<T>(R::element(One<T>::of(x[k]))) : R::template identity<T>;
    return Vec<T>::load(part);
}

template <class R, class T>
T line(const T* x, Index n, Index step) {
    if constexpr (std::is_floating_point_v<T>) {
        constexpr Index w = width<T>;
        if (n < w) {
            One<T> all = One<T>::of(R::template identity<T>);
            for (Index i = 0; i < n; ++i) all = R::join(all, R::element(One<T>::of(x[i * step])));
            return scalar<T>(all);
        }
        if (step == 1) {
            const Vec<T> start = Vec<T>::of(Batch<T>(R::template identity<T>));
            Vec<T> a = start, b = start, c = start, d = start;
            Index i = 0;
            for (; i + 4 * w <= n; i += 4 * w) {
                a = R::join(a, R::element(Vec<T>::load(x + i)));
                b = R::join(b, R::element(Vec<T>::load(x + i + w)));
                c = R::join(c, R::element(Vec<T>::load(x + i + 2 * w)));
                d = R::join(d, R::element(Vec<T>::load(x + i + 3 * w)));
            }
            for (; i + w <= n; i += w) a = R::join(a, R::element(Vec<T>::load(x + i)));
            if (i < n) b = R::join(b, rest<R>(x + i, n - i));
            return joined<R, T>(R::join(R::join(a, b), R::join(c, d)));
        }
        constexpr Index lanes = 16;
        One<T> part[lanes] = {R::template identity<T>, R::template identity<T>, R::template identity<T>, R::template identity<T>,
                              R::template identity<T>, R::template identity<T>, R::template identity<T>, R::template identity<T>,
                              R::template identity<T>, R::template identity<T>, R::template identity<T>, R::template identity<T>,
                              R::template identity<T>, R::template identity<T>, R::template identity<T>, R::template identity<T>};
        Index i = 0;
        for (; i + lanes <= n; i += lanes)
            for (Index k = 0; k < lanes; ++k) part[k] = R::join(part[k], R::element(One<T>::of(x[(i + k) * step])));
        for (Index k = 0; i < n; ++i, ++k) part[k] = R::join(part[k], R::element(One<T>::of(x[i * step])));
        for (Index v = lanes / 2; v > 0; v /= 2)
            for (Index k = 0; k < v; ++k) part[k] = R::join(part[k], part[k + v]);
        return scalar<T>(part[0]);
    } else {
        T all = R::template identity<T>;
        if (step == 1)
            for (Index i = 0; i < n; ++i) all = R::join(all, R::element(x[i]));
        else
            for (Index i = 0; i < n; ++i) all = R::join(all, R::element(x[i * step]));
        return all;
    }
}

/// f(j) for vectors of columns, then for single ones: f gets a load and a store that fit.
template <class T>
XG_INLINE void for_columns(Index n, auto f) {
    Index j = 0;
    if constexpr (std::is_floating_point_v<T>) {
        for (; j + width<T> <= n; j += width<T>)
            f(
                j, [](const T* p) { return Vec<T>::load(p); }, [](auto v, T* p) { v.store(p); });
        for (; j < n; ++j)
            f(
                j, [](const T* p) { return One<T>::load(p); }, [](auto v, T* p) { v.store(p); });
    } else {
        for (; j < n; ++j)
            f(
                j, [](const T* p) { return *p; }, [](auto v, T* p) { *p = v; });
    }
}

/// Four rows at a time, so that `out` is read and written once for four elements; more would evict each other from the cache
/// when the stride is a power of two.
template <class R, class T>
void rows(const T* x, Index count, Index stride, Index n, T* out) {
    for (Index j = 0; j < n; ++j) out[j] = R::template identity<T>;
    for (; count >= 4; count -= 4, x += 4 * stride)
        for_columns<T>(n, [&](Index j, auto load, auto store) {
            const auto at = [&](Index k) { return R::element(load(x + j + k * stride)); };
            store(R::join(load(out + j), R::join(R::join(at(0), at(1)), R::join(at(2), at(3)))), out + j);
        });
    for (; count > 0; --count, x += stride)
        for_columns<T>(n,
                       [&](Index j, auto load, auto store) { store(R::join(load(out + j), R::element(load(x + j))), out + j); });
}

template <class T>
void moments_line(const T* x, Index n, Index step, T shift, T* sum, T* squares) {
    constexpr Index w = width<T>;
    const Vec<T> center = Vec<T>::of(Batch<T>(shift));
    Vec<T> s(0.), t(0.), p(0.), q(0.);
    Index i = 0;
    const auto take = [&](Vec<T> a, Vec<T> b) {
        const Vec<T> d = a - center, e = b - center;
        s = s + d;
        t = t + e;
        p = p + d * d;
        q = q + e * e;
    };
    alignas(64) T part[2 * w];
    if (step == 1)
        for (; i + 2 * w <= n; i += 2 * w) take(Vec<T>::load(x + i), Vec<T>::load(x + i + w));
    else
        for (; i + 2 * w <= n; i += 2 * w) {
            for (Index k = 0; k < 2 * w; ++k) part[k] = x[(i + k) * step];
            take(Vec<T>::load(part), Vec<T>::load(part + w));
        }
    if (i < n) {
        for (Index k = 0; k < 2 * w; ++k) part[k] = i + k < n ? x[(i + k) * step] : shift;
        take(Vec<T>::load(part), Vec<T>::load(part + w));
    }
    *sum = joined<Sum, T>(s + t);
    *squares = joined<Sum, T>(p + q);
}

template <class T>
void moments_rows(const T* x, Index count, Index stride, Index n, const T* shift, T* sum, T* squares) {
    for (Index j = 0; j < n; ++j) sum[j] = squares[j] = 0;
    for (; count >= 4; count -= 4, x += 4 * stride)
        for_columns<T>(n, [&](Index j, auto load, auto store) {
            const T* p = x + j;
            const auto c = load(shift + j);
            const auto a = load(p) - c, b = load(p + stride) - c, d = load(p + 2 * stride) - c, e = load(p + 3 * stride) - c;
            store(load(sum + j) + ((a + b) + (d + e)), sum + j);
            store(load(squares + j) + ((a * a + b * b) + (d * d + e * e)), squares + j);
        });
    for (; count > 0; --count, x += stride)
        for_columns<T>(n, [&](Index j, auto load, auto store) {
            const auto d = load(x + j) - load(shift + j);
            store(load(sum + j) + d, sum + j);
            store(load(squares + j) + d * d, squares + j);
        });
}

template <bool largest, class T>
void arg_rows(const T* x, Index count, Index stride, Index n, T* best, Position<T>* at) {
    for (Index j = 0; j < n; ++j) best[j] = x[j], at[j] = 0;
    for (Index r = 1; r < count; ++r) {
        x += stride;
        for (Index j = 0; j < n; ++j) {
            const T a = x[j], b = best[j];
            const bool take = !(largest ? a <= b : a >= b) & (b == b);
            best[j] = take ? a : b;
            at[j] = take ? Position<T>(r) : at[j];
        }
    }
}

template <class T>
Index find(const T* x, Index n, T v) {
    constexpr Index some = 32;
    const bool nan = v != v;
    Index i = 0;
    for (int hits = 0; i + some <= n; i += some) {
        for (Index k = 0; k < some; ++k) hits |= (x[i + k] == v) | (nan & (x[i + k] != x[i + k]));
        if (hits) break;
    }
    while (i < n && !(x[i] == v) && !(nan && x[i] != x[i])) ++i;
    return i;
}

template <class T>
void centered(Index n, const T* x, const T* mean, const T* g, T* out) {
    for_columns<T>(n, [=](Index i, auto load, auto store) { store((load(x + i) - load(mean + i)) * load(g + i), out + i); });
}
template <class T>
void centered_line(Index n, const T* x, T mean, T g, T* out) {
    const Vec<T> m = Vec<T>::of(Batch<T>(mean)), h = Vec<T>::of(Batch<T>(g));
    Index i = 0;
    for (; i + width<T> <= n; i += width<T>) ((Vec<T>::load(x + i) - m) * h).store(out + i);
    for (; i < n; ++i) out[i] = (x[i] - mean) * g;
}

template <class T>
constexpr FoldKernels<T> table{{line<Sum, T>, line<Product, T>, line<Max, T>, line<Min, T>, line<SumSquares, T>},
                               {rows<Sum, T>, rows<Product, T>, rows<Max, T>, rows<Min, T>, rows<SumSquares, T>},
                               moments_line<T>,
                               moments_rows<T>,
                               arg_rows<true, T>,
                               arg_rows<false, T>,
                               find<T>,
                               centered<T>,
                               centered_line<T>};
template <>
constexpr FoldKernels<bool> table<bool>{{nullptr, nullptr, line<Max, bool>, line<Min, bool>, nullptr},
                                        {nullptr, nullptr, rows<Max, bool>, rows<Min, bool>, nullptr},
                                        nullptr,
                                        nullptr,
                                        arg_rows<true, bool>,
                                        arg_rows<false, bool>,
                                        find<bool>,
                                        nullptr,
                                        nullptr};

/// Integers wrap around: as unsigned ones.
template <class R>
std::int64_t wrapping_line(const std::int64_t* x, Index n, Index step) {
    return std::int64_t(line<R>(reinterpret_cast<const std::uint64_t*>(x), n, step));
}
template <class R>
void wrapping_rows(const std::int64_t* x, Index count, Index stride, Index n, std::int64_t* out) {
    rows<R>(reinterpret_cast<const std::uint64_t*>(x), count, stride, n, reinterpret_cast<std::uint64_t*>(out));
}
using Integer = std::int64_t;
template <>
constexpr FoldKernels<Integer> table<Integer>{
    {wrapping_line<Sum>, wrapping_line<Product>, line<Max, Integer>, line<Min, Integer>, nullptr},
    {wrapping_rows<Sum>, wrapping_rows<Product>, rows<Max, Integer>, rows<Min, Integer>, nullptr},
    nullptr,
    nullptr,
    arg_rows<true, Integer>,
    arg_rows<false, Integer>,
    find<Integer>,
    nullptr,
    nullptr};

}  // namespace

#define XG_FOLD(T)                                         \
    template <>                                            \
    const FoldKernels<T>& fold_kernels_of<T, this_isa>() { \
        return table<T>;                                   \
    }
XG_FOLD(float)
XG_FOLD(double)
XG_FOLD(std::int64_t)
XG_FOLD(bool)
#undef XG_FOLD

}  // namespace xtgrad::kernels
