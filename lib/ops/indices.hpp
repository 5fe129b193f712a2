// Indices into an axis, checked.
#pragma once
#include <algorithm>

#include <xtgrad/tensor.hpp>

#include "../kernels/gather.hpp"
#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::detail {

inline void check_indices(const char* op, const Tensor& indices) {
    check_defined(op, indices);
    if (indices.dtype() != Dtype::i64)
        fail<DtypeError>(op, "indices are ", indices.dtype(), ' ', indices.shape(),
                         "; they need i64, convert with astype(i, xg::i64)");
}

/// An array of this shape and `count` dense indices into an axis. Throws IndexError when one is out of range.
inline kernels::Gather gather_of(const char* op, const Shape& shape, std::size_t axis, Index count, const Tensor& dense_indices) {
    kernels::Gather g{1, shape[axis], 1, count, mutable_data<std::int64_t>(dense_indices)};
    for (std::size_t i = 0; i < shape.size(); ++i) (i < axis ? g.outer : g.inner) *= i == axis ? 1 : shape[i];
    const Index bad = kernels::first_out_of_range(element_count(dense_indices), g.indices, g.extent);
    if (bad >= 0)
        fail<IndexError>(op, "index ", g.indices[bad], " is out of range: axis ", axis, " of ", shape, " has extent ", g.extent,
                         "; ", Choices{g.extent});
    return g;
}

/// Are all elements one, in memory? Then what begins with them need not read them all.
inline bool is_constant(const Tensor& x) {
    const Shape shape = x.shape();
    const Strides strides = x.strides();
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != 1 && strides[i] != 0) return false;
    return element_count(x) > 1;
}

}  // namespace xtgrad::detail
