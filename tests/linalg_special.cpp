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
