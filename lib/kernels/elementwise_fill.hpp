// Instantiates the kernels of a family for the instruction set of this translation unit.
#pragma once
#include "elementwise_table.hpp"
#include "lanes.hpp"
#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
using Vec = Lanes<T, xsimd::batch<T>>;

template <bool wanted, class T>
XG_INLINE auto load(const T* p, Index i) {
    if constexpr (wanted)
        return Vec<T>::load(p + i);
    else
        return Unused{};
}

template <class Op, class T>
[[gnu::flatten]] void value_kernel(Index n, void* to, const Operands& in, Numbers numbers) {
    T* out = static_cast<T*>(to);
    const auto *a = static_cast<const T*>(in.a), *b = static_cast<const T*>(in.b);
    for (Index i = 0; i < n; i += width<T>)
        Vec<T>(value<Op>(load<true>(a, i), load<Op::inputs == 2>(b, i), numbers)).store(out + i);
}

template <class Op, int k, class T>
[[gnu::flatten]] void vjp_kernel(Index n, void* to, const Operands& in, Numbers numbers) {
    constexpr Reads r = reads<Op, k, Vec<T>>();
    T* out = static_cast<T*>(to);
    const auto *a = static_cast<const T*>(in.a), *b = static_cast<const T*>(in.b), *y = static_cast<const T*>(in.y),
               *g = static_cast<const T*>(in.g);
    for (Index i = 0; i < n; i += width<T>)
        (load<true>(g, i) * slope<Op, k>(load<r.a>(a, i), load<r.b>(b, i), load<r.y>(y, i), numbers)).store(out + i);
}

template <class Op, class T, int k>
constexpr Kernel vjp_or_null() {
    if constexpr (k < Op::inputs && !constant_slope<Op, k>())
        return vjp_kernel<Op, k, T>;
    else
        return nullptr;
}

template <class Op, class T>
constexpr OpKernels op_kernels{value_kernel<Op, T>, {vjp_or_null<Op, T, 0>(), vjp_or_null<Op, T, 1>()}};

template <class... Op>
const KernelRow* fill(Family<Op...>) {
    static_assert(lanes % width<float> == 0);
    static constexpr KernelRow table[] = {{op_kernels<Op, float>, op_kernels<Op, double>}...};
    return table;
}

}  // namespace
}  // namespace xtgrad::kernels
