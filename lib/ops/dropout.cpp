// y = m x with m = 0 or 1 / (1 - p) at random: linear and symmetric, x' = m g,  y. = m x.
#include <xtgrad/ops/dropout.hpp>

#include <cmath>

#include <xtgrad/random.hpp>

#include "../kernels/dropout.hpp"
#include "../tape/record.hpp"
#include "../tensor/option.hpp"
#include "draws.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// The numbers of a node: p, and where the generator stood.
struct Draw {
    double p;
    std::uint64_t seed, position;
};

Tensor dropped(const Tensor& x, const Draw& draw);

Draw draw_of(const Node& n) { return {n.attr.p, std::uint64_t(n.extra->extents[0]), std::uint64_t(n.extra->extents[1])}; }
void dropout_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = dropped(g, draw_of(n)); }
Tensor dropout_jvp(const Node& n, const Tensor* tangents) { return dropped(tangents[0], draw_of(n)); }
constexpr Op dropout_op{"dropout", dropout_vjp, dropout_jvp};

Tensor dropped(const Tensor& x, const Draw& draw) {
    const Tensor dense = contiguous(x);
    Tensor out = allocate_like(x, "dropout");
    const kernels::Mask mask{draw.seed, draw.position, std::uint32_t(std::min(std::ldexp(draw.p, 32), 0x1p32 - 1))};
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T scale = draw.p < 1 ? T(1 / (1 - draw.p)) : T(0);
        kernels::parallel_ranges(element_count(x), kernels::dropout_step, [&](Index begin, Index end) {
            kernels::dropout_kernels<T>().apply(begin, end, mask, scale, mutable_data<T>(dense), mutable_data<T>(out));
        });
    });
    if (recording()) {
        auto extra = std::make_unique<Extra>();
        extra->extents = {Index(draw.seed), Index(draw.position)};
        Attr attr;
        attr.p = draw.p;
        record(dropout_op, out, x, {}, attr, std::move(extra));
    }
    return out;
}

}  // namespace
}  // namespace detail

Tensor dropout(const Tensor& x, double p, Rng& rng) {
    using namespace detail;
    check_floating("dropout", x);
    check_option("dropout", "p", p, share);
    Rng from = source(rng);
    Tensor out = dropped(x, {p, from.seed(), from.position()});
    from.set_position(from.position() + std::uint64_t((element_count(x) + 3) / 4));
    advance(rng, from);
    return out;
}

}  // namespace xtgrad
