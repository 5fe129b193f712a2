#include <xtgrad/optim/gradients.hpp>

#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "in_place.hpp"

namespace xtgrad::optim {

using namespace xtgrad::detail;

void Accumulator::add(std::vector<Tensor> grads) {
    if (count_ > 0) {
        if (grads.size() != sum_.size())
            fail<Error>("Accumulator", grads.size(), " gradients after ", sum_.size(),
                        "; add those of the same parameters each time");
        for (std::size_t i = 0; i < grads.size(); ++i)
            detail::check_fits("Accumulator", "gradient " + std::to_string(i), grads[i], sum_[i]);
        const Unrecorded inner;
        for (std::size_t i = 0; i < grads.size(); ++i) accumulate(sum_[i], std::move(grads[i]));
    } else {
        sum_ = std::move(grads);
    }
    ++count_;
}

std::vector<Tensor> Accumulator::sum() {
    count_ = 0;
    return std::exchange(sum_, {});
}

std::vector<Tensor> Accumulator::mean() {
    const double n = count_;
    std::vector<Tensor> result = sum();
    for (Tensor& g : result) detail::scale(g, 1 / n);
    return result;
}

namespace detail {

void decay_towards(Tensor& average, const Tensor& x, double decay) {
    check_fits("MovingAverage", "a weight", x, average);
    const Tensor dense = contiguous(x);
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* y = mutable_data<T>(dense);
        change<T>(average, [&](Index begin, Index end, const T* from, T* to) {
            kernels::optimizer_kernels<T>().blend(begin, end, T(1 - decay), from, y, to);
        });
    });
}

}  // namespace detail
}  // namespace xtgrad::optim
