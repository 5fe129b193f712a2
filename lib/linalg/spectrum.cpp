// Eigenvalues and singular values x of a = u diag(x) v^T, and the two maps that their derivatives are,
//      x. = diag(u^T a. v)        a' = u diag(g) v^T
// Both depend on a, and for a fixed g so do they alike: the derivative of sum g x. along another tangent is
//      C(a.) = u (P o S + Q o K) v^T + (1 - u u^T) a. v q v^T + u q u^T a. (1 - v v^T)
// with S and K the symmetric and antisymmetric part of u^T a. v, K = 0 of symmetric matrices, and
//      P_ij = (g_j - g_i) / (x_j - x_i),  0 for i = j,  Q_ij = (g_i + g_j) / (x_i + x_j),  q_i = g_i / x_i.
// Divided differences instead of the derivatives of u and v: of a function that does not depend on their order, values that are
// repeated or 0 leave nothing to divide, but P and Q have limits (Daleckii and Krein, Integration and differentiation of
// functions of Hermitian operators, 1956; Lewis and Sendov, Twice differentiable spectral functions, 2001). g does not tell them:
// the record does, which knows how g came from x.
#include "spectrum.hpp"

#include <limits>

#include "../tape/walk.hpp"

namespace xtgrad::detail {
namespace {

Tensor oriented(const Spectrum& s, const Tensor& y) { return s.symmetric ? symmetric_part(y) : y; }
Tensor turned(const Spectrum& s, const Tensor& y) { return matmul(transposed(s.u), matmul(oriented(s, y), s.v)); }
Tensor spread(const Spectrum& s, const Tensor& g) { return matmul(s.u * as_row(g), transposed(s.v)); }

/// S and K.
struct Halves {
    Tensor even, odd;
    Halves(const Spectrum& s, const Tensor& y) : even(turned(s, y)) {
        if (s.symmetric) return;
        const Tensor whole = even;
        even = symmetric_part(whole);
        odd = whole - even;
    }
};
/// What of y is outside the columns of u, times v, and of y^T outside v, times u; not defined where nothing is.
struct Outside {
    Tensor left, right;
    Outside(const Spectrum& s, const Tensor& y) {
        const auto rest = [](const Tensor& own, const Tensor& x) { return x - matmul(own, matmul(transposed(own), x)); };
        if (s.u.shape(-2) != s.u.shape(-1)) left = rest(s.u, matmul(y, s.v));
        if (s.v.shape(-2) != s.v.shape(-1)) right = rest(s.v, matmul(transposed(y), s.u));
    }
};

/// The limits of P and Q; not defined where none is asked for.
struct Limits {
    Tensor even, odd;
};

Tensor curved(const Spectrum& s, const Tensor& g, const Limits& limits, const Tensor& y) {
    const Halves d(s, y);
    const Tensor even = divided_differences(g, s.x, Gap::difference, limits.even) * d.even;
    if (s.symmetric) return matmul(matmul(s.u, even), transposed(s.v));
    const Tensor sums = divided_differences(g, s.x, Gap::sum, limits.odd), quotient = as_row(diagonal_of(sums));
    Tensor out = matmul(matmul(s.u, even + sums * d.odd), transposed(s.v));
    const Outside rest(s, y);
    if (rest.left.defined()) out = out + matmul(rest.left * quotient, transposed(s.v));
    if (rest.right.defined()) out = out + matmul(s.u * quotient, transposed(rest.right));
    return out;
}

// ---- A zero like some y whose derivatives are NaN, of matrices for which nobody knows them. Saved: u, v; 0, or NaN for those

void underivable_vjp(const Node& n, Tensor, Need, Tensor* cotangents) {
    const Tensor a = matmul(n.in[0], transposed(n.in[1])) * 0.;
    cotangents[0] = (n.attr.i ? transposed(a) : a) + n.extra->saved[0];
}
Tensor underivable_jvp(const Node& n, const Tensor*) { return zeros(n.shape(), n.dtype()) + n.extra->saved[0]; }
constexpr Op underivable_op{"spectral_limit", underivable_vjp, underivable_jvp};

/// For matrices that have values of 0, or with Gap::difference any that are repeated.
Tensor underivable(const Spectrum& s, Tag a, bool transposed_matrix, const Tensor& y, Gap gap) {
    auto extra = std::make_unique<Extra>();
    {
        const Unrecorded looking;
        const Axes last{-1}, both{-2, -1};
        const Tensor inverse = diagonal_of(inverse_gaps(s.x, Gap::sum));
        const Tensor vanishing = s.symmetric ? s.x * 0. : astype(equal(inverse, 0.), s.x.dtype());
        Tensor some = as_column(detail::amax(vanishing, &last, true));
        if (gap == Gap::difference) some = some + detail::amax(same_values(s.x, Gap::difference, false), &both, true);
        extra->saved = {where(some > 0, std::numeric_limits<double>::quiet_NaN(), some)};
    }
    const Tensor zero = zeros(y.shape(), y.dtype());
    Attr attr;
    attr.i = transposed_matrix;
    Node& n = append(underivable_op, zero, a, 0, 1, attr, std::move(extra));
    n.in[0] = s.u;
    n.in[1] = s.v;
    return zero;
}

/// y, of the second order: there is no third where limits were taken.
Tensor last_order(const Spectrum& s, Tag a, bool transposed_matrix, const Tensor& y) {
    if (!recording() || !has_gapless(s.x, s.symmetric ? Gap::difference : Gap::sum)) return y;
    return y + underivable(s, a, transposed_matrix, y, Gap::difference);
}

/// The values of a node, and the tag of its matrix.
struct Source {
    Spectrum s;
    Tag a;
    explicit Source(const Node& n) : s{n.in[0], n.in[1], n.extra->saved[0], n.attr.i != 0}, a(n.tags[0]) {}
};

Tensor recorded_spread(const Source&, const Tensor& g);
Tensor recorded_diagonal(const Source&, const Tensor& y);

Node& record_map(const Op& op, const Tensor& out, const Source& of, const Tensor& x, std::vector<Tensor> saved) {
    Attr attr;
    attr.i = of.s.symmetric;
    auto extra = std::make_unique<Extra>();
    extra->saved = std::move(saved);
    Node& n = append(op, out, of.a, x.block()->tag, 2, attr, std::move(extra));
    n.in[0] = of.s.u;
    n.in[1] = of.s.v;
    return n;
}

// ---- y = u diag(g) v^T:  a' = C(y'),  g' = diag(u^T y' v),  y. = C(a.) + u diag(g.) v^T.  Saved: x, g, the limits

Tensor curved(const Node& n, const Tensor& y) {
    const auto& saved = n.extra->saved;
    const Source of(n);
    return last_order(of.s, of.a, false, curved(of.s, saved[1], {saved[2], saved[3]}, y));
}
void spread_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    if (need & 1) cotangents[0] = curved(n, h);
    if (need & 2) cotangents[1] = recorded_diagonal(Source(n), h);
}
Tensor spread_jvp(const Node& n, const Tensor* tangents) {
    Tensor sum = tangents[0].defined() ? curved(n, tangents[0]) : Tensor();
    if (!tangents[1].defined()) return sum;
    const Tensor moved = recorded_spread(Source(n), tangents[1]);
    return sum.defined() ? sum + moved : moved;
}
constexpr Op spread_op{"spectral_vjp", spread_vjp, spread_jvp};

Tensor recorded_spread(const Source& of, const Tensor& g) {
    const Spectrum& s = of.s;
    if (!recording()) return spread(s, g);
    Limits at;
    const Tensor y = [&] {
        const Unrecorded computing;
        if (has_gapless(s.x, s.symmetric ? Gap::difference : Gap::sum)) {
            const Tensor slopes = recorded_tangent(g, s.x, probe(s.x, !s.symmetric));
            at.even = limits(g, s.x, Gap::difference, slopes);
            if (!s.symmetric) at.odd = limits(g, s.x, Gap::sum, slopes);
        }
        return spread(s, g);
    }();
    record_map(spread_op, y, of, g, {s.x, g, at.even, at.odd});
    return y;
}

// ---- z = diag(u^T y v):  y' = u diag(g) v^T,  a' = C(y) for g;  along a. the sum over j of
//      2 S_ij S._ij / (x_i - x_j) + 2 K_ij K._ij / (x_i + x_j),  and (y v) . (a. v) / x outside u, (y^T u) . (a.^T u) / x outside
//      v. Saved: x, y. Here nobody knows limits: g of that function is not recorded, or not known yet.

void diagonal_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const Source of(n);
    const Tensor& y = n.extra->saved[1];
    if (need & 2) cotangents[1] = recorded_spread(of, g);
    if (!(need & 1)) return;
    Limits at;
    if (has_gapless(of.s.x, of.s.symmetric ? Gap::difference : Gap::sum)) {
        const Halves d(of.s, y);
        at.even = unknown_limits(g, of.s.x, Gap::difference, d.even);
        if (!of.s.symmetric) at.odd = unknown_limits(g, of.s.x, Gap::sum, d.odd);
    }
    cotangents[0] = curved(of.s, g, at, y);
}

