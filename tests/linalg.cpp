// Linear algebra beyond the op table: errors that say which matrix, values from elsewhere, ill-conditioned and degenerate
// matrices, the same bits on any number of threads.
#include <xtgrad/linalg.hpp>

#include <doctest/doctest.h>
#include <xtensor/xslice.hpp>

#include <cmath>
#include <string>

#include <xtgrad/gradcheck.hpp>
#include <xtgrad/ops.hpp>
#include <xtgrad/random.hpp>
#include <xtgrad/runtime.hpp>
#include <xtgrad/tape.hpp>
#include <xtgrad/transforms.hpp>

namespace xg = xtgrad;
namespace la = xg::linalg;
using xg::Tensor;

namespace {

double number(const Tensor& x) { return x.item<double>(); }
double largest(const Tensor& x) { return number(xg::amax(xg::abs(x))); }
double apart(const Tensor& a, const Tensor& b) { return largest(a - b); }
double relative(const Tensor& got, const Tensor& want) { return apart(got, want) / (1 + largest(want)); }

std::string message(auto f) {
    try {
        f();
    } catch (const xg::Error& error) {
        return error.what();
    }
    return "nothing thrown";
}
bool says(const std::string& text, const std::string& part) {
    INFO(text);
    const bool found = text.find(part) != std::string::npos;
    CHECK(found);
    return found;
}

/// h_ij = 1 / (i + j + 1), of condition about e^(3.5 n).
Tensor hilbert(xg::Index n) {
    const Tensor i = xg::arange(double(n));
    return 1. / (xg::reshape(i, {n, 1}) + i + 1.);
}

Tensor squares_gradient(auto f, const Tensor& x) {
    xg::Tape tape;
    return tape.gradient(xg::sum(xg::square(f())), x);
}

}  // namespace

TEST_CASE("an error says which matrix of the batch it is about") {
    const Tensor good = xg::eye(3), bad = xg::tensor({{1., 2., 3.}, {2., 4., 6.}, {0., 1., 0.}});
    const Tensor batch = xg::stack(std::vector{good, good, bad}), b = xg::ones({3, 3, 1});
    const Tensor grid = xg::stack(std::vector{xg::stack(std::vector{good, good, good}), xg::stack(std::vector{good, bad, good})});
    says(message([&] { la::inv(bad); }), "[inv] the matrix is singular");
    says(message([&] { la::solve(batch, b); }), "[solve] matrix 2 of the batch of 3 is singular: pivot");
    says(message([&] { la::inv(grid); }), "[inv] matrix (1, 1) of the batch (2, 3) is singular");
    says(message([&] {
             la::cholesky(xg::stack(std::vector{good, good - 2. * xg::eye(3)}));
         }),
         "[cholesky] matrix 1 of the batch of 2");
    says(message([&] { la::cholesky(-1. * good); }), "not positive definite: its leading minor of order 1");
    says(message([&] {
             la::solve_triangular(xg::stack(std::vector{good, good * 0.}), xg::ones({3, 1}));
         }),
         "matrix 1 of the batch of 2 is singular: diagonal element 0");
    says(message([&] { la::eigh(xg::stack(std::vector{good, good * NAN})); }), "[eigh] matrix 1 of the batch of 2 holds a NaN");
    says(message([&] { la::svd(good * INFINITY); }), "[svd] the matrix holds a NaN or an infinity");
    says(message([&] { la::expm(good * NAN); }), "[expm] the matrix holds a NaN");
    says(message([&] { la::pinv(good * NAN); }), "[pinv] the matrix holds a NaN");
}

