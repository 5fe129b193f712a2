// ADBench's objectives: their published values and gradients, and gradients against differences.
#include "adbench.hpp"

#include <doctest/doctest.h>

namespace {

using namespace adbench;

double apart(const Tensor& a, const Tensor& b) { return xg::amax(xg::abs(a - b)).item<double>(); }

Mixture random_mixture(Index d, Index k, xg::Rng& rng) {
    return {xg::randn({k}, xg::f64, rng), xg::uniform({k, d}, xg::f64, rng), xg::randn({k, d * (d + 1) / 2}, xg::f64, rng)};
}

}  // namespace

TEST_CASE("GMM: the value and the gradient that ADBench's tests expect of data/gmm/test.txt") {
    const Mixture m{
        xg::tensor({-0.649014, 1.181166, -0.758453}),
        xg::tensor({{0.092339, 0.186260}, {0.345561, 0.396767}, {0.538817, 0.419195}}),
        xg::tensor({{0.586443, -0.851887, 0.800321}, {-1.509405, 0.875874, -0.242790}, {0.166813, -1.965419, -1.270071}})};
    xg::Tape tape;
    const Tensor value = gmm(m, xg::tensor({{1.175171, 2.029160}}), {1, 0});
    CHECK(value.item<double>() == doctest::Approx(8.07380408004975791).epsilon(1e-14));
    const auto [alphas, means, icf] = tape.gradient(value, {m.alphas, m.means, m.icf});
    CHECK(apart(alphas, xg::tensor({1.08662855508652456e-01, -7.41270039523898472e-01, 6.32607184015246071e-01})) < 1e-13);
    CHECK(apart(means, xg::tensor({{1.11692576532787013, 1.63333013551455269e-01},
                                   {-2.19989824071193142e-02, 2.27778292254236098e-01},
                                   {1.20963025612832187, -6.06375920733956339e-02}})) < 1e-13);
    CHECK(apart(icf, xg::tensor({{2.58529994051162237, 1.12632694524213789e-01, 3.85744309849611777e-01},
                                 {7.35180573182305508e-02, 5.41836362715595232, -3.21494409677446469e-01},
                                 {1.71892309775004937, 8.60091090790866875e-01, -9.94640930466322848e-01}})) < 1e-13);
}

TEST_CASE("GMM: gradients agree with differences, in both modes and to second order") {
    xg::Rng rng(1);
    const Mixture m = random_mixture(3, 4, rng);
    const Tensor x = xg::randn({7, 3}, xg::f64, rng);
    const auto f = [&](const Tensor& a, const Tensor& b, const Tensor& c) { return gmm({a, b, c}, x, {1, 2}); };
    xg::gradcheck(f, m.alphas, m.means, m.icf);
}

TEST_CASE("GMM of ADBench's size: n 1000, d 10, K 25, against differences along random directions") {
    xg::Rng rng(2);
    const Mixture m = random_mixture(10, 25, rng);
    const Tensor x = xg::randn({1000, 10}, xg::f64, rng);
    const auto f = [&](const Tensor& a, const Tensor& b, const Tensor& c) { return gmm({a, b, c}, x, {1, 0}); };
    xg::gradcheck(f, {.second_order = false, .all_elements = 0, .directions = 4}, m.alphas, m.means, m.icf);
}

TEST_CASE("BA: the values and derivatives that ADBench's tests expect of data/ba/test.txt") {
    const Tensor cameras = xg::tensor({{1.797201, 0.590697, -0.635786, 90.859550, 29.361415, 28.777534, 211.628116, -0.284531,
                                        -14.762924, 0.058931, 0.069976}});
    const Tensor points = xg::tensor({{4.173048, 5.586898, 1.403869}}), weights = xg::tensor({{0.417022}});
    const Tensor features = xg::tensor({{-525.672849, 161.811929}});
    xg::Tape tape;
    const Tensor error = reprojection(cameras, points, weights, features);
    CHECK(apart(error, xg::tensor({{-2.69048849235189402e-01, 2.59944792677901881e-01}})) < 1e-12);
    CHECK(1 - 0.417022 * 0.417022 == doctest::Approx(8.26092651515999976e-01).epsilon(1e-15));  // the weight's own error
    const auto [of_cameras, of_points] = tape.vjp(error, xg::tensor({{1., 0.}}), {cameras, points});
    const Tensor expected = xg::tensor({{2.28877202208246757e+02, 6.34574811495545418e+02, -7.82222866259340549e+02,
                                         2.42892615607159668, -1.17828079628011313e+01, 2.54169312487743460, -1.03657084958518086,
                                         4.17022000000000004e-01, 0., -3.50739521096005205e+02, -9.12107773668008576e+02}});
    CHECK(apart(of_cameras, expected) < 1e-10);
    CHECK(apart(xg::view(of_points, 0, xt::range(0, 2)), xg::tensor({-2.42892615607159668, 1.17828079628011313e+01})) < 1e-12);
}

TEST_CASE("BA: derivatives agree with differences") {
    xg::Rng rng(3);
    const Tensor cameras = xg::uniform({2, 11}, xg::f64, rng, 0.2, 0.6), points = xg::uniform({2, 3}, xg::f64, rng, 1, 2);
    xg::gradcheck(reprojection, cameras, points, xg::uniform({2, 1}, xg::f64, rng), xg::randn({2, 2}, xg::f64, rng));
}

TEST_CASE("LSTM: derivatives agree with differences") {
    xg::Rng rng(4);
    const auto f = [sequence = xg::uniform({5, 3}, xg::f64, rng)](const Tensor& w, const Tensor& a, const Tensor& s) {
        return lstm(w, a, s, sequence);
    };
    xg::gradcheck(f, xg::randn({4, 12}, xg::f64, rng), xg::randn({3, 3}, xg::f64, rng), xg::randn({4, 3}, xg::f64, rng));
}
