// Functions of matrices that are made of other ops, and the exponential.
#include <cmath>
#include <limits>

#include <xtgrad/linalg.hpp>
#include <xtgrad/ops/indexing.hpp>

#include "factors.hpp"

namespace xtgrad {
namespace detail {
namespace {

// ---- y = e^a:  y. = L(a, a.),  a' = L(a^T, g), where e^((a, x), (0, a)) = (e^a, L(a, x)), (0, e^a)  (Mathias 1996)

Tensor frechet(const Tensor& a, const Tensor& x);

void expm_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = frechet(transposed(n.in[0]), g); }
Tensor expm_jvp(const Node& n, const Tensor* tangents) { return frechet(n.in[0], tangents[0]); }
constexpr Op expm_op{"expm", expm_vjp, expm_jvp};

/// L is linear in x: made small first, since the number of squarings follows the largest block.
Tensor frechet(const Tensor& a, const Tensor& x) {
    const Index n = a.shape(-1);
    if (a.size() == 0) return x;
    const double size = std::max(1e-300, scalar_value(detail::norm_linf(x, nullptr, false)));
    const Tensor upper = concatenate(std::vector{a, x / size}, -1);
    const Tensor lower = concatenate(std::vector{constant_like(a, 0), a}, -1);
    const Tensor whole = linalg::expm(concatenate(std::vector{upper, lower}, -2));
    return sliced(whole, {Slice::ellipsis(), Slice::range(0, n), Slice::range(n, 2 * n)}) * size;
}

/// The diagonal Pade approximant of e^a of degree m, u + v over v - u, for |a| up to `most` (Higham 2005, table 2.3).
struct Pade {
    std::vector<double> coefficients;
    double most;

    explicit Pade(Dtype dtype) : coefficients{1}, most(dtype == Dtype::f32 ? 3.925724783138660 : 5.371920351148152) {
        const int m = dtype == Dtype::f32 ? 7 : 13;
        for (int k = 0; k < m; ++k) coefficients.push_back(coefficients.back() * double(m - k) / double((2 * m - k) * (k + 1)));
    }
    Tensor operator()(const Tensor& a) const {
        const Tensor square = matmul(a, a);
        Tensor power = identity_like(a), even = power * coefficients[0], odd = power * coefficients[1];
        for (std::size_t k = 2; k < coefficients.size(); k += 2) {
            power = k == 2 ? square : matmul(power, square);
            even = even + power * coefficients[k];
            odd = odd + power * coefficients[k + 1];
        }
        const Tensor u = matmul(a, odd);
        const Tensor below = even - u;
        return solved(below, Factors("expm", below), even + u, false);
    }
};

/// Each matrix scaled until its norm fits, and its approximant squared as often.
Tensor exponential(const Tensor& a) {
    if (a.size() == 0) return copied(a);
    const Pade pade(a.dtype());
    const Tensor size = astype(linalg::norm(a, 1, {-2, -1}, true), Dtype::f64);
    const Tensor squarings = maximum(ceil(log2(maximum(size, 1e-300) / pade.most)), 0);
    const double most = scalar_value(detail::amax(squarings, nullptr, false));
    Tensor y = pade(a * astype(exp2(-squarings), a.dtype()));
    for (int k = 0; k < most; ++k) y = where(squarings > k, matmul(y, y), y);
    return contiguous(y);
}

// ---- norms

constexpr double infinity = std::numeric_limits<double>::infinity();

/// x with the named axes last, in their order.
Tensor with_last(const Tensor& x, const Axes& axes) {
    Axes to;
    for (std::size_t i = 0; i < axes.size(); ++i) to.push_back(Index(i) - Index(axes.size()));
    return moveaxis(x, axes, to);
}

// ---- y = (sum |x|^p)^(1/p):  dy/dx = sign(x) (|x| / y)^(p-1), and 0 where y is 0 (PyTorch's convention), to any order

/// The quotient is at most 1 where p > 1, so that no power overflows. A whole p is a power of x, smooth at 0 as the sum is; for
/// another an element that is 0 is passed over: it has slope 0, or none.
Tensor norm_slope(const Node& n) {
    const Tensor &x = n.in[0], y = expand_dims(n.out, std::size_t(n.attr.j)), flat = equal(y, 0.);
    const double p = n.attr.p;
    const Tensor quotient = x / where(flat, 1., y);
    if (p > 0 && p == std::floor(p)) {
        const Tensor power = pow(quotient, p - 1);
        return where(flat, 0., std::fmod(p, 2) == 0 ? power : sign(x) * power);
    }
    const Tensor passed = logical_or(flat, equal(x, 0.));
    return where(passed, 0., sign(x) * pow(abs(where(passed, 1., quotient)), p - 1));
}
void norm_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = expand_dims(g, std::size_t(n.attr.j)) * norm_slope(n);
}
Tensor norm_jvp(const Node& n, const Tensor* tangents) {
    const Axes axis{n.attr.j};
    return detail::sum(norm_slope(n) * tangents[0], &axis, false);
}
constexpr Op norm_op{"norm", norm_vjp, norm_jvp};

Tensor power_norm(const Tensor& x, double p, const Axes& axis) {
    Attr attr;
    attr.p = p;
    attr.j = axis[0];
    const Tensor y = [&] {
        const Unrecorded composing;
        return pow(detail::sum(pow(abs(x), p), &axis, false), 1 / p);
    }();
    if (recording()) record(norm_op, y, x, {.in0 = x, .out = y}, attr);
    return y;
}

Tensor vector_norm(const Tensor& x, double ord, const Axes* axis) {
    if (std::isnan(ord)) fail<Error>("norm", "the order is NaN for ", x.shape(), "; it is a number, or an infinity");
    if (ord == 2) return detail::norm_l2(x, axis, false);
    if (ord == 1) return detail::norm_l1(x, axis, false);
    if (ord == infinity) return detail::norm_linf(x, axis, false);
    if (ord == -infinity) return detail::amin(abs(x), axis, false);
    if (ord == 0) return astype(detail::count_nonzero(x, axis, false), x.dtype());
    return power_norm(x, ord, *axis);
}

/// Of the last two axes.
Tensor matrix_norm(const Tensor& x, double ord) {
    const Axes last{-1}, before{-2};
    const auto largest = [&](const Tensor& s) { return ord > 0 ? detail::amax(s, &last, false) : detail::amin(s, &last, false); };
    if (std::abs(ord) == 1) return largest(detail::norm_l1(x, &before, false));
    if (std::isinf(ord)) return largest(detail::norm_l1(x, &last, false));
    if (std::abs(ord) == 2) return largest(linalg::svd(x, false, false).s);
    fail<Error>("norm", "order ", ord, " is no norm of matrices; use 1, -1, 2, -2, or a normorder");
}

/// A norm along the axes that an order needs.
Tensor norm_along(const Tensor& x, const Axes& given, bool keep_dims, auto of_vectors, auto of_matrices) {
    check_floating("norm", x);
    const Axes axes = normalized_axes("norm", given, x);
    if (axes.size() != 1 && axes.size() != 2)
        fail<ShapeError>("norm", "axes ", given, " of ", x.shape(), " are no vectors or matrices; name one axis or two");
    Tensor y = axes.size() == 1 ? of_vectors(x, &axes) : of_matrices(with_last(x, axes));
    if (!keep_dims) return y;
    Shape shape = x.shape();
    for (const Index axis : axes) shape[std::size_t(axis)] = 1;
    return reshape(y, shape);
}

Axes all_axes(const Tensor& x) {
    check_floating("norm", x);
    if (x.dimension() == 1) return {0};
    if (x.dimension() == 2) return {0, 1};
    fail<ShapeError>("norm", "takes a vector or a matrix, got ", x.shape(), "; name the axes, norm(x, ord, {-2, -1})");
}

}  // namespace
}  // namespace detail

