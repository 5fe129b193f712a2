// Tensors as the kernels' strided operands.
#pragma once
#include "../kernels/strided.hpp"
#include "storage.hpp"

namespace xtgrad::detail {

inline kernels::Space space_of(const Tensor& x) {
    kernels::Space space;
    Block* b = x.block();
    space.rank = b->rank;
    for (int i = 0; i < b->rank; ++i) {
        space.shape[i] = b->shape()[i];
        space.count *= b->shape()[i];
    }
    return space;
}

/// x broadcast to a space that it broadcasts to; nothing for an undefined tensor.
inline kernels::Strided operand_in(const kernels::Space& space, const Tensor& x) {
    kernels::Strided s;
    if (!x.defined()) return s;
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
