// The formulas of docs/attention.md, by their numbers. What they say is computed with loops or dense matrices; what the library
// says comes from the fused node. All extents differ.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;
using xg::Index, xg::Tensor;
using Tensors = std::vector<Tensor>;

namespace {

Tensor dot(const Tensor& a, const Tensor& b) { return xg::matmul(a, b); }
Tensor t(const Tensor& x) { return xg::transpose(x); }
Tensor rowsum(const Tensor& x) { return xg::sum(x, 1, xt::keep_dims); }
Tensor paired(const Tensor& a, const Tensor& b) { return xg::sum(a * b); }

double distance(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    return xg::amax(xg::abs(a - b)).item<double>() / (1 + xg::amax(xg::abs(b)).item<double>());
}
constexpr double rounding = 1e-13;

/// The block in the column convention, with n 4, r 3, p 5, m 6; P and f by the scalar form.
struct Block {
    static constexpr Index n = 4, r = 3, p = 5, m = 6;
    xg::Rng rng{5};
    Tensor X = random({n, p}), Y = random({n, m}), A = random({r, n}), B = random({r, n}), C = random({m, n}), lambda;
    Tensor Q, K, V, R, P, f;

    explicit Block(double scale = 0.6) : lambda(scale) {
        Q = dot(A, X), K = dot(B, Y), V = dot(C, X), R = dot(t(Q), K);
        xt::xtensor<double, 2> weights = xt::zeros<double>({p, m}), out = xt::zeros<double>({p, p});
        const auto scores = R.values<double>(), values = V.values<double>();
        for (Index i = 0; i < p; ++i) {
            double sum = 0;
            for (Index j = 0; j < m; ++j) sum += weights(i, j) = std::exp(scale * scores(i, j));
            for (Index j = 0; j < m; ++j) weights(i, j) /= sum;
            for (Index k = 0; k < p; ++k)
                for (Index j = 0; j < m; ++j) out(i, k) += weights(i, j) * values(j, k);
        }
        P = weights, f = out;
    }

    Tensor random(const xg::Shape& shape) { return xg::randn(shape, xg::f64, rng); }
    Tensors inputs() const { return {X, Y, A, B, C, lambda}; }
    static Tensor of(const Tensors& x) { return xg::attention_block(x[0], x[1], x[2], x[3], x[4], x[5]); }

    /// The gradient of f_ik with respect to the input.
    Tensor gradient_of(Index i, Index k, const Tensor& input) const {
        xg::Tape tape;
        const Tensor out = of(inputs());
        Tensor unit = xg::zeros({p, p});
        unit = xg::set_view(unit, Tensor(1.), int(i), int(k));
        return tape.vjp(out, unit, input);
    }
    /// D_i - s_i s_i^T
    Tensor softmax_slope(Index i) const {
        const Tensor s = xg::take(P, Tensor(std::int64_t(i)), 0);
        return xg::diag(s) - xg::outer(s, s);
    }
};

Tensor column(const Tensor& x, Index j) { return xg::take(x, Tensor(std::int64_t(j)), 1); }

/// Rows, as models use them: T 5, S 7, D 3, Dv 4, causal, with a bias, perhaps with dropout Z.
struct Rows {
    static constexpr Index T = 5, S = 7, D = 3, Dv = 4;
    xg::Rng rng{6};
    Tensor q = random({T, D}), k = random({S, D}), v = random({S, Dv}), lambda = Tensor(0.8), B = random({T, S});
    Tensor G = random({T, Dv});
    double rate;
    Tensor Z, R = dot(q, t(k)), L, P, O, delta, adjoint_scores, dS;

    explicit Rows(double dropped = 0) : rate(dropped) {
        Z = with_dropout(xg::zeros({T, D}), xg::zeros({S, D}), xg::eye(S), {}) * double(S);
        const Tensor causal = xg::tril(xg::ones({T, S})) > 0;
        const Tensor scores = xg::where(causal, lambda * R + B, -std::numeric_limits<double>::infinity());
        L = xg::logsumexp(scores, 1, xt::keep_dims);
        P = xg::exp(scores - L), O = dot(Z * P, v), delta = rowsum(G * O);
        adjoint_scores = Z * dot(G, t(v)) - delta, dS = P * adjoint_scores;
    }