Tensor diagonal_curved(const Spectrum& s, const Tensor& y, const Tensor& da) {
    const Halves d(s, y), e(s, da);
    const auto summed = [&](Gap gap, const Tensor& product) {
        const Tensor quotients = inverse_gaps(s.x, gap) * product;
        if (!has_gapless(s.x, gap)) return sum_last(quotients) * 2.;
        return sum_last(quotients + unknown_limits(s.x * 0., s.x, gap, product)) * 2.;
    };
    Tensor sum = -summed(Gap::difference, d.even * e.even);
    if (s.symmetric) return sum;
    sum = sum + summed(Gap::sum, d.odd * e.odd);
    const Tensor inverse = diagonal_of(inverse_gaps(s.x, Gap::sum)) * 2.;
    const Outside rest(s, y), moved(s, da);
    if (rest.left.defined()) sum = sum + sum_last(transposed(rest.left * moved.left)) * inverse;
    if (rest.right.defined()) sum = sum + sum_last(transposed(rest.right * moved.right)) * inverse;
    return sum;
}
Tensor diagonal_jvp(const Node& n, const Tensor* tangents) {
    const Source of(n);
    Tensor sum = tangents[0].defined() ? diagonal_curved(of.s, n.extra->saved[1], tangents[0]) : Tensor();
    if (!tangents[1].defined()) return sum;
    const Tensor moved = recorded_diagonal(of, tangents[1]);
    return sum.defined() ? sum + moved : moved;
}
constexpr Op diagonal_op{"spectral_jvp", diagonal_vjp, diagonal_jvp};