TEST_CASE("a NaN or an infinity in a matrix is an error where an algorithm converges or decides, and stays one elsewhere") {
    const double inf = INFINITY, nan = NAN;
    const Tensor good = xg::eye(2), b = xg::ones({2});
    const std::vector<Tensor> bad{xg::tensor({{1., nan}, {nan, 1.}}), xg::tensor({{nan, 0.}, {0., 1.}}),
                                  xg::tensor({{inf, 0.}, {0., 1.}}), xg::tensor({{1., 0.}, {0., -inf}}),
                                  xg::tensor({{2., inf}, {inf, 2.}})};
    for (const Tensor& a : bad)
        for (const auto dtype : {xg::f32, xg::f64}) {
            const Tensor x = xg::astype(a, dtype), batch = xg::stack(std::vector{xg::astype(good, dtype), x});
            const auto refused = [&](const char* op, auto f) {
                says(message([&] { f(x); }), std::string("[") + op + "] the matrix holds a NaN or an infinity");
                says(message([&] { f(batch); }), std::string("[") + op + "] matrix 1 of the batch of 2 holds a NaN");
            };
            refused("cholesky", [](const Tensor& m) { la::cholesky(m); });
            refused("eigh", [](const Tensor& m) { la::eigh(m); });
            refused("eigvalsh", [](const Tensor& m) { la::eigvalsh(m); });
            refused("svd", [](const Tensor& m) { la::svd(m); });
            refused("svd", [](const Tensor& m) { la::svd(m, false, false); });
            refused("svd", [](const Tensor& m) { la::norm(m, 2, {-2, -1}); });
            refused("svd", [](const Tensor& m) { la::norm(m, la::normorder::nuc, {-2, -1}); });
            refused("pinv", [](const Tensor& m) { la::pinv(m); });
            refused("lstsq", [&](const Tensor& m) { la::lstsq(m, xg::astype(b, m.dtype())); });
            refused("expm", [](const Tensor& m) { la::expm(m); });
        }
    const auto holds_nan = [](const Tensor& y) { return xg::any(xg::isnan(y)).item<bool>(); };
    for (const Tensor& x : {bad[0], bad[1]}) {
        CHECK(holds_nan(la::solve(x, b)));
        CHECK(holds_nan(la::inv(x)));
        CHECK(holds_nan(la::det(x)));
        CHECK(holds_nan(la::slogdet(x).logdet));
        CHECK(holds_nan(la::qr(x).r));
        CHECK(holds_nan(la::solve_triangular(x, b)));
        CHECK(holds_nan(la::matrix_power(x, 3)));
        CHECK(holds_nan(la::norm(x, 1)));
        CHECK(holds_nan(la::norm(x, la::normorder::frob)));
    }
}

TEST_CASE("tolerances and orders that are no numbers are errors") {
    const Tensor a = xg::eye(2), b = xg::ones({2});
    says(message([&] { la::pinv(a, NAN); }),
         "[pinv] the tolerance is nan; singular values up to rcond times the largest count as zero");
    says(message([&] { la::pinv(a, -1e-3); }), "give a number from 0 on");
    says(message([&] { la::lstsq(a, b, NAN); }), "[lstsq] the tolerance is nan");
    CHECK(apart(la::lstsq(a, b, -3).solution, b) == 0);
    CHECK(largest(la::pinv(a, INFINITY)) == 0);
    says(message([&] { la::norm(b, NAN); }), "[norm] the order is NaN");
    says(message([&] { la::norm(a, NAN); }), "[norm] order nan is no norm of matrices");
}

