#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <doctest/doctest.h>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;
using xg::Tensor;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// dtype, shape and elements are those of an xtensor expression.
template <class E>
bool same(const Tensor& x, const E& expected) {
    using T = xg::element_of<xg::dtype_of<typename E::value_type>>;
    return x.dtype() == xg::dtype_of<T> && x.shape() == expected.shape() && x.values<T>() == xt::cast<T>(expected);
}

template <class T>
std::vector<T> list(const Tensor& x) {
    return {x.data<T>(), x.data<T>() + x.size()};
}

/// Philox4x32-10 as in the paper: a counter of four words under a key of two.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> key) {
    const auto high = [](std::uint32_t a, std::uint32_t b) { return std::uint32_t(std::uint64_t(a) * b >> 32); };
    for (int round = 0; round < 10; ++round) {
        const std::uint32_t l0 = c[0] * 0xD2511F53u, h0 = high(c[0], 0xD2511F53u);
        const std::uint32_t l1 = c[2] * 0xCD9E8D57u, h1 = high(c[2], 0xCD9E8D57u);
        c = {h1 ^ c[1] ^ key[0], l1, h0 ^ c[3] ^ key[1], l0};
        key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
    }
    return c;
}
std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t position) {
    return philox({std::uint32_t(position), std::uint32_t(position >> 32), 0, 0},
                  {std::uint32_t(seed), std::uint32_t(seed >> 32)});
}
/// Number i of the stream of 53-bit uniforms.
double uniform_number(std::uint64_t seed, std::uint64_t i) {
    const auto words = philox(seed, i / 2);
    const std::uint64_t bits = std::uint64_t(words[i % 2 * 2]) << 32 | words[i % 2 * 2 + 1];
    return double(bits >> 11) / 0x1p53;
}

/// Pearson's statistic of counts against expected counts.
double chi_square(const std::vector<double>& counts, const std::vector<double>& expected) {
    double sum = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
    return sum;
}

/// The k-th moment about a center.
double moment(const std::vector<double>& x, int k, double center = 0) {
    double sum = 0;
    for (const double v : x) sum += std::pow(v - center, k);
    return sum / double(x.size());
}

Tensor sum_of(const Tensor& x, xg::Index k) { return xg::trace(x, k) + xg::sum(xg::triu(x, k)); }

}  // namespace

TEST_CASE("zeros, ones and full fill a shape") {
    CHECK(same(xg::zeros({2, 3}), xt::zeros<double>({2, 3})));
    CHECK(same(xg::zeros({2, 3}, xg::f32), xt::zeros<float>({2, 3})));
    CHECK(same(xg::ones({4}, xg::i64), xt::ones<int>({4})));
    CHECK(same(xg::ones({4, 1}, xg::boolean), xt::ones<bool>({4, 1})));
    CHECK(same(xg::zeros({5}, xg::boolean), xt::zeros<bool>({5})));
    CHECK(same(xg::full({2, 3}, -2.5), xt::full_like(xt::zeros<double>({2, 3}), -2.5)));
    CHECK(same(xg::full({3}, 0.1, xg::f32), xt::full_like(xt::zeros<float>({3}), 0.1f)));
    CHECK(same(xg::full({3}, -7, xg::i64), xt::full_like(xt::zeros<int>({3}), -7)));
    CHECK(xg::full({}, 2.5).item<double>() == 2.5);
    CHECK(xg::zeros({0, 3}).shape() == xg::Shape{0, 3});
    const Tensor large = xg::full({300, 700}, 1.5);
    CHECK(same(large, xt::full_like(xt::zeros<double>({300, 700}), 1.5)));
    CHECK_THROWS_AS(xg::full({2}, 0.5, xg::i64), xg::DtypeError);
    CHECK_THROWS_AS(xg::full({2}, NAN, xg::i64), xg::DtypeError);
}

