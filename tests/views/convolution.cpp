// Convolution and pooling.
#include "cases.hpp"

namespace views {
namespace {

struct Window {
    Index extent, n, stride, padding, dilation;
};
Window window(Random& r) {
    Window w{0, r.between(1, 4), r.between(1, 4), r.between(0, 3), r.between(1, 3)};
    w.extent = std::max<Index>(1, w.dilation * (w.n - 1) + 1 - 2 * w.padding) + r.between(0, 9);
    return w;
}

Case conv2d(Random& r) {
    const Window h = window(r), w = window(r);
    const Index images = r.between(0, 4), groups = r.between(1, 3), channels = r.between(0, 4), filters = r.between(0, 4);
    const Dtype dtype = r.floating();
    const xg::Conv2dOptions o{.stride = {h.stride, w.stride},
                              .padding = {h.padding, w.padding},
                              .dilation = {h.dilation, w.dilation},
                              .groups = groups};
    Case c{.inputs = {{{images, groups * channels, h.extent, w.extent}, dtype}, {{groups * filters, channels, h.n, w.n}, dtype}},
           .call = [=](const Inputs& x) { return xg::conv2d(x[0], x[1], x.size() > 2 ? x[2] : Tensor(), o); },
           .arguments = text(groups, " groups"),
           .gradients = Agreement::rounding};  // the bias has a sum
    if (r.chance(50)) c.inputs.push_back({{groups * filters}, dtype});
    return c;
}

Case conv1d(Random& r) {
    const Window w = window(r);
    const Index images = r.between(0, 4), groups = r.between(1, 3), channels = r.between(0, 4), filters = r.between(0, 4);
    const Dtype dtype = r.floating();
    const xg::Conv1dOptions o{.stride = w.stride, .padding = w.padding, .dilation = w.dilation, .groups = groups};
    return {.inputs = {{{images, groups * channels, w.extent}, dtype}, {{groups * filters, channels, w.n}, dtype}},
            .call = [=](const Inputs& x) { return xg::conv1d(x[0], x[1], o); },
            .arguments = text(groups, " groups")};
}

Case pool(Random& r, Tensor (*f)(const Tensor&, const xg::Extent2d&, const xg::PoolOptions&)) {
    Window h = window(r), w = window(r);
    const xg::Extent2d size{h.n, w.n};
    xg::PoolOptions o{.padding = {std::min(h.padding, h.n / 2), std::min(w.padding, w.n / 2)}};
    if (r.chance(60)) o.stride = xg::Extent2d{h.stride, w.stride};
    const Index height = h.n + r.between(0, 7), width = w.n + r.between(0, 7);
    return of_one({{r.between(0, 3), r.between(0, 4), height, width}, r.floating()}, text(h.n, " x ", w.n),
                  [=](const Tensor& x) { return f(x, size, o); });
}

}  // namespace

std::vector<Op> convolution_ops() {
    return {{"conv2d", conv2d},
            {"conv1d", conv1d},
            {"max_pool2d", [](Random& r) { return pool(r, xg::max_pool2d); }},
            {"avg_pool2d", [](Random& r) { return pool(r, xg::avg_pool2d); }}};
}

}  // namespace views