TEST_CASE("shapes and dtypes that do not fit are errors with a remedy") {
    const Tensor wide = xg::ones({2, 3}), square = xg::eye(3), vector = xg::ones({3});
    CHECK_THROWS_AS(la::inv(wide), xg::ShapeError);
    CHECK_THROWS_AS(la::inv(vector), xg::ShapeError);
    CHECK_THROWS_AS(la::det(Tensor(1.)), xg::ShapeError);
    CHECK_THROWS_AS(la::solve(square, xg::ones({2})), xg::ShapeError);
    CHECK_THROWS_AS(la::solve(xg::ones({2, 3, 3}), xg::ones({5, 3, 1})), xg::ShapeError);
    CHECK_THROWS_AS(la::cholesky(wide), xg::ShapeError);
    CHECK_THROWS_AS(la::eigh(wide), xg::ShapeError);
    CHECK_THROWS_AS(la::matrix_power(wide, 2), xg::ShapeError);
    CHECK_THROWS_AS(la::expm(wide), xg::ShapeError);
    CHECK_THROWS_AS(la::norm(xg::ones({2, 2, 2}), 1), xg::ShapeError);
    CHECK_THROWS_AS(la::norm(square, 1, {0, 0}), xg::ShapeError);
    CHECK_THROWS_AS(la::norm(square, 3), xg::Error);
    CHECK_THROWS_AS(la::norm(vector, la::normorder::nuc), xg::Error);
    CHECK_THROWS_AS(la::inv(xg::astype(square, xg::i64)), xg::DtypeError);
    CHECK_THROWS_AS(la::solve(square, xg::astype(vector, xg::f32)), xg::DtypeError);
    says(message([&] { la::inv(wide); }),
         "[inv] needs square matrices, got (2, 3); for others there are lstsq, pinv, qr and svd");
    says(message([&] { la::solve(xg::ones({4, 3, 3}), xg::ones({4, 3})); }), "expand_dims(b, -1)");
}

TEST_CASE("what a singular matrix has: a determinant and cofactors, but no logarithm's slope") {
    const Tensor a = xg::tensor({{1., 2.}, {2., 4.}});
    CHECK(number(la::det(a)) == 0);
    const auto [sign, logdet] = la::slogdet(a);
    CHECK(number(sign) == 0);
    CHECK(number(logdet) == -INFINITY);
    xg::Tape tape;
    CHECK(apart(tape.gradient(la::det(a), a), xg::tensor({{4., -2.}, {-2., 1.}})) < 1e-14);
    const Tensor batch = xg::stack(std::vector{xg::eye(2), a});
    says(message([&] {
             xg::Tape inner;
             inner.gradient(xg::sum(la::slogdet(batch).logdet), batch);
         }),
         "[slogdet] matrix 1 of the batch of 2 is singular");
}

TEST_CASE("slogdet neither overflows nor underflows") {
    const Tensor a = xg::eye(400) * 1e-3;
    CHECK(number(la::det(a)) == 0);
    CHECK(number(la::slogdet(a).logdet) == doctest::Approx(400 * std::log(1e-3)).epsilon(1e-14));
}

TEST_CASE("values and gradients of NumPy and PyTorch") {
    const Tensor a = xg::tensor({{4., 1., -2.}, {1., 3., 0.5}, {-2., 0.5, 5.}}), b = xg::tensor({{1., 2.}, {3., 4.}, {5., 7.}});
#include "reference/linalg.inc"
}

TEST_CASE("ill-conditioned: the residual stays small, the error within eps times the condition") {
    const Tensor h = hilbert(10), ones = xg::ones({10});  // of condition 1.6e13
    const Tensor b = xg::matmul(h, ones), x = la::solve(h, b);
    CHECK(largest(xg::matmul(h, x) - b) < 1e-15 * 10);
    CHECK(apart(x, ones) < 2.2e-16 * 1.6e13);
    const Tensor l = la::cholesky(h);
    CHECK(apart(xg::matmul(l, xg::transpose(l)), h) < 1e-15);
    const auto [w, v] = la::eigh(h);
    CHECK(apart(xg::matmul(v * w, xg::transpose(v)), h) < 1e-14);
    CHECK(apart(xg::matmul(xg::transpose(v), v), xg::eye(10)) < 1e-14);
    const auto [q, r] = la::qr(h);
    CHECK(apart(xg::matmul(q, r), h) < 1e-14);
    CHECK(apart(xg::matmul(xg::transpose(q), q), xg::eye(10)) < 1e-14);
    // 1 / det is OEIS A005249.
    CHECK(number(la::slogdet(h).logdet) == doctest::Approx(-std::log(4.6206893947914691e52)).epsilon(1e-6));
    // Its gradient is the inverse, of integers: the corner is 100. Relative to the largest, 3.48e12.
    xg::Tape tape;
    const Tensor g = tape.gradient(la::slogdet(h).logdet, h);
    CHECK(std::abs(number(xg::view(g, 0, 0)) - 100) < 3.5e12 * 1.6e13 * 2.2e-16 * 1e-3);
    CHECK(number(xg::view(g, 0, 0)) == doctest::Approx(100).epsilon(1e-2));
}

