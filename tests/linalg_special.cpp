// Linear algebra at special points, where formulas divide by zero and derivatives exist: singular matrices, repeated and
// vanishing eigenvalues and singular values, norms of zeros. To second order in both modes, alone and in a batch with others.
#include <xtgrad/linalg.hpp>

#include <doctest/doctest.h>
#include <xtensor/xslice.hpp>

#include <cmath>
#include <functional>

#include <xtgrad/ops.hpp>
#include <xtgrad/random.hpp>
#include <xtgrad/tape.hpp>
#include <xtgrad/transforms.hpp>

namespace xg = xtgrad;
namespace la = xg::linalg;
using xg::Index, xg::Tensor;
using Function = std::function<Tensor(const Tensor&)>;

namespace {

double number(const Tensor& x) { return x.item<double>(); }
double largest(const Tensor& x) { return number(xg::amax(xg::abs(xg::astype(x, xg::f64)))); }
double apart(const Tensor& a, const Tensor& b) { return largest(xg::astype(a, xg::f64) - xg::astype(b, xg::f64)); }
bool same_bits(const Tensor& a, const Tensor& b) { return number(xg::astype(xg::all(xg::equal(a, b)), xg::f64)) == 1; }

Tensor gradient(const Function& f, const Tensor& x) { return xg::grad(f)(x); }
Tensor hessian(const Function& f, const Tensor& x) { return xg::hessian(f)(x); }
/// Each second derivative as the gradient of a directional one.
Tensor hessian_by_rows(const Function& f, const Tensor& x) {
    const auto slope = [&](const Tensor& y) { return xg::grad(f)(y); };
    return xg::jacobian(slope, xg::JacobianMode::reverse)(x);
}
/// The directional derivative.
Tensor along(const Function& f, const Tensor& x, const Tensor& dx) { return xg::jvp(f, x, dx).second; }
/// The gradient of the second derivative along v.
Tensor third(const Function& f, const Tensor& x, const Tensor& v) {
    return xg::grad([&](const Tensor& y) { return xg::sum(xg::hvp(f)(y, v) * v); })(x);
}

Tensor det(const Tensor& x) { return la::det(x); }
/// The same polynomial, by its expansion along the first row.
Tensor expanded_det(const Tensor& x) {
    const Index n = x.shape(-1);
    if (n == 1) return xg::reshape(x, {});
    Tensor sum(0.);
    for (Index j = 0; j < n; ++j) {
        std::vector<Tensor> others;
        for (Index k = 0; k < n; ++k)
            if (k != j) others.push_back(xg::view(x, xt::range(1, n), xt::range(k, k + 1)));
        const Tensor term = xg::view(x, 0, j) * expanded_det(xg::concatenate(others, 1));
        sum = j % 2 == 0 ? sum + term : sum - term;
    }
    return sum;
}

/// Of this rank, but for noise.
Tensor of_rank(Index n, Index rank, double noise, xg::Rng& rng) {
    const Tensor a = xg::matmul(xg::randn({n, rank}, xg::f64, rng), xg::randn({rank, n}, xg::f64, rng));
    return a + noise * xg::randn({n, n}, xg::f64, rng);
}

/// By central differences of the gradient: away from x, where no value is repeated.
Tensor differences(const Function& f, const Tensor& x) {
    const double h = 1e-4;
    std::vector<Tensor> columns;
    for (Index k = 0; k < Index(x.size()); ++k) {
        const Tensor step = xg::reshape(xg::astype(xg::equal(xg::arange(double(x.size())), double(k)), xg::f64), x.shape()) * h;
        columns.push_back(xg::reshape(gradient(f, x + step) - gradient(f, x - step), {-1}) / (2 * h));
    }
    xg::Shape shape = x.shape();
    for (const Index extent : x.shape()) shape.push_back(extent);
    return xg::reshape(xg::transpose(xg::stack(columns)), shape);
}

/// Gradient, tangent and Hessian, by both modes, are those of another formula for the function, which is regular at a.
void check_like(const Function& f, const Function& want, const Tensor& a, double rounding) {
    xg::Rng rng(23);
    const Tensor v = xg::randn(a.shape(), xg::f64, rng), h = hessian(want, a);
    CAPTURE(a);
    CHECK(apart(f(a), want(a)) < rounding * (1 + largest(want(a))));
    CHECK(apart(gradient(f, a), gradient(want, a)) < rounding * (1 + largest(gradient(want, a))));
    CHECK(apart(along(f, a, v), along(want, a, v)) < rounding * (1 + largest(along(want, a, v))));
    CHECK(apart(hessian(f, a), h) < rounding * (1 + largest(h)));
    CHECK(apart(hessian_by_rows(f, a), h) < rounding * (1 + largest(h)));
}

Tensor symmetric(const Tensor& x) { return (x + xg::swapaxes(x, -2, -1)) * 0.5; }
Tensor orthogonal(Index n, xg::Rng& rng) { return la::qr(xg::randn({n, n}, xg::f64, rng)).q; }
/// u diag(s) v^T with a random u and v, and v = u of symmetric ones.
Tensor with_values(const Tensor& s, bool of_symmetric, xg::Rng& rng) {
    const Tensor u = orthogonal(Index(s.size()), rng), v = of_symmetric ? u : orthogonal(Index(s.size()), rng);
    return xg::matmul(u * s, xg::transpose(v));
}
std::vector<Tensor> repeated_values() {
    return {xg::ones({4}),
            xg::tensor({1., 1., 1., 3.}),
            xg::tensor({1., 1., 3., 3.}),
            xg::tensor({0., 0., 3., 4.}),
            xg::tensor({0., 3., 3., 4.}),
            xg::tensor({0., 1., 2., 3.}),
            xg::tensor({-1., -1., 1., 1.}),
            xg::zeros({4})};
}

}  // namespace

