// Reductions. A node keeps the reduced axes as a set of bits, and the shape of its input.
#include <xtgrad/ops/reduction.hpp>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../kernels/reduce.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "../tensor/strided_operand.hpp"

namespace xtgrad::detail {
namespace {

using kernels::Reduction;
using kernels::Space;

/// Which axes are reduced, and whether they stay with extent 1.
struct Reduced {
    std::uint32_t axes = 0;
    bool keep_dims = false;

    Reduced(const char* op, const Tensor& x, const Axes* list, bool keep) : keep_dims(keep) {
        check_defined(op, x);
        const int rank = x.block()->rank;
        if (!list) {
            axes = (1u << rank) - 1;
            return;
        }
        for (const Index axis : normalized_axes(op, *list, rank)) axes |= 1u << axis;
    }
    explicit Reduced(const Attr& attr) : axes(std::uint32_t(attr.i)), keep_dims(attr.j != 0) {}
    Attr attr() const {
        Attr a;
        a.i = Index(axes);
        a.j = keep_dims;
        return a;
    }
    bool has(std::size_t axis) const { return axes >> axis & 1; }

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
};

/// The kept and the reduced axes of x as two spaces.
struct Split {
    Space space[2];
    Index stride[2][kernels::max_dims];

    Split(const Tensor& x, const Reduced& r) {
        const Shape shape = x.shape();
        const Strides strides = x.strides();
        for (std::size_t i = 0; i < shape.size(); ++i) {
            Space& s = space[r.has(i)];
            stride[r.has(i)][s.rank] = strides[i];
            s.shape[s.rank++] = shape[i];
            s.count *= shape[i];
        }
    }
};

Tensor reduced(Reduction reduction, const Tensor& x, const Reduced& r) {
    Tensor out = allocate(x.dtype(), r.shape(x.shape()));
    const Split split(x, r);
    with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::reduce(reduction, split.space[0], split.stride[0], split.space[1], split.stride[1], mutable_data<T>(x),
                        mutable_data<T>(out));
    });
    return out;
}

/// A reduction's result, or a cotangent of it, spread over the input's shape; a view.
Tensor spread(const Tensor& y, const Reduced& r, const Shape& in) {
    return broadcast_to(r.keep_dims ? y : reshape(y, r.kept_shape(in)), in);
}

// y = sum x;  x' = g, repeated

Tensor sum(const Tensor& x, const Reduced& r);

void sum_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = spread(g, Reduced(n.attr), n.in[0].shape()); }
Tensor sum_jvp(const Node& n, const Tensor* tangents) { return sum(tangents[0], Reduced(n.attr)); }
constexpr Op sum_op{"sum", sum_vjp, sum_jvp};

Tensor sum(const Tensor& x, const Reduced& r) {
    if (x.dtype() == Dtype::boolean) return reduced(Reduction::sum, astype(x, Dtype::i64), r);
    Tensor out = reduced(Reduction::sum, x, r);
    if (recording() && is_floating(x.dtype())) record(sum_op, out, x, {.in0 = ghost(x)}, r.attr());
    return out;
}

// y = max x;  x' = g w with w = [x = y] / the number of ties

Tensor tie_weights(const Node& n, const Reduced& r) {
    const Tensor &x = n.in[0], &y = n.out;
    const Tensor ties = astype(equal(x, spread(y, r, x.shape())), x.dtype());
    const Axes all = [&] {
        Axes list;
        for (std::size_t i = 0; i < x.dimension(); ++i)
            if (r.has(i)) list.push_back(Index(i));
        return list;
    }();
    return ties / detail::sum(ties, &all, true);
}
void extremum_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Reduced r(n.attr);
    cotangents[0] = spread(g, r, n.in[0].shape()) * tie_weights(n, r);
}
Tensor extremum_jvp(const Node& n, const Tensor* tangents) {
    const Reduced r(n.attr);
    return sum(tangents[0] * tie_weights(n, r), r);
}
constexpr Op amax_op{"amax", extremum_vjp, extremum_jvp};
constexpr Op amin_op{"amin", extremum_vjp, extremum_jvp};

Tensor extremum(const Op& op, Reduction reduction, const Tensor& x, const Axes* axes, bool keep_dims) {
    const Reduced r(op.name, x, axes, keep_dims);
    if (x.dtype() == Dtype::boolean) fail<DtypeError>(op.name, "does not take boolean ", x.shape(), "; use any or all");
    if (size_of(x.shape()) == 0 && size_of(r.shape(x.shape())) != 0)
        fail<ShapeError>(op.name, "of no elements: ", x.shape(), " has an empty axis; check its shape first");
    Tensor out = reduced(reduction, x, r);
    if (recording() && is_floating(x.dtype())) record(op, out, x, {.in0 = x, .out = out}, r.attr());
    return out;
}

