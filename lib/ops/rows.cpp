// Functions of whole rows. Each is one node; its adjoint is a fused op with rules of its own, so that every order exists.
#include <xtgrad/ops/rows.hpp>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>

#include "../kernels/rows.hpp"
#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad {
namespace detail {
namespace {

Tensor row_sum(const Tensor& x) {
    const Axes last{-1};
    return sum(x, &last, true);
}

/// The last extent and the number of rows of that length.
struct Rows {
    Index n, count;

    Rows(const char* op, const Tensor& x) {
        check_floating(op, x);
        if (x.dimension() == 0) fail<ShapeError>(op, "needs at least one axis, got a scalar; reshape it to (1,)");
        n = x.shape().back();
        count = n ? element_count(x) / n : 0;
    }
};

/// out = kernel(operands) over dense rows; of x's shape.
template <class... X>
Tensor by_rows(const Rows& rows, auto kernel, const Tensor& x, const X&... more) {
    Tensor out = allocate_like(x);
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const auto run = [&](const auto&... dense) {
            const auto k = kernel(kernels::row_kernels<T>());
            kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
                k(count, rows.n, mutable_data<T>(dense) + first * rows.n..., mutable_data<T>(out) + first * rows.n);
            });
        };
        run(contiguous(x), contiguous(more)...);
    });
    return out;
}

/// f along the last axis, with another axis brought there and back.
Tensor along(const char* op, const Tensor& x, Index axis, auto f) {
    check_floating(op, x);
    const auto rank = x.dimension();
    if (rank == 0) fail<ShapeError>(op, "needs at least one axis, got a scalar; reshape it to (1,)");
    const auto at = std::size_t(normalized_axis(op, axis, int(rank)));
    if (at == rank - 1) return f([](const Tensor& t) { return t; });
    Axes swap;
    for (std::size_t i = 0; i < rank; ++i) swap.push_back(Index(i));
    std::swap(swap[at], swap[rank - 1]);
    const auto moved = [swap](const Tensor& t) { return permute(t, swap); };
    return moved(f(moved));
}

// ---- softmax: s_i = e^(x_i) / sum_k e^(x_k),  x' = softmax_vjp(s, g),  s. = softmax_vjp(s, x.)

Tensor softmax_rows(const Tensor& x);
Tensor softmax_vjp_rows(const Tensor& s, const Tensor& g);

void softmax_op_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = softmax_vjp_rows(n.out, g); }
Tensor softmax_op_jvp(const Node& n, const Tensor* tangents) { return softmax_vjp_rows(n.out, tangents[0]); }
constexpr Op softmax_op{"softmax", softmax_op_vjp, softmax_op_jvp};

Tensor softmax_rows(const Tensor& x) {
    Tensor out = by_rows(
        Rows("softmax", x), [](const auto& k) { return k.softmax; }, x);
    if (recording()) record(softmax_op, out, x, {.out = out});
    return out;
}

// ---- u = s (g - sum g s): linear and symmetric in g;  with cotangent h:  g' = softmax_vjp(s, h),
//      s' = h (g - sum g s) - g sum h s;  with tangents:  u. = s. (g - sum g s) - s sum g s. + softmax_vjp(s, g.)

void softmax_vjp_op_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Tensor &s = n.in[0], &g = n.in[1];
    if (need & 1) cotangents[0] = h * (g - row_sum(g * s)) - g * row_sum(h * s);
    if (need & 2) cotangents[1] = softmax_vjp_rows(s, h);
}
Tensor softmax_vjp_op_jvp(const Node& n, const Tensor* tangents) {
    const Tensor &s = n.in[0], &g = n.in[1], &ds = tangents[0], &dg = tangents[1];
    Tensor sum;
    if (ds.defined()) sum = ds * (g - row_sum(g * s)) - s * row_sum(g * ds);
    if (dg.defined()) accumulate(sum, softmax_vjp_rows(s, dg));
    return sum;
}
constexpr Op softmax_vjp_op{"softmax_vjp", softmax_vjp_op_vjp, softmax_vjp_op_jvp};

Tensor softmax_vjp_rows(const Tensor& s, const Tensor& g) {
    Tensor out = by_rows(
        Rows("softmax_vjp", s), [](const auto& k) { return k.softmax_vjp; }, s, g);
    if (recording()) record(softmax_vjp_op, out, s, g, {s, g, {}});
    return out;
}

