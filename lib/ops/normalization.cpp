// layer_norm and rms_norm: x^ = (x - mean) r with r = 1 / sqrt(mean (x - mean)^2 + eps), where mean is the row's, or 0 for
// rms_norm; then y = x^ weight + bias. Each is one node, with or without the latter two.
#include <xtgrad/ops/rows.hpp>

#include <xtgrad/ops/elementwise.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include "../tape/algebra.hpp"
#include "../tensor/option.hpp"
#include "rows.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// Of each row: the mean (0 unless centered) and r. Not recorded.
Tensor moments_of(const Tensor& x, bool centered, double eps) {
    const Rows rows("layer_norm", x);
    const Tensor dense = contiguous(x);
    Tensor out = allocate(x.dtype(), {rows.count, 2});
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
            kernels::row_kernels<T>().moments(count, rows.n, centered, T(eps), mutable_data<T>(dense) + first * rows.n,
                                              mutable_data<T>(out) + 2 * first);
        });
    });
    return out;
}

/// x^ weight + bias; the latter two may be undefined.
Tensor normalized(const Tensor& x, const Tensor& moments, const Tensor& weight, const Tensor& bias) {
    const Rows rows("layer_norm", x);
    const Tensor dense = contiguous(x), w = weight.defined() ? contiguous(weight) : weight,
                 b = bias.defined() ? contiguous(bias) : bias;
    Tensor out = allocate_like(x);
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
            kernels::row_kernels<T>().normalize(count, rows.n, mutable_data<T>(dense) + first * rows.n,
                                                mutable_data<T>(moments) + 2 * first, data_or_null<T>(w), data_or_null<T>(b),
                                                mutable_data<T>(out) + first * rows.n);
        });
    });
    return out;
}

/// V(g weight), and the sums over rows of g x^ and of g that are wanted.
struct Adjoint {
    Tensor x, weight, bias;

    Adjoint(const Tensor& input, const Tensor& moments, const Tensor& scale, const Tensor& g, bool centered, bool want_weight,
            bool want_bias) {
        const Rows rows("layer_norm", input);
        const Tensor dense = contiguous(input), cotangent = contiguous(g), w = scale.defined() ? contiguous(scale) : scale;
        x = allocate_like(input);
        // Sums of a fixed number of parts, whoever computes them, are added up in order.
        const Index parts = std::clamp<Index>(rows.count * rows.n >> 15, 1, std::min<Index>(32, std::max<Index>(rows.count, 1)));
        const bool want = want_weight || want_bias;
        Tensor sums = allocate(Dtype::f64, {want ? parts : 0, 2, rows.n});
        with_floating(input.dtype(), [&](auto z) {
            using T = decltype(z);
            std::fill_n(mutable_data<double>(sums), element_count(sums), 0.);
            kernels::parallel_tasks(parts, [&](Index part) {
                const Index end = rows.count * (part + 1) / parts;
                double* sum = mutable_data<double>(sums) + part * 2 * rows.n;
                std::vector<T> few(std::size_t(want ? 2 * rows.n : 0));
                for (Index first = rows.count * part / parts, count; first < end; first += count) {
                    count = std::min<Index>(end - first, 32);  // what T adds up exactly enough
                    std::fill(few.begin(), few.end(), T(0));
                    const Index at = first * rows.n;
                    kernels::row_kernels<T>().normalize_vjp(
                        count, rows.n, centered, mutable_data<T>(dense) + at, mutable_data<T>(moments) + 2 * first,
                        data_or_null<T>(w), mutable_data<T>(cotangent) + at, mutable_data<T>(x) + at,
                        want_weight ? few.data() : nullptr, want_bias ? few.data() + rows.n : nullptr);
                    std::transform(few.begin(), few.end(), sum, sum, [](T a, double b) { return double(a) + b; });
                }
            });
        });
        if (!want) return;
        const Axes first{0};
        const Tensor total = astype(detail::sum(sums, &first, false), input.dtype());
        if (want_weight) weight = make_view(total, {rows.n}, {1}, 0);
        if (want_bias) bias = make_view(total, {rows.n}, {1}, rows.n);
    }
};

template <bool centered>
Tensor normalize(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
template <bool centered>
Tensor normalize_vjp(const Tensor& x, const Tensor& g, const Tensor& moments, double eps);

Attr number(double eps) {
    Attr attr;
    attr.p = eps;
    return attr;
}

// ---- y = x^ w + b:  x' = V(g w),  w' = sum g x^,  b' = sum g,  y. = V(x.) w + x^ w. + b., with V of the next paragraph.
//      out of the node are the moments.

template <bool centered>
void norm_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Tensor &x = n.in[0], &w = n.in[1];
    if (!recording()) {
        const Adjoint adjoint(x, n.out, w, g, centered, need & 2, need & 4);
        cotangents[0] = adjoint.x;
        if (need & 2) cotangents[1] = adjoint.weight;
        if (need & 4) cotangents[2] = adjoint.bias;
        return;
    }
    if (need & 1) cotangents[0] = normalize_vjp<centered>(x, w.defined() ? g * w : g, n.out, n.attr.p);
    if (need & 2) cotangents[1] = sum_to(g * normalize<centered>(x, {}, {}, n.attr.p), w.shape());
    if (need & 4) cotangents[2] = sum_to(g, w.shape());
}
template <bool centered>
Tensor norm_jvp(const Node& n, const Tensor* tangents) {
    const Tensor &x = n.in[0], &w = n.in[1];
    Tensor sum;
    if (tangents[0].defined()) {
        sum = normalize_vjp<centered>(x, tangents[0], n.out, n.attr.p);
        if (w.defined()) sum = sum * w;
    }
    if (n.inputs().size() > 1 && tangents[1].defined()) accumulate(sum, normalize<centered>(x, {}, {}, n.attr.p) * tangents[1]);
    if (n.inputs().size() > 2 && tangents[2].defined()) accumulate(sum, broadcast_to(tangents[2], n.shape()));
    return sum;
}
template <bool centered>
constexpr Op norm_op{centered ? "layer_norm" : "rms_norm", norm_vjp<centered>, norm_jvp<centered>};

