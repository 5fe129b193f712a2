// Which axes a reduction reduces, for the files that have some. A node keeps them as a set of bits.
#pragma once
#include <cstdint>

#include "../kernels/reduce.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad::detail {

/// The reduced axes, whether they stay with extent 1, and one more number of the op.
struct Reduced {
    std::uint32_t axes = 0;
    bool keep_dims = false;
    Index number = 0;

    Reduced(const char* op, const Tensor& x, const Axes* list, bool keep, Index n = 0) : keep_dims(keep), number(n) {
        check_defined(op, x);
        const int rank = x.block()->rank;
        if (!list) {
            axes = (1u << rank) - 1;
            return;
        }
        for (const Index axis : normalized_axes(op, *list, x)) axes |= 1u << axis;
    }
    explicit Reduced(const Attr& attr) : axes(std::uint32_t(attr.i)), keep_dims((attr.j & 1) != 0), number(attr.j >> 1) {}
    Attr attr() const {
        Attr a;
        a.i = Index(axes);
        a.j = number * 2 + keep_dims;
        return a;
    }
    bool has(std::size_t axis) const { return axes >> axis & 1; }
    Reduced kept() const {
        Reduced r = *this;
        r.keep_dims = true;
        return r;
    }

    Shape kept_shape(const Shape& in) const {
        Shape s = in;
        for (std::size_t i = 0; i < s.size(); ++i)
            if (has(i)) s[i] = 1;
        return s;
    }
    Shape shape(const Shape& in) const {
        if (keep_dims) return kept_shape(in);
        Shape s;
        for (std::size_t i = 0; i < in.size(); ++i)
            if (!has(i)) s.push_back(in[i]);
        return s;
    }
    /// How many elements make one.
    double count(const Shape& in) const {
        double n = 1;
        for (std::size_t i = 0; i < in.size(); ++i)
            if (has(i)) n *= double(in[i]);
        return n;
    }
};

/// x, for the kernels.
template <class T>
kernels::Reducible<T> reducible(const Tensor& x, const Reduced& r) {
    kernels::Reducible<T> k;
    k.x = mutable_data<T>(x);
    detail::Block* b = x.block();
    for (int i = 0; i < b->rank; ++i) {
        const bool gone = r.has(std::size_t(i));
        kernels::Space& s = gone ? k.reduced : k.kept;
        (gone ? k.reduced_stride : k.kept_stride)[s.rank] = b->strides()[i];
        s.shape[s.rank++] = b->shape()[i];
        s.count *= b->shape()[i];
    }
    return k;
}

/// The reduction, not recorded.
Tensor reduced(kernels::Reduction, const Tensor& x, const Reduced&);
/// A reduction's result, or a cotangent of it, spread over the input's shape; a view.
Tensor spread(const Tensor& y, const Reduced&, const Shape& in);

Tensor sum(const Tensor& x, const Reduced&);
/// Of f32 and f64.
Tensor mean(const Tensor& x, const Reduced&);

}  // namespace xtgrad::detail