TEST_CASE("the determinant has all derivatives at any rank") {
    const Tensor want = xg::tensor({{0., 0., 0., 1.}, {0., 0., -1., 0.}, {0., -1., 0., 0.}, {1., 0., 0., 0.}});
    CHECK(same_bits(xg::reshape(hessian(det, xg::zeros({2, 2})), {4, 4}), want));
    CHECK(same_bits(gradient(det, xg::zeros({1, 1})), xg::ones({1, 1})));
    CHECK(largest(hessian(det, xg::zeros({3, 3}))) == 0);
    CHECK(largest(hessian(det, xg::zeros({12, 12}))) == 0);

    xg::Rng rng(17);
    std::vector<Tensor> matrices{xg::ones({3, 3}), xg::diag(xg::tensor({1., 1., 0.})), xg::diag(xg::tensor({2., 0., 0.})),
                                 xg::diag(xg::tensor({1., 1e-9, 1., 1e-12})), xg::zeros({4, 4}) + xg::eye(4) * 1e-170};
    for (Index n = 1; n <= 5; ++n)
        for (Index rank = 0; rank <= n; ++rank)
            for (const double noise : {0., 1e-15, 1e-9, 1e-5}) matrices.push_back(of_rank(n, rank, noise, rng));
    for (const Tensor& a : matrices) {
        const Tensor v = xg::randn(a.shape(), xg::f64, rng);
        const double size = std::pow(1 + largest(a), double(a.shape(0))), rounding = 1e-13 * size;
        CAPTURE(a);
        CHECK(apart(gradient(det, a), gradient(expanded_det, a)) < rounding);
        CHECK(apart(along(det, a, v), along(expanded_det, a, v)) < rounding);
        const Tensor h = hessian(expanded_det, a);
        CHECK(apart(hessian(det, a), h) < rounding);
        CHECK(apart(hessian_by_rows(det, a), h) < rounding);
        const auto forward = [&](const Function& f) { return along([&](const Tensor& x) { return along(f, x, v); }, a, v); };
        CHECK(apart(forward(det), forward(expanded_det)) < rounding);
        CHECK(apart(third(det, a, v), third(expanded_det, a, v)) < 1e-6 * size);
        const Tensor low = xg::astype(a, xg::f32), rounded = xg::astype(low, xg::f64);
        if (largest(low) == 0 && largest(a) != 0) continue;
        CHECK(apart(gradient(det, low), gradient(expanded_det, rounded)) < 2e-6 * size);
        CHECK(apart(hessian(det, low), hessian(expanded_det, rounded)) < 2e-5 * size);
    }
}

