// Tensors as the kernels' strided operands.
#pragma once
#include <cassert>

#include "../kernels/strided.hpp"
#include "storage.hpp"

namespace xtgrad::detail {

inline kernels::Space space_of(const Shape& shape) {
    kernels::Space space;
    space.rank = int(shape.size());
    space.count = size_of(shape);
    std::copy(shape.begin(), shape.end(), space.shape);
    return space;
}
inline kernels::Space space_of(const Tensor& x) { return space_of(x.shape()); }

/// x broadcast to a space that it broadcasts to; nothing for an undefined tensor.
inline kernels::Strided operand_in(const kernels::Space& space, const Tensor& x) {
    kernels::Strided s;
    if (!x.defined()) return s;
    assert(is_consistent(x));
    Block* b = x.block();
    s.data = b->data;
    s.item = int(xtgrad::size_of(b->dtype));
    const int skip = space.rank - b->rank;
    bool whole = skip == 0;
    for (int i = 0; i < space.rank; ++i) {
        const bool repeats = i < skip || (b->shape()[i - skip] == 1 && space.shape[i] != 1);
        s.stride[i] = repeats ? 0 : b->strides()[i - skip];
        whole &= !repeats;
    }
    s.dense = whole && b->dense;
    return s;
}

}  // namespace xtgrad::detail
