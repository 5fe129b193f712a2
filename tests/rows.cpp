// What the op table does not say of the functions of rows.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;
using xg::Tensor;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() && std::memcmp(a.data<float>(), b.data<float>(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("cross_entropy of rows that are all ignored is NaN, and moves nothing") {
    const Tensor logits = xg::tensor({{1., 2.}, {3., 0.5}});
    xg::Tape tape;
    const Tensor loss = xg::cross_entropy(logits, xg::tensor({7, 7}), {.ignore_index = 7});
    CHECK(std::isnan(loss.item<double>()));
    CHECK(xg::all(xg::equal(tape.gradient(loss, logits), 0.)).item<bool>());
}

TEST_CASE("cross_entropy of logits that are far apart") {
    const double inf = std::numeric_limits<double>::infinity();
    const Tensor logits = xg::tensor({{1000., -1000., 0.}, {-inf, 2., 2.}});
    xg::Tape tape;
    const Tensor loss = xg::cross_entropy(logits, xg::tensor({1, 2}));
    CHECK(loss.item<double>() == doctest::Approx((2000 + std::log(2.)) / 2));
    const Tensor expected = xg::tensor({{0.5, -0.5, 0.}, {0., 0.25, -0.25}});
    CHECK(xg::amax(xg::abs(tape.gradient(loss, logits) - expected)).item<double>() < 1e-15);
}

TEST_CASE("normalized rows of a large mean keep their digits") {
    const Tensor x = xg::tensor({{1e6f, 1e6f + 1, 1e6f + 2, 1e6f + 3}});
    const double r = 1 / std::sqrt(1.25 + 1e-5);
    const Tensor expected = xg::astype(xg::tensor({{-1.5 * r, -0.5 * r, 0.5 * r, 1.5 * r}}), xg::f32);
    CHECK(xg::amax(xg::abs(xg::layer_norm(x) - expected)).item<double>() < 1e-6);
}

TEST_CASE("gradients of a norm's weight and bias have the same bits for any number of threads") {
    xg::Rng rng(7);
    const Tensor x = xg::randn({700, 130}, xg::f32, rng), w = xg::randn({130}, xg::f32, rng), b = xg::randn({130}, xg::f32, rng),
                 g = xg::randn({700, 130}, xg::f32, rng);
    std::vector<std::vector<Tensor>> results;
    for (const int threads : {1, 2, 3}) {
        xg::set_num_threads(threads);
        xg::Tape tape;
        results.push_back(tape.vjp(xg::layer_norm(x, w, b), g, std::vector{x, w, b}));
    }
    for (const auto& other : results)
        for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(other[i], results[0][i]));
}