TEST_CASE("the determinant of an f32 graph Laplacian, whose cofactors are all the number of its spanning trees") {
    const Index n = 6;
    const Tensor laplacian = xg::eye(n, 0, xg::f32) * double(n) - xg::ones({n, n}, xg::f32);  // of the complete graph: 6^4 trees
    CHECK(apart(gradient(det, laplacian), xg::full({n, n}, 1296.)) < 1e-3);
    CHECK(apart(hessian(det, laplacian), hessian(expanded_det, xg::astype(laplacian, xg::f64))) < 1e-2);
}

TEST_CASE("singular matrices do not change what others of their batch get") {
    xg::Rng rng(19);
    std::vector<Tensor> matrices;
    for (const Index rank : {5, 3, 0, 5, 4, 2}) matrices.push_back(of_rank(5, rank, rank == 2 ? 1e-13 : 0, rng));
    const Tensor batch = xg::reshape(xg::stack(matrices), {2, 3, 5, 5}), direction = xg::randn(batch.shape(), xg::f64, rng);
    const auto total = [](const Tensor& x) { return xg::sum(la::det(x)); };
    const auto part = [](const Tensor& x, Index i) { return xg::view(x, i / 3, i % 3); };
    const Tensor g = gradient(total, batch), moved = xg::hvp(total)(batch, direction), tangent = along(det, batch, direction);
    for (Index i = 0; i < 6; ++i) {
        const Tensor& a = matrices[std::size_t(i)];
        CHECK(same_bits(part(g, i), gradient(det, a)));
        CHECK(same_bits(part(moved, i), xg::hvp(det)(a, part(direction, i))));
        CHECK(same_bits(part(tangent, i), along(det, a, part(direction, i))));
    }
}

TEST_CASE("norms of zeros have slope 0, of every order, and leave other rows alone") {
    const Tensor x = xg::tensor({{0., 0., 0.}, {3., -4., 1.}, {0., 2., 0.}}), weights = xg::tensor({1., 2., 3.});
    const Tensor row = xg::reshape(xg::tensor({3., -4., 1.}), {1, 3});
    for (const double p : {3., 4., 1.5, 2.5, .5, -1., -3.5, -.5, -2., 1., 2., double(INFINITY), -double(INFINITY)}) {
        CAPTURE(p);
        const auto f = [&](const Tensor& v) { return xg::sum(la::norm(v, p, {-1}) * weights); };
        const auto of_row = [&](const Tensor& v) { return xg::sum(la::norm(v, p, {-1})) * 2.; };
        const Tensor g = gradient(f, x), h = hessian(f, x);
        CHECK(largest(xg::view(g, 0)) == 0);
        CHECK(largest(xg::view(h, 0)) == 0);
        CHECK(same_bits(xg::view(g, 1), xg::view(gradient(of_row, row), 0)));
        CHECK(same_bits(xg::view(h, 1, xt::all(), 1), xg::view(hessian(of_row, row), 0, xt::all(), 0)));
        if (p != 2) CHECK(largest(xg::view(h, 2)) < 1e-14);
        CHECK(largest(xg::view(g, 2, xt::range(0, 3, 2))) == 0);
        CHECK(number(xg::view(g, 2, 1)) == doctest::Approx(p < 0 ? 0. : 3.).epsilon(1e-15));
        const Tensor tangent = along([&](const Tensor& v) { return la::norm(v, p, {-1}); }, x, xg::ones({3, 3}));
        CHECK(number(xg::view(tangent, 0)) == 0);
        CHECK(number(xg::view(tangent, 1)) == doctest::Approx(number(xg::sum(xg::view(g, 1))) / 2).epsilon(1e-13));
    }
    // |x|^4 is smooth: its fourth root has the derivatives of a polynomial beside an element that is not 0.
    const auto quartic = [](const Tensor& v) { return la::norm(v, 4); };
    const auto by_hand = [](const Tensor& v) { return xg::pow(xg::sum(xg::square(xg::square(v))), .25); };
    const Tensor beside = xg::tensor({0., 2.}), ones = xg::ones({2});
    CHECK(apart(third(quartic, beside, ones), third(by_hand, beside, ones)) < 1e-14);
    CHECK(std::isnan(number(xg::sum(gradient([](const Tensor& v) { return la::norm(v, 3); }, xg::tensor({1., double(NAN)}))))));
}

