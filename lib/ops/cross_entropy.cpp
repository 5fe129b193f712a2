// y = sum over rows of  t log sum e^z - o z[label] - e sum_c w_c z_c,  where a row's shares are o, of its own class, e, of each
// class, and t = o + e sum w. With N = the sum over rows of w[label], label smoothing a and C classes, o = (1 - a) w[label] / N
// and e = a / (C N); both are 0 in a row that is ignored.
#include <xtgrad/ops/rows.hpp>

#include <xtgrad/ops/elementwise.hpp>

#include <limits>

#include "../tape/algebra.hpp"
#include "../tensor/option.hpp"
#include "rows.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// `shares` has t, o and e of each row; weight is w, or undefined.
Tensor cross_entropy_vjp(const Tensor& logits, const Tensor& g, const Tensor& labels, const Tensor& shares, const Tensor& weight);

std::unique_ptr<Extra> kept(const Tensor& shares, const Tensor& weight) {
    auto extra = std::make_unique<Extra>();
    extra->saved = {shares, weight};
    return extra;
}
const Tensor& shares_of(const Node& n) { return n.extra->saved[0]; }
const Tensor& weight_of(const Node& n) { return n.extra->saved[1]; }

// ---- z' = cross_entropy_vjp(z, g),  y. = <z., y'(z)>.  out of the nodes is the labels.

void cross_entropy_op_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = cross_entropy_vjp(n.in[0], g, n.out, shares_of(n), weight_of(n));
}
Tensor cross_entropy_op_jvp(const Node& n, const Tensor* tangents) {
    return sum(tangents[0] * cross_entropy_vjp(n.in[0], scalar(1, n.dtype()), n.out, shares_of(n), weight_of(n)), nullptr, false);
}
constexpr Op cross_entropy_op{"cross_entropy", cross_entropy_op_vjp, cross_entropy_op_jvp};

// ---- u = g (t s - o onehot - e w), s = softmax z;  with cotangent h:  z' = g t softmax_vjp(s, h),  g' = <h, u> at g = 1

/// t g softmax_vjp(softmax z, h), which is symmetric: adjoint and tangent alike.
Tensor curvature(const Node& n, const Tensor& h) {
    const Tensor &z = n.in[0], &g = n.in[1];
    Shape column = z.shape();
    column[column.size() - 1] = 1;
    Strides strides = dense_strides(column);
    for (Index& stride : strides) stride *= 3;
    const Tensor t = make_view(shares_of(n), column, strides);
    return softmax_vjp_rows(softmax_rows(z), h) * (t * g);
}
void cross_entropy_vjp_op_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    if (need & 1) cotangents[0] = curvature(n, h);
    if (need & 2) {
        const Tensor one = scalar(1, n.dtype());
        cotangents[1] = sum(h * cross_entropy_vjp(n.in[0], one, n.out, shares_of(n), weight_of(n)), nullptr, false);
    }
}
Tensor cross_entropy_vjp_op_jvp(const Node& n, const Tensor* tangents) {
    Tensor sum;
    if (tangents[0].defined()) sum = curvature(n, tangents[0]);
    if (tangents[1].defined()) accumulate(sum, cross_entropy_vjp(n.in[0], tangents[1], n.out, shares_of(n), weight_of(n)));
    return sum;
}
constexpr Op cross_entropy_vjp_op{"cross_entropy_vjp", cross_entropy_vjp_op_vjp, cross_entropy_vjp_op_jvp};

Tensor cross_entropy_vjp(const Tensor& logits, const Tensor& g, const Tensor& labels, const Tensor& shares,
                         const Tensor& weight) {
    const Rows rows("cross_entropy", logits);
    Tensor out = allocate_like(logits);
    const Tensor dense = contiguous(logits);
    with_floating(logits.dtype(), [&](auto z) {
        using T = decltype(z);
        const T scale = T(scalar_value(g));
        kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
            kernels::row_kernels<T>().cross_entropy_vjp(
                count, rows.n, scale, mutable_data<T>(dense) + first * rows.n, mutable_data<std::int64_t>(labels) + first,
                mutable_data<T>(shares) + 3 * first, data_or_null<T>(weight), mutable_data<T>(out) + first * rows.n);
        });
    });
    if (recording()) record(cross_entropy_vjp_op, out, logits, g, {logits, g, labels}, {}, kept(shares, weight));
    return out;
}

