#include "optimizer.hpp"

#include <limits>

#include <xsimd/xsimd.hpp>

#include "batch.hpp"
#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
XG_INLINE Batch<T> broadcast(double c) {
    return Batch<T>(T(c));
}
template <class T>
XG_INLINE Batch<T> load(const T* p, Index i) {
    return Batch<T>::load_unaligned(p + i);
}

template <class T>
void sgd(Index begin, Index end, const Sgd& c, const Update<T>& u) {
    T* const state = u.state[0];
    const auto rate = broadcast<T>(c.rate), momentum = broadcast<T>(c.momentum), damped = broadcast<T>(c.damped),
               decay = broadcast<T>(c.decay);
    for (Index i = begin; i < end; i += width<T>) {
        const Batch<T> p = load(u.from, i);
        Batch<T> g = xsimd::fma(decay, p, load(u.gradient, i));
        if (state) {
            const Batch<T> b = c.first ? g : xsimd::fma(momentum, load<T>(state, i), damped * g);
            b.store_unaligned(state + i);
            g = c.nesterov ? xsimd::fma(momentum, b, g) : b;
        }
        xsimd::fnma(rate, g, p).store_unaligned(u.to + i);
    }
}

template <class T>
void adam(Index begin, Index end, const Adam& c, const Update<T>& u) {
    const auto rate = broadcast<T>(c.rate), beta1 = broadcast<T>(c.beta1), beta2 = broadcast<T>(c.beta2),
               rest1 = broadcast<T>(1 - c.beta1), rest2 = broadcast<T>(1 - c.beta2), root = broadcast<T>(c.root),
               eps = broadcast<T>(c.eps), decay = broadcast<T>(c.decay), shrink = broadcast<T>(c.shrink);
    for (Index i = begin; i < end; i += width<T>) {
        const Batch<T> p = load(u.from, i), g = xsimd::fma(decay, p, load(u.gradient, i));
        const Batch<T> m = xsimd::fma(beta1, load<T>(u.state[0], i), rest1 * g);
        const Batch<T> v = xsimd::fma(beta2, load<T>(u.state[1], i), rest2 * g * g);
        m.store_unaligned(u.state[0] + i);
        v.store_unaligned(u.state[1] + i);
        const Batch<T> step = rate * m / xsimd::fma(root, xsimd::sqrt(v), eps);
        xsimd::fms(shrink, p, step).store_unaligned(u.to + i);
    }
}

template <class T>
void rmsprop(Index begin, Index end, const Rmsprop& c, const Update<T>& u) {
    const auto rate = broadcast<T>(c.rate), alpha = broadcast<T>(c.alpha), rest = broadcast<T>(1 - c.alpha),
               eps = broadcast<T>(c.eps), decay = broadcast<T>(c.decay), momentum = broadcast<T>(c.momentum),
               zero = broadcast<T>(0);
    const auto [square, buffer, average] = u.state;
    for (Index i = begin; i < end; i += width<T>) {
        const Batch<T> p = load(u.from, i), g = xsimd::fma(decay, p, load(u.gradient, i));
        Batch<T> v = xsimd::fma(alpha, load<T>(square, i), rest * g * g);
        v.store_unaligned(square + i);
        if (average) {
            const Batch<T> before = load<T>(average, i), a = xsimd::fma(rest, g - before, before);
            a.store_unaligned(average + i);
            const Batch<T> variance = xsimd::fnma(a, a, v);
            v = xsimd::select(variance < zero, zero, variance);
        }
        Batch<T> step = g / (xsimd::sqrt(v) + eps);
        if (buffer) {
            step = xsimd::fma(momentum, load<T>(buffer, i), step);
            step.store_unaligned(buffer + i);
        }
        xsimd::fnma(rate, step, p).store_unaligned(u.to + i);
    }
}

template <class T>
void adagrad(Index begin, Index end, const Adagrad& c, const Update<T>& u) {
    const auto rate = broadcast<T>(c.rate), eps = broadcast<T>(c.eps), decay = broadcast<T>(c.decay);
    for (Index i = begin; i < end; i += width<T>) {
        const Batch<T> p = load(u.from, i), g = xsimd::fma(decay, p, load(u.gradient, i));
        const Batch<T> s = xsimd::fma(g, g, load<T>(u.state[0], i));
        s.store_unaligned(u.state[0] + i);
        xsimd::fnma(rate, g / (xsimd::sqrt(s) + eps), p).store_unaligned(u.to + i);
    }
}

