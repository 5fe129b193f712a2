// Ops of a tensor and numbers: which rule, with which numbers.
#include <cmath>

#include <xtgrad/ops/elementwise.hpp>

#include "../tensor/message.hpp"
#include "../tensor/option.hpp"
#include "elementwise.hpp"

namespace xtgrad::detail {

Tensor affine(const Tensor& x, double p, double q) { return apply<rules::Affine>(x, {p, q}); }

namespace {

/// Does a number meet this tensor in one pass? Else, for integers, it becomes a tensor first. Names op in errors.
bool is_fused(const char* op, const Tensor& x) {
    check_defined(op, x);
    return is_floating(x.block()->dtype);
}

}  // namespace

Tensor add(const Tensor& x, Literal n) { return is_fused("add", x) ? affine(x, 1, n.real) : x + number_like("add", x, n); }
Tensor subtract(const Tensor& x, Literal n) {
    return is_fused("subtract", x) ? affine(x, 1, -n.real) : x - number_like("subtract", x, n);
}
Tensor subtract(Literal n, const Tensor& x) {
    return is_fused("subtract", x) ? affine(x, -1, n.real) : number_like("subtract", x, n) - x;
}
Tensor multiply(const Tensor& x, Literal n) {
    return is_fused("multiply", x) ? affine(x, n.real, 0) : x * number_like("multiply", x, n);
}
Tensor divide(const Tensor& x, Literal n) {
    check_floating("divide", x);
    int exponent;
    if (std::abs(std::frexp(n.real, &exponent)) == 0.5) return affine(x, 1 / n.real, 0);  // a power of two: exact
    return x / number_like("divide", x, n);
}
Tensor divide(Literal n, const Tensor& x) {
    check_floating("divide", x);
    return apply<rules::Reciprocal>(x, {n.real, 0});
}
Tensor reciprocal(const Tensor& x) { return apply<rules::Reciprocal>(x, {1, 0}); }
Tensor power(const Tensor& x, double exponent) {
    check_floating("pow", x);
    if (exponent == 2) return square(x);
    if (exponent == 1) return affine(x, 1, 0);
    // d/dx x^0 = 0, also at 0 where p x^(p-1) is 0 * inf
    if (exponent == 0) return affine(where(isfinite(x), x, 0), 0, 1);
    return apply<rules::Power>(x, {exponent, 0});
}
Tensor clip(const Tensor& x, Literal low, Literal high) {
    for (const Literal& bound : {low, high})
        if (std::isnan(bound.real)) fail<Error>("clip", "the bounds are ", low.real, " and ", high.real, "; give two numbers");
    if (is_fused("clip", x)) return apply<rules::Clip>(x, {low.real, high.real});
    const Tensor from = number_like("clip", x, low), to = number_like("clip", x, high);
    return clip(x, from, to);
}
Tensor clip(const Tensor& x, const Tensor& low, const Tensor& high) {
    for (const Tensor* t : {&x, &low, &high}) {
        check_defined("clip", *t);
        check_same_dtype("clip", x, *t);
    }
    if (x.dtype() == Dtype::boolean)
        fail<DtypeError>("clip", "does not take boolean ", x.shape(), "; convert with astype(x, xg::f32)");
    broadcast_shapes("clip", broadcast_shapes("clip", x.shape(), low.shape()), high.shape());
    return where(x < low, low, where(x > high, high, x));
}

Tensor multiply_add(const Tensor& a, const Tensor& b, const Tensor& c) {
    for (const Tensor* t : {&a, &b, &c}) {
        check_defined("fma", *t);
        check_same_dtype("fma", a, *t);
    }
    broadcast_shapes("fma", broadcast_shapes("fma", a.shape(), b.shape()), c.shape());
    return a * b + c;
}

Tensor polygamma(double n, const Tensor& x) { return apply<rules::Polygamma>(x, {n, 0}); }
Tensor digamma(const Tensor& x) {
    check_floating("digamma", x);
    return polygamma(0, x);
}
Tensor leaky_relu(const Tensor& x, double slope) {
    check_option("leaky_relu", "slope", slope, finite);
    return apply<rules::LeakyRelu>(x, {slope, 0});
}
Tensor elu(const Tensor& x, double alpha) {
    check_option("elu", "alpha", alpha, finite);
    return apply<rules::Elu>(x, {alpha, 0});
}

}  // namespace xtgrad::detail
