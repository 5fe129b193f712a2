// Three bilinear products of x, w and y, each the adjoint of the others: y = C(x, w), the convolution,
//     x = B(y, w) with <B(y, w), x> = <y, C(x, w)>,   w = W(x, y) with <W(x, y), w> = <y, C(x, w)>.
// So with a cotangent h of the result, C has x' = B(h, w), w' = W(x, h); B has y' = C(h, w), w' = W(h, y); W has x' = B(y, h),
// y' = C(x, h). Tangents are sums of the product itself.
#include <xtgrad/ops/convolution.hpp>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tape/algebra.hpp"
#include "convolution.hpp"

namespace xtgrad {
namespace detail {
namespace {

using kernels::Convolution;

Tensor forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Convolution& c);
Tensor backward(const Tensor& y, const Tensor& w, const Convolution& c);
Tensor weights(const Tensor& x, const Tensor& y, const Convolution& c);

/// The tangent of a bilinear product.
Tensor bilinear_jvp(const Node& n, const Tensor* tangents, auto product) {
    Tensor sum;
    if (tangents[0].defined()) sum = product(tangents[0], n.in[1]);
    if (tangents[1].defined()) accumulate(sum, product(n.in[0], tangents[1]));
    return sum;
}

void forward_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Convolution c = kept_in<Convolution>(n);
    if (need & 1) cotangents[0] = backward(g, n.in[1], c);
    if (need & 2) cotangents[1] = weights(n.in[0], g, c);
    if (need & 4) {
        const Index filters = c.groups * c.filters;
        cotangents[2] = reshape(sum_to(g, {filters, 1, 1}), {filters});
    }
}
Tensor forward_jvp(const Node& n, const Tensor* tangents) {
    const Convolution c = kept_in<Convolution>(n);
    Tensor sum = bilinear_jvp(n, tangents, [&](const Tensor& x, const Tensor& w) { return forward(x, w, {}, c); });
    if (n.inputs().size() > 2 && tangents[2].defined())
        accumulate(sum, broadcast_to(reshape(tangents[2], {c.groups * c.filters, 1, 1}), n.shape()));
    return sum;
}
constexpr Op forward_op{"conv2d", forward_vjp, forward_jvp};

void backward_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Convolution c = kept_in<Convolution>(n);
    if (need & 1) cotangents[0] = forward(h, n.in[1], {}, c);
    if (need & 2) cotangents[1] = weights(h, n.in[0], c);
}
Tensor backward_jvp(const Node& n, const Tensor* tangents) {
    return bilinear_jvp(n, tangents,
                        [c = kept_in<Convolution>(n)](const Tensor& y, const Tensor& w) { return backward(y, w, c); });
}
constexpr Op backward_op{"conv2d_vjp", backward_vjp, backward_jvp};

void weights_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Convolution c = kept_in<Convolution>(n);
    if (need & 1) cotangents[0] = backward(n.in[1], h, c);
    if (need & 2) cotangents[1] = forward(n.in[0], h, {}, c);
}
Tensor weights_jvp(const Node& n, const Tensor* tangents) {
    return bilinear_jvp(n, tangents,
                        [c = kept_in<Convolution>(n)](const Tensor& x, const Tensor& y) { return weights(x, y, c); });
}
constexpr Op weights_op{"conv2d_weight_vjp", weights_vjp, weights_jvp};

/// A product of a and b of this shape: f has the pointers, and memory to work in.
Tensor product(const Op& op, const Tensor& a, const Tensor& b, const Convolution& c, const Shape& shape, auto f) {
    const Tensor left = contiguous(a), right = contiguous(b);
    Tensor out = allocate(a.dtype(), shape, op.name);
    const Tensor scratch = allocate(a.dtype(), {c.scratch()}, op.name);
    with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        f(mutable_data<T>(left), mutable_data<T>(right), mutable_data<T>(out), mutable_data<T>(scratch));
    });
    return out;
}

Tensor forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Convolution& c) {
    const Tensor b = bias.defined() ? contiguous(bias) : bias;
    Tensor out = product(forward_op, x, w, c, {c.images, c.groups * c.filters, c.window.out_height, c.window.out_width},
                         [&](const auto* p, const auto* q, auto* to, auto* scratch) {
                             using T = std::remove_reference_t<decltype(*to)>;
                             kernels::convolve<T>(c, p, q, b.defined() ? mutable_data<T>(b) : nullptr, to, scratch);
                         });
    if (!recording()) return out;
    if (bias.defined()) {
        auto numbers = kept(c);  // before the node: this can throw
        Node& n = record(forward_op, out, std::array{x, w, bias});
        n.in[0] = x, n.in[1] = w;
        n.extra->extents = std::move(numbers->extents);
    } else {
        record(forward_op, out, x, w, {x, w, {}}, {}, kept(c));
    }
    return out;
}

Tensor backward(const Tensor& y, const Tensor& w, const Convolution& c) {
    Tensor out =
        product(backward_op, y, w, c, {c.images, c.groups * c.channels, c.window.height, c.window.width},
                [&](const auto* p, const auto* q, auto* to, auto* scratch) { kernels::convolve_back(c, p, q, to, scratch); });
    if (recording()) record(backward_op, out, y, w, {y, w, {}}, {}, kept(c));
    return out;
}