template <class T>
void lion(Index begin, Index end, const Lion& c, const Update<T>& u) {
    const auto rate = broadcast<T>(c.rate), back = broadcast<T>(-c.rate), zero = broadcast<T>(0), beta1 = broadcast<T>(c.beta1),
               beta2 = broadcast<T>(c.beta2), rest1 = broadcast<T>(1 - c.beta1), rest2 = broadcast<T>(1 - c.beta2),
               shrink = broadcast<T>(c.shrink);
    for (Index i = begin; i < end; i += width<T>) {
        const Batch<T> p = load(u.from, i), g = load(u.gradient, i), m = load<T>(u.state[0], i);
        const Batch<T> direction = xsimd::fma(beta1, m, rest1 * g);
        const Batch<T> step = xsimd::select(direction > zero, rate, xsimd::select(direction < zero, back, direction));
        xsimd::fma(beta2, m, rest2 * g).store_unaligned(u.state[0] + i);
        xsimd::fms(shrink, p, step).store_unaligned(u.to + i);
    }
}

template <class T>
void blend(Index begin, Index end, T weight, const T* x, const T* y, T* out) {
    const Batch<T> w(weight);
    for (Index i = begin; i < end; i += width<T>) {
        const Batch<T> a = load(x, i);
        xsimd::fma(w, load(y, i) - a, a).store_unaligned(out + i);
    }
}

template <class T>
void scale(Index begin, Index end, T factor, const T* x, T* out) {
    const Batch<T> c(factor);
    for (Index i = begin; i < end; i += width<T>) (load(x, i) * c).store_unaligned(out + i);
}

template <class T>
void clamp(Index begin, Index end, T limit, const T* x, T* out) {
    const Batch<T> high(limit), low(-limit);
    for (Index i = begin; i < end; i += width<T>) {
        const Batch<T> v = load(x, i);
        xsimd::select(v > high, high, xsimd::select(v < low, low, v)).store_unaligned(out + i);
    }
}

/// The sum of squares in double of n elements, n a multiple of two vectors. Those that are all 0, as gradients of a table's
/// unused rows, are seen fast.
double squares_in_double(Index n, const float* x) {
    Batch<float> bits(0.0f);
    for (Index i = 0; i < n; i += 2 * width<float>) bits = bits | (load(x, i) | load(x, i + width<float>));
    if (xsimd::all(bits == Batch<float>(0.0f))) return 0;
    constexpr Index lanes = 8;
    static_assert(2 * width<float> % lanes == 0);
    std::array<double, lanes> sums{};
    for (Index i = 0; i < n; i += lanes)
        for (Index k = 0; k < lanes; ++k) sums[std::size_t(k)] += double(x[i + k]) * double(x[i + k]);
    double sum = 0;
    for (const double v : sums) sum += v;
    return sum;
}

template <class T>
double squares(Index n, const T* x) {
    constexpr Index block = 512;       // sums of so many are rounded to T
    constexpr double least = 0x1p-93;  // such a sum of f32 from here on lacks nothing that was too small to be squared in f32
    double sum = 0;
    for (; n >= 2 * width<T>;) {
        const Index m = (n < block ? n : block) / (2 * width<T>)*(2 * width<T>);
        Batch<T> even(T(0)), odd(T(0));
        for (Index i = 0; i < m; i += 2 * width<T>) {
            const Batch<T> a = load(x, i), b = load(x, i + width<T>);
            even = xsimd::fma(a, a, even);
            odd = xsimd::fma(b, b, odd);
        }
        alignas(64) T part[width<T>];
        (even + odd).store_aligned(part);
        double here = 0;
        for (const T v : part) here += double(v);
        if constexpr (sizeof(T) == sizeof(float))
            if (!(here >= least && here <= std::numeric_limits<double>::max())) [[unlikely]]
                here = squares_in_double(m, x);
        sum += here;
        x += m;
        n -= m;
    }
    for (Index i = 0; i < n; ++i) sum += double(x[i]) * double(x[i]);
    return sum;
}

template <class T>
constexpr OptimizerKernels<T> table{sgd<T>, adam<T>, rmsprop<T>, adagrad<T>, lion<T>, blend<T>, scale<T>, clamp<T>, squares<T>};

}  // namespace

template <>
const OptimizerKernels<float>& optimizer_kernels_of<float, this_isa>() {
    return table<float>;
}
template <>
const OptimizerKernels<double>& optimizer_kernels_of<double, this_isa>() {
    return table<double>;
}

}  // namespace xtgrad::kernels
