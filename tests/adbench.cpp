// ADBench's objectives: their published values and gradients, and gradients against differences.
#include "adbench.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include <xtensor/xadapt.hpp>

namespace {

using namespace adbench;

double apart(const Tensor& a, const Tensor& b) { return xg::amax(xg::abs(a - b)).item<double>(); }

Mixture random_mixture(Index d, Index k, xg::Rng& rng) {
    return {xg::randn({k}, xg::f64, rng), xg::uniform({k, d}, xg::f64, rng), xg::randn({k, d * (d + 1) / 2}, xg::f64, rng)};
}

/// So many of the next numbers.
Tensor read(std::istream& in, const xg::Shape& shape) {
    std::vector<double> values(xg::zeros(shape).size());
    for (double& value : values) in >> value;
    return xg::reshape(xt::xarray<double>(xt::adapt(values)), shape);
}

struct HandInstance {
    Hand model;
    Tensor theta, points;

    HandInstance() {
        std::ifstream in(XTGRAD_TEST_FOLDER "/reference/adbench_hand.txt");
        int bones = 0, vertices = 0;
        in >> bones >> vertices;
        std::vector<Tensor> bases, inverses, rows;
        for (int i = 0; i < bones; ++i) {
            in >> model.parents.emplace_back();
            bases.push_back(read(in, {4, 4}));
            inverses.push_back(read(in, {4, 4}));
        }
        for (int i = 0; i < vertices; ++i) rows.push_back(read(in, {6 + bones}));
        const Tensor table = xg::stack(rows);
        const auto columns = [&](int begin, int end) { return xg::view(table, xt::all(), xt::range(begin, end)); };
        points = columns(0, 3);
        model.bases = xg::stack(bases), model.inverses = xg::stack(inverses);
        model.positions = columns(3, 6), model.weights = xg::transpose(columns(6, 6 + bones));
        theta = read(in, {26});
        REQUIRE(in);
    }
};

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
    xg::gradcheck(f, m.alphas, m.means, m.icf, {.second_order = false, .all_elements = 0, .directions = 4});
}

TEST_CASE("BA: the values and derivatives that ADBench's tests expect of data/ba/test.txt") {
    const Tensor cameras = xg::transpose(xg::tensor({{1.797201, 0.590697, -0.635786, 90.859550, 29.361415, 28.777534, 211.628116,
                                                      -0.284531, -14.762924, 0.058931, 0.069976}}));
    const Tensor points = xg::tensor({{4.173048}, {5.586898}, {1.403869}}), weights = xg::tensor({0.417022});
    const Tensor features = xg::tensor({{-525.672849}, {161.811929}});
    xg::Tape tape;
    const Tensor error = reprojection(cameras, points, weights, features);
    CHECK(apart(error, xg::tensor({{-2.69048849235189402e-01}, {2.59944792677901881e-01}})) < 1e-12);
    CHECK(1 - 0.417022 * 0.417022 == doctest::Approx(8.26092651515999976e-01).epsilon(1e-15));  // the weight's own error
    const auto [of_cameras, of_points] = tape.vjp(error, xg::tensor({{1.}, {0.}}), {cameras, points});
    const Tensor expected = xg::tensor({2.28877202208246757e+02, 6.34574811495545418e+02, -7.82222866259340549e+02,
                                        2.42892615607159668, -1.17828079628011313e+01, 2.54169312487743460, -1.03657084958518086,
                                        4.17022000000000004e-01, 0., -3.50739521096005205e+02, -9.12107773668008576e+02});
    CHECK(apart(xg::flatten(of_cameras), expected) < 1e-10);
    CHECK(apart(xg::view(xg::flatten(of_points), xt::range(0, 2)), xg::tensor({-2.42892615607159668, 1.17828079628011313e+01})) <
          1e-12);
}

TEST_CASE("BA: derivatives agree with differences") {
    xg::Rng rng(3);
    const Tensor cameras = xg::uniform({11, 2}, xg::f64, rng, 0.2, 0.6), points = xg::uniform({3, 2}, xg::f64, rng, 1, 2);
    xg::gradcheck(reprojection, cameras, points, xg::uniform({2}, xg::f64, rng), xg::randn({2, 2}, xg::f64, rng));
}

