#include "rows.hpp"

#include <cmath>
#include <limits>

#include "lanes.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
using Vec = Lanes<T, Batch<T>>;
template <class T>
constexpr Index width = Batch<T>::size;

/// The elements of a row from i on, as far as they go, else `fill`.
template <class T>
XG_INLINE Vec<T> load(const T* row, Index i, Index n, T fill) {
    if (i + width<T> <= n) return Vec<T>::load(row + i);
    alignas(64) T part[width<T>];
    for (Index k = 0; k < width<T>; ++k) part[k] = i + k < n ? row[i + k] : fill;
    return Vec<T>::load(part);
}
template <class T>
XG_INLINE void store(Vec<T> v, T* row, Index i, Index n) {
    if (i + width<T> <= n) return v.store(row + i);
    alignas(64) T part[width<T>];
    v.store(part);
    for (Index k = 0; i + k < n; ++k) row[i + k] = part[k];
}

/// The sum of the lanes.
template <class T>
XG_INLINE T total(Vec<T> v) {
    alignas(64) T part[width<T>];
    v.store(part);
    for (Index w = width<T> / 2; w > 0; w /= 2)
        for (Index k = 0; k < w; ++k) part[k] += part[k + w];
    return part[0];
}

/// sum of f(i) over a row; f gives 0 beyond its end. Two accumulators, for the latency of an addition.
template <class T>
XG_INLINE T sum_row(Index n, auto f) {
    Vec<T> even(0.), odd(0.);
    Index i = 0;
    for (; i + 2 * width<T> <= n; i += 2 * width<T>) {
        even = even + f(i);
        odd = odd + f(i + width<T>);
    }
    for (; i < n; i += width<T>) even = even + f(i);
    return total<T>(even + odd);
}
template <class T>
XG_INLINE void map_row(Index n, T* out, auto f) {
    for (Index i = 0; i < n; i += width<T>) store<T>(f(i), out, i, n);
}

template <class T>
constexpr T lowest = -std::numeric_limits<T>::infinity();

template <class T>
XG_INLINE T largest(Index n, const T* x) {
    Vec<T> m = Vec<T>(double(lowest<T>));
    for (Index i = 0; i < n; i += width<T>) m = maximum(m, load(x, i, n, lowest<T>));
    alignas(64) T part[width<T>];
    m.store(part);
    T best = part[0];
    for (Index k = 1; k < width<T>; ++k) best = part[k] > best || part[k] != part[k] ? part[k] : best;
    return best;
}

/// sum of e^(x - m); writes the terms when out is given.
template <class T>
XG_INLINE T exponentials(Index n, const T* x, T m, T* out) {
    const Vec<T> shift = Vec<T>::of(Batch<T>(m));
    return sum_row<T>(n, [&](Index i) {
        const Vec<T> e = exp(load(x, i, n, lowest<T>) - shift);
        if (out) store<T>(e, out, i, n);
        return e;
    });
}

template <class T>
void softmax(Index rows, Index n, const T* x, T* out) {
    for (; rows > 0; --rows, x += n, out += n) {
        const T sum = exponentials(n, x, largest(n, x), out);
        const Vec<T> scale = Vec<T>::of(Batch<T>(1 / sum));
        map_row(n, out, [&](Index i) { return load(out, i, n, T(0)) * scale; });
    }
}

template <class T>
void softmax_vjp(Index rows, Index n, const T* y, const T* g, T* out) {
    for (; rows > 0; --rows, y += n, g += n, out += n) {
        const T sum = sum_row<T>(n, [&](Index i) { return load(y, i, n, T(0)) * load(g, i, n, T(0)); });
        const Vec<T> mean = Vec<T>::of(Batch<T>(sum));
        map_row(n, out, [&](Index i) { return load(y, i, n, T(0)) * (load(g, i, n, T(0)) - mean); });
    }
}

template <class T>
void log_softmax(Index rows, Index n, const T* x, T* out) {
    for (; rows > 0; --rows, x += n, out += n) {
        const T m = largest(n, x), log_sum = std::log(exponentials<T>(n, x, m, nullptr));
        const Vec<T> shift = Vec<T>::of(Batch<T>(m)), rest = Vec<T>::of(Batch<T>(log_sum));
        map_row(n, out, [&](Index i) { return (load(x, i, n, T(0)) - shift) - rest; });
    }
}

