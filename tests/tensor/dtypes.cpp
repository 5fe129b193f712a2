// Dtypes: conversions, mixtures, the ends of their ranges.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "common.hpp"

namespace {

/// The values of each dtype on which conversions are checked, their ends among them.
template <class T>
std::vector<T> samples() {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::same_as<T, bool>)
        return {false, true};
    else if constexpr (std::integral<T>)
        return {0, 1, -7, (T(1) << 53) + 1, Limits::max(), Limits::min()};
    else
        return {0,
                T(-0.),
                1,
                T(-2.75),
                T(0.999),
                T(1e10),
                T(-1e10),
                T(9.3e18),
                T(-9.3e18),
                T(0x1p63),
                T(-0x1p63),
                T(0x1p62),
                T(1e-40),
                Limits::max(),
                Limits::lowest(),
                Limits::infinity(),
                -Limits::infinity(),
                Limits::quiet_NaN()};
}

template <class To, class From>
To converted(From v) {
    if constexpr (std::same_as<To, bool>)
        return v != 0;
    else if constexpr (std::integral<To> && std::floating_point<From>)
        return v >= From(-0x1p63) && v < From(0x1p63) ? To(v) : std::numeric_limits<To>::min();
    else
        return static_cast<To>(v);
}

template <class From, class To>
void check_astype() {
    CAPTURE(xg::name_of(xg::dtype_of<From>));
    CAPTURE(xg::name_of(xg::dtype_of<To>));
    const std::vector<From> from = samples<From>();
    const std::size_t n = from.size();
    for (const std::size_t rows : {std::size_t(1), std::size_t(40'000)}) {  // the second is done in parallel
        xt::xtensor<From, 2> a(std::array{rows, n});
        for (std::size_t i = 0; i < a.size(); ++i) a.flat(i) = from[i % n];
        const Tensor x = a, y = xg::astype(x, xg::dtype_of<To>), z = xg::astype(xg::transpose(x), xg::dtype_of<To>);
        REQUIRE(y.dtype() == xg::dtype_of<To>);
        REQUIRE(y.shape() == x.shape());
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                const To expected = converted<To>(from[j]), got = y.data<To>()[i * n + j], transposed = z.values<To>()(j, i);
                wrong += std::memcmp(&expected, &got, sizeof(To)) != 0 && !(expected != expected && got != got);
                wrong +=
                    std::memcmp(&expected, &transposed, sizeof(To)) != 0 && !(expected != expected && transposed != transposed);
                if (rows > 1) break;
            }
        CHECK(wrong == 0);
    }
}

}  // namespace

TEST_CASE_TEMPLATE("astype converts every dtype to every other", From, float, double, std::int64_t, bool) {
    check_astype<From, float>();
    check_astype<From, double>();
    check_astype<From, std::int64_t>();
    check_astype<From, bool>();
}

namespace {

/// x[i, j] = formula(a[i, j], b[j]); a is 2 x 3.
template <class T, class F>
void check_formula(const Tensor& x, const xt::xarray<T>& a, const xt::xarray<T>& b, F formula) {
    using R = decltype(formula(T(), T()));
    std::vector<R> expected;
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 3; ++j) expected.push_back(formula(a(i, j), b(j)));
    REQUIRE(x.dtype() == xg::dtype_of<R>);
    check_elements(x, {2, 3}, expected);
}

}  // namespace

#define CHECK_FORMULA(x, formula) check_formula(x, a, b, []([[maybe_unused]] auto p, [[maybe_unused]] auto q) { return formula; })

