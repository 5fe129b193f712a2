// Reductions, scans and sorting where the op table does not look: how exact, at kinks, with NaN, in long and odd shapes, and on
// every instruction set.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "instruction_sets.hpp"
#include "values.hpp"

namespace xg = xtgrad;
namespace kernels = xtgrad::kernels;
using xg::Index, xg::Tensor;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();

std::string bits(const Tensor& x) {
    const Tensor dense = xg::copy(x);
    std::string s(dense.size() * xg::size_of(x.dtype()), '\0');
    if (!s.empty()) std::memcpy(s.data(), dense.block()->data, s.size());
    return s;
}

double worst(const Tensor& a, const Tensor& b) { return xg::norm_linf(xg::astype(a, xg::f64) - b).item<double>(); }

Tensor gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
    xg::Tape tape;
    const Tensor y = f(x);
    return tape.gradient(y, x);
}

}  // namespace

TEST_CASE("a sum of 10^7 f32 has an error of a few roundings, whatever the order of large and small") {
    constexpr Index n = 10'000'000;
    constexpr double eps = 1.2e-7;  // of f32
    xg::Rng rng(5);
    const Tensor uniform = xg::uniform({n}, xg::f32, rng);
    const Tensor odd = xg::astype(xg::arange(double(n)), xg::i64);
    const Tensor alternating = [&] {
        const auto large = xg::astype(xg::uniform({n / 2, 1}, xg::f32, rng, 0.5, 1) * 1e6, xg::f32);
        return xg::reshape(xg::concatenate({large, xg::uniform({n / 2, 1}, xg::f32, rng) * 1e-2}, 1), {n});
    }();
    const Tensor cancelling =
        xg::reshape(xg::concatenate({xg::reshape(uniform, {n, 1}), xg::reshape(uniform * -1., {n, 1})}, 1), {2 * n});
    const auto relative = [](const Tensor& x, const Tensor& exact, const Tensor& size) {
        return xg::amax(xg::abs(xg::astype(x, xg::f64) - exact) / size).item<double>();
    };
    for (const Tensor& x : {uniform, alternating, cancelling}) {
        long double exact = 0, size = 0;
        for (const float *p = x.data<float>(), *end = p + x.size(); p != end; ++p) exact += *p, size += std::fabs(*p);
        in_each_set([&] { CHECK(std::fabs(double(xg::sum(x).item<float>() - exact)) < 3 * eps * double(size)); });
        for (const Index rows : {40, 1'000'000}) {
            const Tensor m = xg::reshape(x, {rows, -1}), wide = xg::astype(m, xg::f64), sizes = xg::abs(wide);
            for (const int axis : {0, 1}) {
                const Tensor want = xg::sum(wide, axis), of = xg::sum(sizes, axis);
                in_each_set([&] { CHECK(relative(xg::sum(m, axis), want, of) < 4 * eps); });
            }
        }
    }
    CHECK(xg::sum(odd).item<std::int64_t>() == n * (n - 1) / 2);
    const Tensor running = xg::cumsum(uniform);
    long double exact = 0;
    double error = 0;
    for (Index i = 0; i < n; ++i) {
        exact += uniform.data<float>()[i];
        error = std::max(error, std::fabs(double(running.data<float>()[i] - exact)) / double(exact));
    }
    CHECK(error < eps);
}

