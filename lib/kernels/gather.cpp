#include "gather.hpp"

#include <cstring>
#include <vector>

namespace xtgrad::kernels {
namespace {

/// Elements that are worth a task.
constexpr Index grain = 1 << 13;

auto with_item(int bytes, auto f) {
    switch (bytes) {
        case 1: return f(std::uint8_t{});
        case 4: return f(std::uint32_t{});
        default: return f(std::uint64_t{});
    }
}

/// f(begin, end) over [0, n) in parts of about `grain` elements, of which each step has `width`.
void in_parts(Index n, Index width, FunctionRef<void(Index, Index)> f) {
    if (n == 0) return;
    if (n * width < parallel_threshold) return f(0, n);
    const Index part = std::max<Index>(1, grain / std::max<Index>(1, width));
    parallel_tasks((n + part - 1) / part, [&](Index i) { f(i * part, std::min(n, (i + 1) * part)); });
}

/// f(t, o, i) for t = o * g.count + i in [begin, end).
void for_rows(const Gather& g, Index begin, Index end, auto f) {
    for (Index t = begin, o = begin / g.count, i = begin % g.count; t < end; ++t) {
        f(t, o, i);
        if (++i == g.count) i = 0, ++o;
    }
}

/// Where each slice is named: at order[first[r]] to order[first[r + 1] - 1], ascending.
struct Places {
    std::vector<Index> first, order;

    explicit Places(const Gather& g) : first(std::size_t(g.extent + 1)), order(std::size_t(g.count)) {
        for (Index i = 0; i < g.count; ++i) ++first[std::size_t(g.row(i))];
        for (Index r = 0, sum = 0; r <= g.extent; ++r) first[std::size_t(r)] = sum += first[std::size_t(r)];
        for (Index i = g.count; i-- > 0;) order[std::size_t(--first[std::size_t(g.row(i))])] = i;
    }
};

}  // namespace

void take(const Gather& g, int item, const void* x, void* out) {
    if (g.inner == 1)
        return with_item(item, [&](auto z) {
            using T = decltype(z);
            in_parts(g.outer * g.count, 1, [&](Index begin, Index end) {
                for_rows(g, begin, end, [&](Index t, Index o, Index i) {
                    static_cast<T*>(out)[t] = static_cast<const T*>(x)[o * g.extent + g.row(i)];
                });
            });
        });
    const Index bytes = g.inner * item;
    const auto* from = static_cast<const std::byte*>(x);
    auto* to = static_cast<std::byte*>(out);
    in_parts(g.outer * g.count, g.inner, [&](Index begin, Index end) {
        for_rows(g, begin, end, [&](Index t, Index o, Index i) {
            std::memcpy(to + t * bytes, from + (o * g.extent + g.row(i)) * bytes, std::size_t(bytes));
        });
    });
}

template <class T>
void add_at(const Gather& g, Start<T> start, const T* values, T* out) {
    // Each slice of the result is written by one thread, which adds to it in the order of the indices.
    const Places places(g);
    const auto slice = [&](Index o, Index r) {
        T* to = out + (o * g.extent + r) * g.inner;
        const T* base = start.constant ? start.data : start.data + (o * g.extent + r) * g.inner;
        const auto value = [&](Index k) { return values + (o * g.count + places.order[std::size_t(k)]) * g.inner; };
        Index k = places.first[std::size_t(r)];
        const Index end = places.first[std::size_t(r + 1)];
        if (k == end) {
            start.constant ? std::fill_n(to, g.inner, *base) : std::copy_n(base, g.inner, to);
            return;
        }
        const T* from = value(k);
        if (start.constant)
            for (Index j = 0; j < g.inner; ++j) to[j] = static_cast<T>(*base + from[j]);
        else
            for (Index j = 0; j < g.inner; ++j) to[j] = static_cast<T>(base[j] + from[j]);
        while (++k < end) {
            from = value(k);
            for (Index j = 0; j < g.inner; ++j) to[j] = static_cast<T>(to[j] + from[j]);
        }
    };
    in_parts(g.outer * g.extent, g.inner, [&](Index begin, Index end) {
        for (Index t = begin; t < end; ++t) slice(t / g.extent, t % g.extent);
    });
}

void take_along(const Gather& g, int item, const void* x, void* out) {
    with_item(item, [&](auto z) {
        using T = decltype(z);
        in_parts(g.outer * g.count, g.inner, [&](Index begin, Index end) {
            for_rows(g, begin, end, [&](Index t, Index o, Index) {
                const T* from = static_cast<const T*>(x) + o * g.extent * g.inner;
                for (Index j = 0; j < g.inner; ++j)
                    static_cast<T*>(out)[t * g.inner + j] = from[g.row(t * g.inner + j) * g.inner + j];
            });
        });
    });
}

template <class T>
void add_along(const Gather& g, const T* values, T* out) {
    // Columns never meet: parts of them, and the outer axis, are independent.
    constexpr Index columns = 1024;
    const Index parts = (g.inner + columns - 1) / columns;
    in_parts(g.outer * parts, g.count * std::min(columns, g.inner), [&](Index begin, Index end) {
        for (Index t = begin; t < end; ++t) {
            const Index o = t / parts, first = t % parts * columns, last = std::min(g.inner, first + columns);
            T* to = out + o * g.extent * g.inner;
            for (Index i = o * g.count; i < (o + 1) * g.count; ++i)
                for (Index j = first; j < last; ++j) {
                    T& sum = to[g.row(i * g.inner + j) * g.inner + j];
                    sum = static_cast<T>(sum + values[i * g.inner + j]);
                }
        }
    });
}

Index first_out_of_range(Index count, const std::int64_t* indices, Index extent) {
    for (Index i = 0; i < count; ++i)
        if (indices[i] < -extent || indices[i] >= extent) return i;
    return -1;
}

template void add_at(const Gather&, Start<float>, const float*, float*);
template void add_at(const Gather&, Start<double>, const double*, double*);
template void add_at(const Gather&, Start<std::int64_t>, const std::int64_t*, std::int64_t*);
template void add_along(const Gather&, const float*, float*);
template void add_along(const Gather&, const double*, double*);
template void add_along(const Gather&, const std::int64_t*, std::int64_t*);

}  // namespace xtgrad::kernels
