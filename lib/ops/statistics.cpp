// Averages, deviations, norms.
#include <xtgrad/ops/statistics.hpp>

#include <algorithm>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tape/algebra.hpp"
#include "../tensor/strided_operand.hpp"
#include "cofactor.hpp"
#include "reduced.hpp"

namespace xtgrad::detail {

using kernels::Reduction;

Tensor average(const Tensor& x, const Axes* axes, bool keep_dims) {
    check_floating("average", x);
    return mean(x, Reduced("average", x, axes, keep_dims));
}

Tensor weighted_average(const Tensor& x, const Tensor& weights, const Axes* axes, bool keep_dims) {
    check_floating("average", x);
    check_defined("average", weights);
    check_same_dtype("average", x, weights);
    const Reduced r("average", x, axes, keep_dims);
    const Shape shape = x.shape(), of_weights = weights.shape();
    if (of_weights == shape) return sum(x * weights, r) / sum(weights, r);
    if (!axes || axes->size() != 1 || of_weights != Shape{shape[std::size_t(normalized_axis("average", axes->front(), x))]})
        fail<ShapeError>("average", "weights ", of_weights, " do not fit ", shape,
                         "; they need its shape, or one axis is given and they have its extent");
    Shape line = shape;
    for (std::size_t i = 0; i < shape.size(); ++i) line[i] = r.has(i) ? shape[i] : 1;
    return sum(x * reshape(weights, line), r) / sum(weights, nullptr, false);
}

namespace {

// ---- u = c g (x - mean), c = 2 / (n - ddof): linear in x and in g, symmetric in x since g does not vary where the mean is
//      taken;  with cotangent h:  x' = c g (h - mean),  g' = c sum h (x - mean);  the tangent by bilinearity

double slope_scale(const Reduced& r, const Shape& in) { return 2 / std::max(0., r.count(in) - double(r.number)); }

Tensor mean_of(const Tensor& x, const Reduced& r) {
    const Unrecorded inner;
    return mean(x, r.kept());
}
Tensor differences(const Tensor& x, const Reduced& r) { return x - mean(x, r.kept()); }
/// c sum h (x - mean)
Tensor variation(const Tensor& x, const Tensor& h, const Reduced& r) {
    return sum(h * differences(x, r), r) * slope_scale(r, x.shape());
}

Tensor centered(const Tensor& x, const Tensor& g, const Tensor& mean, const Reduced& r);

void centered_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Reduced r(n.attr);
    if (need & 1) cotangents[0] = centered(h, n.in[1], mean_of(h, r), r);
    if (need & 2) cotangents[1] = variation(n.in[0], h, r);
}
Tensor centered_jvp(const Node& n, const Tensor* tangents) {
    const Reduced r(n.attr);
    const Tensor &dx = tangents[0], &dg = tangents[1];
    Tensor sum;
    if (dx.defined()) sum = centered(dx, n.in[1], mean_of(dx, r), r);
    if (dg.defined()) accumulate(sum, centered(n.in[0], dg, mean_of(n.in[0], r), r));
    return sum;
}
constexpr Op centered_op{"variance_vjp", centered_vjp, centered_jvp};

Tensor centered(const Tensor& x, const Tensor& g, const Tensor& mean, const Reduced& r) {
    Tensor out = allocate_like(x);
    {
        const Unrecorded inner;
        const Shape shape = x.shape();
        Strides strides = dense_strides(r.kept_shape(shape));
        for (std::size_t i = 0; i < shape.size(); ++i)
            if (r.has(i)) strides[i] = 0;
        const Tensor dense = contiguous(x), scaled = contiguous(g * slope_scale(r, shape));
        with_floating(x.dtype(), [&](auto z) {
            using T = decltype(z);
            kernels::centered(space_of(x), strides.data(), mutable_data<T>(dense), mutable_data<T>(mean), mutable_data<T>(scaled),
                              mutable_data<T>(out));
        });
    }
    if (recording()) record(centered_op, out, x, g, {x, g, {}}, r.attr());
    return out;
}

// ---- v = sum (x - mean)^2 / (n - ddof);  x' = 2 g (x - mean) / (n - ddof), the mean kept as in[1]

void variance_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = centered(n.in[0], g, n.in[1], Reduced(n.attr));
}
Tensor variance_jvp(const Node& n, const Tensor* tangents) { return variation(n.in[0], tangents[0], Reduced(n.attr)); }
constexpr Op variance_op{"variance", variance_vjp, variance_jvp};