void check_labels(const Tensor& logits, const Tensor& labels) {
    if (labels.dtype() != Dtype::i64)
        fail<DtypeError>("cross_entropy", "labels are ", labels.dtype(), ' ', labels.shape(),
                         "; they need i64, convert with astype(labels, xg::i64)");
    const Shape shape = logits.shape(), rows = Shape::of(shape.data(), int(shape.size()) - 1);
    if (labels.shape() != rows)
        fail<ShapeError>("cross_entropy", "labels ", labels.shape(), " do not fit logits ", shape, "; they need the shape ", rows,
                         ", a class for each row");
}

void check(const Tensor& logits, const CrossEntropyOptions& options) {
    check_option("cross_entropy", "label_smoothing", options.label_smoothing, share);
    const Tensor& weight = options.weight;
    if (!weight.defined()) return;
    check_same_dtype("cross_entropy", logits, weight);
    if (weight.shape() != Shape{logits.shape().back()})
        fail<ShapeError>("cross_entropy", "weight ", weight.shape(), " does not fit logits ", logits.shape(),
                         "; it needs the shape ", Shape{logits.shape().back()}, ", a number for each class");
}

/// The labels, 0 where a row is ignored, and each row's shares; returns N.
template <class T>
double read_labels(const Tensor& labels, Index classes, const CrossEntropyOptions& options, const T* weight, std::int64_t* out,
                   T* shares) {
    const Tensor dense = contiguous(labels);
    const auto* label = mutable_data<std::int64_t>(dense);
    const Index rows = element_count(dense);
    double total = 0, all = 0;
    for (Index i = 0; i < rows; ++i) {
        const bool ignored = label[i] == options.ignore_index;
        if (!ignored && (label[i] < 0 || label[i] >= classes))
            fail<IndexError>("cross_entropy", "label ", label[i], " is out of range for ", classes, " classes; ",
                             Labels{classes});
        out[i] = ignored ? 0 : label[i];
        if (!ignored) total += weight ? double(weight[label[i]]) : 1;
    }
    for (Index c = 0; c < classes; ++c) all += weight ? double(weight[c]) : 1;
    const double smoothing = options.label_smoothing, each = smoothing / (double(classes) * total);
    for (Index i = 0; i < rows; ++i, shares += 3) {
        const bool ignored = label[i] == options.ignore_index;
        const double own = (1 - smoothing) * (weight ? double(weight[out[i]]) : 1) / total;
        shares[0] = ignored ? T(0) : T(own + each * all);
        shares[1] = ignored ? T(0) : T(own);
        shares[2] = ignored ? T(0) : T(each);
    }
    return total;
}

}  // namespace
}  // namespace detail

using namespace detail;

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const CrossEntropyOptions& options) {
    const Rows rows("cross_entropy", logits);
    check_defined("cross_entropy", labels);
    check_labels(logits, labels);
    check(logits, options);
    const Tensor dense = contiguous(logits), weight = options.weight.defined() ? contiguous(options.weight) : Tensor();
    const Tensor classes = allocate(Dtype::i64, {element_count(labels)}),
                 shares = allocate(logits.dtype(), {element_count(labels), 3}), losses = allocate(logits.dtype(), {rows.count});
    double total = 0;
    with_floating(logits.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* w = data_or_null<T>(weight);
        total = read_labels(labels, rows.n, options, w, mutable_data<std::int64_t>(classes), mutable_data<T>(shares));
        kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
            kernels::row_kernels<T>().cross_entropy(count, rows.n, mutable_data<T>(dense) + first * rows.n,
                                                    mutable_data<std::int64_t>(classes) + first,
                                                    mutable_data<T>(shares) + 3 * first, w, mutable_data<T>(losses) + first);
        });
    });
    Tensor out;
    {
        const Unrecorded inner;
        out = sum(losses);
        if (total == 0) out = scalar(std::numeric_limits<double>::quiet_NaN(), logits.dtype());
    }
    if (recording()) record(cross_entropy_op, out, logits, {.in0 = logits, .out = classes}, {}, kept(shares, weight));
    return out;
}

}  // namespace xtgrad
