// What the ops of whole rows share.
#pragma once
#include <xtgrad/ops/reduction.hpp>

#include "../kernels/rows.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {

/// The last extent and the number of rows of that length.
struct Rows {
    Index n, count;

    Rows(const char* op, const Tensor& x) {
        check_floating(op, x);
        if (x.dimension() == 0) fail<ShapeError>(op, "needs at least one axis, got a scalar; reshape it to (1,)");
        n = x.shape().back();
        count = n ? element_count(x) / n : 0;
    }
};

inline Tensor row_sum(const Tensor& x) {
    const Axes last{-1};
    return sum(x, &last, true);
}

template <class T>
const T* data_or_null(const Tensor& x) {
    return x.defined() ? mutable_data<T>(x) : nullptr;
}

/// Along the last axis, of tensors that were checked.
Tensor softmax_rows(const Tensor& x);
Tensor softmax_vjp_rows(const Tensor& s, const Tensor& g);

}  // namespace xtgrad::detail