TEST_CASE("full has the number's dtype unless one is given, and the number itself, in every spelling") {
    const auto of = [](const Tensor& x) { return x.dtype(); };
    CHECK(of(xg::full({4}, 7)) == xg::i64);
    CHECK(of(xg::full({4}, std::uint8_t(7))) == xg::i64);
    CHECK(of(xg::full({4}, 7.)) == xg::f64);
    CHECK(of(xg::full({4}, 7.f)) == xg::f32);
    CHECK(of(xg::full({4}, true)) == xg::boolean);
    for (const xg::Dtype d : {xg::f32, xg::f64, xg::i64}) {
        CHECK(of(xg::full({4}, 7, d)) == d);
        CHECK(of(xg::full({4}, 7., d)) == d);
        CHECK(of(xg::full({4}, 7.f, d)) == d);
        CHECK(xg::sum(xg::astype(xg::full({4}, 7, d), xg::f64)).item<double>() == 28);
    }
    CHECK(of(xg::full({4}, 1, xg::boolean)) == xg::boolean);
    CHECK(of(xg::full({4}, true, xg::f32)) == xg::f32);
    using Limits = std::numeric_limits<std::int64_t>;
    for (const std::int64_t v : {(std::int64_t(1) << 53) + 1, Limits::min(), Limits::max()}) {
        CHECK(xg::full({1}, v).item<std::int64_t>() == v);
        CHECK(xg::full({1}, v, xg::i64).item<std::int64_t>() == v);
        CHECK(xg::full_like(xg::zeros({1}, xg::i64), v).item<std::int64_t>() == v);
    }
    CHECK_THROWS_AS(xg::full({1}, 2, xg::boolean), xg::DtypeError);
    CHECK_THROWS_AS(xg::full({1}, std::uint64_t(-1)), xg::DtypeError);
    for (const Tensor& x : {xg::zeros({2}), xg::ones({2}), xg::arange(2), xg::linspace(0, 1, 2), xg::eye(2)})
        CHECK(of(x) == xg::f64);
    for (const xg::Dtype d : {xg::f32, xg::f64, xg::i64, xg::boolean})
        for (const Tensor& x : {xg::zeros({2}, d), xg::ones({2}, d), xg::arange(2, d), xg::arange(0, 2, 1, d),
                                xg::linspace(0, 1, 2, true, d), xg::eye(2, 0, d), xg::eye({2, 3}, 0, d)})
            CHECK(of(x) == d);
}

TEST_CASE("numbers that an integer cannot hold, and ends that are none, are errors") {
    CHECK_THROWS_AS(xg::arange(0, 2e19, 1e19, xg::i64), xg::DtypeError);
    CHECK_THROWS_AS(xg::arange(3, xg::boolean), xg::DtypeError);
    CHECK_THROWS_AS(xg::linspace(-1e19, 0, 3, true, xg::i64), xg::DtypeError);
    CHECK(list<std::int64_t>(xg::linspace(-0x1p63, 0, 2, true, xg::i64)) ==
          std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 0});
    for (const double bad : {double(NAN), infinity, -infinity}) {
        CHECK_THROWS_AS(xg::linspace(bad, 1, 3), xg::Error);
        CHECK_THROWS_AS(xg::linspace(0, bad, 3), xg::Error);
        xg::Rng rng(1);
        CHECK_THROWS_AS(xg::uniform({2}, xg::f64, rng, bad, 1), xg::Error);
        CHECK_THROWS_AS(xg::uniform({2}, xg::f64, rng, 0, bad), xg::Error);
    }
    CHECK(list<double>(xg::linspace(-1.5e308, 1.5e308, 3)) == std::vector{-1.5e308, 0., 1.5e308});
    xg::Rng rng(1);
    CHECK_THROWS_AS(xg::uniform({2}, xg::f32, rng, 0, 1e300), xg::DtypeError);
    CHECK_THROWS_AS(xg::uniform({2}, xg::f32, rng, 2, 1), xg::Error);
    CHECK(rng.position() == 0);
    CHECK(xg::all(xg::isfinite(xg::uniform({99}, xg::f64, rng, -1.5e308, 1.5e308))).item<bool>());
}

TEST_CASE("a diagonal outside the matrix is empty, however far") {
    const Tensor x = xg::ones({3, 2});
    const auto sum = [](const Tensor& t) { return xg::sum(t).item<double>(); };
    constexpr xg::Index most = std::numeric_limits<xg::Index>::max();
    for (const xg::Index k : {-most - 1, -most, xg::Index(-3), xg::Index(2), most - 1, most}) {
        CAPTURE(k);
        CHECK(sum(xg::eye(3, k)) == (k == 2 ? 1 : 0));
        CHECK(sum(xg::eye({1000, 1}, k)) == (k == -3 ? 1 : 0));
        CHECK(xg::trace(x, k).item<double>() == 0);
        CHECK(xg::diagonal(x, k).shape() == xg::Shape{0});
        CHECK(xg::diag(x, k).shape() == xg::Shape{0});
        CHECK(sum(xg::tril(x, k)) == (k < 0 ? 0 : 6));
        CHECK(sum(xg::triu(x, k)) == (k < 0 ? 6 : 0));
        if (k < -3 || k > 2) CHECK_THROWS_AS(xg::diag(xg::ones({2}), k), xg::ShapeError);
        xg::Tape tape;
        const Tensor y = sum_of(x, k);
        CHECK(sum(tape.gradient(y, x)) == (k < 0 ? 6 : 0));
    }
}

