// Convolution as products of matrices over patches, and windows that are pooled.
#pragma once
#include <cstdint>

#include "parallel.hpp"

namespace xtgrad::kernels {

/// Windows on a plane: that at (i, j) begins at i stride - padding, and its neighbours are `dilation` apart.
struct Window {
    Index height, width, rows, columns, out_height, out_width;
    Index stride[2], padding[2], dilation[2];

    Index plane() const noexcept { return height * width; }
    Index places() const noexcept { return out_height * out_width; }
};

/// x [images, groups, channels, plane], w [groups, filters, patch], y [images, groups, filters, places]; all dense.
struct Convolution {
    Index images, groups, channels, filters;
    Window window;

    Index patch() const noexcept { return channels * window.rows * window.columns; }
    /// Into how many parts the images are split: by their number alone, so that the bits do not depend on the threads.
    Index parts() const noexcept { return std::clamp<Index>(images, 1, 16); }
    /// Elements that the patches of an image take, with room to read beyond them.
    Index patches() const noexcept { return patch() * window.places() + 64; }
    /// Elements of memory that all parts work in.
    Index scratch() const noexcept { return parts() * patches(); }
    /// Elements of memory for the sums of the parts.
    Index sums() const noexcept { return parts() * 2 * groups * filters * patch(); }
};

/// y = w x + bias, which may be null.
template <class T>
void convolve(const Convolution&, const T* x, const T* w, const T* bias, T* y, T* scratch);
/// x = its adjoint in x at y.
template <class T>
void convolve_back(const Convolution&, const T* y, const T* w, T* x, T* scratch);
/// w = its adjoint in w at x and y; sums has sums() elements.
template <class T>
void convolve_weights(const Convolution&, const T* x, const T* y, T* w, T* scratch, T* sums);

/// Where each window's largest element lies in its plane: the first of equal ones, a NaN if there is one.
template <class T>
void largest_places(Index planes, const Window&, const T* x, std::int64_t* places);
/// y = the sum over each window times factor.
template <class T>
void pool_sum(Index planes, const Window&, T factor, const T* x, T* y);
/// x = its adjoint at y.
template <class T>
void pool_sum_back(Index planes, const Window&, T factor, const T* y, T* x);

}  // namespace xtgrad::kernels
