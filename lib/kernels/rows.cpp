#include "rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lanes.hpp"
#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
using Vec = Lanes<T, Batch<T>>;

/// A vector of a row's elements, from i on. Whole: all of it lies in the row.
struct Whole {
    template <class T>
    XG_INLINE Vec<T> operator()(const T* row, Index i, T = 0) const {
        return Vec<T>::load(row + i);
    }
    template <class T>
    XG_INLINE void store(Vec<T> v, T* row, Index i) const {
        v.store(row + i);
    }
};
/// The row ends within it; beyond the end comes `fill`.
struct Part {
    Index n;

    template <class T>
    XG_INLINE Vec<T> operator()(const T* row, Index i, T fill = 0) const {
        alignas(64) T part[width<T>];
        for (Index k = 0; k < width<T>; ++k) part[k] = i + k < n ? row[i + k] : fill;
        return Vec<T>::load(part);
    }
    template <class T>
    XG_INLINE void store(Vec<T> v, T* row, Index i) const {
        alignas(64) T part[width<T>];
        v.store(part);
        for (Index k = 0; i + k < n; ++k) row[i + k] = part[k];
    }
};

/// Joins the lanes.
template <class T>
XG_INLINE T across(Vec<T> v, auto join) {
    alignas(64) T part[width<T>];
    v.store(part);
    for (Index w = width<T> / 2; w > 0; w /= 2)
        for (Index k = 0; k < w; ++k) part[k] = join(part[k], part[k + w]);
    return part[0];
}
template <class T>
XG_INLINE T total(Vec<T> v) {
    return across<T>(v, [](T a, T b) { return a + b; });
}

constexpr Index block = 1024;  // elements whose sum is exact enough without more digits

/// The sum of f(at, i) over a row, where at(row, i) loads. Two accumulators, for the latency of an addition; blocks are added up
/// in double.
template <class T>
XG_INLINE T sum_row(Index n, auto f) {
    double sum = 0;
    for (Index i = 0; i < n;) {
        const Index end = std::min(n, i + block);
        Vec<T> even(0.), odd(0.);
        for (; i + 2 * width<T> <= end; i += 2 * width<T>) {
            even = even + f(Whole{}, i);
            odd = odd + f(Whole{}, i + width<T>);
        }
        if (i + width<T> <= end) even = even + f(Whole{}, i), i += width<T>;
        if (i < end) odd = odd + f(Part{n}, i), i = end;
        const T here = total<T>(even + odd);
        if (end == n && end <= block) return here;
        sum += double(here);
    }
    return T(sum);
}
/// out = f(at, i) over a row.
template <class T>
XG_INLINE void map_row(Index n, T* out, auto f) {
    Index i = 0;
    for (; i + width<T> <= n; i += width<T>) f(Whole{}, i).store(out + i);
    if (i < n) Part{n}.store<T>(f(Part{n}, i), out, i);
}

template <class T>
constexpr T lowest = -std::numeric_limits<T>::infinity();

/// The largest element. A NaN may get lost, but not from the exponentials after it.
template <class T>
XG_INLINE T largest(Index n, const T* x) {
    const auto larger = [](Vec<T> a, Vec<T> b) { return where(a > b, a, b); };
    Vec<T> even = Vec<T>::of(Batch<T>(lowest<T>)), odd = even;
    Index i = 0;
    for (; i + 2 * width<T> <= n; i += 2 * width<T>) {
        even = larger(even, Whole{}(x, i));
        odd = larger(odd, Whole{}(x, i + width<T>));
    }
    if (i + width<T> <= n) even = larger(even, Whole{}(x, i)), i += width<T>;
    if (i < n) odd = larger(odd, Part{n}(x, i, lowest<T>));
    return across<T>(larger(even, odd), [](T a, T b) { return a > b ? a : b; });
}

/// sum of e^(x - m); writes the terms when out is given.
template <class T>
XG_INLINE T exponentials(Index n, const T* x, T m, T* out) {
    const Vec<T> shift = Vec<T>::of(Batch<T>(m));
    return sum_row<T>(n, [&](auto at, Index i) {
        const Vec<T> e = exp(at(x, i, lowest<T>) - shift);
        if (out) at.template store<T>(e, out, i);
        return e;
    });
}

template <class T>
void softmax(Index rows, Index n, const T* x, T* out) {
    for (; rows > 0; --rows, x += n, out += n) {
        const T sum = exponentials(n, x, largest(n, x), out);
        const Vec<T> scale = Vec<T>::of(Batch<T>(1 / sum));
        map_row(n, out, [&](auto at, Index i) { return at(out, i) * scale; });
    }
}

template <class T>
void softmax_vjp(Index rows, Index n, const T* y, const T* g, T* out) {
    for (; rows > 0; --rows, y += n, g += n, out += n) {
        const T sum = sum_row<T>(n, [&](auto at, Index i) { return at(y, i) * at(g, i); });
        const Vec<T> mean = Vec<T>::of(Batch<T>(sum));
        map_row(n, out, [&](auto at, Index i) { return at(y, i) * (at(g, i) - mean); });
    }
}

template <class T>
void log_softmax(Index rows, Index n, const T* x, T* out) {
    for (; rows > 0; --rows, x += n, out += n) {
        const T m = largest(n, x), log_sum = std::log(exponentials<T>(n, x, m, nullptr));
        const Vec<T> shift = Vec<T>::of(Batch<T>(m)), rest = Vec<T>::of(Batch<T>(log_sum));
        map_row(n, out, [&](auto at, Index i) { return (at(x, i) - shift) - rest; });
    }
}