// ---- log_softmax: y = x - log sum e^x,  x' = log_softmax_vjp(y, g),  y. = x. - sum e^y x.

Tensor log_softmax_vjp_rows(const Tensor& y, const Tensor& g);

void log_softmax_op_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = log_softmax_vjp_rows(n.out, g); }
Tensor log_softmax_op_jvp(const Node& n, const Tensor* tangents) { return tangents[0] - row_sum(exp(n.out) * tangents[0]); }
constexpr Op log_softmax_op{"log_softmax", log_softmax_op_vjp, log_softmax_op_jvp};

Tensor log_softmax_rows(const Tensor& x) {
    Tensor out = by_rows(
        Rows("log_softmax", x), [](const auto& k) { return k.log_softmax; }, x);
    if (recording()) record(log_softmax_op, out, x, {.out = out});
    return out;
}

// ---- u = g - e^y sum g;  with cotangent h:  g' = h - sum h e^y,  y' = -h e^y sum g;  u. = g. - e^y sum g. - y. e^y sum g

void log_softmax_vjp_op_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Tensor &y = n.in[0], &g = n.in[1];
    const Tensor s = exp(y);
    if (need & 1) cotangents[0] = -(h * s * row_sum(g));
    if (need & 2) cotangents[1] = h - row_sum(h * s);
}
Tensor log_softmax_vjp_op_jvp(const Node& n, const Tensor* tangents) {
    const Tensor &y = n.in[0], &g = n.in[1], &dy = tangents[0], &dg = tangents[1];
    Tensor sum;
    if (dy.defined()) sum = -(dy * exp(y) * row_sum(g));
    if (dg.defined()) accumulate(sum, log_softmax_vjp_rows(y, dg));
    return sum;
}
constexpr Op log_softmax_vjp_op{"log_softmax_vjp", log_softmax_vjp_op_vjp, log_softmax_vjp_op_jvp};

Tensor log_softmax_vjp_rows(const Tensor& y, const Tensor& g) {
    Tensor out = by_rows(
        Rows("log_softmax_vjp", y), [](const auto& k) { return k.log_softmax_vjp; }, y, g);
    if (recording()) record(log_softmax_vjp_op, out, y, g, {y, g, {}});
    return out;
}

// ---- layer_norm: x^ = (x - mean) r, r = 1 / sqrt(variance + eps),  x' = layer_norm_vjp(x, g), and by symmetry x^. likewise

Tensor layer_norm_rows(const Tensor& x, double eps);
Tensor layer_norm_vjp_rows(const Tensor& x, const Tensor& g, double eps);

void layer_norm_op_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = layer_norm_vjp_rows(n.in[0], g, n.attr.p);
}
Tensor layer_norm_op_jvp(const Node& n, const Tensor* tangents) { return layer_norm_vjp_rows(n.in[0], tangents[0], n.attr.p); }
constexpr Op layer_norm_op{"layer_norm", layer_norm_op_vjp, layer_norm_op_jvp};

Attr number(double p) {
    Attr attr;
    attr.p = p;
    return attr;
}

Tensor layer_norm_rows(const Tensor& x, double eps) {
    Tensor out = by_rows(
        Rows("layer_norm", x),
        [eps](const auto& k) {
            return [f = k.layer_norm, eps](Index rows, Index n, const auto* in, auto* to) {
                f(rows, n, std::remove_cvref_t<decltype(*to)>(eps), in, to);
            };
        },
        x);
    if (recording()) record(layer_norm_op, out, x, {.in0 = x}, number(eps));
    return out;
}

// ---- u = V(g) = r (g - mean g - x^ mean(g x^)) over n elements: linear and symmetric in g. The derivative of <h, V(g)> in x
//      is -r/n (x^ <h, V(g)> + <g, x^> V(h) + <h, x^> V(g)), symmetric in g, h and a direction of x: adjoint and tangent alike.