TEST_CASE("symmetric functions of repeated eigenvalues have their derivatives to second order") {
    const Tensor i3 = xg::eye(3);
    const auto roots = [](const Tensor& m) { return xg::sum(xg::sqrt(la::eigvalsh(m))); };
    const auto trace_of_root = [](const Tensor& m) {
        const auto [w, v] = la::eigh(m);
        return xg::trace(xg::matmul(v * xg::sqrt(w), xg::transpose(v)));
    };
    // The root's trace at 1 + x: 3 + tr x / 2 - tr x^2 / 8.
    const Tensor flat = xg::reshape(xg::eye(9), {3, 3, 3, 3}), want = (flat + xg::swapaxes(flat, 2, 3)) * -0.125;
    for (const Function& f : {Function(roots), Function(trace_of_root)}) {
        CHECK(apart(gradient(f, i3), i3 * 0.5) < 1e-15);
        CHECK(apart(hessian(f, i3), want) < 1e-14);
        CHECK(apart(hessian_by_rows(f, i3), want) < 1e-14);
        CHECK(apart(hessian(f, xg::eye(3, 0, xg::f32)), want) < 1e-6);
    }
    xg::Rng rng(29);
    const auto exponential = [](const Tensor& m) { return xg::trace(la::expm(symmetric(m))); };
    for (const Tensor& w : repeated_values()) {
        const Tensor a = with_values(w, true, rng);
        check_like([](const Tensor& m) { return xg::sum(xg::exp(la::eigvalsh(m))); }, exponential, a, 1e-13);
        check_like(
            [](const Tensor& m) {
                const auto [x, v] = la::eigh(m);
                return xg::sum(xg::square(v) * xg::exp(x));
            },
            exponential, a, 1e-13);
        // Not sums of functions of one: their limits are differences of second derivatives.
        check_like([](const Tensor& m) { return xg::prod(la::eigvalsh(m)); }, [](const Tensor& m) { return det(symmetric(m)); },
                   a, 1e-13);
        check_like([](const Tensor& m) { return xg::square(xg::sum(xg::square(la::eigvalsh(m)))); },
                   [](const Tensor& m) { return xg::square(xg::sum(xg::square(symmetric(m)))); }, a, 1e-13);
    }
    // Nobody knows the limits when the first of two derivatives is a tangent: not a number, and not a wrong one.
    const Tensor dx = symmetric(xg::randn({3, 3}, xg::f64, rng));
    CHECK(std::isnan(number(along([&](const Tensor& x) { return along(roots, x, dx); }, i3, dx))));
    CHECK(std::isnan(largest(xg::sum(gradient([&](const Tensor& x) { return along(roots, x, dx); }, i3)))));
    CHECK(number(along([&](const Tensor& x) { return along(roots, x, i3); }, i3, i3)) == doctest::Approx(-0.75));
    // A third derivative at repeated values is not there, nor a wrong one; at others it is.
    CHECK(std::isnan(number(xg::sum(third(roots, i3, dx)))));
    const auto apart_from_them = [&](const Tensor& m) { return xg::sum(xg::exp(la::eigvalsh(m))); };
    const Tensor simple = xg::diag(xg::tensor({1., 2., 4.}));
    CHECK(apart(third(apart_from_them, simple, dx), third(exponential, simple, dx)) < 1e-11);
    // The largest alone has no derivative.
    const auto greatest = [](const Tensor& m) { return xg::view(la::eigvalsh(m), 2); };
    CHECK_FALSE(xg::all(xg::isfinite(hessian(greatest, i3))).item<bool>());
}