    Tensor random(const xg::Shape& shape) { return xg::randn(shape, xg::f64, rng); }
    Tensors inputs() const { return {q, k, v, lambda, B}; }
    /// Directions in which the inputs move, or cotangents of their gradients.
    Tensors directions() { return {random({T, D}), random({S, D}), random({S, Dv}), Tensor(0.3), random({T, S})}; }
    Tensor with_dropout(const Tensor& x, const Tensor& y, const Tensor& z, xg::AttentionOptions options) const {
        xg::Rng dropping(7);
        options.dropout = {rate, dropping};
        return xg::attention(x, y, z, options);
    }
    Tensor of(const Tensors& x) const { return with_dropout(x[0], x[1], x[2], {.scale = x[3], .causal = true, .bias = x[4]}); }

    Tensor E(const Tensors& d) const { return lambda * (dot(d[0], t(k)) + dot(q, t(d[1]))) + d[3] * R + d[4]; }
    Tensor mu(const Tensors& d) const { return rowsum(P * E(d)); }
    Tensor tangent(const Tensors& d) const { return dot(Z * P * E(d), v) + dot(Z * P, d[2]) - mu(d) * O; }

    /// Formula (13): the tangent along d of the tangent along `first`, which moves by `both`.
    Tensor second_tangent(const Tensors& first, const Tensors& d, const Tensors& both) const {
        const Tensor crossed = lambda * (dot(first[0], t(d[1])) + dot(d[0], t(first[1]))) +
                               first[3] * (dot(d[0], t(k)) + dot(q, t(d[1]))) +
                               d[3] * (dot(first[0], t(k)) + dot(q, t(first[1])));
        const Tensor A = P * ((E(d) - mu(d)) * E(first) + E(both) + crossed);
        return dot(Z * A, v) + dot(Z * P * E(first), d[2]) + dot(Z * P * (E(d) - mu(d)), first[2]) + dot(Z * P, both[2]) -
               rowsum(A) * O - mu(first) * tangent(d);
    }

    /// Formula (9), and (10) when the cotangent moves by `dG`.
    Tensors second(const Tensors& hat, const Tensor& dG) const {
        const Tensor R1 = dot(hat[0], t(k)) + dot(q, t(hat[1])), change = E(hat) - mu(hat);
        const Tensor F = Z * (dot(G, t(hat[2])) + dot(dG, t(v))), rho = rowsum(G * tangent(hat)) + rowsum(dG * O);
        const Tensor Bbar = P * (change * adjoint_scores + F - rho), W = lambda * Bbar + hat[3] * dS;
        return {dot(W, k) + lambda * dot(dS, hat[1]), dot(t(W), q) + lambda * dot(t(dS), hat[0]),
                dot(t(Z * P * change), G) + dot(t(Z * P), dG), paired(Bbar, R) + paired(dS, R1), Bbar};
    }
};

void check(const Tensors& got, const Tensors& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        CAPTURE(i);
        CHECK(distance(got[i], want[i]) < rounding);
    }
}

}  // namespace

TEST_CASE("docs/attention.md (1): the block is the scalar form") {
    const Block b;
    CHECK(distance(Block::of(b.inputs()), b.f) < rounding);
}

TEST_CASE("docs/attention.md (2): ds = (diag(s) - s s^T) dw") {
    Block b;
    const Tensor w = b.lambda * b.R, dw = b.random({Block::p, Block::m});
    xg::Tape tape;
    const Tensor moved = tape.jvp(xg::softmax(w), w, dw);
    for (Index i = 0; i < Block::p; ++i) {
        const Tensor index(std::int64_t{i});
        CHECK(distance(xg::take(moved, index, 0), dot(b.softmax_slope(i), xg::take(dw, index, 0))) < rounding);
    }
}

