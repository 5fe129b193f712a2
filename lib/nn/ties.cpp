// Fields that hold one tensor: one parameter with several names.
#include <algorithm>

#include <xtgrad/nn/visit.hpp>

#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::nn {

using namespace xtgrad::detail;

namespace {

/// f(i, first) for each i of n whose tensor one before it is, the first of these.
void for_each_repeat(std::size_t n, auto tensor_at, auto f) {
    const auto block = [&](std::size_t i) -> const Block* { return tensor_at(i).block(); };
    if (n <= 16) {
        for (std::size_t i = 1; i < n; ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (block(i) == block(j)) {
                    f(i, j);
                    break;
                }
        return;
    }
    std::vector<std::pair<const Block*, std::size_t>> sorted;
    sorted.reserve(n);
    for (std::size_t i = 0; i < n; ++i) sorted.emplace_back(block(i), i);
    std::ranges::sort(sorted, [](const auto& a, const auto& b) {
        return std::less<>()(a.first, b.first) || (a.first == b.first && a.second < b.second);
    });
    for (std::size_t k = 1, first = 0; k < n; ++k)
        if (sorted[k].first == sorted[first].first)
            f(sorted[k].second, sorted[first].second);
        else
            first = k;
}

std::vector<std::size_t> places_of(std::size_t n, auto tensor_at) {
    std::vector<std::size_t> places(n);
    for (std::size_t i = 0; i < n; ++i) places[i] = i;
    for_each_repeat(n, tensor_at, [&](std::size_t i, std::size_t first) { places[i] = first; });
    return places;
}

void keep_distinct_of(auto& list, std::size_t begin, auto tensor_of) {
    std::vector<bool> repeated;
    const std::size_t n = list.size() - begin;
    for_each_repeat(
        n, [&](std::size_t i) -> const Tensor& { return tensor_of(list[begin + i]); },
        [&](std::size_t i, std::size_t) {
            repeated.resize(n);
            repeated[i] = true;
        });
    if (repeated.empty()) return;
    std::size_t kept = begin;
    for (std::size_t i = 0; i < n; ++i)
        if (!repeated[i] && kept++ != begin + i) list[kept - 1] = std::move(list[begin + i]);
    list.resize(kept);
}

}  // namespace

std::vector<std::size_t> detail::first_places(std::span<const Tensor* const> tensors) {
    return places_of(tensors.size(), [&](std::size_t i) -> const Tensor& { return *tensors[i]; });
}

std::vector<std::size_t> detail::tied_places(std::span<const NamedField> fields) {
    std::vector<std::size_t> trained;
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i].role == Role::parameter) trained.push_back(i);
    std::vector<std::size_t> places(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) places[i] = i;
    for_each_repeat(
        trained.size(), [&](std::size_t k) -> const Tensor& { return *fields[trained[k]].tensor; },
        [&](std::size_t k, std::size_t first) { places[trained[k]] = trained[first]; });
    return places;
}

void detail::keep_distinct(std::vector<Tensor>& list, std::size_t begin) {
    keep_distinct_of(list, begin, [](const Tensor& x) -> const Tensor& { return x; });
}
void detail::keep_distinct(NamedTensors& list) {
    keep_distinct_of(list, 0, [](const auto& named) -> const Tensor& { return named.second; });
}

const Tensor* detail::assign_distinct(std::span<Tensor* const> fields, const Tensor* next) {
    const auto places = places_of(fields.size(), [&](std::size_t i) -> const Tensor& { return *fields[i]; });
    for (std::size_t i = 0; i < fields.size(); ++i) *fields[i] = places[i] == i ? *next++ : *fields[places[i]];
    return next;
}

void detail::assign_each(std::span<Tensor* const> fields, const std::vector<Tensor>& list) {
    const auto places = places_of(fields.size(), [&](std::size_t i) -> const Tensor& { return *fields[i]; });
    for (std::size_t i = 0; i < fields.size(); ++i) *fields[i] = list[places[i]];
}

std::vector<Tensor> detail::distinct_like(const char* op, const NamedTensors& parameters, const NamedTensors& like) {
    std::vector<Tensor> list;
    const auto places = places_of(parameters.size(), [&](std::size_t i) -> const Tensor& { return parameters[i].second; });
    const bool fits = parameters.size() == like.size();  // else all are returned, and are too many or too few
    for (std::size_t i = 0; i < like.size(); ++i) {
        const std::size_t first = fits ? places[i] : i;
        if (first == i)
            list.push_back(like[i].second);
        else if (!same_elements(like[first].second, like[i].second))
            fail<Error>(op, parameters[first].first, " and ", parameters[i].first,
                        " are one parameter and were given different tensors; give both the same, for a gradient the sum");
    }
    return list;
}

void detail::untie(std::span<const NamedField> fields) {
    const auto places = tied_places(fields);
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (places[i] != i) *fields[i].tensor = copied(*fields[i].tensor);
}

void detail::renew(std::span<const NamedField> fields) {
    const auto places = tied_places(fields);
    for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i].role == Role::parameter)
            *fields[i].tensor = places[i] == i ? copied(*fields[i].tensor) : *fields[places[i]].tensor;
}

}  // namespace xtgrad::nn
