// What convolution and pooling share.
#pragma once
#include <cstring>

#include <xtgrad/ops/convolution.hpp>

#include "../kernels/convolution.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {

/// Holds any product of two indices.
__extension__ typedef __int128 Wide;

/// Windows on the last two axes of [N, C, H, W], or on the last of [N, C, L]. Throws Error or ShapeError naming `op`.
kernels::Window window_of(const char* op, const Shape& x, Extent2d window, Extent2d stride, Extent2d margin, Extent2d dilation);

/// A struct of indices, kept in a node's extra.
template <class T>
std::unique_ptr<Extra> kept(const T& x) {
    static_assert(sizeof x % sizeof(Index) == 0);
    auto extra = std::make_unique<Extra>();
    extra->extents.resize(sizeof x / sizeof(Index));
    std::memcpy(extra->extents.data(), &x, sizeof x);
    return extra;
}
template <class T>
T kept_in(const Node& n) {
    T x;
    std::memcpy(&x, n.extra->extents.data(), sizeof x);
    return x;
}

}  // namespace xtgrad::detail
