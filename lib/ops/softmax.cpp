// softmax and log_softmax. Each is one node; its adjoint is a fused op with rules of its own, so that every order exists.
#include <xtgrad/ops/rows.hpp>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tape/algebra.hpp"
#include "rows.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// out = kernel(operands) over dense rows; of x's shape.
template <class... X>
Tensor by_rows(const Rows& rows, auto kernel, const Tensor& x, const X&... more) {
    Tensor out = allocate_like(x);
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const auto run = [&](const auto&... dense) {
            const auto k = kernel(kernels::row_kernels<T>());
            kernels::for_rows(rows.count, rows.n, [&](Index first, Index count) {
                k(count, rows.n, mutable_data<T>(dense) + first * rows.n..., mutable_data<T>(out) + first * rows.n);
            });
        };
        run(contiguous(x), contiguous(more)...);
    });
    return out;
}

/// f along the last axis, with another axis brought there and back.
Tensor along(const char* op, const Tensor& x, Index axis, auto f) {
    check_floating(op, x);
    const auto rank = x.dimension();
    if (rank == 0) fail<ShapeError>(op, "needs at least one axis, got a scalar; reshape it to (1,)");
    const auto at = std::size_t(normalized_axis(op, axis, x));
    if (at == rank - 1) return f([](const Tensor& t) { return t; });
    Axes swap;
    for (std::size_t i = 0; i < rank; ++i) swap.push_back(Index(i));
    std::swap(swap[at], swap[rank - 1]);
    const auto moved = [swap](const Tensor& t) { return permute(t, swap); };
    return moved(f(moved));
}

// ---- softmax: s_i = e^(x_i) / sum_k e^(x_k),  x' = softmax_vjp(s, g),  s. = softmax_vjp(s, x.)

void softmax_op_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = softmax_vjp_rows(n.out, g); }
Tensor softmax_op_jvp(const Node& n, const Tensor* tangents) { return softmax_vjp_rows(n.out, tangents[0]); }
constexpr Op softmax_op{"softmax", softmax_op_vjp, softmax_op_jvp};

}  // namespace

Tensor softmax_rows(const Tensor& x) {
    Tensor out = by_rows(
        Rows("softmax", x), [](const auto& k) { return k.softmax; }, x);
    if (recording()) record(softmax_op, out, x, {.out = out});
    return out;
}

namespace {

// ---- u = s (g - sum g s): linear and symmetric in g;  with cotangent h:  g' = softmax_vjp(s, h),
//      s' = h (g - sum g s) - g sum h s;  with tangents:  u. = s. (g - sum g s) - s sum g s. + softmax_vjp(s, g.)

void softmax_vjp_op_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Tensor &s = n.in[0], &g = n.in[1];
    if (need & 1) cotangents[0] = h * (g - row_sum(g * s)) - g * row_sum(h * s);
    if (need & 2) cotangents[1] = softmax_vjp_rows(s, h);
}
Tensor softmax_vjp_op_jvp(const Node& n, const Tensor* tangents) {
    const Tensor &s = n.in[0], &g = n.in[1], &ds = tangents[0], &dg = tangents[1];
    Tensor sum;
    if (ds.defined()) sum = ds * (g - row_sum(g * s)) - s * row_sum(g * ds);
    if (dg.defined()) accumulate(sum, softmax_vjp_rows(s, dg));
    return sum;
}
constexpr Op softmax_vjp_op{"softmax_vjp", softmax_vjp_op_vjp, softmax_vjp_op_jvp};

}  // namespace

Tensor softmax_vjp_rows(const Tensor& s, const Tensor& g) {
    Tensor out = by_rows(
        Rows("softmax_vjp", s), [](const auto& k) { return k.softmax_vjp; }, s, g);
    if (recording()) record(softmax_vjp_op, out, s, g, {s, g, {}});
    return out;
}

namespace {

// ---- log_softmax: y = x - log sum e^x,  x' = log_softmax_vjp(y, g),  y. = x. - sum e^y x.

Tensor log_softmax_vjp_rows(const Tensor& y, const Tensor& g);

void log_softmax_op_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = log_softmax_vjp_rows(n.out, g); }
Tensor log_softmax_op_jvp(const Node& n, const Tensor* tangents) { return tangents[0] - row_sum(exp(n.out) * tangents[0]); }
constexpr Op log_softmax_op{"log_softmax", log_softmax_op_vjp, log_softmax_op_jvp};

Tensor log_softmax_rows(const Tensor& x) {
    Tensor out = by_rows(
        Rows("log_softmax", x), [](const auto& k) { return k.log_softmax; }, x);
    if (recording()) record(log_softmax_op, out, x, {.out = out});
    return out;
}

// ---- u = g - e^y sum g;  with cotangent h:  g' = h - sum h e^y,  y' = -h e^y sum g;  u. = g. - e^y sum g. - y. e^y sum g

void log_softmax_vjp_op_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const Tensor &y = n.in[0], &g = n.in[1];
    const Tensor s = exp(y);
    if (need & 1) cotangents[0] = -(h * s * row_sum(g));
    if (need & 2) cotangents[1] = h - row_sum(h * s);
}
Tensor log_softmax_vjp_op_jvp(const Node& n, const Tensor* tangents) {
    const Tensor &y = n.in[0], &g = n.in[1], &dy = tangents[0], &dg = tangents[1];
    Tensor sum;
    if (dy.defined()) sum = -(dy * exp(y) * row_sum(g));
    if (dg.defined()) accumulate(sum, log_softmax_vjp_rows(y, dg));
    return sum;
}
constexpr Op log_softmax_vjp_op{"log_softmax_vjp", log_softmax_vjp_op_vjp, log_softmax_vjp_op_jvp};

Tensor log_softmax_vjp_rows(const Tensor& y, const Tensor& g) {
    Tensor out = by_rows(
        Rows("log_softmax_vjp", y), [](const auto& k) { return k.log_softmax_vjp; }, y, g);
    if (recording()) record(log_softmax_vjp_op, out, y, g, {y, g, {}});
    return out;
}

}  // namespace
}  // namespace detail

using namespace detail;

Tensor softmax(const Tensor& x, Index axis) {
    return along("softmax", x, axis, [&](auto moved) { return softmax_rows(moved(x)); });
}

Tensor softmax_vjp(const Tensor& s, const Tensor& g, Index axis) {
    check_floating("softmax_vjp", s);
    check_floating("softmax_vjp", g);
    check_same_dtype("softmax_vjp", s, g);
    if (s.shape() != g.shape())
        fail<ShapeError>("softmax_vjp", "shapes differ: ", s.shape(), " and ", g.shape(),
                         "; both have the shape of softmax's result");
    return along("softmax_vjp", s, axis, [&](auto moved) { return softmax_vjp_rows(moved(s), moved(g)); });
}

Tensor log_softmax(const Tensor& x, Index axis) {
    return along("log_softmax", x, axis, [&](auto moved) { return log_softmax_rows(moved(x)); });
}

}  // namespace xtgrad
