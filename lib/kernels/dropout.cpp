#include "dropout.hpp"

#include "philox.hpp"

namespace xtgrad::kernels {
namespace {

constexpr Isa this_isa = Isa::XG_ISA;

template <class T>
void apply(Index begin, Index end, const Mask& mask, T scale, const T* __restrict x, T* __restrict out) {
    constexpr int blocks = dropout_step / 4;
    for (Index at = begin; at < end; at += dropout_step) {
        std::uint32_t word[4][blocks];
        philox(
            mask.seed, [&](int i) { return mask.position + std::uint64_t(at / 4 + i); }, word);
        T factor[dropout_step];
        for (int i = 0; i < blocks; ++i)
            for (int k = 0; k < 4; ++k) factor[4 * i + k] = word[k][i] >= mask.threshold ? scale : T(0);
        const Index n = end - at < dropout_step ? end - at : dropout_step;
        for (Index i = 0; i < n; ++i) out[at + i] = factor[i] == 0 ? T(0) : factor[i] * x[at + i];
    }
}

template <class T>
constexpr DropoutKernels<T> table{apply<T>};

}  // namespace

template <>
const DropoutKernels<float>& dropout_kernels_of<float, this_isa>() {
    return table<float>;
}
template <>
const DropoutKernels<double>& dropout_kernels_of<double, this_isa>() {
    return table<double>;
}

}  // namespace xtgrad::kernels
