#include <xtgrad/nn/losses.hpp>

#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>

#include "../tensor/option.hpp"

namespace xtgrad::nn {

using namespace xtgrad::detail;

namespace {

void check_pair(const char* op, const Tensor& x, const Tensor& target) {
    check_floating(op, x);
    check_floating(op, target);
    check_same_dtype(op, x, target);
    if (x.shape() != target.shape())
        fail<ShapeError>(op, "the target ", target.shape(), " differs from ", x.shape(), "; reshape or broadcast_to one of them");
}

}  // namespace

Tensor mse(const Tensor& x, const Tensor& target) {
    check_pair("mse", x, target);
    return mean(square(x - target));
}

Tensor l1(const Tensor& x, const Tensor& target) {
    check_pair("l1", x, target);
    return mean(abs(x - target));
}

Tensor huber(const Tensor& x, const Tensor& target, const HuberOptions& options) {
    check_pair("huber", x, target);
    const double delta = options.delta;
    check_option("huber", "delta", delta, {0, unbounded, true});
    // With c the part of |d| below delta it is c |d| - c^2 / 2 in both cases. Where |d| is infinite c has no slope to multiply.
    const Tensor d = abs(x - target), c = where(d <= delta, d, delta);
    return mean(c * (d - 0.5 * c));
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target, const BinaryCrossEntropyOptions& options) {
    check_pair("binary_cross_entropy_with_logits", logits, target);
    Tensor positive = softplus(-logits);
    if (options.pos_weight.defined()) positive = positive * (1 + (options.pos_weight - 1) * target);
    const Tensor loss = (1 - target) * logits + positive;
    return mean(options.weight.defined() ? loss * options.weight : loss);
}

Tensor hinge(const Tensor& scores, const Tensor& target) {
    check_pair("hinge", scores, target);
    return mean(relu(1 - target * scores));
}

Tensor kl_div(const Tensor& x, const Tensor& target) {
    check_pair("kl_div", x, target);
    if (x.dimension() == 0) fail<ShapeError>("kl_div", "a scalar is no batch of distributions; reshape it to (1, 1)");
    const Tensor logarithm = log(where(target > 0., target, 1.)), missing = equal(target, 0.) && isinf(x);
    return sum(target * (logarithm - where(missing, 0., x))) / double(x.shape(0));
}

Tensor nll(const Tensor& x, const Tensor& labels, const NllOptions& options) {
    check_floating("nll", x);
    check_defined("nll", labels);
    if (labels.dtype() != Dtype::i64)
        fail<DtypeError>("nll", "labels are ", labels.dtype(), "; convert with astype(labels, xg::i64)");
    Shape rows = x.shape();
    if (rows.empty() || (rows.pop_back(), rows != labels.shape()))
        fail<ShapeError>("nll", "labels ", labels.shape(), " for log-probabilities ", x.shape(), "; give one for each row");
    const Index classes = x.shape(-1);
    const Tensor counts = not_equal(labels, options.ignore_index), label = where(counts, labels, 0);
    if (any(label < 0).item<bool>() || any(label >= classes).item<bool>())
        fail<IndexError>("nll", "a label is out of range for ", classes, " classes; ", Labels{classes});
    Tensor share = astype(counts, x.dtype());
    if (options.weight.defined()) {
        check_same_dtype("nll", x, options.weight);
        if (options.weight.shape() != Shape{classes})
            fail<ShapeError>("nll", "the weight ", options.weight.shape(), " does not fit ", classes, " classes; it needs ",
                             Shape{classes});
        share = share * take(options.weight, label);
    }
    const Tensor own = where(counts, squeeze(take_along_axis(x, xtgrad::detail::expand_dims(label, -1), -1), {-1}), 0.);
    return -sum(own * share) / sum(share);
}

}  // namespace xtgrad::nn
