// Inputs and what is to be made of them.
#pragma once
#include <utility>

#include "../random.hpp"
#include "../tensor.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] data {

/// Examples along the first axis of both; targets may be missing.
struct Dataset {
    Tensor inputs, targets = {};
};
/// Some examples of a Dataset.
using Batch = Dataset;

/// The number of examples. Throws ShapeError when inputs and targets have different ones.
Index size(const Dataset&);

/// The examples that the indices (i64) name, copied; negative ones count from the end. Throws IndexError.
Dataset take(const Dataset&, const Tensor& indices);
/// Examples begin, ..., end - 1, of which nothing is copied. Throws IndexError unless 0 <= begin <= end <= size.
Dataset slice(const Dataset&, Index begin, Index end);

/// Two parts at random, without overlap: the first has the fraction, rounded. Throws Error unless it is in [0, 1].
std::pair<Dataset, Dataset> split(const Dataset&, double fraction, Rng&);

}  // namespace data
}  // namespace xtgrad
