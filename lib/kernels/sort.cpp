#include "sort.hpp"

#include <bit>
#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>

namespace xtgrad::kernels {
namespace {

/// An unsigned integer that sorts as x does; all NaN are one, and so are both zeros.
template <class T>
auto key_of(T x) {
    if constexpr (std::is_floating_point_v<T>) {
        using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        constexpr U sign = U(1) << (sizeof(T) * 8 - 1);
        if (x != x) return std::numeric_limits<U>::max();
        const U bits = std::bit_cast<U>(x == 0 ? T(0) : x);
        return bits & sign ? U(~bits) : U(bits | sign);
    } else if constexpr (std::same_as<T, bool>) {
        return std::uint32_t(x);
    } else {
        return std::uint64_t(x) ^ std::uint64_t(1) << 63;
    }
}

/// A key and where it stands. No two are equal, so that any sort is stable.
struct Entry {
    std::uint64_t key, place;

    Entry(std::uint64_t k, Index p) : key(k), place(std::uint64_t(p)) {}
    Index at() const { return Index(place); }
    friend bool operator<(const Entry& a, const Entry& b) { return a.key < b.key || (a.key == b.key && a.place < b.place); }
};
/// In one number, for keys and places of four bytes.
struct Packed {
    std::uint64_t bits;

    Packed(std::uint32_t k, Index p) : bits(std::uint64_t(k) << 32 | std::uint64_t(p)) {}
    Index at() const { return Index(bits & 0xffffffff); }
    friend bool operator<(Packed a, Packed b) { return a.bits < b.bits; }
};

/// By the keys' bytes, the lowest first: each pass keeps what the ones before did. `other` has n entries as well.
void radix_sort(Packed* entry, Packed* other, Index n) {
    Index begin[4][256] = {};
    for (Index i = 0; i < n; ++i)
        for (int b = 0; b < 4; ++b) ++begin[b][entry[i].bits >> (32 + 8 * b) & 255];
    Packed *from = entry, *to = other;
    for (int b = 0; b < 4; ++b) {
        Index sum = 0, most = 0;
        for (Index& count : begin[b]) {
            most = std::max(most, count);
            sum += std::exchange(count, sum);
        }
        if (most == n) continue;
        for (Index i = 0; i < n; ++i) to[begin[b][from[i].bits >> (32 + 8 * b) & 255]++] = from[i];
        std::swap(from, to);
    }
    if (from != entry) std::copy_n(from, n, entry);
}

/// Sorts the first k of n; `other` is memory for n more.
void first_in_order(Packed* entry, Packed* other, Index n, Index k) {
    if (k == n && n >= 256) return radix_sort(entry, other, n);
    if (k < n) std::nth_element(entry, entry + k, entry + n);
    std::sort(entry, entry + k);
}
void first_in_order(Entry* entry, Entry*, Index n, Index k) {
    if (k < n) std::nth_element(entry, entry + k, entry + n);
    std::sort(entry, entry + k);
}

template <class T>
bool fits(const Lines& l) {
    return sizeof(T) < 8 && l.n <= Index(1) << 32;
}

/// f(line) for all lines; each costs `work` steps.
void for_lines(const Lines& l, Index work, FunctionRef<void(Index)> f) {
    const Index part = std::max<Index>(1, (1 << 13) / std::max<Index>(1, work));
    if (l.count() * work < parallel_threshold) {
        for (Index i = 0; i < l.count(); ++i) f(i);
        return;
    }
    parallel_tasks((l.count() + part - 1) / part, [&](Index t) {
        for (Index i = t * part, end = std::min(l.count(), i + part); i < end; ++i) f(i);
    });
}

template <class E, class T>
void order_by(const Lines& l, Index k, bool descending, const T* x, std::int64_t* order, E* scratch) {
    for_lines(l, l.n * 8, [&](Index line) {
        const Index outer = line / l.inner, j = line % l.inner;
        const T* from = x + outer * l.n * l.inner + j;
        E* entry = scratch + line * 2 * l.n;
        for (Index i = 0; i < l.n; ++i) {
            const auto key = key_of(from[i * l.inner]);
            entry[i] = E(descending ? decltype(key)(~key) : key, i);
        }
        first_in_order(entry, entry + l.n, l.n, k);
        std::int64_t* to = order + outer * k * l.inner + j;
        for (Index i = 0; i < k; ++i) to[i * l.inner] = entry[i].at();
    });
}

/// f(place in x, place in the order) for all elements of an order, in any order: by lines, or across neighbouring ones.
void for_places(const Lines& l, Index k, const std::int64_t* order, auto f) {
    const bool across = l.inner != 1;
    for_lines({across ? l.outer * k : l.outer, 1, 1}, across ? l.inner : k, [&](Index t) {
        const Index outer = across ? t / k : t, begin = across ? t * l.inner : t * k;
        for (Index i = 0, n = across ? l.inner : k; i < n; ++i)
            f((outer * l.n + order[begin + i]) * l.inner + (across ? i : 0), begin + i);
    });
}

}  // namespace

template <class T>
std::size_t order_scratch(const Lines& l) {
    return std::size_t(l.count() * l.n) * 2 * (fits<T>(l) ? sizeof(Packed) : sizeof(Entry));
}

template <class T>
void order(const Lines& l, Index k, bool descending, const T* x, std::int64_t* to, void* scratch) {
    if constexpr (sizeof(T) < 8)
        if (fits<T>(l)) return order_by(l, k, descending, x, to, static_cast<Packed*>(scratch));
    order_by(l, k, descending, x, to, static_cast<Entry*>(scratch));
}

template <class T>
void gather_lines(const Lines& l, Index k, const std::int64_t* order, const T* x, T* out) {
    for_places(l, k, order, [=](Index in_x, Index in_order) { out[in_order] = x[in_x]; });
}

template <class T>
void scatter_lines(const Lines& l, Index k, const std::int64_t* order, const T* x, T* out) {
    for_places(l, k, order, [=](Index in_x, Index in_order) { out[in_x] = x[in_order]; });
}

#define XG_SORT(T)                                                                      \
    template std::size_t order_scratch<T>(const Lines&);                                \
    template void order(const Lines&, Index, bool, const T*, std::int64_t*, void*);     \
    template void gather_lines(const Lines&, Index, const std::int64_t*, const T*, T*); \
    template void scatter_lines(const Lines&, Index, const std::int64_t*, const T*, T*);
XG_SORT(float)
XG_SORT(double)
XG_SORT(std::int64_t)
XG_SORT(bool)
#undef XG_SORT

}  // namespace xtgrad::kernels