TEST_CASE(
    "f32 sums of many into one place are as exact as sum, in whatever way they get there, with the same bits by any threads") {
    constexpr Index n = 1'000'000;
    const Tensor tenths = xg::full({n}, 0.1f), zero = xg::zeros({n}, xg::i64);
    const double exact = double(0.1f) * n;
    const int before = xg::num_threads();
    std::vector<std::string> expected;
    for (const int threads : {1, 3}) {
        xg::set_num_threads(threads);
        std::vector<Tensor> all;
        const auto is_exact = [&](const Tensor& sum, Index at, double start = 0) {
            all.push_back(sum);
            CHECK(std::fabs(list(sum)[std::size_t(at)] / (start + exact) - 1) < 1e-6);
        };
        const auto adjoint = [&](auto f, const Tensor& x, const Tensor& g) {
            xg::Tape tape;
            const Tensor y = f(x);
            return tape.vjp(y, g, x);
        };
        // one place, one of some, one of more than are counted alone
        for (const Index places : {Index(1), Index(5000), Index(400'000)}) {
            CAPTURE(places);
            const Index at = places / 2;
            const Tensor i = zero + at, start = xg::full({places}, 7.f);
            is_exact(xg::index_add(start, i, tenths), at, 7);
            is_exact(xg::scatter_add(start, i, tenths, 0), at, 7);
            is_exact(adjoint([&](auto& x) { return xg::take(x, i); }, start, tenths), at);
            is_exact(adjoint([&](auto& x) { return xg::take_along_axis(x, i, 0); }, start, tenths), at);
            for (const Index width : {2, 15, 16, 40}) {
                const Index to = std::min<Index>(at, 20'000);
                const Tensor few = xg::view(zero, xt::range(0, n / width)) + to,
                             rows = xg::full({n / width, width}, float(0.1f * width));
                const Tensor sum = adjoint([&](auto& x) { return xg::embedding(x, few); },
                                           xg::zeros({to + (places > 5000 ? 9000 : 1), width}, xg::f32), rows);
                all.push_back(sum);
                CHECK(std::fabs(list(xg::view(sum, to))[0] / (double(0.1f * float(width)) * double(n / width)) - 1) < 1e-6);
            }
        }
        const Tensor columns = xg::full({n / 40, 40}, 0.1f), to = xg::zeros({n / 40, 40}, xg::i64) + 3;
        for (const int axis : {0, 1}) {
            const Tensor sum =
                xg::scatter_add(xg::zeros(axis ? xg::Shape{n / 40, 9} : xg::Shape{n / 4, 40}, xg::f32), to, columns, axis);
            all.push_back(sum);
            const double want = double(0.1f) * double(axis ? 40 : n / 40);
            CHECK(std::fabs(xg::amax(sum).item<double>() / want - 1) < 1e-6);
        }
        // what else adds many to one
        is_exact(adjoint([](auto& x) { return xg::repeat(x, std::size_t(n), 0); }, xg::zeros({1}, xg::f32), tenths), 0);
        is_exact(adjoint([](auto& x) { return xg::tile(x, n); }, xg::zeros({1}, xg::f32), tenths), 0);
        is_exact(adjoint([](auto& x) { return xg::broadcast_to(x, {n}); }, xg::zeros({1}, xg::f32), tenths), 0);
        is_exact(adjoint([](auto& x) { return xg::cumsum(x, 0); }, xg::zeros({n}, xg::f32), tenths), 0);
        is_exact(adjoint([](auto& x) { return xg::cumprod(x, 0); }, xg::ones({n}, xg::f32), tenths), 0);
        const Tensor lines = xg::broadcast_to(xg::tensor({-1.f, 1.f}), {n, 2}), g = xg::full({n, 2}, 0.1f),
                     scale = xg::ones({2}, xg::f32);
        is_exact(adjoint([&](auto& b) { return xg::layer_norm(lines, scale, b, {.eps = 0}); }, xg::zeros({2}, xg::f32), g), 1);
        is_exact(adjoint([&](auto& w) { return xg::layer_norm(lines, w, {.eps = 0}); }, scale, g), 1);
        const Tensor row =
            xg::softmax(xg::full({n}, 0.1f) * xg::concatenate({xg::ones({n / 2}, xg::f32), xg::zeros({n / 2}, xg::f32)}, 0));
        all.push_back(row);
        CHECK(std::fabs(xg::amax(row).item<double>() * (0.5 * n) * (1 + std::exp(-double(0.1f))) - 1) < 1e-6);
        expected.resize(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (threads == 1) expected[i] = bits(all[i]);
            CHECK((bits(all[i]) == expected[i]));
        }
    }
    xg::set_num_threads(before);
}

TEST_CASE("indexed sums agree with a loop: few and many to a place, crowded places among others, repeated and negative indices") {
    xg::Rng rng(17);
    for (const Index extent : {1, 40, 20'000, 300'000})
        for (const Index width : {1, 3, 20})
            for (const Index count : {5, 33, 70'000}) {
                if (extent * width > 1'000'000 || count * width > 500'000) continue;
                CAPTURE(extent);
                CAPTURE(width);
                CAPTURE(count);
                Tensor i = xg::randint({count}, -extent, extent, rng);
                if (count > 1000) i = xg::where(xg::uniform({count}, xg::f64, rng) < 0.5, i, 0);  // half of them to one place
                const Tensor v = xg::uniform({count, width}, xg::f64, rng), x = xg::uniform({extent, width}, xg::f64, rng);
                std::vector<double> want = list(x);
                for (Index k = 0; k < count; ++k)
                    for (Index j = 0, to = i.data<std::int64_t>()[k]; j < width; ++j)
                        want[std::size_t((to < 0 ? to + extent : to) * width + j)] += v.data<double>()[k * width + j];
                const Tensor across = xg::broadcast_to(xg::reshape(i, {count, 1}), {count, width});
                for (const xg::Dtype d : {xg::f32, xg::f64})
                    for (const Tensor& y : {xg::index_add(xg::astype(x, d), i, xg::astype(v, d)),
                                            xg::scatter_add(xg::astype(x, d), across, xg::astype(v, d), 0)}) {
                        const auto got = list(y);
                        double error = 0;
                        for (std::size_t k = 0; k < want.size(); ++k) error = std::max(error, std::fabs(got[k] / want[k] - 1));
                        CHECK(error < (d == xg::f32 ? 1e-6 : 1e-12));
                    }
            }
}

TEST_CASE("the variance does not cancel") {
    xg::Rng rng(6);
    in_each_set([&] {
        for (const double mean : {0., 1e3, -1e5}) {
            const Tensor x = xg::randn({700, 900}, xg::f64, rng) + mean, rounded = xg::astype(xg::astype(x, xg::f32), xg::f64);
            for (const auto& axes : {std::vector<int>{0}, {1}, {0, 1}}) {
                const xg::Axes given(axes);
                const Tensor want = xg::mean(xg::square(x - xg::mean(x, given, xt::keep_dims)), given);
                CHECK(worst(xg::variance(x, given), want) < 1e-10);
                const Tensor want32 = xg::mean(xg::square(rounded - xg::mean(rounded, given, xt::keep_dims)), given);
                CHECK(worst(xg::variance(xg::astype(x, xg::f32), given), want32) < 1e-5);
                CHECK(worst(xg::variance(xg::transpose(x), axes.size() == 2 ? given : xg::Axes{1 - axes[0]}), want) < 1e-10);
            }
        }
        CHECK(worst(xg::variance(xg::full({3000}, 1e7 / 3, xg::f32)), xg::zeros({})) < 1e-3);
    });
}

TEST_CASE("the variance of what jumps, drifts or begins with outliers") {
    constexpr Index n = 20'000;
    const Tensor i = xg::arange(double(n)), noise = xg::sin(i * 12.9898);
    in_each_set([&] {
        for (const Tensor& shift :
             {i * 0.01, xg::where(i < 100., 1e4, xg::zeros({n})), xg::where(i < 1000., 0., xg::full({n}, 1e4)),
              xg::where(i < 300., -1e3, xg::ones({n})), xg::where(i < double(n - 5), 0., xg::full({n}, 1e5))}) {
            const Tensor x = xg::astype(shift + noise, xg::f32), wide = xg::astype(x, xg::f64);
            const double want = xg::mean(xg::square(wide - xg::mean(wide))).item<double>();
            CHECK(std::fabs(xg::variance(x).item<double>() / want - 1) < 1e-5);
            CHECK(std::fabs(xg::variance(wide).item<double>() / want - 1) < 1e-13);
            const Tensor columns = xg::copy(xg::broadcast_to(xg::reshape(x, {n, 1}), {n, 9}));
            CHECK(worst(xg::variance(columns, {0}) / float(want), xg::ones({9})) < 1e-5);
        }
    });
}

TEST_CASE("every reduction agrees with a loop, on every instruction set, around the lengths of vectors and blocks") {
    in_each_set([&] {
        for (const xg::Dtype dtype : {xg::f64, xg::f32})
            for (const Index rows : {1, 2, 3, 7, 8, 9, 17, 129, 1025})
                for (const Index n : {1, 3, 8, 31, 65, 129, 513, 1030}) {
                    if (rows * n > 40'000 && (rows + n) % 2) continue;
                    CAPTURE(rows);
                    CAPTURE(n);
                    xg::Rng rng{std::uint64_t(rows * 10'000 + n)};
                    const Tensor x = xg::uniform({rows, n}, dtype, rng, 0.9, 1.1);
                    const auto at = list(x);
                    for (const int axis : {0, 1}) {
                        const Index outputs = axis ? rows : n, count = axis ? n : rows;
                        const auto tolerance = (dtype == xg::f64 ? 1e-14 : 4e-6) * double(count + 30);
                        const auto s = list(xg::sum(x, axis)), p = list(xg::prod(x, axis)), q = list(xg::norm_sq(x, axis)),
                                   big = list(xg::amax(x, axis)), small = list(xg::amin(x, axis)),
                                   v = list(xg::variance(x, std::vector{axis})), first = list(xg::argmax(x, axis)),
                                   last = list(xg::argmin(x, axis));
                        double error = 0;
                        bool places = true;
                        for (Index o = 0; o < outputs; ++o) {
                            double sum = 0, product = 1, squares = 0, mean = 0, spread = 0;
                            Index top = 0, bottom = 0;
                            const auto element = [&](Index i) { return at[std::size_t(axis ? o * n + i : i * n + o)]; };
                            for (Index i = 0; i < count; ++i) {
                                sum += element(i), product *= element(i), squares += element(i) * element(i);
                                if (element(i) > element(top)) top = i;
                                if (element(i) < element(bottom)) bottom = i;
                            }
                            mean = sum / double(count);
                            for (Index i = 0; i < count; ++i) spread += (element(i) - mean) * (element(i) - mean);
                            const auto k = std::size_t(o);
                            error = std::max({error, std::fabs(s[k] - sum), std::fabs(p[k] / product - 1),
                                              std::fabs(q[k] - squares), std::fabs(v[k] - spread / double(count))});
                            places &= big[k] == element(top) && small[k] == element(bottom) && first[k] == double(top) &&
                                      last[k] == double(bottom);
                        }
                        CHECK(error < tolerance);
                        CHECK(places);
                    }
                }
    });
}

TEST_CASE("NaN and infinities in reductions") {
    in_each_set([&] {
        for (const xg::Dtype dtype : {xg::f64, xg::f32})
            for (const Index n : {3, 40, 3000, 100'000})
                for (const Index where : {Index(0), n / 2, n - 1}) {
                    const auto with = [&](double value) { return xg::astype(xg::set_view(xg::ones({n}), value, where), dtype); };
                    const auto columns = [&](double value) {
                        return xg::copy(xg::broadcast_to(xg::reshape(with(value), {n, 1}), {n, 12}));
                    };
                    CHECK(std::isnan(xg::amax(with(not_a_number)).item<double>()));
                    CHECK(std::isnan(xg::amin(with(not_a_number)).item<double>()));
                    CHECK(same(xg::amax(columns(not_a_number), 0), std::vector<double>(12, not_a_number)));
                    CHECK(xg::argmax(with(not_a_number)).item<Index>() == where);
                    CHECK(xg::argmin(with(not_a_number)).item<Index>() == where);
                    CHECK(same(xg::argmax(columns(not_a_number), 0), std::vector<double>(12, double(where))));
                    CHECK(same(xg::argmin(columns(not_a_number), 0), std::vector<double>(12, double(where))));
                    CHECK(same(xg::amin(columns(not_a_number), 0), std::vector<double>(12, not_a_number)));
                    CHECK(same(xg::sum(columns(infinite), 0), std::vector<double>(12, infinite)));
                    CHECK(xg::sum(with(-infinite)).item<double>() == -infinite);
                    CHECK(std::isnan(xg::variance(with(not_a_number)).item<double>()));
                }
    });
}

TEST_CASE("slopes at kinks: norms at zero, the deviation of equal elements, ties") {
    const Tensor zero = xg::zeros({3}), equal = xg::full({4}, 2.5);
    CHECK(same(gradient([](auto& x) { return xg::norm_l1(x); }, zero), {0, 0, 0}));
    CHECK(same(gradient([](auto& x) { return xg::norm_l2(x); }, zero), {0, 0, 0}));
    CHECK(same(gradient([](auto& x) { return xg::norm_linf(x); }, zero), {0, 0, 0}));
    CHECK(same(gradient([](auto& x) { return xg::stddev(x); }, equal), {0, 0, 0, 0}));
    CHECK(same(gradient([](auto& x) { return xg::variance(x); }, equal), {0, 0, 0, 0}));
    CHECK(same(gradient([](auto& x) { return xg::variance(x); }, Tensor(3.)), {0}));
    CHECK(same(gradient([](auto& x) { return xg::norm_linf(x); }, xg::tensor({-2., 1., 2., 0.})), {-0.5, 0, 0.5, 0}));
    const auto slope = [](auto& x) { return xg::sum(gradient([](auto& z) { return xg::norm_l2(z); }, x)); };
    CHECK(same(gradient(slope, zero), {0, 0, 0}));
    CHECK(std::isnan(xg::norm_l2(xg::tensor({1., not_a_number})).item<double>()));
    CHECK(std::isnan(xg::stddev(xg::tensor({1., not_a_number})).item<double>()));
    CHECK(xg::norm_linf(xg::zeros({0})).item<double>() == 0);
    CHECK(std::isnan(xg::variance(xg::zeros({0})).item<double>()));
    for (const Index ddof : {Index(2), Index(1) << 62, std::numeric_limits<Index>::max()}) {
        CHECK(std::isnan(xg::variance(xg::ones({2}), ddof).item<double>()));
        CHECK(xg::variance(xg::tensor({1., 2.}), ddof).item<double>() == infinite);
        CHECK(gradient([&](auto& x) { return xg::variance(x, ddof); }, xg::tensor({1., 2.})).shape() == xg::Shape{2});
    }
}

TEST_CASE("products with zeros: gradients to third order") {
    // d3/dx dy dz of a product of three is 1, wherever the zeros are.
    for (const auto& x : {xg::tensor({0., 0., 0.}), xg::tensor({0., 2., 3.}), xg::tensor({2., 0., 0.})}) {
        for (const bool running : {false, true}) {
            const auto by_x = [&](auto& t) {
                return xg::view(gradient([&](auto& u) { return running ? xg::view(xg::cumprod(u), 2) : xg::prod(u); }, t), 0);
            };
            const auto by_y = [&](auto& t) { return xg::view(gradient(by_x, t), 1); };
            const Tensor third = gradient(by_y, x);
            CHECK(same(third, {0, 0, 1}));
        }
    }
}

TEST_CASE("sorting: NaN last, equal elements in their order, infinities, both zeros, long lines") {
    for (const xg::Dtype dtype : {xg::f64, xg::f32}) {
        const Tensor x = xg::astype(xg::tensor({not_a_number, 1., -infinite, 0., -0., infinite, -1., 1., not_a_number}), dtype);
        CHECK(same(xg::argsort(x), {2, 6, 3, 4, 1, 7, 5, 0, 8}));
        CHECK(same(xg::sort(x), {-infinite, -1, 0, -0., 1, 1, infinite, not_a_number, not_a_number}));
        CHECK(same(xg::topk(x, 4).second, {0, 8, 5, 1}));
        CHECK(same(xg::topk(x, 3, 0, false).second, {2, 6, 3}));
    }
    constexpr auto big = std::int64_t(1) << 62;
    const Tensor i = xg::tensor({std::int64_t(3), std::int64_t(-5), big, -big, std::int64_t(3), std::int64_t(0)});
    CHECK(same(xg::argsort(i), {3, 1, 5, 0, 4, 2}));
    CHECK(same(xg::argsort(xg::tensor({true, false, true, false})), {1, 3, 0, 2}));
    CHECK(xg::sort(xg::tensor({true, false})).dtype() == xg::boolean);

    xg::Rng rng(8);
    for (const xg::Dtype dtype : {xg::f64, xg::f32, xg::i64}) {
        const Tensor many = xg::astype(xg::uniform({3, 20'000}, xg::f64, rng, 0, 3000), dtype);  // with ties in i64
        const auto [values, order] = xg::sort_with_indices(many);
        const auto v = list(values), from = list(many), o = list(order);
        bool sorted = true;
        for (std::size_t k = 0; k < v.size(); ++k) {
            const std::size_t line = k / 20'000 * 20'000;
            sorted &= v[k] == from[line + std::size_t(o[k])];
            if (k > line) sorted &= v[k - 1] < v[k] || (v[k - 1] == v[k] && o[k - 1] < o[k]);
        }
        CHECK(sorted);
        const Tensor flipped = xg::argsort(xg::transpose(many), 0);
        CHECK(bits(xg::transpose(flipped)) == bits(order));
        const auto [best, where] = xg::topk(many, 20'000);
        CHECK(same(best, list(xg::view(values, xt::all(), xt::range(xt::placeholders::xtuph(), xt::placeholders::xtuph(), -1)))));
        CHECK(bits(xg::topk(many, 500, -1, false).second) == bits(xg::view(order, xt::all(), xt::range(0, 500))));
    }
}

TEST_CASE("the same bits for one, two and three threads") {
    const int before = xg::num_threads();
    xg::Rng rng(9);
    for (const xg::Dtype dtype : {xg::f32, xg::f64}) {
        const Tensor x = xg::randn({70, 110, 130}, dtype, rng), line = xg::randn({1'000'003}, dtype, rng),
                     tall = xg::randn({50'000, 20}, dtype, rng), flat = xg::randn({20, 50'000}, dtype, rng),
                     near = xg::uniform({300, 700}, dtype, rng, 0.99, 1.01);
        std::vector<std::string> expected;
        for (const int threads : {1, 2, 3}) {
            xg::set_num_threads(threads);
            std::vector<Tensor> all;
            for (const Tensor& t : {x, tall, flat, line, xg::transpose(tall), xg::view(line, xt::range(0, 1'000'003, 3))}) {
                for (const Tensor& y : {xg::sum(t), xg::mean(t, 0), xg::variance(t), xg::variance(t, {0}), xg::stddev(t, {-1}),
                                        xg::norm_l2(t, 0), xg::norm_l1(t), xg::norm_sq(t, -1), xg::argmax(t), xg::argmin(t, 0),
                                        xg::cumsum(t), xg::cumsum(t, 0), xg::amax(t), xg::amin(t, 0), xg::norm_linf(t)})
                    all.push_back(y);
                xg::Tape tape;
                const Tensor y = xg::sum(xg::variance(t, {0}) * xg::stddev(t, {0}));
                all.push_back(tape.gradient(y, t));
            }
            for (const int axis : {0, 1}) {
                xg::Tape tape;
                const Tensor y = xg::sum(xg::prod(near, axis)) + xg::sum(xg::cumprod(near, axis)) +
                                 xg::sum(xg::sort(near, axis) * near) + xg::sum(xg::topk(near, 30, axis).first);
                all.push_back(y);
                all.push_back(tape.gradient(y, near));
                all.push_back(xg::argsort(near, axis));
            }
            expected.resize(all.size());
            for (std::size_t i = 0; i < all.size(); ++i) {
                CAPTURE(i);
                CAPTURE(threads);
                if (threads == 1)
                    expected[i] = bits(all[i]);
                else
                    CHECK((bits(all[i]) == expected[i]));
            }
        }
    }
    xg::set_num_threads(before);
}