// y = log sum e^x;  x' = g e^(x - y)

Tensor probabilities(const Node& n, const Reduced& r) { return exp(n.in[0] - spread(n.out, r, n.in[0].shape())); }
void logsumexp_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Reduced r(n.attr);
    cotangents[0] = spread(g, r, n.in[0].shape()) * probabilities(n, r);
}
Tensor logsumexp_jvp(const Node& n, const Tensor* tangents) {
    const Reduced r(n.attr);
    return sum(tangents[0] * probabilities(n, r), r);
}
constexpr Op logsumexp_op{"logsumexp", logsumexp_vjp, logsumexp_jvp};

Tensor any_or_all(const char* op, Reduction reduction, const Tensor& x, const Axes* axes, bool keep_dims) {
    const Reduced r(op, x, axes, keep_dims);
    if (x.dtype() != Dtype::boolean)
        fail<DtypeError>(op, "needs a boolean tensor, got ", x.dtype(), ' ', x.shape(), "; compare first, as in x > 0");
    return reduced(reduction, x, r);
}

}  // namespace

Tensor sum(const Tensor& x, const Axes* axes, bool keep_dims) { return sum(x, Reduced("sum", x, axes, keep_dims)); }

Tensor mean(const Tensor& x, const Axes* axes, bool keep_dims) {
    check_floating("mean", x);
    const Reduced r("mean", x, axes, keep_dims);
    double count = 1;
    const Shape shape = x.shape();
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (r.has(i)) count *= double(shape[i]);
    return sum(x, r) / count;
}

Tensor amax(const Tensor& x, const Axes* axes, bool keep_dims) { return extremum(amax_op, Reduction::max, x, axes, keep_dims); }
Tensor amin(const Tensor& x, const Axes* axes, bool keep_dims) { return extremum(amin_op, Reduction::min, x, axes, keep_dims); }
Tensor any(const Tensor& x, const Axes* axes, bool keep_dims) { return any_or_all("any", Reduction::max, x, axes, keep_dims); }
Tensor all(const Tensor& x, const Axes* axes, bool keep_dims) { return any_or_all("all", Reduction::min, x, axes, keep_dims); }

Tensor logsumexp(const Tensor& x, const Axes* axes, bool keep_dims) {
    check_floating("logsumexp", x);
    const Reduced r("logsumexp", x, axes, keep_dims);
    Tensor out;
    {
        const Unrecorded inner;
        Tensor largest = reduced(Reduction::max, x, r);
        largest = where(isfinite(largest), largest, 0);  // a row of -inf, or one with inf, as it is
        out = log(sum(exp(x - spread(largest, r, x.shape())), r)) + largest;
    }
    if (recording()) record(logsumexp_op, out, x, {.in0 = x, .out = out}, r.attr());
    return out;
}

Tensor argmax(const Tensor& x, const Index* axis, bool keep_dims) {
    check_defined("argmax", x);
    Axes list;
    Tensor source = x;
    if (axis)
        list.push_back(normalized_axis("argmax", *axis, x.block()->rank));
    else
        source = reshaped(contiguous(x), {element_count(x)}), list.push_back(0);
    const Reduced r("argmax", source, &list, keep_dims);
    const auto reduced_axis = std::size_t(list[0]);
    const Index n = source.shape()[reduced_axis];
    const Shape shape = axis        ? r.shape(source.shape())
                        : keep_dims ? Reduced("argmax", x, nullptr, true).shape(x.shape())
                                    : Shape();
    if (n == 0 && size_of(shape) != 0)
        fail<ShapeError>("argmax", "of no elements: ", x.shape(), " has an empty axis; check its shape first");
    Tensor out = allocate(Dtype::i64, shape);
    const Split split(source, r);
    with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::argmax(split.space[0], split.stride[0], n, split.stride[1][0], mutable_data<T>(source),
                        mutable_data<std::int64_t>(out));
    });
    return out;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
    const Shape from = x.shape();
    if (from == shape) return x;
    const std::size_t skip = from.size() - shape.size();
    Axes axes;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (i < skip || (shape[i - skip] == 1 && from[i] != 1)) axes.push_back(Index(i));
    return reshape(sum(x, &axes, true), shape);
}

}  // namespace xtgrad::detail
