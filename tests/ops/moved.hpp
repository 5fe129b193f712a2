// References of ops that only move elements.
#pragma once
#include "table.hpp"

namespace table {

/// out[p] = x[from(p)], by position.
inline std::function<Tensor(const Inputs&)> moved(Shape shape, std::function<Shape(const Shape&)> from) {
    return [=](const Inputs& x) {
        const Array in(x[0]);
        Array out(shape);
        for (Index i = 0; i < out.size(); ++i) out[i] = in.at(from(out.position(i)));
        return out.tensor();
    };
}
/// The elements in the same row-major order.
inline std::function<Tensor(const Inputs&)> renamed(Shape shape) {
    return [=](const Inputs& x) {
        const Array in(x[0]);
        Array out(shape);
        for (Index i = 0; i < out.size(); ++i) out[i] = in[i];
        return out.tensor();
    };
}
/// Parts along an axis, one behind the other.
inline std::function<Tensor(const Inputs&)> joined(std::size_t axis) {
    return [=](const Inputs& x) {
        Shape shape = x[0].shape();
        shape[axis] = 0;
        for (const Tensor& t : x) shape[axis] += t.shape()[axis];
        Array out(shape);
        for (Index i = 0; i < out.size(); ++i) {
            Shape p = out.position(i);
            std::size_t k = 0;
            while (p[axis] >= x[k].shape()[axis]) p[axis] -= x[k++].shape()[axis];
            out[i] = Array(x[k]).at(p);
        }
        return out.tensor();
    };
}

}  // namespace table
