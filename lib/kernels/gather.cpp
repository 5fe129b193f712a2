#include "gather.hpp"

#include <bit>
#include <memory>
#include <type_traits>
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

/// What sums of many are computed in: of f32 in double, or 10^6 times 0.1f would be 100958; integers wrap around.
template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

/// So many may be added up in f32.
constexpr Index few = 32;

template <class T>
T added(T sum, T x) {
    if constexpr (std::is_floating_point_v<T>)
        return sum + x;
    else
        return T(Sum<T>(sum) + Sum<T>(x));
}

/// What is added to: `extent` rows of `width` neighbours, `step` apart, and what they are before.
template <class T>
struct Target {
    Start<T> start;
    T* out;
    Index extent, width, step;

    void begin(auto* to, Index to_step) const {
        for (Index r = 0; r < extent; ++r, to += to_step)
            if (start.constant)
                std::fill_n(to, width, *start.data);
            else
                std::copy_n(start.data + r * step, width, to);
    }
    void end(const double* from) const {
        for (Index r = 0; r < extent; ++r, from += width)
            std::transform(from, from + width, out + r * step, [](double x) { return static_cast<T>(x); });
    }
};

/// Which of many places are named more than `few` times, and perhaps some more: a place is counted in its class, and there are
/// only so many classes that few are crowded without need, so that the counts stay in the caches. And their sums in double.
class Crowd {
public:
    /// each_place(f) calls f for every place that is named, as often: `count` times in all.
    Crowd(Index places, Index count, Index slice, auto each_place)
        : classes_(std::max<Index>(1 << 17, Index(std::bit_ceil(std::uint64_t(count / 4))))),
          layers_((places + classes_ - 1) / classes_),
          slice_(slice) {
        std::vector<std::uint8_t> named(static_cast<std::size_t>(classes_));
        each_place([&](Index place) {
            if (std::uint8_t& n = named[class_of(place)]; n <= few) ++n;
        });
        const Index crowded = std::count_if(named.begin(), named.end(), [](std::uint8_t n) { return n > few; });
        if (crowded == 0) return;
        number_.assign(named.size(), -1);
        for (std::size_t c = 0, k = 0; c < named.size(); ++c)
            if (named[c] > few) number_[c] = std::int32_t(k++);
        offsets_.assign(std::size_t(crowded * layers_), -1);
        sums_.assign(std::size_t(crowded * layers_ * slice_), 0);
    }
    bool empty() const { return offsets_.empty(); }
    /// The sums of a place, which lies at `offset`; null when it is none of these.
    double* operator()(Index place, Index offset) {
        const std::int32_t number = number_[class_of(place)];
        if (number < 0) return nullptr;
        const Index k = number * layers_ + place / classes_;
        offsets_[std::size_t(k)] = offset;
        return &sums_[std::size_t(k * slice_)];
    }
    void add_to(float* out) const {
        const double* sum = sums_.data();
        for (const Index offset : offsets_)
            for (Index j = 0; j < slice_; ++j, ++sum)
                if (offset >= 0) out[offset + j] = float(double(out[offset + j]) + *sum);
    }

private:
    std::size_t class_of(Index place) const { return std::size_t(place & (classes_ - 1)); }

    Index classes_, layers_, slice_;    // the first a power of two
    std::vector<std::int32_t> number_;  // of each class, among the crowded ones
    std::vector<Index> offsets_;        // of each place in those
    std::vector<double> sums_;
};

