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

template <class T, class Compare>
void choose(Index n, void* to, const Operands& in, Numbers) {
    for (Index i = 0; i < n; i += width<T>)
        xsimd::select(Compare()(load<T>(in.a, i), load<T>(in.b, i)), load<T>(in.y, i), load<T>(in.g, i))
            .store_unaligned(static_cast<T*>(to) + i);
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
struct Scales {
    Batch<T> p, q;
    explicit Scales(Numbers c) : p(static_cast<T>(c.p)), q(static_cast<T>(c.q)) {}
};

template <class T>
void scaled_product(Index n, void* to, const Operands& in, Numbers numbers) {
    const Scales<T> c(numbers);
    for (Index i = 0; i < n; i += width<T>)
        (c.p * (load<T>(in.a, i) * load<T>(in.b, i)) + c.q).store_unaligned(static_cast<T*>(to) + i);
}

template <class T>
void product_of_scaled(Index n, void* to, const Operands& in, Numbers numbers) {
    const Scales<T> c(numbers);
    for (Index i = 0; i < n; i += width<T>)
        ((c.p * load<T>(in.a, i)) * (c.q * load<T>(in.b, i))).store_unaligned(static_cast<T*>(to) + i);
}

template <class T>
void product_sum(Index n, void* to, const Operands& in, Numbers numbers) {
    const Scales<T> c(numbers);
    for (Index i = 0; i < n; i += width<T>)
        (c.p * (load<T>(in.a, i) * load<T>(in.b, i)) + c.q * load<T>(in.y, i)).store_unaligned(static_cast<T*>(to) + i);
}

template <class T>
void sum_of_scaled(Index n, void* to, const Operands& in, Numbers numbers) {
    const Scales<T> c(numbers);
    for (Index i = 0; i < n; i += width<T>)
        (c.p * load<T>(in.a, i) + c.q * load<T>(in.b, i)).store_unaligned(static_cast<T*>(to) + i);
}

template <class T>
void triple_product(Index n, void* to, const Operands& in, Numbers numbers) {
    const Scales<T> c(numbers);
    for (Index i = 0; i < n; i += width<T>)
        (c.p * ((load<T>(in.a, i) * load<T>(in.b, i)) * load<T>(in.y, i))).store_unaligned(static_cast<T*>(to) + i);
}

template <class T>
void exp_product(Index n, void* to, const Operands& in, Numbers numbers) {
    const Scales<T> c(numbers);
    for (Index i = 0; i < n; i += width<T>)
        (math::exp(c.p * (load<T>(in.a, i) * load<T>(in.b, i)) + c.q) * load<T>(in.y, i))
            .store_unaligned(static_cast<T*>(to) + i);
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