TEST_CASE("the adjoint of a solve is as good as the solve") {
    xg::Rng rng(3);
    const Tensor h = hilbert(6), b = xg::randn({6}, xg::f64, rng), w = xg::randn({6}, xg::f64, rng);  // of condition 1.5e7
    xg::Tape tape;
    const Tensor x = la::solve(h, b);
    const auto [gh, gb] = tape.vjp(x, w, {h, b});
    const Tensor want = la::solve(h, w);  // h is symmetric
    CHECK(apart(gb, want) <= 1e-15 * 1.5e7 * largest(want));
    CHECK(apart(gh, -la::outer(want, x)) <= 1e-15 * 1.5e7 * largest(gh));
}

TEST_CASE("eigenvectors and singular vectors have a fixed sign") {
    xg::Rng rng(5);
    const Tensor a = xg::randn({6, 6}, xg::f64, rng);
    const auto positive = [](const Tensor& v) {
        const Tensor peak = xg::argmax(xg::abs(v), 0);
        return number(xg::amin(xg::take_along_axis(v, xg::reshape(peak, {1, -1}), 0))) > 0;
    };
    CHECK(positive(la::eigh(a).vectors));
    CHECK(positive(la::svd(a).u));
    CHECK(apart(xg::abs(la::eigh(-a).vectors), xg::abs(xg::flip(la::eigh(a).vectors, 1))) < 1e-12);
}

TEST_CASE("a repeated eigenvalue: symmetric functions of the values have derivatives, vectors have none") {
    const Tensor a = xg::tensor({{2., 0., 0.}, {0., 2., 0.}, {0., 0., 5.}});
    {
        xg::Tape tape;
        CHECK(apart(tape.gradient(xg::sum(xg::square(la::eigvalsh(a))), a), 2. * a) < 1e-14);
    }
    {
        xg::Tape tape;
        CHECK(apart(tape.gradient(xg::sum(la::svd(a).s), a), xg::eye(3)) < 1e-14);
    }
    xg::Tape tape;
    const Tensor v = la::eigh(a).vectors;
    const Tensor g = tape.gradient(xg::sum(v * xg::reshape(xg::arange(9.), {3, 3})), a);
    CHECK_FALSE(xg::all(xg::isfinite(g)).item<bool>());
}

TEST_CASE("functions of a matrix by its eigenvectors and by expm agree, with their gradients") {
    xg::Rng rng(7);
    const Tensor x = xg::randn({4, 4}, xg::f64, rng), a = (x + xg::transpose(x)) * 0.5, weight = xg::randn({4, 4}, xg::f64, rng);
    const auto gradient = [&](auto f) {
        xg::Tape tape;
        return tape.vjp(f(a), weight, a);
    };
    const auto spectral = [](const Tensor& m) {
        const auto [w, v] = la::eigh(m);
        return xg::matmul(v * xg::exp(w), xg::transpose(v));
    };
    CHECK(apart(spectral(a), la::expm(a)) < 1e-12 * largest(la::expm(a)));
    const Tensor by_expm = gradient(la::expm);
    CHECK(apart(gradient(spectral), (by_expm + xg::transpose(by_expm)) * 0.5) < 1e-12 * largest(by_expm));
}

TEST_CASE("expm of what is known: a rotation, a nilpotent matrix, a large norm") {
    const double angle = 40;
    const Tensor turn = xg::tensor({{0., -angle}, {angle, 0.}});
    CHECK(apart(la::expm(turn), xg::tensor({{std::cos(angle), -std::sin(angle)}, {std::sin(angle), std::cos(angle)}})) < 1e-13);
    const Tensor nilpotent = xg::tensor({{0., 1., 2.}, {0., 0., 3.}, {0., 0., 0.}});
    CHECK(apart(la::expm(nilpotent), xg::tensor({{1., 1., 3.5}, {0., 1., 3.}, {0., 0., 1.}})) < 1e-15);
    // A large tangent does not spoil the scaling: L is linear.
    xg::Tape tape(xg::persistent);
    const Tensor y = la::expm(turn), dx = xg::tensor({{1., 2.}, {3., 4.}});
    CHECK(apart(tape.jvp(y, turn, dx * 1e12) * 1e-12, tape.jvp(y, turn, dx)) < 1e-12);
}