TEST_CASE("docs/attention.md (3): the entries of df/dY") {
    const Block b;
    for (Index i = 0; i < Block::p; ++i)
        for (Index k = 0; k < Block::p; ++k) {
            const Tensor scores = dot(b.softmax_slope(i), column(b.V, k)), asked = dot(t(b.B), column(b.Q, i));
            CHECK(distance(b.gradient_of(i, k, b.Y), b.lambda * xg::outer(asked, scores)) < rounding);
        }
}

TEST_CASE("docs/attention.md (4): the entries of df/dX, with the path through V") {
    const Block b;
    for (Index i = 0; i < Block::p; ++i)
        for (Index k = 0; k < Block::p; ++k) {
            Tensor want = xg::zeros({Block::n, Block::p});
            const Tensor scores = dot(b.softmax_slope(i), column(b.V, k));
            want = xg::set_view(want, b.lambda * dot(t(b.A), dot(b.K, scores)), xt::all(), int(i));
            const Tensor value = dot(t(b.C), xg::take(b.P, Tensor(std::int64_t(i)), 0));
            want = xg::set_view(want, column(want, k) + value, xt::all(), int(k));
            CHECK(distance(b.gradient_of(i, k, b.X), want) < rounding);
        }
}

TEST_CASE("docs/attention.md (5): the adjoints of all six, also at lambda = 0") {
    for (const double lambda : {0.6, 0.}) {
        Block b(lambda);
        const Tensor G = b.random({Block::p, Block::p}), Sbar = b.P * (dot(G, t(b.V)) - rowsum(G * b.f)), PG = dot(t(b.P), G);
        const Tensors want{b.lambda * dot(t(b.A), dot(b.K, t(Sbar))) + dot(t(b.C), PG),
                           b.lambda * dot(t(b.B), dot(b.Q, Sbar)),
                           b.lambda * dot(dot(b.K, t(Sbar)), t(b.X)),
                           b.lambda * dot(dot(b.Q, Sbar), t(b.Y)),
                           dot(PG, t(b.X)),
                           paired(Sbar, b.R)};
        xg::Tape tape;
        const Tensor f = Block::of(b.inputs());
        check(tape.vjp(f, G, b.inputs()), want);
    }
}

TEST_CASE("docs/attention.md (6): one tensor for X and Y has the sum of both gradients") {
    Block b;
    const Tensor C = b.random({Block::p, Block::n}), G = b.random({Block::p, Block::p}), other = xg::copy(b.X);
    xg::Tape apart;
    const auto parts = apart.vjp(Block::of({b.X, other, b.A, b.B, C, b.lambda}), G, Tensors{b.X, other});
    xg::Tape together;
    const Tensor sum = together.vjp(Block::of({b.X, b.X, b.A, b.B, C, b.lambda}), G, b.X);
    CHECK(distance(sum, parts[0] + parts[1]) < rounding);
}

namespace {

void check_adjoint(const Rows& r) {
    xg::Tape tape;
    const Tensors x = r.inputs();
    const Tensor O = r.of(x);
    CHECK(distance(O, r.O) < rounding);
    check(tape.vjp(O, r.G, x),
          {r.lambda * dot(r.dS, r.k), r.lambda * dot(t(r.dS), r.q), dot(t(r.Z * r.P), r.G), paired(dot(r.dS, r.k), r.q), r.dS});
}
void check_tangent(Rows r) {
    const Tensors x = r.inputs(), d = r.directions();
    xg::Tape tape;
    const Tensor O = r.of(x);
    CHECK(distance(tape.jvp(O, x, d), r.tangent(d)) < rounding);
}
void check_second_tangent(Rows r) {
    const Tensors x = r.inputs(), d = r.directions(), fixed = r.directions(), slopes = r.directions();
    xg::Tape outer;
    Tensors first, both;
    for (std::size_t i = 0; i < x.size(); ++i) {
        first.push_back(fixed[i] + slopes[i] * x[i]);
        both.push_back(slopes[i] * d[i]);
    }
    const Tensor tangent = [&] {
        xg::Tape tape;
        return tape.jvp(r.of(x), x, first);
    }();
    CHECK(distance(outer.jvp(tangent, x, d), r.second_tangent(first, d, both)) < rounding);
}
void check_adjoint_of_adjoint(Rows r) {
    const Tensors x = r.inputs(), hats = r.directions();
    xg::Tape outer;
    Tensor product;
    {
        xg::Tape tape;
        const Tensor O = r.of(x);
        const auto gradients = tape.vjp(O, r.G, x);
        for (std::size_t i = 0; i < gradients.size(); ++i) {
            const Tensor part = paired(gradients[i], hats[i]);
            product = product.defined() ? product + part : part;
        }
    }
    Tensors all = x, want = r.second(hats, xg::zeros_like(r.G));
    all.push_back(r.G);
    want.push_back(r.tangent(hats));
    check(outer.gradient(product, all), want);
}
void check_tangent_of_adjoint(Rows r) {
    const Tensors x = r.inputs();
    Tensors all = x, moving = r.directions();
    const Tensor dG = r.random({Rows::T, Rows::Dv});
    all.push_back(r.G);
    xg::Tape outer(xg::persistent);
    Tensors gradients;
    {
        xg::Tape tape;
        const Tensor O = r.of(x);
        for (const Tensor& g : tape.vjp(O, r.G, x)) gradients.push_back(g);
    }
    const Tensors want = r.second(moving, dG);
    moving.push_back(dG);
    Tensors got;
    for (const Tensor& g : gradients) got.push_back(outer.jvp(g, all, moving));
    check(got, want);
}

}  // namespace

