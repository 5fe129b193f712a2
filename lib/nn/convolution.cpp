#include <xtgrad/nn/convolution.hpp>

#include <cmath>

#include "../tensor/message.hpp"
#include "sizes.hpp"

namespace xtgrad::nn {
namespace {

void fill(auto& layer, const char* name, Shape shape, Index in, Rng& rng, const auto& options) {
    if (options.groups < 1 || in % options.groups != 0 || shape[0] % options.groups != 0)
        xtgrad::detail::fail<Error>(name, in, " channels to ", shape[0], " in ", options.groups, " groups; groups divide both");
    shape[1] = in / options.groups;
    double fan = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) fan *= double(shape[i]);
    const double bound = fan > 0 ? 1 / std::sqrt(fan) : 0;
    layer.weight = uniform(shape, options.dtype, rng, -bound, bound);
    if (options.bias) layer.bias = uniform({shape[0]}, options.dtype, rng, -bound, bound);
    layer.options = {options.stride, options.padding, options.dilation, options.groups};
}

}  // namespace

Conv1d::Conv1d(Index in, Index out, Index window, Rng& rng, const Conv1dOptions& o) {
    check_sizes("Conv1d", {{"in", in}, {"out", out}, {"window", window}});
    fill(*this, "Conv1d", {out, 0, window}, in, rng, o);
}
Conv2d::Conv2d(Index in, Index out, const Extent2d& window, Rng& rng, const Conv2dOptions& o) {
    check_sizes("Conv2d", {{"in", in}, {"out", out}, {"window.height", window.height}, {"window.width", window.width}});
    fill(*this, "Conv2d", {out, 0, window.height, window.width}, in, rng, o);
}

}  // namespace xtgrad::nn
