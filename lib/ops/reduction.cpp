// Reductions.
#include <xtgrad/ops/reduction.hpp>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tape/algebra.hpp"
#include "reduced.hpp"

namespace xtgrad::detail {

using kernels::Reduction;

Tensor reduced(Reduction reduction, const Tensor& x, const Reduced& r) {
    Tensor out = allocate(x.dtype(), r.shape(x.shape()));
    with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::reduce(reduction, reducible<T>(x, r), mutable_data<T>(out));
    });
    return out;
}

Tensor spread(const Tensor& y, const Reduced& r, const Shape& in) {
    return broadcast_to(r.keep_dims ? y : reshape(y, r.kept_shape(in)), in);
}

// y = sum x;  x' = g, repeated

namespace {

void sum_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = spread(g, Reduced(n.attr), n.in[0].shape()); }
Tensor sum_jvp(const Node& n, const Tensor* tangents) { return sum(tangents[0], Reduced(n.attr)); }
constexpr Op sum_op{"sum", sum_vjp, sum_jvp};

}  // namespace

Tensor sum(const Tensor& x, const Reduced& r) {
    if (x.dtype() == Dtype::boolean) {
        Tensor count = allocate(Dtype::i64, r.shape(x.shape()));
        kernels::count(reducible<bool>(x, r), mutable_data<std::int64_t>(count));
        return count;
    }
    Tensor out = reduced(Reduction::sum, x, r);
    if (recording() && is_floating(x.dtype())) record(sum_op, out, x, {.in0 = ghost(x)}, r.attr());
    return out;
}

// y = sum x / n;  x' = g / n, repeated

namespace {

void mean_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Reduced r(n.attr);
    const Shape in = n.in[0].shape();
    cotangents[0] = spread(g / r.count(in), r, in);
}
Tensor mean_jvp(const Node& n, const Tensor* tangents) { return mean(tangents[0], Reduced(n.attr)); }
constexpr Op mean_op{"mean", mean_vjp, mean_jvp};

}  // namespace

Tensor mean(const Tensor& x, const Reduced& r) {
    Tensor out = reduced(Reduction::sum, x, r);
    const double count = r.count(x.shape());
    with_floating(x.dtype(), [&](auto z) {
        auto* y = mutable_data<decltype(z)>(out);
        for (Index i = 0, n = element_count(out); i < n; ++i) y[i] /= decltype(z)(count);
    });
    if (recording()) record(mean_op, out, x, {.in0 = ghost(x)}, r.attr());
    return out;
}

namespace {

// y = max x;  x' = g / the number of ties where x = y, else 0; where y is NaN there are none, and x' is NaN

struct Ties {
    Tensor at, count;  // which elements, and how many for each y

    Ties(const Node& n, const Reduced& r)
        : at(equal(n.in[0], spread(n.out, r, n.in[0].shape()))), count(astype(sum(at, r), n.out.dtype())) {}
};
void extremum_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Reduced r(n.attr);
    const Ties ties(n, r);
    const Shape in = n.in[0].shape();
    cotangents[0] = where(ties.at, spread(g / ties.count, r, in), spread(0. / ties.count, r, in));
}
Tensor extremum_jvp(const Node& n, const Tensor* tangents) {
    const Reduced r(n.attr);
    const Ties ties(n, r);
    return sum(where(ties.at, tangents[0], 0.), r) / ties.count;
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
    return mean(x, Reduced("mean", x, axes, keep_dims));
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

namespace {

Tensor arg_extremum(const char* op, bool largest, const Tensor& x, const Index* axis, bool keep_dims) {
    check_defined(op, x);
    const Axes list{axis ? normalized_axis(op, *axis, x) : 0};
    const Tensor source = axis ? x : reshaped(contiguous(x), {element_count(x)});
    const Reduced r(op, source, &list, keep_dims);
    const Shape shape = axis ? r.shape(x.shape()) : keep_dims ? Reduced(op, x, nullptr, true).shape(x.shape()) : Shape();
    if (element_count(source) == 0 && size_of(shape) != 0)
        fail<ShapeError>(op, "of no elements: ", x.shape(), " has an empty axis; check its shape first");
    Tensor out = allocate(Dtype::i64, shape);
    with_element(x.dtype(), [&](auto z) {
        kernels::arg_extremum(largest, reducible<decltype(z)>(source, r), mutable_data<std::int64_t>(out));
    });
    return out;
}

}  // namespace

Tensor argmax(const Tensor& x, const Index* axis, bool keep_dims) { return arg_extremum("argmax", true, x, axis, keep_dims); }
Tensor argmin(const Tensor& x, const Index* axis, bool keep_dims) { return arg_extremum("argmin", false, x, axis, keep_dims); }

Tensor count_nonzero(const Tensor& x, const Axes* axes, bool keep_dims) {
    const Reduced r("count_nonzero", x, axes, keep_dims);
    return sum(x.dtype() == Dtype::boolean ? x : not_equal(x, 0), r);
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