template <bool centered>
Tensor normalize(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
    const Tensor moments = moments_of(x, centered, eps);
    Tensor out = normalized(x, moments, weight, bias);
    if (!recording()) return out;
    if (bias.defined()) {
        Node& n = record(norm_op<centered>, out, std::array{x, weight, bias}, number(eps));
        n.in[0] = x, n.in[1] = weight, n.out = moments;
    } else if (weight.defined()) {
        record(norm_op<centered>, out, x, weight, {x, weight, moments}, number(eps));
    } else {
        record(norm_op<centered>, out, x, {.in0 = x, .out = moments}, number(eps));
    }
    return out;
}

// ---- V(g) = r (g - mean g - x^ mean(g x^)), without mean g for rms_norm: linear and symmetric in g. Over n elements, the
//      derivative of <h, V(g)> in x is -r/n (x^ <h, V(g)> + <g, x^> V(h) + <h, x^> V(g)), symmetric in g, h and a direction
//      of x: adjoint and tangent alike. out of the node are the moments.

template <bool centered>
Tensor second(const Tensor& x, const Tensor& g, const Tensor& h, const Tensor& moments, double eps) {
    const Axes last{-1};
    const Tensor d = centered ? x - mean(x, &last, true) : x, r = 1. / sqrt(mean(square(d), &last, true) + eps);
    const Tensor normal = normalize<centered>(x, {}, {}, eps), vg = normalize_vjp<centered>(x, g, moments, eps),
                 vh = normalize_vjp<centered>(x, h, moments, eps);
    const double n = double(x.shape().back());
    return (normal * row_sum(h * vg) + row_sum(g * normal) * vh + row_sum(h * normal) * vg) * (r * (-1 / n));
}

template <bool centered>
void norm_vjp_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    if (need & 1) cotangents[0] = second<centered>(n.in[0], n.in[1], h, n.out, n.attr.p);
    if (need & 2) cotangents[1] = normalize_vjp<centered>(n.in[0], h, n.out, n.attr.p);
}
template <bool centered>
Tensor norm_vjp_jvp(const Node& n, const Tensor* tangents) {
    Tensor sum;
    if (tangents[0].defined()) sum = second<centered>(n.in[0], n.in[1], tangents[0], n.out, n.attr.p);
    if (tangents[1].defined()) accumulate(sum, normalize_vjp<centered>(n.in[0], tangents[1], n.out, n.attr.p));
    return sum;
}
template <bool centered>
constexpr Op norm_vjp_op{centered ? "layer_norm_vjp" : "rms_norm_vjp", norm_vjp_vjp<centered>, norm_vjp_jvp<centered>};

template <bool centered>
Tensor normalize_vjp(const Tensor& x, const Tensor& g, const Tensor& moments, double eps) {
    Tensor out = Adjoint(x, moments, {}, g, centered, false, false).x;
    if (recording()) record(norm_vjp_op<centered>, out, x, g, {x, g, moments}, number(eps));
    return out;
}

void check_affine(const char* op, const Tensor& x, const char* what, const Tensor& t) {
    check_floating(op, t);
    check_same_dtype(op, x, t);
    if (t.shape() != Shape{x.shape().back()})
        fail<ShapeError>(op, what, ' ', t.shape(), " does not fit rows of ", x.shape(), "; it needs the shape ",
                         Shape{x.shape().back()});
}

double eps_of(const LayerNormOptions& options) {
    check_option("layer_norm", "eps", options.eps, not_negative);
    return options.eps;
}
double eps_of(const Tensor& x, const RmsNormOptions& options) {
    if (options.eps) return check_option("rms_norm", "eps", *options.eps, not_negative), *options.eps;
    return x.dtype() == Dtype::f32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
}

}  // namespace
}  // namespace detail

using namespace detail;

Tensor layer_norm(const Tensor& x, const LayerNormOptions& options) {
    const Rows rows("layer_norm", x);
    return normalize<true>(x, {}, {}, eps_of(options));
}
Tensor layer_norm(const Tensor& x, const Tensor& weight, const LayerNormOptions& options) {
    const Rows rows("layer_norm", x);
    check_affine("layer_norm", x, "weight", weight);
    return normalize<true>(x, weight, {}, eps_of(options));
}
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const LayerNormOptions& options) {
    const Rows rows("layer_norm", x);
    check_affine("layer_norm", x, "weight", weight);
    check_affine("layer_norm", x, "bias", bias);
    return normalize<true>(x, weight, bias, eps_of(options));
}

Tensor rms_norm(const Tensor& x, const RmsNormOptions& options) {
    const Rows rows("rms_norm", x);
    return normalize<false>(x, {}, {}, eps_of(x, options));
}
Tensor rms_norm(const Tensor& x, const Tensor& weight, const RmsNormOptions& options) {
    const Rows rows("rms_norm", x);
    check_affine("rms_norm", x, "weight", weight);
    return normalize<false>(x, weight, {}, eps_of(x, options));
}

}  // namespace xtgrad