Tensor recorded_diagonal(const Source& of, const Tensor& y) {
    const Tensor z = [&] {
        const Unrecorded computing;
        return sum_last(transposed(of.s.u * matmul(oriented(of.s, y), of.s.v)));
    }();
    if (recording()) record_map(diagonal_op, z, of, y, {of.s.x, y});
    return z;
}

void values_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = recorded_spread(Source(n), g); }
Tensor values_jvp(const Node& n, const Tensor* tangents) { return recorded_diagonal(Source(n), tangents[0]); }
constexpr Op eigenvalues_op{"eigh", values_vjp, values_jvp};
constexpr Op singular_values_op{"svd", values_vjp, values_jvp};

}  // namespace

namespace {

// ---- What gaps that are themselves functions of a do to the turns F o N + G o K of u. In a basis of the space of a repeated
// value in
//      which the block B of u^T a. v on that space is diagonal, x. is its diagonal, and
//      (F o N + G o K). = F^2 o (B N - N B) - G^2 o (B K + K B)  for fixed N and K,  q. = -q B q  for q = diag(1 / x).
// Written so, it holds in every basis. The diagonal of B is what inverse_gaps sees. The rest is a node of its own, a zero: of
// other matrices it changes no bit. Only the symmetric part of B counts, but for values of 0, where u and v turn freely: there
// the right B is that of v, B^T where N and K are tangents, not cotangents.

/// Saved: u, v; x, N and K, neither for q.
struct Block {
    Spectrum s;
    bool transposed_matrix, adjoint;
    const Tensor &even, &odd;
    Tensor same, zero;