TEST_CASE("an xtensor expression stands where a tensor stands") {
    const xt::xarray<double> a = counted({2, 3}), b{7, 2.5, 3};
    const Tensor x = a, y = b;
    CHECK_FORMULA(x * b, p * q);
    CHECK_FORMULA(b * x, p * q);
    CHECK_FORMULA(x - b, p - q);
    CHECK_FORMULA(b - x, q - p);
    CHECK_FORMULA(x / (b + 0.5), p / (q + 0.5));
    CHECK_FORMULA(a / y, p / q);
    CHECK_FORMULA(xg::maximum(x, b), std::max(p, q));
    CHECK_FORMULA(xg::maximum(b, x), std::max(p, q));
    CHECK_FORMULA(xg::minimum(x, xt::view(a, 1) - 1), std::min(p, p < 3 ? p + 2 : p - 1));
    CHECK_FORMULA(b < x, q < p);
    CHECK_FORMULA(x >= b, p >= q);
    CHECK_FORMULA(xg::equal(x, a), true);
    CHECK_FORMULA(xg::where(a > b, x, b), p > q ? p : q);
    CHECK_FORMULA(xg::where(a > b, a, y), p > q ? p : q);
    CHECK_FORMULA(xg::where(a > b, x, 0.5), p > q ? p : 0.5);
    CHECK_FORMULA(xg::where(x > y, a, b), p > q ? p : q);
    CHECK_FORMULA(xg::where(x > y, a, 1), p > q ? p : 1);
    CHECK_FORMULA(xg::where(x > y, 1, b), p > q ? 1 : q);
    CHECK_FORMULA(xg::clip(x, b, 4), p < q ? q : std::min(p, 4.));
    CHECK_FORMULA((x > y) && (a > 2.), p > q && p > 2);
    CHECK_FORMULA((a > 2.) || (x > y), p > q || p > 2);
    CHECK_FORMULA(xg::set_view(x, b + 1, 1), p < 3 ? p : q + 1);
    CHECK(elements<double>(xg::matmul(x, b)) == std::vector{0.25 * 7 + 1.25 * 2.5 + 2.25 * 3, 3.25 * 7 + 4.25 * 2.5 + 5.25 * 3});
    CHECK_THROWS_AS(x * counted<float>({3}), xg::DtypeError);
    CHECK_THROWS_AS(counted<int>({3}) + x, xg::DtypeError);
    CHECK_THROWS_AS(xg::where(counted<int>({3}), x, x), xg::DtypeError);
    CHECK_THROWS_AS(x * counted({4}), xg::ShapeError);
}

TEST_CASE("mixing dtypes is an error that says how to convert") {
    const Tensor x = xg::ones({2, 3}), y = xg::ones({3}, xg::f32);
    CHECK_THROWS_WITH_AS(x + y, "[add] mixes f64 (2, 3) and f32 (3,); convert one, with astype(a, xg::f32) or astype(b, xg::f64)",
                         xg::DtypeError);
    const Tensor labels = xg::ones({3}, xg::i64), mask = y > 0;
    CHECK_THROWS_WITH_AS(y + labels, "[add] mixes f32 (3,) and i64 (3,); convert the second, with astype(b, xg::f32)",
                         xg::DtypeError);
    CHECK_THROWS_WITH_AS(labels + y, "[add] mixes i64 (3,) and f32 (3,); convert the first, with astype(a, xg::f32)",
                         xg::DtypeError);
    CHECK_THROWS_WITH_AS(xg::concatenate(std::array{labels, mask}),
                         "[concatenate] mixes i64 (3,) and boolean (3,); convert the second, with astype(b, xg::i64)",
                         xg::DtypeError);
    CHECK_THROWS_AS(xg::maximum(x, xg::ones({3}, xg::i64)), xg::DtypeError);
    CHECK_THROWS_AS(x < y, xg::DtypeError);
    CHECK_THROWS_AS(xg::where(x > 0, x, y), xg::DtypeError);
    CHECK_THROWS_AS(xg::matmul(x, y), xg::DtypeError);
    CHECK_THROWS_AS(xg::concatenate(std::vector{y, xg::ones({2})}), xg::DtypeError);
    CHECK_THROWS_AS(xg::set_view(x, y, 0), xg::DtypeError);
}