TEST_CASE("the like functions take shape and dtype") {
    for (const xg::Dtype d : {xg::f32, xg::f64, xg::i64, xg::boolean}) {
        CAPTURE(xg::name_of(d));
        const Tensor x = xg::transpose(xg::zeros({2, 3}, d));
        for (const Tensor& y : {xg::zeros_like(x), xg::ones_like(x), xg::full_like(x, 1)}) {
            CHECK(y.dtype() == d);
            CHECK(y.shape() == xg::Shape{3, 2});
            CHECK(y.strides() == xg::Strides{2, 1});
        }
        CHECK(xg::sum(xg::astype(xg::zeros_like(x), xg::f64)).item<double>() == 0);
        CHECK(xg::sum(xg::astype(xg::ones_like(x), xg::f64)).item<double>() == 6);
    }
    CHECK(same(xg::full_like(xg::zeros({2, 3}), 2.5), xt::full_like(xt::zeros<double>({2, 3}), 2.5)));
}

TEST_CASE("arange is xtensor's") {
    CHECK(same(xg::arange(5), xt::arange<double>(5)));
    CHECK(same(xg::arange(4, xg::f32), xt::arange<float>(4)));
    CHECK(same(xg::arange(2, 7), xt::arange<double>(2, 7)));
    CHECK(same(xg::arange(2, 7, 2, xg::i64), xt::arange<int>(2, 7, 2)));
    CHECK(same(xg::arange(1, 2, 0.3), xt::arange<double>(1, 2, 0.3)));
    CHECK(same(xg::arange(0, 1, 0.1), xt::arange<double>(0, 1, 0.1)));
    CHECK(list<double>(xg::arange(5, 0, -1.5)) == std::vector{5., 3.5, 2., 0.5});
    CHECK(list<std::int64_t>(xg::arange(3, -2, -2, xg::i64)) == std::vector<std::int64_t>{3, 1, -1});
    CHECK(xg::arange(3, 3).shape() == xg::Shape{0});
    CHECK(xg::arange(3, 0).shape() == xg::Shape{0});
    CHECK(xg::arange(0, 3, -1).shape() == xg::Shape{0});
    CHECK_THROWS_AS(xg::arange(0, 3, 0), xg::Error);
    CHECK_THROWS_AS(xg::arange(0, infinity), xg::Error);
    CHECK_THROWS_AS(xg::arange(0, NAN), xg::Error);
}

TEST_CASE("linspace is xtensor's, and ends at its end") {
    for (const int n : {1, 2, 7, 50}) {
        CAPTURE(n);
        const Tensor x = xg::linspace(-1.3, 2.9, n), open = xg::linspace(-1.3, 2.9, n, false);
        CHECK(xt::allclose(x.values<double>(), xt::linspace<double>(-1.3, 2.9, std::size_t(n)), 0, 1e-15));
        CHECK(xt::allclose(open.values<double>(), xt::linspace<double>(-1.3, 2.9, std::size_t(n), false), 0, 1e-15));
        CHECK(x.data<double>()[0] == -1.3);
        if (n > 1) CHECK(x.data<double>()[n - 1] == 2.9);
    }
    CHECK(xg::linspace(0, 1).shape() == xg::Shape{50});
    CHECK(xg::linspace(0, 1, 0).shape() == xg::Shape{0});
    CHECK(same(xg::linspace(3, 1, 5, true, xg::f32), xt::linspace<float>(3, 1, 5)));
    CHECK_THROWS_AS(xg::linspace(0, 1, -1), xg::ShapeError);
}

TEST_CASE("eye is xtensor's") {
    CHECK(same(xg::eye(4), xt::eye<double>(4)));
    for (const int k : {-5, -2, 0, 1, 4, 7}) {
        CAPTURE(k);
        CHECK(same(xg::eye(4, k), xt::eye<double>(4, k)));
        CHECK(same(xg::eye({3, 5}, k), xt::eye<double>(std::vector<std::size_t>{3, 5}, k)));
        CHECK(same(xg::eye({5, 2}, k, xg::f32), xt::eye<float>(std::vector<std::size_t>{5, 2}, k)));
    }
    CHECK(same(xg::eye(3, 0, xg::boolean), xt::eye<bool>(3)));
    CHECK_THROWS_AS(xg::eye({2, 3, 4}), xg::ShapeError);
    CHECK_THROWS_AS(xg::eye(-1), xg::ShapeError);
}