    explicit Block(const Node& n)
        : s{n.in[0], n.in[1], n.extra->saved[0], (n.attr.i & 1) != 0},
          transposed_matrix((n.attr.i & 2) != 0),
          adjoint((n.attr.i & 4) != 0),
          even(n.extra->saved[1]),
          odd(n.extra->saved[2]),
          same(same_values(s.x, Gap::difference, !s.symmetric)),
          zero(same_values(s.x, Gap::sum, !s.symmetric)) {}
    Tensor flipped(const Tensor& y) const { return transposed_matrix ? transposed(y) : y; }
    Tensor inverse() const { return diagonal_of(inverse_gaps(s.x, Gap::sum)) * 2.; }
};
void block_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Block b(n);
    Tensor block;
    if (b.even.defined()) {
        const auto back = [&](Gap gap, const Tensor& x) {
            const Tensor z = square(inverse_gaps(b.s.x, gap)) * g;
            const Tensor right = b.adjoint ? matmul(transposed(x), z) : matmul(transposed(z), x);
            return gap == Gap::sum ? -(matmul(z, transposed(x)) + right) : matmul(z, transposed(x)) - right;
        };
        block = back(Gap::difference, b.even);
        if (b.odd.defined()) block = block + back(Gap::sum, b.odd);
    } else {
        const Tensor q = b.inverse();
        block = -as_column(q) * g * as_row(q);
    }
    const Tensor turned_back = symmetric_part(b.same * block) + b.zero * block;
    const Tensor x = b.flipped(oriented(b.s, matmul(b.s.u, matmul(turned_back, transposed(b.s.v)))));
    cotangents[0] = last_order(b.s, n.tags[0], b.transposed_matrix, x);
}
Tensor block_jvp(const Node& n, const Tensor* tangents) {
    const Block b(n);
    const Tensor whole = turned(b.s, b.flipped(tangents[0])), block = b.same * symmetric_part(whole) + b.zero * whole;
    if (!b.even.defined()) {
        const Tensor q = b.inverse();
        return last_order(b.s, n.tags[0], b.transposed_matrix, -as_column(q) * block * as_row(q));
    }
    const Tensor right = b.adjoint ? block : transposed(block);
    const auto by = [&](Gap gap, const Tensor& x) {
        const Tensor first = matmul(block, x), second = matmul(x, right), z = square(inverse_gaps(b.s.x, gap));
        return z * (gap == Gap::sum ? -(first + second) : first - second);
    };
    const Tensor moved = by(Gap::difference, b.even);
    return last_order(b.s, n.tags[0], b.transposed_matrix, b.odd.defined() ? moved + by(Gap::sum, b.odd) : moved);
}
constexpr Op block_op{"spectral_block", block_vjp, block_jvp};

/// That zero; not defined where nothing is repeated, or nobody records.
Tensor recorded_block(const Turning& t, const Tensor& even, const Tensor& odd) {
    const Spectrum& s = t.s;
    if (!recording() || !has_gapless(s.x, Gap::difference)) return {};
    Shape shape = s.x.shape();
    shape.push_back(shape.back());
    const Tensor y = zeros(shape, s.x.dtype());
    Attr attr;
    attr.i = s.symmetric | t.transposed << 1 | t.adjoint << 2;
    auto extra = std::make_unique<Extra>();
    extra->saved = {s.x, even, odd};
    Node& n = append(block_op, y, t.a, 0, 1, attr, std::move(extra));
    n.in[0] = s.u;
    n.in[1] = s.v;
    return y;
}

/// Beside values of 0 of a matrix that is not square, u and v turn with vectors that nobody has.
Tensor with_unseen(const Turning& t, const Tensor& y) {
    const Spectrum& s = t.s;
    if (!recording() || s.symmetric || s.u.shape(-2) == s.v.shape(-2) || !has_gapless(s.x, Gap::sum)) return y;
    return y + underivable(s, t.a, t.transposed, y, Gap::sum);
}

}  // namespace

Tensor Turning::by_gaps(const Tensor& even, const Tensor& odd) const {
    Tensor y = inverse_gaps(s.x, Gap::difference) * even;
    if (odd.defined()) y = y + inverse_gaps(s.x, Gap::sum) * odd;
    if (const Tensor block = recorded_block(*this, even, odd); block.defined()) y = y + block;
    return with_unseen(*this, y);
}
Tensor Turning::by_values(const Tensor& y) const {
    const Tensor scaled = y * as_row(diagonal_of(inverse_gaps(s.x, Gap::sum)) * 2.);
    const Tensor block = recorded_block(*this, {}, {});
    return block.defined() ? scaled + matmul(y, block) : scaled;
}

void record_values(const Tensor& a, const Spectrum& s) {
    Attr attr;
    attr.i = s.symmetric;
    auto extra = std::make_unique<Extra>();
    extra->saved = {s.x};
    record(s.symmetric ? eigenvalues_op : singular_values_op, s.x, a, {s.u, s.v, {}}, attr, std::move(extra));
}

}  // namespace xtgrad::detail