TEST_CASE("a C++ number takes the tensor's dtype") {
    const xt::xarray<float> a = counted<float>({2, 3}), b = a;
    const Tensor x = a;
    CHECK_FORMULA(x * 2.0, p * 2);
    CHECK_FORMULA(2 * x, p * 2);
    CHECK_FORMULA(x + 1L, p + 1);
    CHECK_FORMULA(1.5 - x, 1.5f - p);
    CHECK_FORMULA(x - 3u, p - 3);
    CHECK_FORMULA(x / 4, p / 4);
    CHECK_FORMULA(x / 3.0, p / 3);
    CHECK_FORMULA(1 / x, 1 / p);
    CHECK_FORMULA(xg::maximum(x, 2.25), std::max(p, 2.25f));
    CHECK_FORMULA(xg::minimum(3, x), std::min(p, 3.f));
    CHECK_FORMULA(xg::where(x > 2, 0.5, x), p > 2 ? 0.5f : p);
    CHECK_FORMULA(xg::clip(x, 1, 3.5), std::clamp(p, 1.f, 3.5f));
    CHECK_FORMULA(xg::pow(x, 2), p * p);
    CHECK_FORMULA(x < 2.25, p < 2.25f);
    CHECK_FORMULA(2 >= x, 2 >= p);
    CHECK(xg::pow(x, 2.5).dtype() == xg::f32);
    CHECK(xg::pow(2.5, x).dtype() == xg::f32);
    CHECK((x * true).dtype() == xg::f32);
}

TEST_CASE("i64 tensors compute in integers") {
    const xt::xarray<std::int64_t> a{{-3, -2, -1}, {0, 1, 2}}, b{5, -2, 4};
    static constexpr std::int64_t big = (std::int64_t(1) << 53) + 1;  // no double
    const Tensor x = a, y = b;
    CHECK_FORMULA(x + y, p + q);
    CHECK_FORMULA(x - y, p - q);
    CHECK_FORMULA(x * y, p * q);
    CHECK_FORMULA(-x, -p);
    CHECK_FORMULA(xg::abs(x), std::abs(p));
    CHECK_FORMULA(xg::square(x), p * p);
    CHECK_FORMULA(xg::maximum(x, y), std::max(p, q));
    CHECK_FORMULA(xg::minimum(y, x), std::min(p, q));
    CHECK_FORMULA(xg::clip(x, -1, 2), std::clamp<std::int64_t>(p, -1, 2));
    CHECK_FORMULA(x + big, p + big);
    CHECK_FORMULA(x - big, p - big);
    CHECK_FORMULA(big - x, big - p);
    CHECK_FORMULA(3 * x, 3 * p);
    CHECK_FORMULA(x * 2.0, 2 * p);
    CHECK_FORMULA(2.0 - x, 2 - p);
    CHECK_FORMULA(x + big > y + big, p > q);
    CHECK_FORMULA(xg::clip(x + big, big, big + 1), std::clamp(p + big, big, big + 1));
    CHECK(xg::sum(x + big).item<std::int64_t>() == 6 * big - 3);
    CHECK(elements<std::int64_t>(xg::sum(x, 0)) == std::vector<std::int64_t>{-3, -1, 1});
    CHECK(elements<std::int64_t>(xg::amax(x, 1)) == std::vector<std::int64_t>{-1, 2});
    CHECK_THROWS_AS(x / y, xg::DtypeError);
    CHECK_THROWS_AS(x / 2, xg::DtypeError);
    CHECK_THROWS_AS(1 / x, xg::DtypeError);
    CHECK_THROWS_AS(x + 0.5, xg::DtypeError);
    CHECK_THROWS_AS(0.5 - x, xg::DtypeError);
    CHECK_THROWS_AS(x * 1.5, xg::DtypeError);
    CHECK_THROWS_AS(xg::maximum(x, 0.5), xg::DtypeError);
    CHECK_THROWS_AS(xg::clip(x, 0.5, 2), xg::DtypeError);
    CHECK_THROWS_AS(x < 0.5, xg::DtypeError);
    CHECK_THROWS_AS(xg::where(x > 0, x, 0.5), xg::DtypeError);
    CHECK_THROWS_AS(xg::exp(x), xg::DtypeError);
    CHECK_THROWS_AS(xg::mean(x), xg::DtypeError);
    CHECK_THROWS_AS(!x, xg::DtypeError);
}

