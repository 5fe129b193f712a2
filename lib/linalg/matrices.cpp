#include "matrices.hpp"

#include "../kernels/finite.hpp"
#include "../ops/elementwise.hpp"

namespace xtgrad::detail {

void check_finite_matrices(const char* op, const Tensor& dense, const Matrices& m) {
    const Index size = m.rows * m.columns;
    const Failure bad = with_floating(dense.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* x = mutable_data<T>(dense);
        if (kernels::all_finite(m.count * size, x)) return Failure{};
        return for_matrices(m.count, 0, [&](Index i) -> Index { return !kernels::all_finite(size, x + i * size); });
    });
    if (bad) fail<Error>(op, Which{m.batch, bad.matrix}, " holds a NaN or an infinity: ", dense.shape(), "; look at its inputs");
}

RightSide::RightSide(const char* op, const Tensor& a, const Tensor& b) : vector(false) {
    const Matrices m(op, a);
    check_floating(op, b);
    check_same_dtype(op, a, b);
    vector = b.dimension() == 1;
    matrices = vector ? as_column(b) : b;
    const Matrices right(op, matrices);
    if (right.rows != m.rows)
        fail<ShapeError>(op, "the right-hand side ", b.shape(), " has ", right.rows, " rows, the matrix ", a.shape(), " has ",
                         m.rows, vector ? "" : "; a batch of vectors is a batch of columns, expand_dims(b, -1)");
    broadcast_shapes(op, m.batch, right.batch);
}

Systems::Systems(const Tensor& a, const Tensor& b) {
    const Matrices m("solve", a), right("solve", b);
    n = m.rows, columns = right.columns;
    of_a_ = m.batch;
    batch_ = broadcast_shapes("solve", m.batch, right.batch);
    count = size_of(batch_);
    Shape shape = batch_;
    shape.push_back(n);
    shape.push_back(columns);
    const Unrecorded copying;
    x = copied(broadcast_to(b, shape));
}

Index Systems::matrix(Index i) const {
    if (of_a_ == batch_) return i;
    Index number = 0, size = 1;
    const std::size_t skip = batch_.size() - of_a_.size();
    for (std::size_t d = batch_.size(); d-- > skip; i /= batch_[d]) {
        number += of_a_[d - skip] == 1 ? 0 : i % batch_[d] * size;
        size *= of_a_[d - skip];
    }
    return number;
}

}  // namespace xtgrad::detail
