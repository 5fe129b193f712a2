#include "choice.hpp"

#include "vectors.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T, class Compare>
void choose(Index n, void* to, const Operands& in, Numbers) {
    using B = Batch<T>;
    const auto at = [](const void* p, Index i) { return B::load_unaligned(static_cast<const T*>(p) + i); };
    for (Index i = 0; i < n; i += width<T>)
        xsimd::select(Compare()(at(in.a, i), at(in.b, i)), at(in.y, i), at(in.g, i)).store_unaligned(static_cast<T*>(to) + i);
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

template <class T>
constexpr ChoiceKernels table{choose<T, Greater>, choose<T, GreaterEqual>, choose<T, Equal>};

}  // namespace

template <>
const ChoiceKernels& choice_kernels_of<float, this_isa>() {
    return table<float>;
}
template <>
const ChoiceKernels& choice_kernels_of<double, this_isa>() {
    return table<double>;
}

}  // namespace xtgrad::kernels
