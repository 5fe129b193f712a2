#include <xtgrad/optim/gradients.hpp>

#include <algorithm>
#include <map>

#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/option.hpp"
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
        for (std::size_t i = 0; i < grads.size(); ++i)  // all memory before the first sum changes
            if (!detail::writable(sum_[i]) && !detail::writable(grads[i])) sum_[i] = copied(sum_[i]);
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
    detail::scale(sum_, 1. / count_);
    return sum();
}

namespace detail {

void check_same_fields(const nn::NamedTensors& average, const nn::NamedTensors& trained) {
    const auto name = [](const nn::NamedTensors& fields, std::size_t i) {
        return i < fields.size() ? fields[i].first : std::string("nothing more");
    };
    for (std::size_t i = 0; i < std::max(average.size(), trained.size()); ++i) {
        if (name(average, i) != name(trained, i))
            fail<Error>("MovingAverage", "the trained model has ", name(trained, i), " where the average has ", name(average, i),
                        "; a model keeps its fields, else begin a new average");
        check_fits("MovingAverage", name(trained, i), trained[i].second, average[i].second);
    }
}

void check_decay(double decay) { check_option("MovingAverage", "decay", decay, share); }

void decay_towards(std::span<const Averaged> list, double decay) {
    std::vector<const Tensor*> averages, followed;
    for (const Averaged& a : list) averages.push_back(a.average), followed.push_back(&a.x);
    const auto same_average = nn::detail::first_places(averages), same_followed = nn::detail::first_places(followed);
    std::map<std::pair<std::size_t, std::size_t>, std::vector<Tensor*>> fields;
    for (std::size_t i = 0; i < list.size(); ++i) fields[{same_average[i], same_followed[i]}].push_back(list[i].average);
    std::vector<Change> changes;
    std::vector<Tensor> dense;
    changes.reserve(fields.size());
    dense.reserve(fields.size());
    for (const auto& [place, together] : fields) {
        changes.emplace_back(*together[0], std::vector(together.begin() + 1, together.end()));
        dense.push_back(contiguous(list[place.second].x));
    }
    for (std::size_t i = 0; i < changes.size(); ++i)
        with_floating(dense[i].dtype(), [&]<class T>(T) {
            const T* y = mutable_data<T>(dense[i]);
            changes[i].template run<T>([&](Index begin, Index end, const T* from, T* to) {
                kernels::optimizer_kernels<T>().blend(begin, end, T(1 - decay), from, y, to);
            });
        });
}

}  // namespace detail
}  // namespace xtgrad::optim
