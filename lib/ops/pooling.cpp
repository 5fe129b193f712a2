// max_pool2d gathers the largest elements, whose places are constants: its adjoint is that of take_along_axis. avg_pool2d is
// linear: y = S x / size,  x' = S^T g / size,  and each is the other's adjoint.
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "convolution.hpp"

namespace xtgrad {
namespace detail {
namespace {

using kernels::Window;

Tensor pooled(const Tensor& x, const Window& w, bool back);

template <bool back>
void pool_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = pooled(g, kept_in<Window>(n), !back);
}
template <bool back>
Tensor pool_jvp(const Node& n, const Tensor* tangents) {
    return pooled(tangents[0], kept_in<Window>(n), back);
}
template <bool back>
constexpr Op pool_op{back ? "avg_pool2d_vjp" : "avg_pool2d", pool_vjp<back>, pool_jvp<back>};

Tensor pooled(const Tensor& x, const Window& w, bool back) {
    const Tensor dense = contiguous(x);
    const Index planes = x.shape(0) * x.shape(1);
    Tensor out =
        allocate(x.dtype(), {x.shape(0), x.shape(1), back ? w.height : w.out_height, back ? w.width : w.out_width}, "avg_pool2d");
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T factor = T(1 / (double(w.rows) * double(w.columns)));
        (back ? kernels::pool_sum_back<T> : kernels::pool_sum<T>)(planes, w, factor, mutable_data<T>(dense),
                                                                  mutable_data<T>(out));
    });
    if (recording()) record(back ? pool_op<true> : pool_op<false>, out, x, {}, {}, kept(w));
    return out;
}

Window checked(const char* op, const Tensor& x, const Extent2d& window, const PoolOptions& options) {
    check_floating(op, x);
    if (x.dimension() != 4) fail<ShapeError>(op, "the inputs ", x.shape(), " do not have four axes; they need [N, C, H, W]");
    const Extent2d padding = options.padding;
    if (padding.height > window.height / 2 || padding.width > window.width / 2)
        fail<Error>(op, "a padding of ", padding.height, " x ", padding.width, " is more than half the window of ", window.height,
                    " x ", window.width, "; some windows would see nothing else");
    if (x.shape(2) == 0 || x.shape(3) == 0) fail<ShapeError>(op, "there is nothing to see in the planes of ", x.shape());
    return window_of(op, x.shape(), window, options.stride.value_or(window), padding, 1);
}

}  // namespace
}  // namespace detail

using namespace detail;

Tensor max_pool2d(const Tensor& x, const Extent2d& window, const PoolOptions& options) {
    const Window w = checked("max_pool2d", x, window, options);
    const Tensor dense = contiguous(x);
    const Index images = x.shape(0), channels = x.shape(1);
    Tensor places = allocate(Dtype::i64, {images, channels, w.places()});
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        kernels::largest_places(images * channels, w, mutable_data<T>(dense), mutable_data<std::int64_t>(places));
    });
    const Tensor largest = take_along_axis(reshape(x, {images, channels, w.plane()}), places, 2);
    return reshape(largest, {images, channels, w.out_height, w.out_width});
}

Tensor avg_pool2d(const Tensor& x, const Extent2d& window, const PoolOptions& options) {
    return pooled(x, checked("avg_pool2d", x, window, options), false);
}

}  // namespace xtgrad