TEST_CASE("eigenvectors beside repeated values, and what does not depend on their choice") {
    const auto component = [](const Tensor& m) { return xg::view(la::eigh(m).vectors, 1, 2); };
    const Tensor d = xg::diag(xg::tensor({4., 1., 1.})), want = xg::tensor({{0., 1., 0.}, {1., 0., 0.}, {0., 0., 0.}}) / 6.;
    CHECK(apart(gradient(component, d), want) < 1e-16);
    CHECK(apart(gradient(component, xg::astype(d, xg::f32)), want) < 1e-7);
    xg::Rng rng(31);
    const Tensor weights = xg::randn({4, 4}, xg::f64, rng), v = xg::randn({4, 4}, xg::f64, rng);
    const auto check_smooth = [&](const Function& f, const Tensor& a) {
        const Tensor g = gradient(f, a), h = differences(f, a);
        CHECK(number(along(f, a, v)) == doctest::Approx(number(xg::sum(g * v))).epsilon(1e-12));
        CHECK(number(along(f, a, v)) == doctest::Approx(number(f(a + 1e-5 * v) - f(a - 1e-5 * v)) / 2e-5).epsilon(1e-7));
        CHECK(apart(hessian(f, a), h) < 1e-6 * (1 + largest(h)));
        CHECK(apart(hessian_by_rows(f, a), h) < 1e-6 * (1 + largest(h)));
    };
    const auto projector = [&](Index from, Index to) {
        return [=](const Tensor& m) {
            const Tensor x = xg::view(la::eigh(m).vectors, xt::all(), xt::range(from, to));
            return xg::sum(xg::square(xg::matmul(x, xg::transpose(x))) * weights);
        };
    };
    check_smooth([&](const Tensor& m) { return xg::sum(xg::view(la::eigh(m).vectors, xt::all(), 3) * xg::view(weights, 0)); },
                 with_values(xg::tensor({1., 1., 1., 3.}), true, rng));
    check_smooth(projector(0, 3), with_values(xg::tensor({1., 1., 1., 3.}), true, rng));
    check_smooth(projector(2, 4), with_values(xg::tensor({0., 0., 3., 3.}), true, rng));
    // The first of a repeated value is anybody's choice.
    const auto chosen = [](const Tensor& m) { return xg::sum(xg::view(la::eigh(m).vectors, xt::all(), 0)); };
    CHECK_FALSE(xg::all(xg::isfinite(gradient(chosen, with_values(xg::tensor({1., 1., 2., 3.}), true, rng)))).item<bool>());
}

TEST_CASE("functions of repeated and vanishing singular values have their derivatives to second order") {
    xg::Rng rng(37);
    const auto bell = [](const Tensor& m) { return xg::sum(xg::exp(-xg::square(la::svd(m, false, false).s))); };
    const auto by_exponential = [](const Tensor& m) {
        const Tensor square = m.shape(0) < m.shape(1) ? xg::matmul(m, xg::transpose(m)) : xg::matmul(xg::transpose(m), m);
        return xg::trace(la::expm(-square));
    };
    const auto fourth = [](const Tensor& m) { return xg::sum(xg::square(xg::square(la::svd(m).s))); };
    const auto by_products = [](const Tensor& m) { return xg::sum(xg::square(xg::matmul(m, xg::transpose(m)))); };
    for (const Tensor& s : repeated_values()) {
        const Tensor a = with_values(s, false, rng), more = orthogonal(6, rng);
        const Tensor tall = xg::matmul(xg::view(more, xt::all(), xt::range(0, 4)), a);
        for (const Tensor& m : {a, tall, xg::transpose(tall)}) {
            check_like(bell, by_exponential, m, 1e-13);
            check_like(fourth, by_products, m, 1e-12);
        }
    }
}

