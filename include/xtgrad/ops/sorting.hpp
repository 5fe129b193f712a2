// Elements in order. NaN counts as larger than all numbers, as in NumPy; equal elements keep their order. Values are
// differentiable: their cotangents go where they came from. Indices are i64.
#pragma once
#include <utility>

#include "../detail/xtensor_slices.hpp"
#include "manipulation.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// x sorted along an axis, smallest first. Throws ShapeError when there is no such axis.
Tensor sort(const Tensor& x, Index axis = -1);

/// The sorted values, and where along the axis they were: (sort(x, axis), argsort(x, axis)) at the price of one.
std::pair<Tensor, Tensor> sort_with_indices(const Tensor& x, Index axis = -1);

/// The indices that sort x along an axis.
Tensor argsort(const Tensor& x, Index axis = -1);

/// xtensor's way to sort all elements, into one axis.
inline Tensor sort(const Tensor& x, xt::placeholders::xtuph) { return sort(reshape(x, {-1})); }
inline Tensor argsort(const Tensor& x, xt::placeholders::xtuph) { return argsort(reshape(x, {-1})); }

/// The k largest elements along an axis, largest first, or the k smallest, smallest first; and their indices. The axis has
/// extent k then. NaN is the largest. Throws ShapeError when there are fewer than k.
std::pair<Tensor, Tensor> topk(const Tensor& x, Index k, Index axis = -1, bool largest = true);

}  // namespace xtgrad
