// y = x w^T + b:  x' = g w,  w' = g^T x,  b' = sum g over the rows,  y. = x. w^T + x w.^T + b.
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tape/algebra.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "product.hpp"

namespace xtgrad {
namespace detail {
namespace {

void linear_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Tensor &x = n.in[0], &w = n.in[1];
    if (need & 1) cotangents[0] = matmul(g, w);
    if (need & 2) cotangents[1] = matmul(transpose(rows_of(g), nullptr), rows_of(x));
    if (need & 4) cotangents[2] = sum_to(g, {w.shape()[0]});
}
Tensor linear_jvp(const Node& n, const Tensor* tangents) {
    Tensor sum;
    if (tangents[0].defined()) sum = linear(tangents[0], n.in[1]);
    if (tangents[1].defined()) accumulate(sum, linear(n.in[0], tangents[1]));
    if (n.inputs().size() > 2 && tangents[2].defined()) accumulate(sum, broadcast_to(tangents[2], n.shape()));
    return sum;
}
constexpr Op linear_op{"linear", linear_vjp, linear_jvp};

void check_arguments(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    check_floating("linear", x);
    check_floating("linear", weight);
    check_same_dtype("linear", x, weight);
    if (weight.dimension() != 2 || x.dimension() == 0 || x.shape().back() != weight.shape()[1])
        fail<ShapeError>("linear", "the weight ", weight.shape(), " does not fit the inputs ", x.shape(),
                         "; it needs the shape (out, in) with in their last extent");
    if (!bias.defined()) return;
    check_same_dtype("linear", x, bias);
    if (bias.shape() != Shape{weight.shape()[0]})
        fail<ShapeError>("linear", "the bias ", bias.shape(), " does not fit the weight ", weight.shape(),
                         "; it needs the shape ", Shape{weight.shape()[0]});
}

}  // namespace
}  // namespace detail

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    using namespace detail;
    check_arguments(x, weight, bias);
    Tensor out = [&] {
        const Unrecorded inner;
        const bool vector = x.dimension() == 1;
        const Tensor rows = vector ? expand_dims(x, Index(0)) : x;
        const Tensor y = product(rows, transpose(weight, nullptr), bias.defined() ? contiguous(bias) : bias);
        return vector ? reshape(y, {weight.shape()[0]}) : y;
    }();
    if (!recording()) return out;
    if (bias.defined()) {
        Node& n = record(linear_op, out, std::array{x, weight, bias});
        n.in[0] = x, n.in[1] = weight;
    } else {
        record(linear_op, out, x, weight, {x, weight, {}});
    }
    return out;
}

}  // namespace xtgrad