template <class T>
void log_softmax_vjp(Index rows, Index n, const T* y, const T* g, T* out) {
    for (; rows > 0; --rows, y += n, g += n, out += n) {
        const Vec<T> sum = Vec<T>::of(Batch<T>(sum_row<T>(n, [&](Index i) { return load(g, i, n, T(0)); })));
        map_row(n, out, [&](Index i) { return load(g, i, n, T(0)) - exp(load(y, i, n, T(0))) * sum; });
    }
}

template <class T>
XG_INLINE Vec<T> each(T x) {
    return Vec<T>::of(Batch<T>(x));
}

template <class T>
void moments(Index rows, Index n, bool centered, T eps, const T* x, T* out) {
    for (; rows > 0; --rows, x += n, out += 2) {
        const T mean = centered ? sum_row<T>(n, [&](Index i) { return load(x, i, n, T(0)); }) / T(n) : T(0);
        const T squares = sum_row<T>(n, [&](Index i) {
            const Vec<T> d = load(x, i, n, mean) - each(mean);
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
        const auto normal = [&](Index i) { return (load(x, i, n, T(0)) - mean) * scale; };
        if (weight && bias)
            map_row(n, out, [&](Index i) { return normal(i) * load(weight, i, n, T(0)) + load(bias, i, n, T(0)); });
        else if (weight)
            map_row(n, out, [&](Index i) { return normal(i) * load(weight, i, n, T(0)); });
        else
            map_row(n, out, normal);
    }
}

template <class T>
void normalize_vjp(Index rows, Index n, bool centered, const T* x, const T* moments, const T* weight, const T* g, T* out,
                   T* weight_sum, T* bias_sum) {
    for (; rows > 0; --rows, x += n, g += n, out += n, moments += 2) {
        const Vec<T> mean = each(moments[0]), scale = each(moments[1]);
        const auto normal = [&](Index i) { return (load(x, i, n, T(0)) - mean) * scale; };
        const auto u = [&](Index i) {
            const Vec<T> v = load(g, i, n, T(0));
            return weight ? v * load(weight, i, n, T(0)) : v;
        };
        Vec<T> sum(0.), products(0.);
        for (Index i = 0; i < n; i += width<T>) {
            const Vec<T> v = u(i);
            sum = sum + v;
            products = products + v * normal(i);
        }
        const Vec<T> a = each(centered ? total<T>(sum) / T(n) : T(0)), b = each(total<T>(products) / T(n));
        if (weight_sum)
            map_row(n, weight_sum, [&](Index i) { return load(weight_sum, i, n, T(0)) + load(g, i, n, T(0)) * normal(i); });
        if (bias_sum) map_row(n, bias_sum, [&](Index i) { return load(bias_sum, i, n, T(0)) + load(g, i, n, T(0)); });
        map_row(n, out, [&](Index i) { return (u(i) - a - normal(i) * b) * scale; });
    }
}

template <class T>
void cross_entropy(Index rows, Index n, const T* x, const std::int64_t* labels, const T* shares, const T* weight, T* out) {
    for (Index row = 0; row < rows; ++row, x += n, shares += 3) {
        const T m = largest(n, x), log_sum = std::log(exponentials<T>(n, x, m, nullptr));
        T loss = shares[0] * log_sum + shares[1] * (m - x[labels[row]]);  // total = own + each sum weight
        if (shares[2] != 0) {
            const T rest = sum_row<T>(n, [&](Index i) {
                const Vec<T> d = each(m) - load(x, i, n, m);
                return weight ? d * load(weight, i, n, T(0)) : d;
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
            map_row(n, out, [&](Index) { return Vec<T>(0.); });
            continue;
        }
        const Vec<T> scale = each(g * shares[0] / exponentials(n, x, largest(n, x), out)), rest = each(g * shares[2]);
        if (shares[2] == 0)
            map_row(n, out, [&](Index i) { return load(out, i, n, T(0)) * scale; });
        else if (weight)
            map_row(n, out, [&](Index i) { return load(out, i, n, T(0)) * scale - rest * load(weight, i, n, T(0)); });
        else
            map_row(n, out, [&](Index i) { return load(out, i, n, T(0)) * scale - rest; });
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
