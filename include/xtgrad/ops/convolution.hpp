// Convolution and pooling over images [N, C, H, W] and sequences [N, C, L]. f32 and f64.
#pragma once
#include <optional>

#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

/// A number for the height and one for the width; one alone stands for both.
struct Extent2d {
    Index height, width;

    template <std::integral I>
    Extent2d(I both) : height(Index(both)), width(Index(both)) {}
    template <std::integral I, std::integral J>
    Extent2d(I h, J w) : height(Index(h)), width(Index(w)) {}
};

struct Conv1dOptions {
    Index stride = 1;
    Index padding = 0;   ///< zeros at each end
    Index dilation = 1;  ///< distance of the neighbours in a window
    Index groups = 1;    ///< parts of the channels that do not see one another
};
struct Conv2dOptions {
    Extent2d stride = 1;
    Extent2d padding = 0;   ///< zeros at each side
    Extent2d dilation = 1;  ///< distance of the neighbours in a window
    Index groups = 1;       ///< parts of the channels that do not see one another
};

/// y[n, f, i, j] = sum over c, k, l of x[n, c, i stride + k dilation - padding, ...] weight[f, c, k, l] + bias[f], what is called
/// a convolution in networks: x [N, C, H, W], weight (F, C / groups, h, w), bias (F,) or left out, to [N, F, H', W'] with H' = (H
/// + 2 padding - dilation (h - 1) - 1) / stride + 1 rounded down. Filter f sees the channels of its group. Products of matrices
/// over patches, with the same bits for any number of threads. Throws ShapeError when they do not fit, Error for a stride or
/// dilation below 1 or a negative padding.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options = {});
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options = {});

/// The same over sequences: x [N, C, L], weight (F, C / groups, l) to [N, F, L'].
Tensor conv1d(const Tensor& x, const Tensor& weight, const Conv1dOptions& options = {});
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& options = {});

struct PoolOptions {
    std::optional<Extent2d> stride = {};  ///< by default the window: they do not overlap
    Extent2d padding = 0;                 ///< at each side, at most half the window
};

/// The largest element of each window of x [N, C, H, W]; of equal ones the first gets the slope. NaN if there is one. Padding is
/// never chosen. Throws ShapeError when no window fits.
Tensor max_pool2d(const Tensor& x, const Extent2d& window, const PoolOptions& options = {});
/// The mean of each window of x [N, C, H, W], padding counted as zeros. Throws ShapeError when no window fits.
Tensor avg_pool2d(const Tensor& x, const Extent2d& window, const PoolOptions& options = {});

}  // namespace xtgrad
