#include "reduce.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

namespace xtgrad::kernels {
namespace {

constexpr int lane_count = 16;
constexpr Index block = 2048, row_block = 128, chunk = 1 << 15, columns = 512;

template <class T>
bool is_nan(T x) {
    return x != x;
}

struct Max {
    template <class T>
    static constexpr T identity =
        std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    template <class T>
    static T join(T a, T b) {
        return a > b || is_nan(a) ? a : b;
    }
};
struct Min {
    template <class T>
    static constexpr T identity =
        std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
    template <class T>
    static T join(T a, T b) {
        return a < b || is_nan(a) ? a : b;
    }
};
struct Sum {
    template <class T>
    static constexpr T identity = T(0);
    template <class T>
    static T join(T a, T b) {
        return static_cast<T>(a + b);
    }
};

/// A running total; of floating sums with the rounding errors beside it (Neumaier, ZAMM 54, 1974).
template <class R, class T>
struct Total {
    T value = R::template identity<T>;

    void add(T x) { value = R::join(value, x); }
    T get() const { return value; }
};
template <class T>
    requires std::is_floating_point_v<T>
struct Total<Sum, T> {
    T value = 0, lost = 0;

    void add(T x) {
        const T sum = value + x;
        lost += (value < 0 ? -value : value) >= (x < 0 ? -x : x) ? (value - sum) + x : (x - sum) + value;
        value = sum;
    }
    T get() const { return lost == lost && lost - lost == 0 ? value + lost : value; }  // inf + NaN is inf
};

/// n elements, `step` apart, by independent lanes that are joined pairwise.
template <class R, class T>
T reduce_block(const T* x, Index n, Index step) {
    T lane[lane_count];
    std::fill_n(lane, lane_count, R::template identity<T>);
    Index i = 0;
    if (step == 1)
        for (; i + lane_count <= n; i += lane_count)
            for (int k = 0; k < lane_count; ++k) lane[k] = R::join(lane[k], x[i + k]);
    else
        for (; i + lane_count <= n; i += lane_count)
            for (int k = 0; k < lane_count; ++k) lane[k] = R::join(lane[k], x[(i + k) * step]);
    for (int k = 0; i < n; ++i, ++k) lane[k] = R::join(lane[k], x[i * step]);
    for (int width = lane_count / 2; width > 0; width /= 2)
        for (int k = 0; k < width; ++k) lane[k] = R::join(lane[k], lane[k + width]);
    return lane[0];
}

template <class R, class T>
void reduce_run(Total<R, T>& total, const T* x, Index n, Index step) {
    for (Index i = 0; i < n; i += block) total.add(reduce_block<R>(x + i * step, std::min(block, n - i), step));
}

/// The offset of element i of a space.
Index offset_of(const Space& space, const Index* stride, Index i) {
    Index offset = 0;
    for (int d = space.rank - 1; d >= 0; --d) {
        offset += i % space.shape[d] * stride[d];
        i /= space.shape[d];
    }
    return offset;
}

struct View {
    Space space;
    Strided x;  // only its strides

