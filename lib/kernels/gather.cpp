#include "gather.hpp"

#include <cstring>

namespace xtgrad::kernels {

void take(const Gather& g, int item, const void* x, void* out) {
    const Index row_bytes = g.inner * item;
    const auto* from = static_cast<const std::byte*>(x);
    auto* to = static_cast<std::byte*>(out);
    const auto rows = [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i)
            std::memcpy(to + i * row_bytes, from + (i / g.count * g.extent + g.row(i % g.count)) * row_bytes,
                        std::size_t(row_bytes));
    };
    const Index n = g.outer * g.count;
    if (n * g.inner < parallel_threshold) return rows(0, n);
    const Index part = std::max<Index>(1, (1 << 13) / std::max<Index>(1, g.inner));
    parallel_tasks((n + part - 1) / part, [&](Index i) { rows(i * part, std::min(n, (i + 1) * part)); });
}

template <class T>
void add_at(const Gather& g, T* out, const T* values) {
    // Parts of the inner axis and the outer one are independent; within each, indices are taken in their order.
    constexpr Index columns = 1024;
    const Index parts = (g.inner + columns - 1) / columns;
    const auto task = [&](Index t) {
        const Index outer = t / parts, first = t % parts * columns, n = std::min(columns, g.inner - first);
        for (Index i = 0; i < g.count; ++i) {
            T* to = out + (outer * g.extent + g.row(i)) * g.inner + first;
            const T* from = values + (outer * g.count + i) * g.inner + first;
            for (Index j = 0; j < n; ++j) to[j] = static_cast<T>(to[j] + from[j]);
        }
    };
    if (g.outer * g.count * g.inner < parallel_threshold)
        for (Index t = 0; t < g.outer * parts; ++t) task(t);
    else
        parallel_tasks(g.outer * parts, task);
}

Index first_out_of_range(Index count, const std::int64_t* indices, Index extent) {
    for (Index i = 0; i < count; ++i)
        if (indices[i] < -extent || indices[i] >= extent) return i;
    return -1;
}

template void add_at(const Gather&, float*, const float*);
template void add_at(const Gather&, double*, const double*);
template void add_at(const Gather&, std::int64_t*, const std::int64_t*);

}  // namespace xtgrad::kernels
