// What convolution and pooling share.
#pragma once
#include <xtgrad/ops/convolution.hpp>

#include "../kernels/convolution.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {

/// Windows on the last two axes of [N, C, H, W], or on the last of [N, C, L]. Throws Error or ShapeError naming `op`.
kernels::Window window_of(const char* op, const Shape& x, Extent2d window, Extent2d stride, Extent2d margin, Extent2d dilation);

}  // namespace xtgrad::detail
