// attention: what its arguments must be, and the block made of it.
#include <xtgrad/ops/attention.hpp>

#include <cmath>
#include <limits>

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"
#include "attention.hpp"
#include "draws.hpp"
#include "elementwise.hpp"

namespace xtgrad {
namespace detail {
namespace {

constexpr const char* name = "attention";

/// Defined, f32 or f64, and of q's dtype, or an error that names the argument.
void check_numbers(const char* op, const char* first, const Tensor& q, const char* what, const Tensor& x) {
    if (!x.defined()) fail<Error>(op, what, " is an empty tensor, one that nothing was assigned to; give it a value first");
    if (!is_floating(x.dtype()))
        fail<DtypeError>(op, what, " is ", x.dtype(), ' ', x.shape(), "; it needs to be f32 or f64, as astype(", what,
                         ", xg::f32) is");
    if (x.dtype() != q.dtype())
        fail<DtypeError>(op, what, " is ", x.dtype(), ' ', x.shape(), " and ", first, " is ", q.dtype(), ' ', q.shape(),
                         "; convert one, as in astype(", what, ", xg::", q.dtype(), ")");
}

void check_operand(const Tensor& q, const char* what, const Tensor& x) {
    check_numbers(name, "q", q, what, x);
    if (x.dimension() < 2)
        fail<ShapeError>(name, what, ' ', x.shape(), " needs at least two axes: rows and the columns of all heads");
}

void check_leading(const Tensor& q, const char* what, const Tensor& x) {
    const Shape p = q.shape(), s = x.shape();
    if (p.size() != s.size() || !std::equal(p.begin(), p.end() - 2, s.begin()))
        fail<ShapeError>(name, "leading axes of q ", p, " and ", what, ' ', s,
                         " differ; they are to be the same, repeat one with broadcast_to");
}

Index checked_heads(const char* what, Index heads) {
    if (heads < 1) fail<ShapeError>(name, what, " is ", heads, "; it is to be at least 1");
    return heads;
}

void check_divides(const char* what, const Tensor& x, const char* heads, Index n) {
    if (x.shape().back() % n != 0)
        fail<ShapeError>(name, "the last extent of ", what, ' ', x.shape(), " does not divide into ", n,
                         " heads; it is to be a multiple of ", heads);
}

void check_scores(const char* what, const Tensor& x, const Shape& scores) {
    const Shape s = x.shape();
    bool fits = s.size() <= scores.size();
    for (std::size_t i = 0; fits && i < s.size(); ++i) {
        const Index extent = scores[scores.size() - s.size() + i];
        fits = s[i] == extent || s[i] == 1;
    }
    if (!fits)
        fail<ShapeError>(name, what, ' ', s, " does not broadcast to the scores ", scores, ", which are [..., heads, T, S]");
}

/// No key is so far from a query.
constexpr Index far = std::numeric_limits<Index>::max() / 4;

/// a + b, or what is as good where that is farther than any key.
Index within_reach(Index a, Index b = 0) {
    Index sum;
    if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? -far : far;
    return std::clamp(sum, -far, far);
}

Tensor scale_tensor(const char* op, const char* first, const Tensor& q, const char* what, const AttentionScale& scale,
                    double otherwise) {
    if (!scale.tensor) {
        const Tensor number = scalar(scale.number.value_or(otherwise), q.dtype());
        if (!std::isfinite(scalar_value(number)))
            fail<Error>(op, "the ", what, ' ', *scale.number, " is not finite in ", q.dtype(), "; give a finite number");
        return number;
    }
    const Tensor& given = *scale.tensor;
    check_numbers(op, first, q, what, given);
    if (given.dimension() != 0)
        fail<ShapeError>(op, "the ", what, ' ', given.shape(), " is no scalar; give a number or reshape it to {}");
    return given;
}

}  // namespace

AttentionCall checked_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
    check_operand(q, "q", q);
    check_operand(q, "k", k);
    check_operand(q, "v", v);
    check_leading(q, "k", k);
    check_leading(q, "v", v);
    if (k.shape(-2) != v.shape(-2))
        fail<ShapeError>(name, "k ", k.shape(), " and v ", v.shape(),
                         " have different numbers of rows; each key needs its value");
    Attending a{checked_heads("heads", options.heads),
                checked_heads("kv_heads", options.kv_heads.value_or(options.heads)),
                0,
                0,
                options.mask,
                {}};
    if (a.heads % a.kv_heads != 0)
        fail<ShapeError>(name, a.heads, " heads do not divide among ", a.kv_heads,
                         " kv_heads; heads is to be a multiple of kv_heads");
    check_divides("q", q, "heads", a.heads);
    const char* of_keys = options.kv_heads ? "kv_heads" : "heads";
    check_divides("k", k, of_keys, a.kv_heads);
    check_divides("v", v, of_keys, a.kv_heads);
    const AttentionExtents e(a, q, k, v);
    if (e.width == 0) fail<ShapeError>(name, "q ", q.shape(), " has no columns; it needs at least one a head");
    if (k.shape(-1) != a.kv_heads * e.width)
        fail<ShapeError>(name, "k ", k.shape(), " does not fit q ", q.shape(), " of ", a.heads,
                         " heads; its last extent is to be ", a.kv_heads * e.width, ", ", of_keys, " times ", e.width);
    check_rank(name, q.dimension() + 2);
    if (Index columns; __builtin_mul_overflow(a.heads, e.value_width, &columns))
        fail<ShapeError>(name, "v ", v.shape(), " gives each of ", a.heads, " heads ", e.value_width,
                         " columns, more than a tensor can have; use fewer heads");
    const Shape out = e.out(a);
    checked_size(name, out.data(), int(out.size()));
    if (options.window && *options.window < 0)
        fail<Error>(name, "window is ", *options.window, "; it is a number of keys, at least 0");
    if (options.mask.defined()) {
        if (options.mask.dtype() != Dtype::boolean)
            fail<DtypeError>(name, "mask is ", options.mask.dtype(), ' ', options.mask.shape(),
                             "; it needs to be boolean, as mask > 0 is; what is added to the scores is the bias");
        check_scores("mask", options.mask, e.scores(a));
    }
    const Index window = options.window.value_or(0);
    a.above = options.causal ? within_reach(options.offset) : options.window ? within_reach(options.offset, window) : far;
    a.below = options.window ? within_reach(options.offset, options.causal ? 1 - window : -window) : -far;
    std::vector<Tensor> x{q, k, v, scale_tensor(name, "q", q, "scale", options.scale, 1 / std::sqrt(double(e.width)))};
    if (options.bias.defined()) {
        check_numbers(name, "q", q, "bias", options.bias);
        check_scores("bias", options.bias, e.scores(a));
        x.push_back(options.bias);
    }
    if (const double rate = options.dropout.rate; rate != 0) {
        if (!(rate > 0 && rate < 1)) fail<Error>(name, "dropout is ", rate, "; it is a probability, at least 0 and below 1");
        if (!options.dropout.rng)
            fail<Error>(name, "dropout of ", rate, " has no generator; give both, as in .dropout = {", rate, ", rng}");
        a.dropped = {seed_of_split(source(*options.dropout.rng)), std::uint32_t(std::min(rate * 0x1p32, 0x1p32 - 1))};
    }
    return {std::move(x), std::move(a), e};
}

namespace {

/// An extent by its name, and what it is to be; negative: anything.
struct Extent {
    const char* name;
    Index wanted = -1;

