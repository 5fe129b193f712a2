// The sizes of layers.
#pragma once
#include <initializer_list>

#include "../tensor/message.hpp"

namespace xtgrad::nn {

struct Size {
    const char* name;
    Index value;
};

/// Throws ShapeError naming the layer and the size when one is negative.
inline void check_sizes(const char* layer, std::initializer_list<Size> sizes) {
    for (const Size& size : sizes)
        if (size.value < 0) xtgrad::detail::fail<ShapeError>(layer, size.name, " is ", size.value, "; give 0 or more");
}

}  // namespace xtgrad::nn
