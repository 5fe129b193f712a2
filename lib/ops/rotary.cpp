// y = R x with R a rotation of each pair: x' = R^T g, the rotation back,  y. = R x.
#include <xtgrad/ops/rotary.hpp>

#include <cmath>

#include <xtgrad/ops/elementwise.hpp>

#include "../kernels/rotary.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"

namespace xtgrad {
namespace detail {
namespace {

Tensor rotated(const Tensor& x, const RotaryOptions& options, bool back);

RotaryOptions options_of(const Node& n) { return {n.extra->extents[0], n.extra->extents[1], n.attr.p}; }
void rotary_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    cotangents[0] = rotated(g, options_of(n), !n.extra->extents[2]);
}
Tensor rotary_jvp(const Node& n, const Tensor* tangents) { return rotated(tangents[0], options_of(n), n.extra->extents[2]); }
constexpr Op rotary_op{"rotary", rotary_vjp, rotary_jvp};

/// The angle of each row and pair, [rows, half].
Tensor angles(Index rows, Index half, const RotaryOptions& options, bool back) {
    Tensor out = allocate(Dtype::f64, {rows, half});
    double* to = mutable_data<double>(out);
    for (Index i = 0; i < half; ++i) {
        const double turn = std::pow(options.base, -double(i) / double(half)) * (back ? -1 : 1);
        for (Index t = 0; t < rows; ++t) to[t * half + i] = (double(options.offset) + double(t)) * turn;
    }
    return out;
}

Tensor rotated(const Tensor& x, const RotaryOptions& options, bool back) {
    const Index rows = x.shape(-2), width = x.shape(-1), half = width / 2 / options.heads;
    const Tensor dense = contiguous(x);
    Tensor out = allocate_like(x, "rotary");
    {
        const Unrecorded inner;
        const Tensor angle = angles(rows, half, options, back), cosine = astype(cos(angle), x.dtype()),
                     sine = astype(sin(angle), x.dtype());
        with_floating(x.dtype(), [&](auto z) {
            using T = decltype(z);
            const Index count = element_count(x);
            kernels::rotate(count ? count / (rows * width) : 0, rows, options.heads, half, mutable_data<T>(cosine),
                            mutable_data<T>(sine), mutable_data<T>(dense), mutable_data<T>(out));
        });
    }
    if (recording()) {
        auto extra = std::make_unique<Extra>();
        extra->extents = {options.heads, options.offset, back};
        Attr attr;
        attr.p = options.base;
        record(rotary_op, out, x, {}, attr, std::move(extra));
    }
    return out;
}

}  // namespace
}  // namespace detail

Tensor rotary(const Tensor& x, const RotaryOptions& options) {
    using namespace detail;
    check_floating("rotary", x);
    if (x.dimension() < 2)
        fail<ShapeError>("rotary", "needs rows and columns, got ", x.shape(), "; reshape it to (positions, heads * width)");
    const Index width = x.shape(-1);
    if (options.heads < 1 || width % 2 != 0 || width / 2 % options.heads != 0)
        fail<ShapeError>("rotary", "the last extent of ", x.shape(), " is no even width for each of ", options.heads,
                         " heads; it needs to be a multiple of 2 * heads");
    if (!(options.base > 0)) fail<Error>("rotary", "the base ", options.base, " is not positive; 10000 is usual");
    if (width == 0) return rotated(x, {.offset = options.offset, .base = options.base}, false);  // of no width, of any number
    return rotated(x, options, false);
}

}  // namespace xtgrad