TEST_CASE("a nested list becomes a tensor") {
    CHECK(same(xg::tensor({1., 2.5, -3.}), xt::xarray<double>{1, 2.5, -3}));
    CHECK(same(xg::tensor({{1., 2., 3.}, {4., 5., 6.}}), xt::xarray<double>{{1, 2, 3}, {4, 5, 6}}));
    CHECK(same(xg::tensor({{{1.f, 2.f}, {3.f, 4.f}, {5.f, 6.f}}}), xt::xarray<float>{{{1, 2}, {3, 4}, {5, 6}}}));
    CHECK(same(xg::tensor({{{{1}, {2}, {3}}, {{4}, {5}, {6}}}}), xt::arange<int>(1, 7).reshape({1, 2, 3, 1})));
    CHECK(same(xg::tensor({{true, false, true}, {false, false, true}}),
               xt::xarray<bool>{{true, false, true}, {false, false, true}}));
    CHECK(same(xg::tensor({true}), xt::xarray<bool>{true}));
    CHECK(same(xg::tensor({{1.}, {2.}}), xt::arange<double>(1, 3).reshape({2, 1})));
    CHECK(same(xg::tensor({{{{2.5}}}}), xt::ones<double>({1, 1, 1, 1}) * 2.5));
    CHECK(same(xg::tensor({std::uint8_t(200), std::uint8_t(3)}), xt::xarray<int>{200, 3}));
    CHECK(same(xg::tensor({std::numeric_limits<std::int64_t>::min()}),
               xt::xarray<std::int64_t>{std::numeric_limits<std::int64_t>::min()}));
    CHECK(xg::tensor(2.5f).dtype() == xg::f32);
    CHECK(xg::tensor(7).shape() == xg::Shape());
    CHECK(xg::tensor<float>({1, 2}).dtype() == xg::f32);
}

TEST_CASE("an empty list has an extent of 0") {
    CHECK(xg::tensor(std::initializer_list<double>{}).shape() == xg::Shape{0});
    CHECK(xg::tensor<int>({}).shape() == xg::Shape{0});
    CHECK(xg::tensor<int>({}).dtype() == xg::i64);
    CHECK(xg::tensor(std::initializer_list<std::initializer_list<bool>>{{}, {}}).shape() == xg::Shape{2, 0});
}

TEST_CASE("a ragged list is a ShapeError") {
    CHECK_THROWS_WITH_AS(xg::tensor({{1., 2.}, {3.}}),
                         "[tensor] rows of different lengths: 2 and 1; give all the same number of elements", xg::ShapeError);
    CHECK_THROWS_AS(xg::tensor({{1}, {2, 3}}), xg::ShapeError);
    CHECK_THROWS_AS(xg::tensor({{1., 2.}, {}}), xg::ShapeError);
    CHECK_THROWS_AS(xg::tensor({{}, {1., 2.}}), xg::ShapeError);
    CHECK_THROWS_AS(xg::tensor({{{1.f, 2.f}, {3.f, 4.f}}, {{5.f, 6.f}}}), xg::ShapeError);
    CHECK_THROWS_AS(xg::tensor({{{1.f, 2.f}, {3.f, 4.f}}, {{5.f}, {6.f}}}), xg::ShapeError);
    CHECK_THROWS_AS(xg::tensor({{{{true}}, {{true}, {false}}}}), xg::ShapeError);
}

TEST_CASE("extents that are negative or too many are an error") {
    xg::Rng rng(1);
    CHECK_THROWS_AS(xg::zeros({-1}), xg::ShapeError);
    CHECK_THROWS_AS(xg::ones({3, -2, 0}), xg::ShapeError);
    CHECK_THROWS_AS(xg::zeros({1LL << 40, 1LL << 40}), xg::ShapeError);
    CHECK_THROWS_AS(xg::full({std::numeric_limits<std::size_t>::max()}, 1), xg::ShapeError);
    CHECK_THROWS_AS(xg::randn({1LL << 40, 1LL << 40}, xg::f32, rng), xg::ShapeError);
    CHECK_THROWS_AS(xg::zeros({1LL << 55}), xg::Error);
}

