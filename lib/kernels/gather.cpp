#include "gather.hpp"

#include <vector>

#include "moving.hpp"

namespace xtgrad::kernels {
namespace {

/// Elements that are worth a task.
constexpr Index grain = 1 << 13;

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
        const Writer writer(g.outer * g.count * bytes);
        for_rows(g, begin, end, [&](Index t, Index o, Index i) {
            writer.copy(to + t * bytes, from + (o * g.extent + g.row(i)) * bytes, bytes);
        });
    });
}

namespace {

/// add_at for slices of a few elements: each outer part is one thread's, which adds in the order of the indices.
template <class T>
void add_narrow(const Gather& g, Start<T> start, const T* values, T* out) {
    const Index slab = g.extent * g.inner;
    in_parts(g.outer, slab + g.count * g.inner, [&](Index begin, Index end) {
        for (Index o = begin; o < end; ++o) {
            T* to = out + o * slab;
            start.constant ? std::fill_n(to, slab, *start.data) : std::copy_n(start.data + o * slab, slab, to);
            const T* from = values + o * g.count * g.inner;
            for (Index i = 0; i < g.count; ++i)
                for (Index j = 0, at = g.row(i) * g.inner; j < g.inner; ++j)
                    to[at + j] = static_cast<T>(to[at + j] + from[i * g.inner + j]);
        }
    });
}

/// add_at for long slices: each is one thread's, which adds to it in the order of the indices, in blocks that stay in L1.
template <class T>
void add_wide(const Gather& g, Start<T> start, const T* values, T* out) {
    constexpr Index block = 1024;
    constexpr auto item = Index(sizeof(T));
    const Places places(g);
    const bool from_zero = start.constant && *start.data == T(0);
    in_parts(g.outer * g.extent, g.inner, [&](Index begin, Index end) {
        const Writer writer(g.outer * g.extent * g.inner * item);
        alignas(64) T sum[block];
        for (Index t = begin; t < end; ++t) {
            const Index o = t / g.extent, r = t % g.extent;
            const Index first = places.first[std::size_t(r)], last = places.first[std::size_t(r + 1)];
            const auto value = [&](Index k) { return values + (o * g.count + places.order[std::size_t(k)]) * g.inner; };
            if (from_zero && last - first == 1) {
                writer.copy(out + t * g.inner, value(first), g.inner * item);
                continue;
            }
            for (Index c = 0; c < g.inner; c += block) {
                const Index n = std::min(block, g.inner - c);
                Index k = first;
                if (from_zero && k < last)
                    std::copy_n(value(k++) + c, n, sum);
                else if (start.constant)
                    std::fill_n(sum, n, *start.data);
                else
                    std::copy_n(start.data + t * g.inner + c, n, sum);
                for (; k < last; ++k) {
                    const T* from = value(k) + c;
                    for (Index j = 0; j < n; ++j) sum[j] = static_cast<T>(sum[j] + from[j]);
                }
                writer.copy(out + t * g.inner + c, sum, n * item);
            }
        }
    });
}

}  // namespace

template <class T>
void add_at(const Gather& g, Start<T> start, const T* values, T* out) {
    constexpr Index narrow = 16;
    g.inner < narrow ? add_narrow(g, start, values, out) : add_wide(g, start, values, out);
}

void take_along(const Gather& g, int item, const void* x, void* out) {
    with_item(item, [&](auto z) {
        using T = decltype(z);
        const T* from = static_cast<const T*>(x);
        T* to = static_cast<T*>(out);
        in_parts(g.outer * g.count, g.inner, [&](Index begin, Index end) {
            for_rows(g, begin, end, [&](Index t, Index o, Index) {
                for (Index j = 0, k = t * g.inner; j < g.inner; ++j, ++k) to[k] = from[(o * g.extent + g.row(k)) * g.inner + j];
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
