// What the files of linear algebra share: batches of matrices, and which of a batch an error is about.
#pragma once
#include <xtgrad/ops/arrangement.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/diagonals.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>

#include "../kernels/lapack.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {

/// The extents of a tensor of matrices.
struct Matrices {
    Shape batch;
    Index rows, columns, count;

    Matrices(const char* op, const Tensor& x) {
        check_floating(op, x);
        batch = x.shape();
        if (batch.size() < 2)
            fail<ShapeError>(op, "needs matrices, got ", x.shape(),
                             "; the last two axes are a matrix, as in reshape(x, {-1, 1})");
        columns = batch.back();
        batch.pop_back();
        rows = batch.back();
        batch.pop_back();
        count = size_of(batch);
        if (std::max(rows, columns) >= Index(1) << 31) fail<ShapeError>(op, "extents beyond 2^31 - 1: ", x.shape());
    }

    Shape shape(Index m, Index n) const {
        Shape s = batch;
        s.push_back(m);
        s.push_back(n);
        return s;
    }
    Shape shape(Index n) const {
        Shape s = batch;
        s.push_back(n);
        return s;
    }
};

inline Matrices square_matrices(const char* op, const Tensor& x) {
    Matrices m(op, x);
    if (m.rows != m.columns)
        fail<ShapeError>(op, "needs square matrices, got ", x.shape(), "; for others there are lstsq, pinv, qr and svd");
    return m;
}

/// "the matrix", or "matrix 3 of the batch", or "matrix (1, 0) of the batch (2, 3)".
struct Which {
    const Shape& batch;
    Index number;

    friend std::ostream& operator<<(std::ostream& os, const Which& w) {
        if (w.batch.empty()) return os << "the matrix";
        if (w.batch.size() == 1) return os << "matrix " << w.number << " of the batch of " << w.batch[0];
        Shape at = w.batch;
        for (Index d = Index(at.size()), rest = w.number; d-- > 0; rest /= w.batch[std::size_t(d)])
            at[std::size_t(d)] = rest % w.batch[std::size_t(d)];
        return os << "matrix " << at << " of the batch " << w.batch;
    }
};

/// f(i) for each matrix, of n^3 steps each, on several threads where that pays; the first i with f(i) != 0 and what it was.
struct Failure {
    Index matrix = -1, code = 0;
    explicit operator bool() const { return matrix >= 0; }
};
inline Failure for_matrices(Index count, double steps, auto f) {
    if (count == 0) return {};
    std::vector<Index> codes(static_cast<std::size_t>(count));
    const auto task = [&](Index i) { codes[std::size_t(i)] = f(i); };
    if (steps * double(count) < double(kernels::parallel_threshold))
        for (Index i = 0; i < count; ++i) task(i);
    else
        kernels::parallel_tasks(count, task);
    for (Index i = 0; i < count; ++i)
        if (codes[std::size_t(i)] != 0) return {i, codes[std::size_t(i)]};
    return {};
}
inline double cube(Index n) { return double(n) * double(n) * double(n); }

/// Throws Error when an element is NaN or infinite, for what does not converge then.
void check_finite_matrices(const char* op, const Tensor& dense, const Matrices&);

inline Tensor transposed(const Tensor& x) { return swapaxes(x, -2, -1); }
inline Tensor symmetric_part(const Tensor& x) { return (x + transposed(x)) * 0.5; }
/// A vector along the last axis as columns, or as rows.
inline Tensor as_column(const Tensor& x) { return expand_dims(x, x.dimension()); }
inline Tensor as_row(const Tensor& x) { return expand_dims(x, x.dimension() - 1); }
/// The diagonal as the last axis. A view.
inline Tensor diagonal_of(const Tensor& x) { return detail::diagonal(x, 0, -2, -1); }
inline Tensor sum_last(const Tensor& x) {
    const Axes axis{-1};
    return detail::sum(x, &axis, false);
}
inline Tensor identity_like(const Tensor& x) { return eye(x.shape(-1), 0, x.dtype()); }

/// x with zeros above, or on and above the diagonal of its matrices.
inline Tensor lower_part(const Tensor& x, bool with_diagonal) {
    return x * detail::triangle(Triangle::lower, ones({x.shape(-2), x.shape(-1)}, x.dtype()), with_diagonal ? 0 : -1);
}

/// The right-hand side of a solve as matrices: a vector is one column, and stays one in the result.
struct RightSide {
    Tensor matrices;
    bool vector;

    RightSide(const char* op, const Tensor& a, const Tensor& b);
    Tensor result(const Tensor& x) const {
        const Axes last{-1};
        return vector ? detail::squeeze(x, &last) : x;
    }
};

/// Matrices a and right-hand sides b whose batches broadcast: x is a copy of b, repeated, that becomes the result.
class Systems {
public:
    Systems(const Tensor& a, const Tensor& b);

    Tensor x;
    Index n, columns, count;
    /// The number of a's matrix for system i.
    Index matrix(Index i) const;

private:
    Shape batch_, of_a_;
};

}  // namespace xtgrad::detail
