// A dense array as lines along one of its axes.
#pragma once
#include <xtgrad/shape.hpp>

#include "../kernels/scan.hpp"

namespace xtgrad::detail {

inline kernels::Lines lines_of(const Shape& shape, Index axis) {
    kernels::Lines lines;
    for (std::size_t i = 0; i < shape.size(); ++i)
        (Index(i) < axis ? lines.outer : Index(i) == axis ? lines.n : lines.inner) *= shape[i];
    return lines;
}

}  // namespace xtgrad::detail