namespace linalg {

using namespace detail;

Tensor kron(const Tensor& a, const Tensor& b) {
    check_floating("kron", a);
    check_floating("kron", b);
    check_same_dtype("kron", a, b);
    const std::size_t rank = std::max(a.dimension(), b.dimension());
    check_rank("kron", 2 * rank);
    Shape left, right;
    for (std::size_t i = 0; i < rank; ++i) {
        const auto extent = [&](const Tensor& x) { return i + x.dimension() < rank ? 1 : x.shape()[i + x.dimension() - rank]; };
        left.push_back(extent(a));
        left.push_back(1);
        right.push_back(1);
        right.push_back(extent(b));
    }
    const Tensor products = reshape(a, left) * reshape(b, right);
    const Shape pairs = products.shape();
    Shape shape;
    for (std::size_t i = 0; i < rank; ++i) shape.push_back(pairs[2 * i] * pairs[2 * i + 1]);
    return reshape(products, shape);
}

Tensor matrix_power(const Tensor& a, long n) {
    square_matrices("matrix_power", a);
    if (n == 0) return broadcast_to(identity_like(a), a.shape());
    Tensor square = n < 0 ? inv(a) : a, product;
    for (unsigned long rest = n < 0 ? 0ul - static_cast<unsigned long>(n) : static_cast<unsigned long>(n); rest != 0;
         rest >>= 1) {
        if (rest & 1) product = product.defined() ? matmul(product, square) : square;
        if (rest > 1) square = matmul(square, square);
    }
    return product;
}

Tensor expm(const Tensor& a) {
    const Matrices m = square_matrices("expm", a);
    Tensor y = [&] {
        const Unrecorded composing;
        check_finite_matrices("expm", contiguous(a), m);
        return exponential(a);
    }();
    if (recording()) record(expm_op, y, a, {.in0 = a});
    return y;
}

Tensor norm(const Tensor& x) {
    check_floating("norm", x);
    return detail::norm_l2(x, nullptr, false);
}

Tensor norm(const Tensor& x, double ord, const Axes& axes, bool keep_dims) {
    return norm_along(
        x, axes, keep_dims, [=](const Tensor& v, const Axes* axis) { return vector_norm(v, ord, axis); },
        [=](const Tensor& matrices) { return matrix_norm(matrices, ord); });
}

Tensor norm(const Tensor& x, normorder ord, const Axes& axes, bool keep_dims) {
    if (ord == normorder::inf || ord == normorder::neg_inf)
        return norm(x, ord == normorder::inf ? infinity : -infinity, axes, keep_dims);
    const auto not_of_vectors = [](const Tensor& v, const Axes*) -> Tensor {
        fail<Error>("norm", "frob and nuc are norms of matrices, got vectors of ", v.shape(), "; use 2, or 1");
    };
    return norm_along(x, axes, keep_dims, not_of_vectors, [=](const Tensor& matrices) {
        const Axes last{-1}, both{-2, -1};
        return ord == normorder::nuc ? detail::sum(svd(matrices, false, false).s, &last, false)
                                     : detail::norm_l2(matrices, &both, false);
    });
}

Tensor norm(const Tensor& x, double ord) { return norm(x, ord, all_axes(x)); }
Tensor norm(const Tensor& x, normorder ord) { return norm(x, ord, all_axes(x)); }

}  // namespace linalg
}  // namespace xtgrad