TEST_CASE("docs/attention.md (7): the adjoint of rows, and of the log-sum-exp") {
    Rows r;
    check_adjoint(r);
    xg::Tape two;
    const auto [out, L] = xg::attention_logsumexp(r.q, r.k, r.v, {.scale = r.lambda, .causal = true, .bias = r.B});
    CHECK(distance(xg::reshape(L, {Rows::T, 1}), r.L) < rounding);
    const Tensor Lbar = r.random({Rows::T, 1});
    const Tensor dS = r.P * (dot(r.G, t(r.v)) - (r.delta - Lbar));
    check(two.vjp(xg::sum(out * r.G) + xg::sum(xg::reshape(L, {Rows::T, 1}) * Lbar), Tensor(1.), Tensors{r.q, r.k, r.B}),
          {r.lambda * dot(dS, r.k), r.lambda * dot(t(dS), r.q), dS});
}

TEST_CASE("docs/attention.md (8): the tangent") { check_tangent(Rows()); }

TEST_CASE("docs/attention.md (9): the adjoint of the adjoint") { check_adjoint_of_adjoint(Rows()); }

TEST_CASE("docs/attention.md (10): the tangent of the adjoint, where the cotangent moves as well") {
    check_tangent_of_adjoint(Rows());
}

TEST_CASE("docs/attention.md (11): two sets of keys combine by their log-sum-exps") {
    Rows r;
    const auto part = [&](Index begin, Index end) {
        const Tensor k = xg::view(r.k, xt::range(begin, end), xt::all()), v = xg::view(r.v, xt::range(begin, end), xt::all());
        const auto [out, L] = xg::attention_logsumexp(r.q, k, v, {.scale = r.lambda});
        return std::pair(out, xg::reshape(L, {Rows::T, 1}));
    };
    const auto [O1, L1] = part(0, 3);
    const auto [O2, L2] = part(3, Rows::S);
    const auto [O, L] = part(0, Rows::S);
    CHECK(distance(xg::log(xg::exp(L1) + xg::exp(L2)), L) < rounding);
    CHECK(distance(xg::exp(L1 - L) * O1 + xg::exp(L2 - L) * O2, O) < rounding);
}

TEST_CASE("docs/attention.md (12): all of it with dropout") {
    const Rows r(0.25);
    CHECK(xg::any(xg::equal(r.Z, 0.)).item<bool>());
    CHECK(xg::all(xg::equal(r.Z, 0.) || xg::isclose(r.Z, 1 / 0.75)).item<bool>());
    check_adjoint(r);
    check_tangent(r);
    check_adjoint_of_adjoint(r);
    check_tangent_of_adjoint(r);
    check_second_tangent(r);
}

TEST_CASE("docs/attention.md (13): the tangent of the tangent, where the first one moves as well") {
    check_second_tangent(Rows());
}