TEST_CASE("third derivatives: of log det along a line, -log det (1 + t x) has the power sums") {
    const Tensor x = xg::tensor({{0.3, 0.1}, {0.1, -0.2}}), t(0.);
    const auto f = [&](const Tensor& s) { return la::slogdet(xg::eye(2) + s * x).logdet; };
    const Tensor third = [&] {
        xg::Tape c;
        const Tensor second = [&] {
            xg::Tape b;
            const Tensor first = [&] {
                xg::Tape a;
                return a.gradient(f(t), t);
            }();
            return b.gradient(first, t);
        }();
        return c.gradient(second, t);
    }();
    CHECK(number(third) == doctest::Approx(2 * number(la::trace(la::matrix_power(x, 3)))).epsilon(1e-12));
}

TEST_CASE("the Hessian of log det is -a^-1 (x) a^-1, and Jacobians of decompositions are the same in both modes") {
    xg::Rng rng(13);
    const Tensor a = xg::randn({3, 3}, xg::f64, rng) + 4. * xg::eye(3), inverse = la::inv(a);
    const Tensor h = xg::hessian([](const Tensor& x) { return la::slogdet(x).logdet; })(a);
    CHECK(apart(h, -xg::einsum("li,jk->ijkl", inverse, inverse)) < 1e-14);
    const auto modes_agree = [&](auto f) {
        const Tensor forward = xg::jacobian(f, xg::JacobianMode::forward)(a);
        CHECK(relative(forward, xg::jacobian(f, xg::JacobianMode::reverse)(a)) < 1e-12);
    };
    modes_agree([](const Tensor& x) { return la::qr(x).q; });
    modes_agree([](const Tensor& x) { return la::eigh(x).vectors; });
    modes_agree([](const Tensor& x) { return la::svd(x).vt; });
    modes_agree([](const Tensor& x) { return la::expm(x); });
}

TEST_CASE("the same bits on one thread and on four") {
    xg::Rng rng(11);
    const Tensor a = xg::randn({6, 40, 40}, xg::f64, rng) + 20. * xg::eye(40), b = xg::randn({6, 40, 3}, xg::f64, rng);
    const Tensor large = xg::randn({200, 200}, xg::f64, rng);
    const auto all = [&] {
        std::vector<Tensor> y{la::solve(a, b),  la::cholesky(xg::matmul(a, xg::swapaxes(a, -2, -1))),
                              la::qr(a).q,      la::eigh(a).vectors,
                              la::svd(a).u,     la::inv(large),
                              la::svd(large).s, la::expm(a * 0.01)};
        return y;
    };
    const int before = xg::num_threads();
    xg::set_num_threads(1);
    const auto alone = all();
    xg::set_num_threads(4);
    const auto together = all();
    xg::set_num_threads(before);
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(number(xg::amax(xg::abs(alone[i] - together[i]))) == 0);
}

TEST_CASE("the names of ops are here, too") {
    const Tensor v = xg::tensor({1., 2., 3.}), m = xg::reshape(xg::arange(9.), {3, 3});
    CHECK(number(la::dot(v, v)) == 14);
    CHECK(number(la::vdot(m, m)) == 204);
    CHECK(la::outer(v, v).shape() == xg::Shape{3, 3});
    CHECK(number(la::trace(m)) == 12);
    CHECK(number(la::norm(v, INFINITY)) == 3);
    CHECK(number(la::norm(m, la::normorder::inf)) == 21);
    CHECK(la::norm(m, 2, 1, true).shape() == xg::Shape{3, 1});
}
