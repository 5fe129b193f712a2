// Ops whose axes and shapes are the point: any of them, against naive loops over positions.
#include <doctest/doctest.h>

#include "arrangement.hpp"

namespace properties {
namespace {

void check(const char* name, const std::function<void()>& property) {
    const std::string found = counterexample(name, property);
    CHECK_MESSAGE(found.empty(), found);
}

struct Input {
    Array values;
    Tensor x;
};
Input any_input(const Shape& shape) {
    Array values = any_values(shape, -2, 2, *rc::gen::arbitrary<std::uint32_t>());
    Tensor x = arranged(values, any_arrangement(shape.size()), xg::f64);
    RC_LOG() << shape << '\n';
    return {std::move(values), std::move(x)};
}

/// Some of the axes, counted from either end.
std::vector<Index> any_axes(std::size_t rank) {
    std::vector<Index> axes;
    for (std::size_t i = 0; i < rank; ++i)
        if (*rc::gen::inRange(0, 2)) axes.push_back(*rc::gen::inRange(0, 2) ? Index(i) : Index(i) - Index(rank));
    return axes;
}

}  // namespace

TEST_CASE("sum over any axes") {
    check("sum", [] {
        const Input in = any_input(any_shape(0, 4));
        const Shape& shape = in.values.shape();
        const auto axes = any_axes(shape.size());
        const bool keep = *rc::gen::inRange(0, 2);
        RC_LOG() << "axes " << xg::Axes(axes) << (keep ? " kept" : "") << '\n';
        Shape kept = shape, squeezed;
        for (const Index axis : axes) kept[std::size_t(axis < 0 ? axis + Index(shape.size()) : axis)] = 1;
        std::vector<bool> reduced(shape.size(), false);
        for (const Index axis : axes) reduced[std::size_t(axis < 0 ? axis + Index(shape.size()) : axis)] = true;
        for (std::size_t i = 0; i < shape.size(); ++i)
            if (!reduced[i]) squeezed.push_back(shape[i]);
        Array want(kept);
        for (Index i = 0; i < in.values.size(); ++i) {
            Shape p = in.values.position(i);
            for (std::size_t d = 0; d < p.size(); ++d)
                if (reduced[d]) p[d] = 0;
            want.place(p) += in.values[i];
        }
        const Tensor y = keep ? xg::sum(in.x, axes, xt::keep_dims) : xg::sum(in.x, axes);
        RC_ASSERT(y.shape() == (keep ? kept : squeezed));
        RC_ASSERT(distance(xg::reshape(y, kept), want.tensor()) < 1e-12);
    });
}

TEST_CASE("any permutation") {
    check("permute", [] {
        const Input in = any_input(any_shape(1, 5));
        const Shape& shape = in.values.shape();
        const auto order = any_arrangement(shape.size()).order;
        xg::Axes axes;
        Shape moved;
        for (const std::size_t axis : order) axes.push_back(Index(axis)), moved.push_back(shape[axis]);
        RC_LOG() << "axes " << axes << '\n';
        Array want(moved);
        for (Index i = 0; i < in.values.size(); ++i) {
            const Shape p = in.values.position(i);
            Shape q;
            for (const std::size_t axis : order) q.push_back(p[axis]);
            want.place(q) = in.values[i];
        }
        RC_ASSERT(distance(xg::permute(in.x, axes), want.tensor()) == 0);
        RC_ASSERT(distance(xg::copy(xg::permute(in.x, axes)), want.tensor()) == 0);
    });
}

TEST_CASE("any reshape") {
    check("reshape", [] {
        const Input in = any_input(any_shape(0, 4));
        Shape shape = in.values.shape();
        // Two neighbours joined, and one axis divided.
        if (shape.size() > 1) {
            const auto at = *rc::gen::inRange<std::size_t>(0, shape.size() - 1);
            shape[at] *= shape[at + 1];
            shape.erase(at + 1);
        }
        if (shape.size() && shape[0] % 2 == 0) shape[0] /= 2, shape.insert(1, 2);
        RC_LOG() << "to " << shape << '\n';
        Array want(shape);
        for (Index i = 0; i < want.size(); ++i) want[i] = in.values[i];
        RC_ASSERT(distance(xg::reshape(in.x, shape), want.tensor()) == 0);
    });
}

TEST_CASE("concatenate along any axis, and any part of it") {
    check("concatenate", [] {
        const Shape shape = any_shape(1, 4);
        const auto axis = *rc::gen::inRange<std::size_t>(0, shape.size());
        std::vector<Tensor> parts;
        std::vector<Array> values;
        for (int n = *rc::gen::inRange(1, 4); n > 0; --n) {
            Shape part = shape;
            part[axis] = *rc::gen::inRange(0, 4);
            Input in = any_input(part);
            parts.push_back(in.x);
            values.push_back(in.values);
        }
        const Tensor whole = xg::concatenate(parts, axis);
        Index at = 0;
        for (const Array& part : values) {
            const Index n = part.shape()[axis];
            std::vector<xg::detail::Slice> slices(shape.size(), xg::detail::Slice::all());
            slices[axis] = xg::detail::Slice::range(at, at + n);
            RC_ASSERT(distance(xg::detail::sliced(whole, slices), part.tensor()) == 0);
            at += n;
        }
        RC_ASSERT(whole.shape()[axis] == at);
    });
}

TEST_CASE("rows by any indices, and back") {
    check("take", [] {
        const Input in = any_input(any_shape(1, 3));
        const Shape& shape = in.values.shape();
        const auto axis = *rc::gen::inRange<std::size_t>(0, shape.size());
        RC_PRE(shape[axis] > 0);
        std::vector<std::int64_t> indices;
        for (int n = *rc::gen::inRange(0, 9); n > 0; --n)
            indices.push_back(*rc::gen::inRange<std::int64_t>(-shape[axis], shape[axis]));
        RC_LOG() << "axis " << axis << ", indices " << xg::Axes(indices) << '\n';
        const Tensor i = xt::xarray<std::int64_t>(xt::adapt(indices));
        Shape taken = shape;
        taken[axis] = Index(indices.size());
        Array want(taken), counted(shape);
        for (Index k = 0; k < want.size(); ++k) {
            Shape p = want.position(k);
            auto& at = p[axis];
            at = indices[std::size_t(at)] < 0 ? indices[std::size_t(at)] + shape[axis] : indices[std::size_t(at)];
            want[k] = in.values.at(p);
            counted.place(p) += 1;
        }
        xg::Tape tape;
        const Tensor y = xg::take(in.x, i, Index(axis));
        RC_ASSERT(distance(y, want.tensor()) == 0);
        RC_ASSERT(distance(tape.vjp(y, xg::ones_like(y), in.x), counted.tensor()) == 0);
    });
}

TEST_CASE("matmul of any shapes, with its gradients") {
    check("matmul", [] {
        const auto extent = [] {
            return *rc::gen::inRange<Index>(0, 4) == 0 ? *rc::gen::inRange<Index>(0, 90) : *rc::gen::inRange<Index>(0, 7);
        };
        const Shape batch = any_shape(0, 2), other = any_partner(batch);
        if (batch.size()) RC_PRE(batch.back() < 8);
        const Index m = extent(), n = extent(), k = extent();
        Shape p = batch, q = other, r = batch;
        p.push_back(m), p.push_back(k), q.push_back(k), q.push_back(n), r.push_back(m), r.push_back(n);
        const Input a = any_input(p), b = any_input(q), g = any_input(r);
        // y = a b, a' = g b^T, b' = a^T g, as sums over positions.
        Array y(r), da(p), db(q);
        for (Index i = 0; i < y.size(); ++i) {
            Shape at = y.position(i), left = at, right = at;
            for (Index l = 0; l < k; ++l) {
                left[left.size() - 1] = l;
                right[right.size() - 2] = l;
                Shape b_at;
                for (std::size_t d = 0; d < q.size(); ++d) {
                    const Index v = right[d + right.size() - q.size()];
                    b_at.push_back(q[d] == 1 && d + 2 < q.size() ? 0 : v);
                }
                y[i] += a.values.at(left) * b.values.at(b_at);
                da.place(left) += g.values[i] * b.values.at(b_at);
                db.place(b_at) += g.values[i] * a.values.at(left);
            }
        }
        xg::Tape tape;
        const Tensor z = xg::matmul(a.x, b.x);
        RC_ASSERT(distance(z, y.tensor()) < 1e-11);
        const auto [ga, gb] = tape.vjp(z, g.x, {a.x, b.x});
        RC_ASSERT(distance(ga, da.tensor()) < 1e-11);
        RC_ASSERT(distance(gb, db.tensor()) < 1e-11);
    });
}

}  // namespace properties
