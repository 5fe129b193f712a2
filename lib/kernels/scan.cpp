#include "scan.hpp"

#include <type_traits>

#include "compensated.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Index columns = 256, together = 8;

/// y[p] = step(state, p) along each line, `state` its own and from its start. Lines go side by side, neighbours or not, because
/// each step waits for the one before it.
template <class State, class T>
void scan(const Lines& l, bool reverse, T* y, State start, auto step) {
    const bool rows = l.inner == 1;  // lines that are n apart, else neighbours
    const Index side = rows ? l.outer : l.inner, most = rows ? together : columns, strips = (side + most - 1) / most;
    const Index planes = rows ? 1 : l.outer, between = rows ? l.n : 1;
    const auto strip = [&](Index t) {
        const Index first = t % strips * most, width = std::min(most, side - first);
        const Index begin = t / strips * l.n * l.inner + first * between;
        State states[columns];
        std::fill_n(states, width, start);
        for (Index k = 0; k < l.n; ++k) {
            const Index row = begin + (reverse ? l.n - 1 - k : k) * l.inner;
            if (!rows)
                for (Index j = 0; j < width; ++j) y[row + j] = step(states[j], row + j);
            else if (width == together)
                for (Index j = 0; j < together; ++j) y[row + j * l.n] = step(states[j], row + j * l.n);
            else
                for (Index j = 0; j < width; ++j) y[row + j * l.n] = step(states[j], row + j * l.n);
        }
    };
    const Index tasks = planes * strips, work = l.n * std::min(most, side);
    if (tasks * work < parallel_threshold) {
        for (Index t = 0; t < tasks; ++t) strip(t);
        return;
    }
    const Index part = std::max<Index>(1, (1 << 13) / std::max<Index>(1, work));
    parallel_tasks((tasks + part - 1) / part, [&](Index k) {
        for (Index t = k * part, end = std::min(tasks, t + part); t < end; ++t) strip(t);
    });
}

}  // namespace

template <class T>
void cumsum(const Lines& l, bool reverse, const T* x, T* y) {
    if constexpr (std::is_same_v<T, float>)
        scan(l, reverse, y, 0., [x](double& s, Index p) { return T(s += double(x[p])); });
    else if constexpr (std::is_same_v<T, double>)
        scan(l, reverse, y, Compensated(), [x](Compensated& s, Index p) { return s.add(x[p]), s.get(); });
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
    scan(l, reverse, y, 0., [a, b](double& s, Index p) { return T(s = double(a[p]) * s + double(b[p])); });
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