TEST_CASE("the polar factor, the nuclear norm and the space of singular vectors, at repeated singular values") {
    xg::Rng rng(41);
    const Tensor weights = xg::randn({4, 4}, xg::f64, rng);
    const auto polar = [&](const Tensor& m) {
        const auto [u, s, vt] = la::svd(m);
        return xg::matmul(u, vt);
    };
    const auto by_newton = [](Tensor x) {  // Higham's iteration
        for (int k = 0; k < 9; ++k) x = (x + xg::transpose(la::inv(x))) * 0.5;
        return x;
    };
    for (const Tensor& s : {xg::ones({4}), xg::tensor({1., 1., 2., 2.}), xg::tensor({1., 3., 3., 3.})}) {
        const Tensor a = with_values(s, false, rng), v = xg::randn({4, 4}, xg::f64, rng);
        CHECK(apart(polar(a), by_newton(a)) < 1e-14);
        const auto weighted = [&](auto f) { return [&weights, f](const Tensor& m) { return xg::sum(f(m) * weights); }; };
        CHECK(apart(gradient(weighted(polar), a), gradient(weighted(by_newton), a)) < 1e-13);
        CHECK(apart(along(polar, a, v), along(by_newton, a, v)) < 1e-13);
        // The nuclear norm's gradient is that factor.
        const Function nuclear = [](const Tensor& m) { return la::norm(m, la::normorder::nuc); };
        CHECK(apart(gradient(nuclear, a), by_newton(a)) < 1e-14);
        CHECK(apart(hessian(nuclear, a), xg::jacobian(by_newton)(a)) < 1e-13);
    }
    const auto leading = [&](const Tensor& m) {
        const Tensor u = xg::view(la::svd(m).u, xt::all(), xt::range(0, 2));
        return xg::sum(xg::square(xg::matmul(u, xg::transpose(u))) * weights);
    };
    for (const Tensor& s : {xg::tensor({3., 3., 1., 1.}), xg::tensor({3., 3., 0., 0.}), xg::tensor({3., 2., 1., 0.})}) {
        const Tensor a = with_values(s, false, rng), v = xg::randn({4, 4}, xg::f64, rng);
        CAPTURE(s);
        const double slope = number(leading(a + 1e-5 * v) - leading(a - 1e-5 * v)) / 2e-5;
        CHECK(number(along(leading, a, v)) == doctest::Approx(slope).epsilon(1e-7));
        CHECK(number(xg::sum(gradient(leading, a) * v)) == doctest::Approx(slope).epsilon(1e-7));
        const Tensor tall = xg::concatenate(std::vector{a, xg::zeros({1, 4})}, 0), wide = xg::transpose(tall);
        for (const Function& f : {Function(leading), Function([&](const Tensor& m) { return leading(xg::transpose(m)); })})
            CHECK(apart(hessian(f, a), differences(f, a)) < 1e-6 * (1 + largest(differences(f, a))));
        const auto outer = [&](const Tensor& m) {
            const Tensor x = xg::view(la::svd(m, false).vt, xt::range(0, 2));
            const Tensor y = xg::view(la::svd(m, false).u, xt::all(), xt::range(0, 2));
            return xg::sum(xg::square(xg::matmul(y, x)) * (1. + xg::reshape(xg::arange(double(m.size())), m.shape())) * 0.1);
        };
        for (const Tensor& m : {tall, wide}) {
            const Tensor h = hessian(outer, m), w = xg::randn(m.shape(), xg::f64, rng);
            const double along_w = number(outer(m + 1e-5 * w) - outer(m - 1e-5 * w)) / 2e-5;
            CHECK(number(along(outer, m, w)) == doctest::Approx(along_w).epsilon(1e-7));
            CHECK(number(xg::sum(gradient(outer, m) * w)) == doctest::Approx(along_w).epsilon(1e-7));
            if (number(xg::amin(s)) > 0)
                CHECK(apart(h, differences(outer, m)) < 1e-6 * (1 + largest(differences(outer, m))));
            else  // the second derivative needs vectors that a thin decomposition has not
                CHECK(xg::any(xg::isnan(h)).item<bool>());
        }
    }
    CHECK(largest(gradient([](const Tensor& m) { return xg::sum(la::pinv(m)); }, xg::zeros({3, 2}))) == 0);
    const Tensor a = with_values(xg::tensor({1., 1., 2., 2.}), false, rng);
    check_like([&](const Tensor& m) { return xg::sum(la::pinv(m) * weights); },
               [&](const Tensor& m) { return xg::sum(la::inv(m) * weights); }, a, 1e-12);
}

TEST_CASE("repeated values do not change what other matrices of their batch get") {
    xg::Rng rng(43);
    std::vector<Tensor> matrices{symmetric(xg::randn({4, 4}, xg::f64, rng))};
    for (const Tensor& w : repeated_values()) matrices.push_back(with_values(w, true, rng));
    const Tensor batch = xg::stack(matrices), direction = xg::randn(batch.shape(), xg::f64, rng);
    const auto of_values = [](const Tensor& m) { return xg::sum(xg::exp(la::eigh(m).values)); };
    const auto of_singular = [](const Tensor& m) { return xg::sum(xg::square(xg::square(la::svd(m).s))); };
    const auto of_vectors = [](const Tensor& m) {
        const Tensor v = la::eigh(m).vectors;
        return xg::sum(xg::square(xg::matmul(v, xg::swapaxes(v, -2, -1))) * xg::arange(4.));
    };
    for (const Function& f : {Function(of_values), Function(of_singular), Function(of_vectors)}) {
        const Tensor g = gradient(f, batch), moved = xg::hvp(f)(batch, direction);
        for (Index i = 0; i < batch.shape(0); ++i) {
            const Tensor& a = matrices[std::size_t(i)];
            CHECK(same_bits(xg::view(g, i), gradient(f, a)));
            CHECK(same_bits(xg::view(moved, i), xg::hvp(f)(a, xg::view(direction, i))));
        }
    }
}