Tensor weights(const Tensor& x, const Tensor& y, const Convolution& c) {
    const Tensor sums = allocate(x.dtype(), {c.sums()}, weights_op.name);
    Tensor out = product(weights_op, x, y, c, {c.groups * c.filters, c.channels, c.window.rows, c.window.columns},
                         [&](const auto* p, const auto* q, auto* to, auto* scratch) {
                             using T = std::remove_reference_t<decltype(*to)>;
                             kernels::convolve_weights<T>(c, p, q, to, scratch, mutable_data<T>(sums));
                         });
    if (recording()) record(weights_op, out, x, y, {x, y, {}}, {}, kept(c));
    return out;
}

Convolution checked(const char* op, const Tensor& x, const Tensor& w, const Tensor& bias, const Conv2dOptions& o,
                    std::size_t axes) {
    check_floating(op, x);
    check_floating(op, w);
    check_same_dtype(op, x, w);
    if (x.dimension() != axes || w.dimension() != axes)
        fail<ShapeError>(op, "the inputs ", x.shape(), " and the weight ", w.shape(), " do not both have ", axes,
                         " axes; they need [N, C, ...] and (F, C / groups, ...)");
    const Index channels = x.shape(1), filters = w.shape(0);
    if (o.groups < 1 || channels % o.groups != 0 || w.shape(1) != channels / o.groups || filters % o.groups != 0)
        fail<ShapeError>(op, "the weight ", w.shape(), " does not fit the inputs ", x.shape(), " in ", o.groups,
                         " groups; it needs the shape (F, C / groups, ...), and F a multiple of groups");
    if (bias.defined()) {
        check_same_dtype(op, x, bias);
        if (bias.shape() != Shape{w.shape(0)})
            fail<ShapeError>(op, "the bias ", bias.shape(), " does not fit the weight ", w.shape(), "; it needs the shape ",
                             Shape{w.shape(0)});
    }
    const bool flat = axes == 3;
    const Index groups = channels == 0 ? 1 : o.groups;  // those that see nothing are one
    const Convolution c{x.shape(0), groups, w.shape(1), filters / groups,
                        window_of(op, x.shape(), {flat ? 1 : w.shape(2), w.shape(-1)}, o.stride, o.padding, o.dilation)};
    // Memory of 16 parts for patches and sums; each factor alone is below 2^59.
    constexpr Wide most = Wide(1) << 59;
    if (Wide(c.patch()) * Wide(c.window.places()) > most / 32 || Wide(c.groups * c.filters) * Wide(c.patch()) > most / 32)
        fail<ShapeError>(op, "the patches that a weight ", w.shape(), " sees of the inputs ", x.shape(),
                         " overflow; use smaller ones, or less padding");
    return c;
}

}  // namespace

namespace {

/// The windows along one axis.
struct Along {
    Index places, stride, dilation;
};
/// Where numbers do not matter they are brought into the range in which products of them do not overflow.
Along along(const char* op, const Shape& x, Index extent, Index n, Index stride, Index padding, Index dilation) {
    if (n < 1 || stride < 1 || dilation < 1 || padding < 0)
        fail<Error>(op, "a window of ", n, " with stride ", stride, ", dilation ", dilation, " and padding ", padding,
                    "; the first three are at least 1, padding at least 0");
    const Wide padded = Wide(extent) + 2 * Wide(padding), room = padded - Wide(dilation) * (n - 1) - 1;
    if (padded > Wide(1) << 58)
        fail<ShapeError>(op, "a padding of ", padding, " around ", extent, " of ", x, " overflows; use a smaller one");
    if (room < 0) fail<ShapeError>(op, "no window of ", n, " fits into ", extent, " of ", x, "; use a smaller one, or padding");
    return {Index(room) / stride + 1, std::min(stride, Index(room) + 1), n == 1 ? 1 : dilation};
}

}  // namespace

kernels::Window window_of(const char* op, const Shape& x, Extent2d window, Extent2d stride, Extent2d margin, Extent2d dilation) {
    const Index height = x.size() == 3 ? 1 : x[2], width = x.back();
    const Along down = along(op, x, height, window.height, stride.height, margin.height, dilation.height),
                across = along(op, x, width, window.width, stride.width, margin.width, dilation.width);
    const Index shape[] = {down.places, across.places};
    checked_size(op, shape, 2);
    return {.height = height,
            .width = width,
            .rows = window.height,
            .columns = window.width,
            .out_height = down.places,
            .out_width = across.places,
            .stride = {down.stride, across.stride},
            .padding = {margin.height, margin.width},
            .dilation = {down.dilation, across.dilation}};
}

}  // namespace detail

using namespace detail;

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
    return forward(x, weight, bias, checked("conv2d", x, weight, bias, options, 4));
}
Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options) {
    return conv2d(x, weight, Tensor(), options);
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& o) {
    const Conv2dOptions flat{.stride = {1, o.stride}, .padding = {0, o.padding}, .dilation = {1, o.dilation}, .groups = o.groups};
    const Convolution c = checked("conv1d", x, weight, bias, flat, 3);
    const Shape p = x.shape(), q = weight.shape();
    const Tensor y = forward(reshape(x, {p[0], p[1], 1, p[2]}), reshape(weight, {q[0], q[1], 1, q[2]}), bias, c);
    return reshape(y, {p[0], q[0], c.window.out_width});
}
Tensor conv1d(const Tensor& x, const Tensor& weight, const Conv1dOptions& options) {
    return conv1d(x, weight, Tensor(), options);
}

}  // namespace xtgrad