TEST_CASE("nothing that makes a tensor is recorded") {
    const Tensor x = xg::ones({2, 3}, xg::f32), transposed = xg::transpose(x);
    xg::Rng rng(1);
    xg::Tape tape;
    xg::zeros_like(x);
    xg::full({2}, 0.5);
    xg::arange(5);
    xg::linspace(0, 1);
    xg::eye(3);
    xg::tensor({1., 2.});
    xg::randn({3}, xg::f64, rng);
    xg::uniform({3}, xg::f32, rng, 1, 2);
    xg::randint({3}, 0, 5, rng);
    xg::permutation(4, rng);
    xg::categorical(x, rng);
    xg::categorical(transposed, rng);
    CHECK(tape.nodes() == 0);
}

TEST_CASE("the generator is Philox4x32-10") {
    using Words = std::array<std::uint32_t, 4>;
    const std::uint32_t most = 0xffffffff;
    // Random123's kat_vectors
    CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox({most, most, most, most}, {most, most}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
    CHECK(xg::Rng::block(0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    for (const std::uint64_t seed : std::vector<std::uint64_t>{0, 42, 1UL << 32, 0x299f31d0a4093822, ~0UL})
        for (const std::uint64_t position : std::vector<std::uint64_t>{0, 1, 1UL << 32, 0x85a308d3243f6a88, ~0UL})
            CHECK(xg::Rng::block(seed, position) == philox(seed, position));
}

TEST_CASE("uniforms are the words in order, 53 or 24 bits of them") {
    xg::Rng rng(0x123456789abcdef);
    const auto wide = list<double>(xg::uniform({5}, xg::f64, rng));
    CHECK(rng.position() == 3);
    for (std::size_t i = 0; i < 5; ++i) CHECK(wide[i] == uniform_number(rng.seed(), i));
    const auto narrow = list<float>(xg::uniform({6}, xg::f32, rng));
    CHECK(rng.position() == 5);
    for (std::size_t i = 0; i < 6; ++i) CHECK(narrow[i] == float(philox(rng.seed(), 3 + i / 4)[i % 4] >> 8) / 0x1p24f);
}

TEST_CASE("normals are those of Box and Muller") {
    xg::Rng rng(7), again(7);
    const int n = 1001;
    const auto wide = list<double>(xg::randn({n}, xg::f64, rng));
    const auto narrow = list<float>(xg::randn({n}, xg::f32, again));
    CHECK(rng.position() == 501);
    CHECK(again.position() == 501);
    double worst = 0, worst_narrow = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const long double u = uniform_number(7, i / 2 * 2), v = uniform_number(7, i / 2 * 2 + 1);
        const long double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::numbers::pi_v<long double> * v;
        const double expected = double(radius * (i % 2 ? std::sin(angle) : std::cos(angle)));
        worst = std::max(worst, std::abs(wide[i] - expected));
        worst_narrow = std::max(worst_narrow, std::abs(double(narrow[i]) - expected));
    }
    CHECK(worst < 4e-15);
    CHECK(worst_narrow < 2.5e-7);
}

TEST_CASE("random numbers are the same for any number of threads") {
    const int before = xg::num_threads();
    const auto draw = [](int threads) {
        xg::set_num_threads(threads);
        xg::Rng rng(11);
        const Tensor weights = xg::broadcast_to(xg::tensor({1., 2., 3.}), {70'001, 3});
        return std::tuple(
            list<double>(xg::randn({300, 701}, xg::f64, rng)), list<float>(xg::randn({200'003}, xg::f32, rng)),
            list<double>(xg::uniform({200'003}, xg::f64, rng, -1, 2)), list<float>(xg::uniform({300'007}, xg::f32, rng)),
            list<std::int64_t>(xg::randint({100'001}, -5, 90, rng)), list<std::int64_t>(xg::permutation(50'001, rng)),
            list<std::int64_t>(xg::categorical(weights, rng)), rng.position());
    };
    const auto one = draw(1);
    CHECK(one == draw(2));
    CHECK(one == draw(3));
    xg::set_num_threads(before);
}

TEST_CASE("the generator is counted in blocks and starts again where it is told to") {
    xg::Rng rng(3);
    xg::uniform({2, 3}, xg::f32, rng);
    const std::uint64_t position = rng.position();
    CHECK(position == 2);
    const auto draw = [&] {
        return std::tuple(list<double>(xg::randn({5}, xg::f64, rng)), list<std::int64_t>(xg::randint({5}, 0, 100, rng)),
                          list<std::int64_t>(xg::permutation(7, rng)), list<double>(xg::uniform({5}, xg::f64, rng)));
    };
    const auto first = draw();
    const auto second = draw();
    CHECK(first != second);
    rng.set_position(position);
    CHECK(draw() == first);
    xg::Rng restarted(rng.seed());
    restarted.set_position(position);
    rng = restarted;
    CHECK(draw() == first);
    CHECK(draw() == second);
    for (const std::uint64_t other : {std::uint64_t(4), std::uint64_t(3) << 32}) {
        rng = xg::Rng(other);
        rng.set_position(position);
        CHECK(draw() != first);
    }
}

TEST_CASE("empty tensors draw nothing") {
    xg::Rng rng(3);
    CHECK(xg::randn({0, 3}, xg::f64, rng).shape() == xg::Shape{0, 3});
    CHECK(xg::uniform({0}, xg::f32, rng).size() == 0);
    CHECK(xg::randint({2, 0}, 0, 5, rng).size() == 0);
    CHECK(xg::permutation(0, rng).shape() == xg::Shape{0});
    CHECK(list<std::int64_t>(xg::permutation(1, rng)) == std::vector<std::int64_t>{0});
    CHECK(xg::categorical(xg::ones({0, 3}), rng).shape() == xg::Shape{0});
    CHECK(rng.position() == 0);
}

TEST_CASE("normals have the moments and the distribution of normals") {
    xg::Rng rng(5);
    const std::size_t n = 200'000;
    for (const xg::Dtype d : {xg::f64, xg::f32}) {
        const auto x = list<double>(xg::astype(xg::randn({n}, d, rng), xg::f64));
        const double root = std::sqrt(double(n));
        CHECK(std::abs(moment(x, 1)) < 4 / root);
        CHECK(std::abs(moment(x, 2) - 1) < 4 * std::sqrt(2.) / root);
        CHECK(std::abs(moment(x, 3)) < 4 * std::sqrt(15.) / root);
        CHECK(std::abs(moment(x, 4) - 3) < 4 * std::sqrt(96.) / root);
        double neighbours = 0;
        for (std::size_t i = 1; i < n; ++i) neighbours += x[i] * x[i - 1];
        CHECK(std::abs(neighbours / double(n)) < 4 / root);

        // 16 cells: below -3.5, then steps of one half, and above 3.5
        std::vector<double> counts(16), expected(16);
        for (const double v : x) ++counts[std::size_t(std::clamp(std::floor(v * 2) + 8, 0., 15.))];
        const auto below = [](double t) { return std::erfc(-t / std::numbers::sqrt2) / 2; };
        for (int i = 0; i < 16; ++i)
            expected[std::size_t(i)] = double(n) * ((i == 15 ? 1 : below((i - 7) / 2.)) - (i == 0 ? 0 : below((i - 8) / 2.)));
        CHECK(chi_square(counts, expected) < 44.3);  // 15 degrees of freedom, 1 in 10 000
    }
}

TEST_CASE("uniforms have the moments of uniforms") {
    xg::Rng rng(6);
    const std::size_t n = 200'000;
    for (const xg::Dtype d : {xg::f64, xg::f32}) {
        const auto x = list<double>(xg::astype(xg::uniform({n}, d, rng, -1, 3), xg::f64));
        const double root = std::sqrt(double(n));
        CHECK(std::abs(moment(x, 1) - 1) < 4 * 4 / std::sqrt(12.) / root);
        CHECK(std::abs(moment(x, 2, 1) - 16. / 12) < 4 * 16 * std::sqrt(1 / 180.) / root);
        std::vector<double> counts(20);
        for (const double v : x) ++counts[std::size_t((v + 1) * 5)];
        CHECK(chi_square(counts, std::vector<double>(20, double(n) / 20)) < 50.8);  // 19 degrees of freedom
    }
}

TEST_CASE("uniforms stay within their bounds") {
    xg::Rng rng(8);
    const double next = std::nextafter(1., 2.), tiny = std::numeric_limits<double>::denorm_min();
    for (const auto& [low, high] : std::vector<std::pair<double, double>>{{0, 1},
                                                                          {-1, 0},
                                                                          {0.7, 0.9},
                                                                          {1, next},
                                                                          {1, std::nextafter(next, 2)},
                                                                          {1, 1 + 0x1p-22},
                                                                          {-3, -3 + 0x1p-20},
                                                                          {0, tiny},
                                                                          {-1e-310, 1e-310},
                                                                          {1e15, 1e15 + 1}}) {
        CAPTURE(low);
        CAPTURE(high);
        for (const double v : list<double>(xg::uniform({20'000}, xg::f64, rng, low, high)))
            if (!(v >= low && v < high)) FAIL_CHECK("f64 ", v);
        if (float(low) == float(high)) continue;
        for (const float v : list<float>(xg::uniform({20'000}, xg::f32, rng, low, high)))
            if (!(v >= float(low) && v < float(high))) FAIL_CHECK("f32 ", v);
    }
    CHECK(list<double>(xg::uniform({3}, xg::f64, rng, 2.5, 2.5)) == std::vector<double>(3, 2.5));
}

TEST_CASE("a uniform range may be as wide as the dtype") {
    xg::Rng rng(8);
    const auto check = [&](xg::Dtype d, double bound) {
        int below = 0, inside = 0;
        for (const double v : list<double>(xg::astype(xg::uniform({1000}, d, rng, -bound, bound), xg::f64))) {
            below += v < 0;
            inside += v > -bound / 2 && v < bound / 2;
        }
        CHECK(std::abs(below - 500) < 80);
        CHECK(std::abs(inside - 500) < 80);
    };
    check(xg::f64, 1.5e308);
    check(xg::f32, 3e38);
}

TEST_CASE("randint is uniform and without bias") {
    xg::Rng rng(9);
    const std::size_t n = 70'000;
    std::vector<double> counts(7);
    const Tensor x = xg::randint({10, 7000}, -2, 5, rng);
    CHECK(x.dtype() == xg::i64);
    CHECK(x.shape() == xg::Shape{10, 7000});
    for (const std::int64_t v : list<std::int64_t>(x)) {
        if (v < -2 || v >= 5) FAIL(v);
        ++counts[std::size_t(v + 2)];
    }
    CHECK(chi_square(counts, std::vector<double>(7, double(n) / 7)) < 27.9);  // 6 degrees of freedom, 1 in 10 000

    // 3/4 as many numbers as words: a product without rejection favours one remainder of 3, a remainder the lowest third.
    std::vector<double> remainders(3), thirds(3);
    const std::int64_t low = std::numeric_limits<std::int64_t>::min(), high = std::int64_t(1) << 62;
    for (const std::int64_t v : list<std::int64_t>(xg::randint({30'000}, low, high, rng))) {
        const std::uint64_t above = std::uint64_t(v) - std::uint64_t(low);
        ++remainders[above % 3];
        ++thirds[above >> 62];
    }
    CHECK(chi_square(remainders, std::vector<double>(3, 10'000.)) < 18.4);  // 2 degrees of freedom
    CHECK(chi_square(thirds, std::vector<double>(3, 10'000.)) < 18.4);

    CHECK(list<std::int64_t>(xg::randint({3}, 4, 5, rng)) == std::vector<std::int64_t>(3, 4));
    const auto widest = list<std::int64_t>(xg::randint({1000}, low, std::numeric_limits<std::int64_t>::max(), rng));
    CHECK(std::abs(double(std::count_if(widest.begin(), widest.end(), [](auto v) { return v < 0; })) - 500) < 80);
}

TEST_CASE("a permutation has every number once, and all orders are as likely") {
    xg::Rng rng(10);
    auto x = list<std::int64_t>(xg::permutation(1003, rng));
    std::vector<std::int64_t> sorted(1003);
    std::iota(sorted.begin(), sorted.end(), 0);
    CHECK(x != sorted);
    std::sort(x.begin(), x.end());
    CHECK(x == sorted);

    std::vector<double> counts(24);
    for (int i = 0; i < 24'000; ++i) {
        auto order = list<std::int64_t>(xg::permutation(4, rng));
        std::size_t rank = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            std::size_t smaller = 0;
            for (std::size_t l = k + 1; l < 4; ++l) smaller += order[l] < order[k];
            rank = rank * (4 - k) + smaller;
        }
        ++counts[rank];
    }
    CHECK(chi_square(counts, std::vector<double>(24, 1000.)) < 57.1);  // 23 degrees of freedom, 1 in 10 000
}

TEST_CASE("categorical draws classes as often as their weights say, and never one of weight 0") {
    xg::Rng rng(12);
    const xt::xarray<double> weights{{0, 1, 0, 3, 4, 0}, {2, 0, 0.5, 0, 0, 1.5}, {1e-30, 0, 0, 3e-30, 0, 0}};
    const int n = 20'000;
    for (const xg::Dtype d : {xg::f64, xg::f32}) {
        const Tensor x = xg::broadcast_to(xg::astype(Tensor(weights), d), {n, 3, 6}), drawn = xg::categorical(x, rng);
        CHECK(drawn.dtype() == xg::i64);
        CHECK(drawn.shape() == xg::Shape{n, 3});
        for (std::size_t row = 0; row < 3; ++row) {
            CAPTURE(row);
            std::vector<double> all(6), counts, expected;
            for (int i = 0; i < n; ++i) ++all[std::size_t(drawn.values<std::int64_t>()(i, row))];
            const double sum = xt::sum(weights, {1})(row);
            for (std::size_t k = 0; k < 6; ++k) {
                if (weights(row, k) == 0) {
                    CHECK(all[k] == 0);
                    continue;
                }
                counts.push_back(all[k]);
                expected.push_back(n * weights(row, k) / sum);
            }
            CHECK(chi_square(counts, expected) < 18.4);  // at most 2 degrees of freedom, 1 in 10 000
        }
    }
    CHECK(xg::categorical(xg::tensor({0., 0., 2.}), rng).item<int>() == 2);
    const Tensor tiny = xg::broadcast_to(xg::tensor({0., std::numeric_limits<double>::denorm_min(), 0.}), {50, 3});
    CHECK(list<std::int64_t>(xg::categorical(tiny, rng)) == std::vector<std::int64_t>(50, 1));
    CHECK(xg::categorical(xg::transpose(xg::tensor({{0., 1.}, {0., 0.}, {1., 0.}})), rng).values<std::int64_t>() ==
          xt::xarray<std::int64_t>{2, 0});
}

TEST_CASE("after an error the generator is where it was") {
    xg::Rng rng(13);
    xg::uniform({3}, xg::f64, rng);
    const Tensor none;
    const std::vector<std::function<void()>> bad{
        [&] { xg::randn({2}, xg::i64, rng); },
        [&] { xg::randn({2}, xg::boolean, rng); },
        [&] { xg::randn({-2}, xg::f64, rng); },
        [&] { xg::randn({1LL << 55}, xg::f64, rng); },
        [&] { xg::uniform({2}, xg::i64, rng); },
        [&] {
            xg::uniform({2, -1}, xg::f32, rng);
        },
        [&] { xg::uniform({2}, xg::f64, rng, 1, 0); },
        [&] { xg::uniform({2}, xg::f64, rng, NAN, 1); },
        [&] { xg::randint({2}, 5, 5, rng); },
        [&] { xg::randint({2}, 6, 5, rng); },
        [&] { xg::randint({-1}, 0, 5, rng); },
        [&] { xg::permutation(-1, rng); },
        [&] { xg::categorical(none, rng); },
        [&] { xg::categorical(Tensor(1.), rng); },
        [&] {
            xg::categorical(xg::tensor({1, 2}), rng);
        },
        [&] {
            xg::categorical(xg::ones({2, 0}), rng);
        },
        [&] {
            xg::categorical(xg::tensor({{1., 2.}, {3., -1e-30}}), rng);
        },
        [&] {
            xg::categorical(xg::tensor({{1., 2.}, {0., 0.}}), rng);
        },
        [&] {
            xg::categorical(xg::tensor({{1., 2.}, {std::nan(""), 1.}}), rng);
        },
        [&] {
            xg::categorical(xg::tensor({{1., 2.}, {infinity, 1.}}), rng);
        },
    };
    for (std::size_t i = 0; i < bad.size(); ++i) {
        CAPTURE(i);
        CHECK_THROWS_AS(bad[i](), xg::Error);
        CHECK(rng.position() == 2);
        CHECK(rng.seed() == 13);
    }
}

TEST_CASE("split gives streams that differ from the first and from each other") {
    xg::Rng rng(14), same_seed(14);
    xg::Rng child = rng.split(), second = rng.split(), same_child = same_seed.split();
    CHECK(rng.position() == 2);
    CHECK(child.position() == 0);
    CHECK(child.seed() == same_child.seed());
    CHECK(child.seed() != second.seed());
    const std::size_t n = 10'000;
    const auto draw = [&](xg::Rng& r) { return list<double>(xg::uniform({n}, xg::f64, r, -1, 1)); };
    xg::Rng grandchild = child.split();
    const std::vector streams{draw(rng), draw(child), draw(second), draw(grandchild)};
    for (std::size_t i = 0; i < streams.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            double correlation = 0;
            for (std::size_t k = 0; k < n; ++k) correlation += streams[i][k] * streams[j][k] * 3;
            CHECK(std::abs(correlation) < 4 * std::sqrt(double(n)));
        }
    CHECK(draw(same_child) != streams[1]);  // the child has split since
    same_child.set_position(1);
    CHECK(draw(same_child) == streams[1]);
}