Tensor layer_norm_second(const Tensor& x, const Tensor& g, const Tensor& h, double eps) {
    const Axes last{-1};
    const double n = double(x.shape().back());
    const Tensor d = x - mean(x, &last, true), r = 1. / sqrt(mean(square(d), &last, true) + eps);
    const Tensor normal = layer_norm_rows(x, eps), vg = layer_norm_vjp_rows(x, g, eps), vh = layer_norm_vjp_rows(x, h, eps);
    return (normal * row_sum(h * vg) + row_sum(g * normal) * vh + row_sum(h * normal) * vg) * (r * (-1 / n));
}

void layer_norm_vjp_op_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    if (need & 1) cotangents[0] = layer_norm_second(n.in[0], n.in[1], h, n.attr.p);
    if (need & 2) cotangents[1] = layer_norm_vjp_rows(n.in[0], h, n.attr.p);
}
Tensor layer_norm_vjp_op_jvp(const Node& n, const Tensor* tangents) {
    Tensor sum;
    if (tangents[0].defined()) sum = layer_norm_second(n.in[0], n.in[1], tangents[0], n.attr.p);
    if (tangents[1].defined()) accumulate(sum, layer_norm_vjp_rows(n.in[0], tangents[1], n.attr.p));
    return sum;
}
constexpr Op layer_norm_vjp_op{"layer_norm_vjp", layer_norm_vjp_op_vjp, layer_norm_vjp_op_jvp};

Tensor layer_norm_vjp_rows(const Tensor& x, const Tensor& g, double eps) {
    Tensor out = by_rows(
        Rows("layer_norm_vjp", x),
        [eps](const auto& k) {
            return [f = k.layer_norm_vjp, eps](Index rows, Index n, const auto* in, const auto* cotangent, auto* to) {
                f(rows, n, std::remove_cvref_t<decltype(*to)>(eps), in, cotangent, to);
            };
        },
        x, g);
    if (recording()) record(layer_norm_vjp_op, out, x, g, {x, g, {}}, number(eps));
    return out;
}

// ---- cross_entropy: y = mean over N rows of log sum e^z - z[label],  z' = cross_entropy_vjp(z, g),  y. = <z., y'(z)>.
//      out of the nodes is the labels.

Tensor cross_entropy_vjp(const Tensor& logits, const Tensor& labels, const Tensor& g);

void cross_entropy_op_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = cross_entropy_vjp(n.in[0], n.out, g);
}
Tensor cross_entropy_op_jvp(const Node& n, const Tensor* tangents) {
    return sum(tangents[0] * cross_entropy_vjp(n.in[0], n.out, scalar(1, n.dtype())), nullptr, false);
}
constexpr Op cross_entropy_op{"cross_entropy", cross_entropy_op_vjp, cross_entropy_op_jvp};

// ---- u = g/N (s - one hot), s = softmax z;  with cotangent h:  z' = g/N softmax_vjp(s, h),  g' = <h, u> / g, that is with g = 1

void cross_entropy_vjp_op_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Tensor &z = n.in[0], &g = n.in[1];
    if (need & 1) cotangents[0] = softmax_vjp_rows(softmax_rows(z), h) * (g / n.attr.p);
    if (need & 2) cotangents[1] = sum(h * cross_entropy_vjp(z, n.out, scalar(1, n.dtype())), nullptr, false);
}
Tensor cross_entropy_vjp_op_jvp(const Node& n, const Tensor* tangents) {
    const Tensor &z = n.in[0], &g = n.in[1], &dz = tangents[0], &dg = tangents[1];
    Tensor sum;
    if (dz.defined()) sum = softmax_vjp_rows(softmax_rows(z), dz) * (g / n.attr.p);
    if (dg.defined()) accumulate(sum, cross_entropy_vjp(z, n.out, dg));
    return sum;
}
constexpr Op cross_entropy_vjp_op{"cross_entropy_vjp", cross_entropy_vjp_op_vjp, cross_entropy_vjp_op_jvp};

Tensor cross_entropy_vjp(const Tensor& logits, const Tensor& labels, const Tensor& g) {
    const Rows rows("cross_entropy", logits);
    Tensor out = allocate_like(logits);
    const Tensor dense = contiguous(logits), dense_labels = contiguous(labels);
    with_floating(logits.dtype(), [&](auto z) {
        using T = decltype(z);
        const T scale = T(scalar_value(g) / double(rows.count));
        const auto* label = mutable_data<std::int64_t>(dense_labels);
        kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
            kernels::row_kernels<T>().cross_entropy_vjp(count, rows.n, scale, mutable_data<T>(dense) + first * rows.n,
                                                        label + first, mutable_data<T>(out) + first * rows.n);
        });
    });
    if (recording()) record(cross_entropy_vjp_op, out, logits, g, {logits, g, labels}, number(double(rows.count)));
    return out;
}