template <class T>
void log_softmax_vjp(Index rows, Index n, const T* y, const T* g, T* out) {
    for (; rows > 0; --rows, y += n, g += n, out += n) {
        const Vec<T> sum = Vec<T>::of(Batch<T>(sum_row<T>(n, [&](auto at, Index i) { return at(g, i); })));
        map_row(n, out, [&](auto at, Index i) { return at(g, i) - exp(at(y, i)) * sum; });
    }
}

template <class T>
XG_INLINE Vec<T> each(T x) {
    return Vec<T>::of(Batch<T>(x));
}

template <class T>
void moments(Index rows, Index n, bool centered, T eps, const T* x, T* out) {
    for (; rows > 0; --rows, x += n, out += 2) {
        const T mean = centered ? sum_row<T>(n, [&](auto at, Index i) { return at(x, i); }) / T(n) : T(0);
        const T squares = sum_row<T>(n, [&](auto at, Index i) {
            const Vec<T> d = at(x, i, mean) - each(mean);
            return d * d;
        });
        out[0] = mean;
        out[1] = 1 / std::sqrt(squares / T(n) + eps);
    }
}

template <class T>
void normalize(Index rows, Index n, const T* x, const T* moments, const T* weight, const T* bias, T* out) {
    for (; rows > 0; --rows, x += n, out += n, moments += 2) {
        const Vec<T> mean = each(moments[0]), scale = each(moments[1]);
        const auto normal = [&](auto at, Index i) { return (at(x, i) - mean) * scale; };
        if (weight && bias)
            map_row(n, out, [&](auto at, Index i) { return normal(at, i) * at(weight, i) + at(bias, i); });
        else if (weight)
            map_row(n, out, [&](auto at, Index i) { return normal(at, i) * at(weight, i); });
        else
            map_row(n, out, normal);
    }
}

template <class T>
void normalize_vjp(Index rows, Index n, bool centered, const T* x, const T* moments, const T* weight, const T* g, T* out,
                   T* weight_sum, T* bias_sum) {
    for (; rows > 0; --rows, x += n, g += n, out += n, moments += 2) {
        const Vec<T> mean = each(moments[0]), scale = each(moments[1]);
        const auto normal = [&](auto at, Index i) { return (at(x, i) - mean) * scale; };
        const auto u = [&](auto at, Index i) {
            const Vec<T> v = at(g, i);
            return weight ? v * at(weight, i) : v;
        };
        double sum = 0, products = 0;
        for (Index i = 0; i < n;) {
            const Index end = std::min(n, i + block);
            Vec<T> s(0.), p(0.);
            const auto add = [&](auto at) {
                const Vec<T> v = u(at, i);
                s = s + v;
                p = p + v * normal(at, i);
            };
            for (; i + width<T> <= end; i += width<T>) add(Whole{});
            if (i < end) add(Part{n}), i = end;
            sum += double(total<T>(s));
            products += double(total<T>(p));
        }
        const Vec<T> a = each(centered ? T(sum) / T(n) : T(0)), b = each(T(products) / T(n));
        if (weight_sum) map_row(n, weight_sum, [&](auto at, Index i) { return at(weight_sum, i) + at(g, i) * normal(at, i); });
        if (bias_sum) map_row(n, bias_sum, [&](auto at, Index i) { return at(bias_sum, i) + at(g, i); });
        map_row(n, out, [&](auto at, Index i) { return (u(at, i) - a - normal(at, i) * b) * scale; });
    }
}

template <class T>
void cross_entropy(Index rows, Index n, const T* x, const std::int64_t* labels, const T* shares, const T* weight, T* out) {
    for (Index row = 0; row < rows; ++row, x += n, shares += 3) {
        const T m = largest(n, x), log_sum = std::log(exponentials<T>(n, x, m, nullptr));
        T loss = shares[0] * log_sum + shares[1] * (m - x[labels[row]]);  // total = own + each sum weight
        if (shares[2] != 0) {
            const T rest = sum_row<T>(n, [&](auto at, Index i) {
                const Vec<T> d = each(m) - at(x, i, m);
                return weight ? d * at(weight, i) : d;
            });
            loss += shares[2] * rest;
        }
        out[row] = shares[0] != 0 ? loss : T(0);
    }
}

template <class T>
void cross_entropy_vjp(Index rows, Index n, T g, const T* x, const std::int64_t* labels, const T* shares, const T* weight,
                       T* out) {
    for (Index row = 0; row < rows; ++row, x += n, out += n, shares += 3) {
        if (shares[0] == 0) {
            map_row(n, out, [&](auto, Index) { return Vec<T>(0.); });
            continue;
        }
        const Vec<T> scale = each(g * shares[0] / exponentials(n, x, largest(n, x), out)), rest = each(g * shares[2]);
        if (shares[2] == 0)
            map_row(n, out, [&](auto at, Index i) { return at(out, i) * scale; });
        else if (weight)
            map_row(n, out, [&](auto at, Index i) { return at(out, i) * scale - rest * at(weight, i); });
        else
            map_row(n, out, [&](auto at, Index i) { return at(out, i) * scale - rest; });
        out[labels[row]] -= g * shares[1];
    }
}

template <class T>
constexpr RowKernels<T> table{softmax<T>,   softmax_vjp<T>,   log_softmax<T>,   log_softmax_vjp<T>,  moments<T>,
                              normalize<T>, normalize_vjp<T>, cross_entropy<T>, cross_entropy_vjp<T>};

}  // namespace

template <>
const RowKernels<float>& row_kernels_of<float, this_isa>() {
    return table<float>;
}
template <>
const RowKernels<double>& row_kernels_of<double, this_isa>() {
    return table<double>;
}

}  // namespace xtgrad::kernels