Tensor variance(const char* op, const Tensor& x, const Axes* axes, bool keep_dims, Index ddof) {
    check_floating(op, x);
    if (ddof < 0)
        fail<ShapeError>(op, "ddof is ", ddof, " for ", x.shape(), "; it is 0 or more, and a single axis stands in braces, {",
                         ddof, '}');
    const Reduced r(op, x, axes, keep_dims, std::min(ddof, element_count(x)));  // from there on 0 remain
    const Shape shape = x.shape();
    Tensor out = allocate(x.dtype(), r.shape(shape)), center = allocate(x.dtype(), r.kept_shape(shape));
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        T* v = mutable_data<T>(out);
        kernels::moments(reducible<T>(x, r), mutable_data<T>(center), v);
        const T divisor = T(std::max(0., r.count(shape) - double(r.number)));
        for (Index i = 0, n = element_count(out); i < n; ++i) v[i] /= divisor;
    });
    if (recording()) record(variance_op, out, x, {x, center, {}}, r.attr());
    return out;
}

// ---- y = sqrt v;  v' = g / (2 y), and 0 where y is 0; but c / 2 where g = c y

Tensor root_slope(const Tensor& y) {
    const Tensor zero = equal(y, 0.);
    return where(zero, 0., 0.5 / where(zero, 1., y));
}
void root_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Tensor c = cofactor(g, n);
    cotangents[0] = c.defined() ? broadcast_to(c * 0.5, g.shape()) : g * root_slope(n.out);
}
Tensor root_jvp(const Node& n, const Tensor* tangents) { return tangents[0] * root_slope(n.out); }
constexpr Op stddev_op{"stddev", root_vjp, root_jvp};
constexpr Op norm_l2_op{"norm_l2", root_vjp, root_jvp};

Tensor root(const Op& op, const Tensor& v) {
    Tensor out;
    {
        const Unrecorded inner;
        out = sqrt(v);
    }
    if (recording()) record(op, out, v, {.out = out});
    return out;
}

// ---- y = sum x^2;  x' = 2 g x

void norm_sq_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Reduced r(n.attr);
    cotangents[0] = n.in[0] * spread(g * 2., r, n.in[0].shape());
}
Tensor norm_sq_jvp(const Node& n, const Tensor* tangents) { return sum(n.in[0] * tangents[0], Reduced(n.attr)) * 2.; }
constexpr Op norm_sq_op{"norm_sq", norm_sq_vjp, norm_sq_jvp};

Tensor sum_of_squares(const char* op, const Tensor& x, const Axes* axes, bool keep_dims) {
    check_floating(op, x);
    const Reduced r(op, x, axes, keep_dims);
    Tensor out = reduced(Reduction::sum_squares, x, r);
    if (recording()) record(norm_sq_op, out, x, {.in0 = x}, r.attr());
    return out;
}

}  // namespace

Tensor variance(const Tensor& x, const Axes* axes, bool keep_dims, Index ddof) {
    return variance("variance", x, axes, keep_dims, ddof);
}
Tensor stddev(const Tensor& x, const Axes* axes, bool keep_dims, Index ddof) {
    return root(stddev_op, variance("stddev", x, axes, keep_dims, ddof));
}

Tensor norm_sq(const Tensor& x, const Axes* axes, bool keep_dims) { return sum_of_squares("norm_sq", x, axes, keep_dims); }
Tensor norm_l2(const Tensor& x, const Axes* axes, bool keep_dims) {
    return root(norm_l2_op, sum_of_squares("norm_l2", x, axes, keep_dims));
}
Tensor norm_l1(const Tensor& x, const Axes* axes, bool keep_dims) {
    check_floating("norm_l1", x);
    const Reduced r("norm_l1", x, axes, keep_dims);
    return sum(abs(x), r);
}
Tensor norm_linf(const Tensor& x, const Axes* axes, bool keep_dims) {
    check_floating("norm_linf", x);
    const Reduced r("norm_linf", x, axes, keep_dims);  // names the op in its errors
    return element_count(x) == 0 ? sum(abs(x), r) : amax(abs(x), axes, keep_dims);
}

}  // namespace xtgrad::detail