    bool fits(Index extent) const { return wanted < 0 || extent == wanted; }
    friend std::ostream& operator<<(std::ostream& os, const Extent& e) {
        os << e.name;
        return e.wanted < 0 ? os : os << " = " << e.wanted;
    }
};
/// [rows, columns], or an error that names the argument of the block.
void check_matrix(const char* what, const Tensor& x, Extent rows, Extent columns) {
    if (x.dimension() != 2 || !rows.fits(x.shape(0)) || !columns.fits(x.shape(1)))
        fail<ShapeError>("attention_block", what, ' ', x.shape(), " is to be [", rows, ", ", columns,
                         "], of X [n, p], Y [n, m], A and B [r, n], C [m, n]");
}

}  // namespace
}  // namespace detail

using namespace detail;

namespace {

/// Once the results are there the generator, if one was used, advances.
void advance(const AttentionOptions& options) {
    if (options.dropout.rate != 0) options.dropout.rng->split();
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
    const AttentionCall call = checked_attention(q, k, v, options);
    Tensor out = output_of(fused_attention(call.x, call.who), call.e.out(call.who));
    advance(options);
    return out;
}

std::pair<Tensor, Tensor> attention_logsumexp(const Tensor& q, const Tensor& k, const Tensor& v,
                                              const AttentionOptions& options) {
    const AttentionCall call = checked_attention(q, k, v, options);
    const Shape out = call.e.out(call.who);
    const Tensor both = fused_attention(call.x, call.who), lse = part_of(both, size_of(out), call.e.rows(call.who));
    std::pair result(part_of(both, 0, out),
                     where(equal(lse, no_keys(lse.dtype())), -std::numeric_limits<double>::infinity(), lse));
    advance(options);
    return result;
}

Tensor attention_block(const Tensor& X, const Tensor& Y, const Tensor& A, const Tensor& B, const Tensor& C,
                       const AttentionScale& lambda) {
    constexpr const char* op = "attention_block";
    for (const auto& [what, x] : {std::pair("X", &X), {"Y", &Y}, {"A", &A}, {"B", &B}, {"C", &C}})
        check_numbers(op, "X", X, what, *x);
    check_matrix("X", X, {"n"}, {"p"});
    const Extent n{"n", X.shape(0)};
    check_matrix("Y", Y, n, {"m"});
    check_matrix("A", A, {"r"}, n);
    check_matrix("B", B, {"r", A.shape(0)}, n);
    check_matrix("C", C, {"m", Y.shape(1)}, n);
    if (A.size() == 0) fail<ShapeError>(op, "A ", A.shape(), " is empty; r and n are to be at least 1");
    const Tensor scale = scale_tensor(op, "X", X, "lambda", lambda, 1);
    // Columns of the derivation are rows here: q = (A X)^T, k = (B Y)^T, v = C X.
    return attention(matmul(transpose(X), transpose(A)), matmul(transpose(Y), transpose(B)), matmul(C, X), {.scale = scale});
}

}  // namespace xtgrad
