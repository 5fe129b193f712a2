#include "predicate.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <type_traits>

#include "finite.hpp"

namespace xtgrad::kernels {

template <class T>
void compare(Comparison c, Index n, bool* out, const T* a, const T* b) {
    const auto loop = [&](auto holds) {
        for (Index i = 0; i < n; ++i) out[i] = holds(a[i], b[i]);
    };
    switch (c) {
        case Comparison::less: return loop(std::less<T>());
        case Comparison::less_equal: return loop(std::less_equal<T>());
        case Comparison::greater: return loop(std::greater<T>());
        case Comparison::greater_equal: return loop(std::greater_equal<T>());
        case Comparison::equal: return loop(std::equal_to<T>());
        case Comparison::not_equal: return loop(std::not_equal_to<T>());
    }
}

void logic(Logic l, Index n, bool* out, const bool* a, const bool* b) {
    const auto loop = [&](auto f) {
        for (Index i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
    };
    switch (l) {
        case Logic::conjunction: return loop(std::bit_and<bool>());
        case Logic::disjunction: return loop(std::bit_or<bool>());
        case Logic::exclusive: return loop(std::not_equal_to<bool>());
    }
}

void negation(Index n, bool* out, const bool* x) {
    for (Index i = 0; i < n; ++i) out[i] = !x[i];
}

template <class T>
void classify(FloatClass c, Index n, bool* out, const T* x) {
    constexpr T largest = std::numeric_limits<T>::max();
    const auto loop = [&](auto holds) {
        for (Index i = 0; i < n; ++i) out[i] = holds(std::abs(x[i]));
    };
    switch (c) {
        case FloatClass::finite: return loop([](T v) { return v <= largest; });
        case FloatClass::infinite: return loop([](T v) { return v > largest; });
        case FloatClass::nan: return loop([](T v) { return v != v; });
    }
}

template <class T>
void is_close(Tolerance t, Index n, bool* out, const T* a, const T* b) {
    for (Index i = 0; i < n; ++i) {
        const double p = double(a[i]), q = double(b[i]), d = std::abs(p - q);
        const double bound = std::max(t.absolute, t.relative * std::max(std::abs(p), std::abs(q)));
        const bool infinite = std::max(std::abs(p), std::abs(q)) > std::numeric_limits<double>::max();
        out[i] = (p == q) | (!infinite & (d <= bound)) | (t.equal_nan & (p != p) & (q != q));
    }
}

template <class T>
bool all_finite(Index n, const T* x) {
    constexpr Index block = 1024;
    for (Index first = 0; first < n; first += block) {
        int bad = 0;
        for (Index i = first, end = std::min(n, first + block); i < end; ++i)
            bad += !(std::abs(x[i]) <= std::numeric_limits<T>::max());
        if (bad) return false;
    }
    return true;
}

void select(int item, Index n, void* out, const bool* mask, const void* a, const void* b) {
    const auto loop = [&](auto z) {
        using T = decltype(z);
        const T *p = static_cast<const T*>(a), *q = static_cast<const T*>(b);
        T* to = static_cast<T*>(out);
        for (Index i = 0; i < n; ++i) to[i] = mask[i] ? p[i] : q[i];
    };
    if (item == 1)
        loop(std::uint8_t{});
    else if (item == 4)
        loop(std::uint32_t{});
    else
        loop(std::uint64_t{});
}

template <class To, class From>
void convert(Index n, To* out, const From* x) {
    if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::same_as<To, bool>) {
        constexpr From limit = From(9223372036854775808.0);
        for (Index i = 0; i < n; ++i)
            out[i] = x[i] >= -limit && x[i] < limit ? static_cast<To>(x[i]) : std::numeric_limits<To>::min();
    } else {
        for (Index i = 0; i < n; ++i) out[i] = static_cast<To>(x[i]);
    }
}

template void compare(Comparison, Index, bool*, const float*, const float*);
template void compare(Comparison, Index, bool*, const double*, const double*);
template void compare(Comparison, Index, bool*, const std::int64_t*, const std::int64_t*);
template void compare(Comparison, Index, bool*, const bool*, const bool*);
template void classify(FloatClass, Index, bool*, const float*);
template void classify(FloatClass, Index, bool*, const double*);
template void is_close(Tolerance, Index, bool*, const float*, const float*);
template void is_close(Tolerance, Index, bool*, const double*, const double*);
template void is_close(Tolerance, Index, bool*, const std::int64_t*, const std::int64_t*);
template bool all_finite(Index, const float*);
template bool all_finite(Index, const double*);

template void convert(Index, float*, const float*);
template void convert(Index, float*, const double*);
template void convert(Index, float*, const std::int64_t*);
template void convert(Index, float*, const bool*);
template void convert(Index, double*, const float*);
template void convert(Index, double*, const double*);
template void convert(Index, double*, const std::int64_t*);
template void convert(Index, double*, const bool*);
template void convert(Index, std::int64_t*, const float*);
template void convert(Index, std::int64_t*, const double*);
template void convert(Index, std::int64_t*, const std::int64_t*);
template void convert(Index, std::int64_t*, const bool*);
template void convert(Index, bool*, const float*);
template void convert(Index, bool*, const double*);
template void convert(Index, bool*, const std::int64_t*);
template void convert(Index, bool*, const bool*);

}  // namespace xtgrad::kernels
