#include "scan.hpp"

#include <type_traits>

namespace xtgrad::kernels {
namespace {

constexpr Index columns = 256;

/// y[p] = step(state, p) along each line, `state` its own and from its start.
template <class State, class T>
void scan(const Lines& l, bool reverse, T* y, State start, auto step) {
    const Index across = (l.inner + columns - 1) / columns;
    const auto strip = [&](Index t) {
        const Index first = t % across * columns, width = std::min(columns, l.inner - first);
        const Index begin = t / across * l.n * l.inner + first;
        const auto row = [&](Index i) { return begin + (reverse ? l.n - 1 - i : i) * l.inner; };
        if (width == 1) {
            State s = start;
            for (Index i = 0; i < l.n; ++i) y[row(i)] = step(s, row(i));
            return;
        }
        State states[columns];
        std::fill_n(states, width, start);
        for (Index i = 0; i < l.n; ++i)
            for (Index j = 0, p = row(i); j < width; ++j) y[p + j] = step(states[j], p + j);
    };
    const Index strips = l.outer * across, work = l.n * std::min(columns, l.inner);
    if (strips * work < parallel_threshold) {
        for (Index t = 0; t < strips; ++t) strip(t);
        return;
    }
    const Index part = std::max<Index>(1, (1 << 13) / std::max<Index>(1, work));
    parallel_tasks((strips + part - 1) / part, [&](Index k) {
        for (Index t = k * part, end = std::min(strips, t + part); t < end; ++t) strip(t);
    });
}

/// A double with its rounding errors beside it (Neumaier, ZAMM 54, 1974).
struct Compensated {
    double value = 0, lost = 0;

    double add(double x) {
        const double sum = value + x;
        lost += (value < 0 ? -value : value) >= (x < 0 ? -x : x) ? (value - sum) + x : (x - sum) + value;
        value = sum;
        return lost - lost == 0 ? value + lost : value;  // inf + NaN is inf
    }
};

}  // namespace

template <class T>
void cumsum(const Lines& l, bool reverse, const T* x, T* y) {
    if constexpr (std::is_same_v<T, float>)
        scan(l, reverse, y, 0., [x](double& s, Index p) { return T(s += double(x[p])); });
    else if constexpr (std::is_same_v<T, double>)
        scan(l, reverse, y, Compensated(), [x](Compensated& s, Index p) { return s.add(x[p]); });
    else
        scan(l, reverse, y, std::uint64_t(0), [x](std::uint64_t& s, Index p) { return T(s += std::uint64_t(x[p])); });
}

template <class T>
void cumprod(const Lines& l, bool reverse, const T* x, T* y) {
    using State = std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>;
    scan(l, reverse, y, State(1), [x](State& s, Index p) { return T(s *= State(x[p])); });
}

template <class T>
void recurrence(const Lines& l, bool reverse, const T* a, const T* b, T* y) {
    scan(l, reverse, y, T(0), [a, b](T& s, Index p) { return s = a[p] * s + b[p]; });
}

#define XG_SCAN(T)                                          \
    template void cumsum(const Lines&, bool, const T*, T*); \
    template void cumprod(const Lines&, bool, const T*, T*);
XG_SCAN(float)
XG_SCAN(double)
XG_SCAN(std::int64_t)
#undef XG_SCAN
template void recurrence(const Lines&, bool, const float*, const float*, float*);
template void recurrence(const Lines&, bool, const double*, const double*, double*);

}  // namespace xtgrad::kernels