TEST_CASE("HAND: the values and derivatives that ADBench's tests expect of data/hand/test.txt") {
    const HandInstance instance;
    xg::Tape tape(xg::persistent);
    const Tensor error = hand(instance.theta, instance.model, instance.points);
    const Tensor expected = xg::tensor({{1.65193147941611551e-01, -1.74542769272742593e-01, 1.54751161622253441e-01},
                                        {-1.25651749731793605e-01, -4.25102935355075040e-02, -1.30665781132340175e-01}});
    CHECK(apart(error, expected) < 1e-8);  // as many digits as ADBench's tests ask for
    // Columns 0, 1, 2, 18 and 22 of the Jacobian.
    const Tensor columns =
        xg::tensor({{-1.95512959341282745e-02, -6.81027576369377941e-03, -4.09359630708754085e-02, -7.10032003143440671e-02,
                     -2.81346929141111299e-02, -2.54484136783155838e-02},
                    {1.18421319736437044e-02, 1.74108797580776152e-03, 2.57836165362687400e-02, 5.14892578985870278e-02,
                     -4.50591977492771356e-02, 6.23981738234076627e-02},
                    {-1.08140043450366714e-02, -6.54731655106268462e-02, 2.95529253068245066e-03, -6.33408854067304267e-02,
                     -8.98189200086859235e-02, 2.07440902671436785e-02},
                    {0., 0., 0., -3.45326893768281365e-02, 2.42024596962444292e-02, -3.10675692993888850e-03},
                    {-2.21537299179855318e-02, 1.42669175415592216e-02, -3.12350905279757118e-02, 0., 0., 0.}});
    const std::vector<int> which{0, 1, 2, 18, 22};
    for (std::size_t i = 0; i < which.size(); ++i) {
        const Tensor column = tape.jvp(error, instance.theta, xg::set_view(xg::zeros({26}), 1., which[i]));
        CHECK(apart(xg::reshape(column, {6}), xg::view(columns, int(i))) < 1e-8);
    }
}

TEST_CASE("HAND: derivatives agree with differences") {
    const HandInstance instance;
    xg::gradcheck([&](const Tensor& theta) { return hand(theta, instance.model, instance.points); }, instance.theta);
}

TEST_CASE("LSTM: the value and the gradient that ADBench's tests expect of data/lstm/lstm_l2_c1024.txt") {
    std::ifstream in(XTGRAD_TEST_FOLDER "/reference/adbench_lstm.txt");
    int layers = 0, count = 0, width = 0;
    in >> layers >> count >> width;
    const Tensor weights = read(in, {2 * layers, 4 * width}), around = read(in, {3, width}),
                 state = read(in, {2 * layers, width});
    xt::xarray<double> bits = xt::zeros<double>({count, width});
    for (int t = 0; t < count; ++t) {
        unsigned letter = 0;
        in >> letter;
        for (int i = 0; i < width; ++i) bits(t, i) = letter >> (width - 1 - i) & 1;
    }
    const Tensor expected = read(in, {1}), gradient = read(in, {8 * layers * width + 3 * width});
    REQUIRE(in);

    xg::Tape tape;
    const Tensor value = lstm(weights, around, state, bits);
    CHECK(apart(value, expected) < 1e-8);
    const auto [of_weights, of_around] = tape.gradient(value, {weights, around});
    CHECK(apart(xg::concatenate(std::vector{xg::flatten(of_weights), xg::flatten(of_around)}), gradient) < 1e-8);
    CHECK(xg::amax(xg::abs(gradient)).item<double>() > 1e-2);
}

TEST_CASE("LSTM: derivatives agree with differences") {
    xg::Rng rng(4);
    const auto f = [sequence = xg::uniform({5, 3}, xg::f64, rng)](const Tensor& w, const Tensor& a, const Tensor& s) {
        return lstm(w, a, s, sequence);
    };
    xg::gradcheck(f, xg::randn({4, 12}, xg::f64, rng), xg::randn({3, 3}, xg::f64, rng), xg::randn({4, 3}, xg::f64, rng));
}
