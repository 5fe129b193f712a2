#include <xtgrad/optim/gradients.hpp>

#include <cmath>

#include "../tensor/option.hpp"
#include "in_place.hpp"

namespace xtgrad::optim {

using namespace xtgrad::detail;

namespace {

/// In parts that depend on the size alone, added up in order.
double sum_of_squares(const Tensor& x) {
    const Tensor dense = contiguous(x);
    constexpr Index part = 1 << 14;
    const Index n = element_count(dense), parts = (n + part - 1) / part;
    std::vector<double> sums(std::size_t(parts), 0.);
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* p = mutable_data<T>(dense);
        const auto one = [&](Index i) {
            sums[std::size_t(i)] = kernels::optimizer_kernels<T>().squares(std::min(part, n - i * part), p + i * part);
        };
        if (n < kernels::parallel_threshold)
            for (Index i = 0; i < parts; ++i) one(i);
        else
            kernels::parallel_tasks(parts, one);
    });
    double sum = 0;
    for (const double s : sums) sum += s;
    return sum;
}

void check(const char* op, const std::vector<Tensor>& grads, double most) {
    for (const Tensor& g : grads) check_floating(op, g);
    check_option(op, "most", most, {0, unbounded});
}

}  // namespace

double clip_norm(std::vector<Tensor>& grads, double most) {
    check("clip_norm", grads, most);
    double sum = 0;
    for (const Tensor& g : grads) sum += sum_of_squares(g);
    const double norm = std::sqrt(sum), factor = most / (norm + 1e-6);
    if (!(factor >= 1)) detail::scale(grads, factor);
    return norm;
}

void clip_value(std::vector<Tensor>& grads, double most) {
    check("clip_value", grads, most);
    detail::change_all(grads, [&]<class T>(Index begin, Index end, const T* from, T* to) {
        kernels::optimizer_kernels<T>().clamp(begin, end, T(most), from, to);
    });
}

}  // namespace xtgrad::optim