TEST_CASE("numbers at the ends of their types keep their values") {
    constexpr int lowest = std::numeric_limits<int>::min();
    constexpr std::uint64_t large = std::uint64_t(3) << 62;
    CHECK((Tensor(1.) - lowest).item<double>() == 1 + 0x1p31);
    CHECK((Tensor(std::int64_t(1)) - lowest).item<std::int64_t>() == 1 + (std::int64_t(1) << 31));
    CHECK((Tensor(1.) - std::numeric_limits<std::int64_t>::min()).item<double>() == 0x1p63);
    CHECK((Tensor(0.) + large).item<double>() == 0x1.8p63);
    CHECK((Tensor(2.) * large).item<double>() == 0x1.8p64);
    CHECK((Tensor(0.) - large).item<double>() == -0x1.8p63);
    CHECK((large - Tensor(0.)).item<double>() == 0x1.8p63);
    CHECK(xg::maximum(Tensor(0.), large).item<double>() == 0x1.8p63);
    CHECK((Tensor(5) - 7u).item<std::int64_t>() == -2);
}

TEST_CASE("a number that the dtype cannot hold is an error") {
    const Tensor i = xg::tensor({1, 2, 3}), mask = i > 1;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double value : {1e30, -1e30, 0x1p63, infinity, -infinity, double(NAN)}) {
        CAPTURE(value);
        CHECK_THROWS_AS(i + value, xg::DtypeError);
        CHECK_THROWS_AS(i * value, xg::DtypeError);
        CHECK_THROWS_AS(xg::maximum(i, value), xg::DtypeError);
        CHECK_THROWS_AS(i < value, xg::DtypeError);
        CHECK_THROWS_AS(xg::clip(i, -4, value), xg::Error);
        CHECK_THROWS_AS(xg::set_view(i, value, 0), xg::DtypeError);
        CHECK_THROWS_AS(xg::full({2}, value, xg::i64), xg::DtypeError);
        CHECK_THROWS_AS(xg::full_like(mask, value), xg::DtypeError);
    }
    CHECK_THROWS_AS(i + (std::uint64_t(1) << 63), xg::DtypeError);
    CHECK_THROWS_AS(xg::maximum(i, std::uint64_t(1) << 63), xg::DtypeError);
    CHECK_THROWS_AS(xg::equal(mask, 2), xg::DtypeError);
    CHECK_THROWS_AS(xg::where(mask, mask, 2), xg::DtypeError);
    CHECK_THROWS_AS(xg::full({2}, 2, xg::boolean), xg::DtypeError);
    CHECK((i - 0x1p62).data<std::int64_t>()[0] == 1 - (std::int64_t(1) << 62));
    CHECK(xg::full({1}, -0x1p63, xg::i64).item<std::int64_t>() == std::numeric_limits<std::int64_t>::min());
    CHECK((xg::zeros({1}, xg::i64) + -0x1p63).item<std::int64_t>() == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("booleans combine by logic") {
    const xt::xarray<bool> a{{true, false, true}, {false, false, true}}, b{true, true, false};
    const Tensor x = a, y = b;
    CHECK_FORMULA(x && y, p && q);
    CHECK_FORMULA(x || y, p || q);
    CHECK_FORMULA(!x, !p);
    CHECK_FORMULA(xg::logical_and(x, y), p && q);
    CHECK_FORMULA(xg::logical_or(x, b), p || q);
    CHECK_FORMULA(xg::logical_xor(x, y), p != q);
    CHECK_FORMULA(xg::logical_not(x), !p);
    CHECK_FORMULA(xg::equal(x, y), p == q);
    CHECK_FORMULA(xg::equal(x, true), p);
    CHECK_FORMULA(x && false, false);
    CHECK_FORMULA(xg::where(x, y, !y), p ? q : !q);
    CHECK(xg::sum(x).item<std::int64_t>() == 3);
    CHECK(elements<bool>(xg::any(x, 0)) == std::vector{true, false, true});
    CHECK(elements<bool>(xg::all(x, 0)) == std::vector{false, false, true});
    CHECK_THROWS_AS(x + y, xg::DtypeError);
    CHECK_THROWS_AS(-x, xg::DtypeError);
    CHECK_THROWS_AS(x && xg::ones({3}), xg::DtypeError);
    CHECK_THROWS_AS(x && 0.5, xg::DtypeError);
    CHECK_THROWS_AS(xg::mean(x), xg::DtypeError);
}
