#include <xtgrad/data/dataset.hpp>

#include <cmath>

#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/tape.hpp>

#include "../tensor/message.hpp"

namespace xtgrad::data {

using namespace xtgrad::detail;

Index size(const Dataset& data) {
    check_defined("data", data.inputs);
    const auto examples = [](const Tensor& x) {
        if (x.dimension() == 0) fail<ShapeError>("data", "inputs and targets need an axis of examples, got a number");
        return x.shape(0);
    };
    const Index n = examples(data.inputs);
    if (data.targets.defined() && examples(data.targets) != n)
        fail<ShapeError>("data", "inputs ", data.inputs.shape(), " and targets ", data.targets.shape(),
                         " differ in their first extent, the number of examples");
    return n;
}

Dataset take(const Dataset& data, const Tensor& indices) {
    size(data);
    const no_record paused;
    return {xtgrad::take(data.inputs, indices), data.targets.defined() ? xtgrad::take(data.targets, indices) : Tensor()};
}

Dataset slice(const Dataset& data, Index begin, Index end) {
    const Index n = size(data);
    if (begin < 0 || begin > end || end > n)
        fail<IndexError>("data", "examples ", begin, " to ", end, " of ", n, "; use 0 <= begin <= end <= ", n);
    const no_record paused;
    const std::vector<Slice> part{Slice::range(begin, end)};
    return {sliced(data.inputs, part), data.targets.defined() ? sliced(data.targets, part) : Tensor()};
}

std::pair<Dataset, Dataset> split(const Dataset& data, double fraction, Rng& rng) {
    const Index n = size(data);
    if (!(fraction >= 0 && fraction <= 1)) fail<Error>("split", "a fraction of ", fraction, "; use one in [0, 1]");
    const auto first = Index(std::lround(fraction * double(n)));
    const Dataset order{permutation(n, rng)};
    return {take(data, slice(order, 0, first).inputs), take(data, slice(order, first, n).inputs)};
}

}  // namespace xtgrad::data