void check_labels(const Tensor& logits, const Tensor& labels, const Tensor& dense_labels) {
    const Shape shape = logits.shape(), rows = Shape::of(shape.data(), int(shape.size()) - 1);
    if (labels.shape() != rows)
        fail<ShapeError>("cross_entropy", "labels ", labels.shape(), " do not fit logits ", shape, "; they need the shape ", rows,
                         ", a class for each row");
    const auto* label = mutable_data<std::int64_t>(dense_labels);
    for (Index i = 0, n = element_count(labels); i < n; ++i)
        if (label[i] < 0 || label[i] >= shape.back())
            fail<IndexError>("cross_entropy", "label ", label[i], " is out of range for ", shape.back(), " classes; ",
                             Labels{shape.back()});
}

}  // namespace
}  // namespace detail

using namespace detail;

Tensor softmax(const Tensor& x, Index axis) {
    return along("softmax", x, axis, [&](auto moved) { return softmax_rows(moved(x)); });
}

Tensor softmax_vjp(const Tensor& s, const Tensor& g, Index axis) {
    check_floating("softmax_vjp", s);
    check_floating("softmax_vjp", g);
    check_same_dtype("softmax_vjp", s, g);
    if (s.shape() != g.shape())
        fail<ShapeError>("softmax_vjp", "shapes differ: ", s.shape(), " and ", g.shape(),
                         "; both have the shape of softmax's result");
    return along("softmax_vjp", s, axis, [&](auto moved) { return softmax_vjp_rows(moved(s), moved(g)); });
}

Tensor log_softmax(const Tensor& x, Index axis) {
    return along("log_softmax", x, axis, [&](auto moved) { return log_softmax_rows(moved(x)); });
}

namespace {

void check_affine(const Tensor& x, const char* what, const Tensor& t) {
    check_floating("layer_norm", t);
    check_same_dtype("layer_norm", x, t);
    if (t.shape() != Shape{x.shape().back()})
        fail<ShapeError>("layer_norm", what, ' ', t.shape(), " does not fit rows of ", x.shape(), "; it needs the shape ",
                         Shape{x.shape().back()});
}

}  // namespace

Tensor layer_norm(const Tensor& x, const LayerNormOptions& options) { return layer_norm_rows(x, options.eps); }
Tensor layer_norm(const Tensor& x, const Tensor& weight, const LayerNormOptions& options) {
    const Rows rows("layer_norm", x);
    check_affine(x, "weight", weight);
    return layer_norm_rows(x, options.eps) * weight;
}
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const LayerNormOptions& options) {
    const Rows rows("layer_norm", x);
    check_affine(x, "weight", weight);
    check_affine(x, "bias", bias);
    return layer_norm_rows(x, options.eps) * weight + bias;
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
    const Rows rows("cross_entropy", logits);
    check_defined("cross_entropy", labels);
    if (labels.dtype() != Dtype::i64)
        fail<DtypeError>("cross_entropy", "labels are ", labels.dtype(), ' ', labels.shape(),
                         "; they need i64, convert with astype(labels, xg::i64)");
    const Tensor dense = contiguous(logits), dense_labels = contiguous(labels);
    check_labels(logits, labels, dense_labels);
    Tensor losses = allocate(logits.dtype(), Shape{rows.count});
    with_floating(logits.dtype(), [&](auto z) {
        using T = decltype(z);
        const auto* label = mutable_data<std::int64_t>(dense_labels);
        kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
            kernels::row_kernels<T>().cross_entropy(count, rows.n, mutable_data<T>(dense) + first * rows.n, label + first,
                                                    mutable_data<T>(losses) + first);
        });
    });
    Tensor out;
    {
        const Unrecorded inner;
        out = mean(losses);
    }
    if (recording()) record(cross_entropy_op, out, logits, {.in0 = logits, .out = labels});
    return out;
}

}  // namespace xtgrad