    View(const Space& s, const Index* stride) : space(s) {
        std::copy_n(stride, s.rank, x.stride);
        simplify(space, {&x, 1});
    }
    Index rows() const {
        return space.rank == 0 ? 1 : space.shape[space.rank - 1] == 0 ? 0 : space.count / space.shape[space.rank - 1];
    }
    Index row_length() const { return space.rank == 0 ? space.count : space.shape[space.rank - 1]; }
    Index step() const { return space.rank == 0 ? 1 : x.stride[space.rank - 1]; }
    Index row(Index i) const { return space.rank == 0 ? 0 : offset_of(outer(), x.stride, i); }
    Space outer() const {
        Space s = space;
        s.rank -= 1;
        return s;
    }
};

/// Each output by itself: runs along the last reduced axis.
template <class R, class T>
void by_output(const View& kept, const View& reduced, const T* x, T* out) {
    const Index rows = reduced.rows(), length = reduced.row_length(), step = reduced.step();
    if (kept.space.count == 1 && rows == 1 && length > 2 * chunk) {
        std::vector<Total<R, T>> parts(std::size_t((length + chunk - 1) / chunk));
        parallel_tasks(Index(parts.size()), [&](Index i) {
            reduce_run(parts[std::size_t(i)], x + i * chunk * step, std::min(chunk, length - i * chunk), step);
        });
        Total<R, T> total;
        for (const auto& part : parts) total.add(part.get());
        *out = total.get();
        return;
    }
    const auto range = [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) {
            const T* from = x + offset_of(kept.space, kept.x.stride, i);
            Total<R, T> total;
            for (Index r = 0; r < rows; ++r) reduce_run(total, from + reduced.row(r), length, step);
            out[i] = total.get();
        }
    };
    if (kept.space.count * reduced.space.count < parallel_threshold)
        range(0, kept.space.count);
    else {
        const Index part = std::max<Index>(1, (1 << 13) / std::max<Index>(1, reduced.space.count));
        parallel_tasks((kept.space.count + part - 1) / part,
                       [&](Index i) { range(i * part, std::min(kept.space.count, (i + 1) * part)); });
    }
}

/// Many neighbouring outputs at once: whole rows are joined, in blocks of rows.
template <class R, class T>
void by_rows(const View& kept, const View& reduced, const T* x, T* out) {
    const Index width = kept.row_length(), parts = (width + columns - 1) / columns;
    const auto task = [&](Index i) {
        const Index first = i % parts * columns, n = std::min(columns, width - first);
        const T* from = x + kept.row(i / parts) + first;
        T* to = out + i / parts * width + first;
        T total[columns], partial[columns];
        std::fill_n(total, n, R::template identity<T>);
        for (Index r = 0; r < reduced.space.count; r += row_block) {
            std::fill_n(partial, n, R::template identity<T>);
            for (Index k = r, end = std::min(reduced.space.count, r + row_block); k < end; ++k) {
                const T* p = from + offset_of(reduced.space, reduced.x.stride, k);
                for (Index j = 0; j < n; ++j) partial[j] = R::join(partial[j], p[j]);
            }
            for (Index j = 0; j < n; ++j) total[j] = R::join(total[j], partial[j]);
        }
        std::copy_n(total, n, to);
    };
    const Index tasks = kept.rows() * parts;
    if (kept.space.count * reduced.space.count < parallel_threshold)
        for (Index i = 0; i < tasks; ++i) task(i);
    else
        parallel_tasks(tasks, task);
}

template <class R, class T>
void reduce_with(const View& kept, const View& reduced, const T* x, T* out) {
    const bool neighbours = kept.space.rank > 0 && kept.step() == 1 && kept.row_length() >= 8 && reduced.step() != 1;
    neighbours ? by_rows<R>(kept, reduced, x, out) : by_output<R>(kept, reduced, x, out);
}

}  // namespace

template <class T>
void reduce(Reduction r, const Space& kept, const Index* kept_stride, const Space& reduced, const Index* reduced_stride,
            const T* x, T* out) {
    if (kept.count == 0) return;
    const View k(kept, kept_stride), d(reduced, reduced_stride);
    switch (r) {
        case Reduction::sum:
            if constexpr (!std::same_as<T, bool>) reduce_with<Sum>(k, d, x, out);
            return;
        case Reduction::max: return reduce_with<Max>(k, d, x, out);
        case Reduction::min: return reduce_with<Min>(k, d, x, out);
    }
}

template <class T>
void argmax(const Space& kept, const Index* kept_stride, Index n, Index stride, const T* x, std::int64_t* out) {
    for (Index i = 0; i < kept.count; ++i) {
        const T* p = x + offset_of(kept, kept_stride, i);
        Index best = 0;
        for (Index k = 1; k < n; ++k)
            if (p[k * stride] > p[best * stride] || (is_nan(p[k * stride]) && !is_nan(p[best * stride]))) best = k;
        out[i] = best;
    }
}

#define XG_REDUCE(T)                                                                                       \
    template void reduce(Reduction, const Space&, const Index*, const Space&, const Index*, const T*, T*); \
    template void argmax(const Space&, const Index*, Index, Index, const T*, std::int64_t*);
XG_REDUCE(float)
XG_REDUCE(double)
XG_REDUCE(std::int64_t)
XG_REDUCE(bool)
#undef XG_REDUCE

}  // namespace xtgrad::kernels
