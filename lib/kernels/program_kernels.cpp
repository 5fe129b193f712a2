#include "program_kernels.hpp"

#include "exponentials.hpp"
#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
[[gnu::always_inline]] inline Batch<T> load(const void* p, Index i) {
    return Batch<T>::load_unaligned(static_cast<const T*>(p) + i);
}

/// Stores f(i), a vector for the elements from i on.
template <class T>
[[gnu::always_inline]] inline void each(Index n, void* to, auto f) {
    for (Index i = 0; i < n; i += width<T>) f(i).store_unaligned(static_cast<T*>(to) + i);
}

template <class T, class Compare>
[[gnu::flatten]] void choose(Index n, void* to, const Operands& in, Numbers) {
    each<T>(n, to, [a = in.a, b = in.b, y = in.y, g = in.g](Index i) {
        return xsimd::select(Compare()(load<T>(a, i), load<T>(b, i)), load<T>(y, i), load<T>(g, i));
    });
}

struct Greater {
    auto operator()(auto a, auto b) const { return a > b; }
};
struct GreaterEqual {
    auto operator()(auto a, auto b) const { return a >= b; }
};
struct Equal {
    auto operator()(auto a, auto b) const { return a == b; }
};

/// f(p, q, a, b, y) of vectors; y only where it is read.
template <class T, bool reads_y>
[[gnu::always_inline]] inline void with_scales(Index n, void* to, const Operands& in, Numbers numbers, auto f) {
    const Batch<T> p(static_cast<T>(numbers.p)), q(static_cast<T>(numbers.q));
    each<T>(n, to, [&, a = in.a, b = in.b, y = in.y](Index i) {
        if constexpr (reads_y)
            return f(p, q, load<T>(a, i), load<T>(b, i), load<T>(y, i));
        else
            return f(p, q, load<T>(a, i), load<T>(b, i));
    });
}

template <class T>
[[gnu::flatten]] void scaled_product(Index n, void* to, const Operands& in, Numbers c) {
    with_scales<T, false>(n, to, in, c, [](auto p, auto q, auto a, auto b) { return p * (a * b) + q; });
}
template <class T>
[[gnu::flatten]] void product_of_scaled(Index n, void* to, const Operands& in, Numbers c) {
    with_scales<T, false>(n, to, in, c, [](auto p, auto q, auto a, auto b) { return (p * a) * (q * b); });
}
template <class T>
[[gnu::flatten]] void product_sum(Index n, void* to, const Operands& in, Numbers c) {
    with_scales<T, true>(n, to, in, c, [](auto p, auto q, auto a, auto b, auto y) { return p * (a * b) + q * y; });
}
template <class T>
[[gnu::flatten]] void sum_of_scaled(Index n, void* to, const Operands& in, Numbers c) {
    with_scales<T, false>(n, to, in, c, [](auto p, auto q, auto a, auto b) { return p * a + q * b; });
}
template <class T>
[[gnu::flatten]] void triple_product(Index n, void* to, const Operands& in, Numbers c) {
    with_scales<T, true>(n, to, in, c, [](auto p, auto, auto a, auto b, auto y) { return p * ((a * b) * y); });
}
template <class T>
[[gnu::flatten]] void exp_product(Index n, void* to, const Operands& in, Numbers c) {
    with_scales<T, true>(n, to, in, c, [](auto p, auto q, auto a, auto b, auto y) { return math::exp(p * (a * b) + q) * y; });
}

template <class T>
constexpr ProgramKernels table{choose<T, Greater>, choose<T, GreaterEqual>, choose<T, Equal>,
                               scaled_product<T>,  product_of_scaled<T>,    product_sum<T>,
                               sum_of_scaled<T>,   triple_product<T>,       exp_product<T>};

}  // namespace

template <>
const ProgramKernels& program_kernels_of<float, this_isa>() {
    return table<float>;
}
template <>
const ProgramKernels& program_kernels_of<double, this_isa>() {
    return table<double>;
}

}  // namespace xtgrad::kernels
