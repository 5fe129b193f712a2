// Convolution and pooling against loops over every element.
#include "table.hpp"

namespace table {
namespace {

Tensor convolved(const Inputs& v, const xg::Conv2dOptions& o) {
    const Array x(v[0]), w(v[1]);
    const Shape p = v[0].shape(), q = v[1].shape();
    const auto extent = [](Index n, Index window, Index stride, Index pad, Index apart) { return (n + 2 * pad - apart * (window - 1) - 1) / stride + 1; };
    Array y(Shape{p[0], q[0], extent(p[2], q[2], o.stride.height, o.padding.height, o.dilation.height),
                  extent(p[3], q[3], o.stride.width, o.padding.width, o.dilation.width)});
    const Index filters = q[0] / o.groups;
    for (Index at = 0; at < y.size(); ++at) {
        const Shape i = y.position(at);
        long double sum = v.size() > 2 ? Array(v[2])[i[1]] : 0;
        for (Index c = 0; c < q[1]; ++c)
            for (Index k = 0; k < q[2]; ++k)
                for (Index l = 0; l < q[3]; ++l) {
                    const Index row = i[2] * o.stride.height + k * o.dilation.height - o.padding.height;
                    const Index column = i[3] * o.stride.width + l * o.dilation.width - o.padding.width;
                    if (row < 0 || row >= p[2] || column < 0 || column >= p[3]) continue;
                    sum += (long double)(x.at({i[0], i[1] / filters * q[1] + c, row, column})) * w.at({i[1], c, k, l});
                }
        y[at] = double(sum);
    }
    return y.tensor();
}

Tensor convolved(const Inputs& v, const xg::Conv1dOptions& o) {
    const auto image = [](const Tensor& x) { return xg::reshape(x, {x.shape(0), x.shape(1), 1, x.shape(2)}); };
    Inputs flat{image(v[0]), image(v[1])};
    if (v.size() > 2) flat.push_back(v[2]);
    const Tensor y = convolved(flat, {.stride = {1, o.stride}, .padding = {0, o.padding}, .dilation = {1, o.dilation}, .groups = o.groups});
    return xg::reshape(y, {y.shape(0), y.shape(1), y.shape(3)});
}

Tensor pooled(const Tensor& input, xg::Extent2d window, xg::Extent2d stride, xg::Extent2d pad, bool largest) {
    const Array x(input);
    const Shape p = x.shape();
    Array y(Shape{p[0], p[1], (p[2] + 2 * pad.height - window.height) / stride.height + 1, (p[3] + 2 * pad.width - window.width) / stride.width + 1});
    for (Index at = 0; at < y.size(); ++at) {
        const Shape i = y.position(at);
        double sum = 0, most = -INFINITY;
        for (Index k = 0; k < window.height; ++k)
            for (Index l = 0; l < window.width; ++l) {
                const Index row = i[2] * stride.height + k - pad.height, column = i[3] * stride.width + l - pad.width;
                if (row < 0 || row >= p[2] || column < 0 || column >= p[3]) continue;
                sum += x.at({i[0], i[1], row, column});
                most = std::max(most, x.at({i[0], i[1], row, column}));
            }
        y[at] = largest ? most : sum / double(window.height * window.width);
    }
    return y.tensor();
}

}  // namespace

std::vector<Row> convolution_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, std::vector<Sample> s) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = std::move(s)});
    };
    const auto conv2d = [&](const xg::Conv2dOptions& o, std::vector<Sample> s) {
        // An empty bias would be none: + 0.
        row("conv2d", [=](const Inputs& v) { return v.size() > 2 ? xg::conv2d(v[0], v[1], v[2] + 0., o) : xg::conv2d(v[0], v[1], o); },
            [=](const Inputs& v) { return convolved(v, o); }, std::move(s));
    };
    conv2d({}, {{"plain", {random({2, 3, 5, 4}), random({4, 3, 3, 2})}},
                {"bias", {random({2, 2, 3, 5}), random({3, 2, 2, 2}), random({3})}},
                {"one by one", {random({3, 2, 4, 3}), random({5, 2, 1, 1})}},
                {"window of the whole image", {random({2, 2, 3, 4}), random({3, 2, 3, 4})}},
                {"no images", {random({0, 2, 3, 4}), random({3, 2, 2, 2})}},
                {"more images than parts", {random({19, 1, 3, 3}), random({2, 1, 2, 2})}}});
    conv2d({.padding = 1}, {{"padded", {random({1, 2, 4, 3}), random({3, 2, 3, 3}), random({3})}}});
    conv2d({.padding = {3, 2}}, {{"padded beyond", {random({1, 1, 2, 3}), random({2, 1, 2, 2})}}});
    conv2d({.stride = {2, 3}, .padding = {0, 1}, .dilation = {1, 2}}, {{"strided, dilated", {random({2, 2, 5, 7}), random({3, 2, 2, 3})}}});
    conv2d({.padding = 1, .groups = 2}, {{"groups", {random({2, 4, 3, 4}), random({6, 2, 3, 2}), random({6})}}});
    conv2d({.groups = 3}, {{"a filter a channel", {random({2, 3, 3, 4}), random({3, 1, 2, 2})}}});
    const auto conv1d = [&](const xg::Conv1dOptions& o, std::vector<Sample> s) {
        row("conv1d", [=](const Inputs& v) { return v.size() > 2 ? xg::conv1d(v[0], v[1], v[2] + 0., o) : xg::conv1d(v[0], v[1], o); },
            [=](const Inputs& v) { return convolved(v, o); }, std::move(s));
    };
    conv1d({}, {{"plain", {random({2, 3, 7}), random({4, 3, 2}), random({4})}}});
    conv1d({.stride = 2, .padding = 2, .dilation = 2, .groups = 2}, {{"all", {random({2, 4, 6}), random({6, 2, 3})}}});
    const auto pool = [&](const xg::Extent2d& window, const xg::PoolOptions& o, std::vector<Sample> s) {
        const xg::Extent2d stride = o.stride.value_or(window);
        row("max_pool2d", [=](const Inputs& v) { return xg::max_pool2d(v[0], window, o); },
            [=](const Inputs& v) { return pooled(v[0], window, stride, o.padding, true); }, s);
        row("avg_pool2d", [=](const Inputs& v) { return xg::avg_pool2d(v[0], window, o); },
            [=](const Inputs& v) { return pooled(v[0], window, stride, o.padding, false); }, s);
    };
    pool(2, {}, {{"plain", {random({2, 3, 4, 6})}}, {"a rest", {random({2, 1, 5, 3})}}, {"no images", {random({0, 2, 4, 4})}}});
    pool({3, 2}, {.stride = xg::Extent2d(1, 2), .padding = {1, 1}}, {{"overlapping, padded", {random({1, 2, 5, 4})}}});
    return rows;
}

}  // namespace table