/// each(f) calls f(place, offset, x) for all that is added, in order: `slice` neighbours at x to those at out[offset], the place
/// with that number; `count` is how often a place may be named.
template <class T>
void add_slices(const Target<T>& t, Index count, auto slice, auto each) {
    const auto add_to_out = [&](Index offset, const T* x) {
        for (Index j = 0; j < slice; ++j) t.out[offset + j] = added(t.out[offset + j], x[j]);
    };
    if constexpr (std::is_same_v<T, float>) {
        const auto add_to = [&](double* sum, const T* x) {
            for (Index j = 0; j < slice; ++j) sum[j] += double(x[j]);
        };
        const Index size = t.extent * t.width;
        if (count > few && (size <= 1 << 14 || (size <= 1 << 17 && size <= count))) {  // a second array is cheap
            const auto sums = std::make_unique_for_overwrite<double[]>(std::size_t(size));
            t.begin(sums.get(), t.width);
            each([&](Index place, Index, const T* x) { add_to(sums.get() + place * slice, x); });
            return t.end(sums.get());
        }
        if (count > few) {
            Crowd crowd(size / slice, count * (t.width / slice), slice,
                        [&](auto f) { each([&](Index place, Index, const T*) { f(place); }); });
            if (!crowd.empty()) {
                t.begin(t.out, t.step);
                each([&](Index place, Index offset, const T* x) {
                    double* sum = crowd(place, offset);
                    sum ? add_to(sum, x) : add_to_out(offset, x);
                });
                return crowd.add_to(t.out);
            }
        }
    }
    t.begin(t.out, t.step);
    each([&](Index, Index offset, const T* x) { add_to_out(offset, x); });
}

constexpr std::integral_constant<Index, 1> one;

/// add_at for slices of a few elements: each outer part is one thread's, which adds in the order of the indices.
template <class T>
void add_narrow(const Gather& g, Start<T> start, const T* values, T* out) {
    const Index slab = g.extent * g.inner;
    in_parts(g.outer, slab + g.count * g.inner, [&](Index begin, Index end) {
        for (Index o = begin; o < end; ++o) {
            const Start<T> from{start.constant ? start.data : start.data + o * slab, start.constant};
            const auto add = [&](auto slice) {
                const T* x = values + o * g.count * slice;
                add_slices<T>({from, out + o * slab, g.extent, slice, slice}, g.count, slice, [&](auto f) {
                    for (Index i = 0; i < g.count; ++i) f(g.row(i), g.row(i) * slice, x + i * slice);
                });
            };
            g.inner == 1 ? add(one) : add(g.inner);
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
        alignas(64) Sum<T> many[block];
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
                const auto add = [&](auto* to) {
                    using S = std::remove_pointer_t<decltype(to)>;
                    Index k = first;
                    if (from_zero && k < last)
                        std::copy_n(value(k++) + c, n, to);
                    else if (start.constant)
                        std::fill_n(to, n, static_cast<S>(*start.data));
                    else
                        std::copy_n(start.data + t * g.inner + c, n, to);
                    for (; k < last; ++k) {
                        const T* from = value(k) + c;
                        for (Index j = 0; j < n; ++j) to[j] = added(to[j], static_cast<S>(from[j]));
                    }
                };
                if (last - first <= few) {
                    add(sum);
                } else {
                    add(many);
                    std::transform(many, many + n, sum, [](Sum<T> x) { return static_cast<T>(x); });
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
void add_along(const Gather& g, Start<T> start, const T* values, T* out) {
    // Columns never meet: parts of them, and the outer axis, are independent.
    constexpr Index columns = 1024;
    const Index parts = (g.inner + columns - 1) / columns;
    in_parts(g.outer * parts, (g.extent + g.count) * std::min(columns, g.inner), [&](Index begin, Index end) {
        for (Index t = begin; t < end; ++t) {
            const Index o = t / parts, first = t % parts * columns, width = std::min(columns, g.inner - first);
            const Index at = o * g.extent * g.inner + first;
            const Start<T> from{start.constant ? start.data : start.data + at, start.constant};
            add_slices<T>({from, out + at, g.extent, width, g.inner}, g.count, one, [&](auto f) {
                for (Index i = o * g.count; i < (o + 1) * g.count; ++i)
                    for (Index j = 0, k = i * g.inner + first; j < width; ++j, ++k)
                        f(g.row(k) * width + j, g.row(k) * g.inner + j, values + k);
            });
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
template void add_along(const Gather&, Start<float>, const float*, float*);
template void add_along(const Gather&, Start<double>, const double*, double*);
template void add_along(const Gather&, Start<std::int64_t>, const std::int64_t*, std::int64_t*);

}  // namespace xtgrad::kernels
