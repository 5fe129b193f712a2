// A tensor is a value: copies, assignments, the empty one, C++ numbers.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "common.hpp"

TEST_CASE("a copy is the same variable and shares the buffer") {
    const Tensor x = counted({2, 3});
    const Tensor y = x;
    CHECK(y.data<double>() == x.data<double>());
    const Tensor again = counted({2, 3});
    CHECK(again.data<double>() != x.data<double>());

    xg::Tape tape(xg::persistent);
    const Tensor loss = xg::sum(x * 3.0);
    CHECK(elements<double>(tape.gradient(loss, y)) == std::vector<double>(6, 3.0));
    CHECK_THROWS_AS(tape.gradient(loss, again), xg::TapeError);
}

TEST_CASE("an assignment rebinds one variable, and nobody else's tensor changes") {
    Tensor x = xg::tensor({{1., 2., 3.}, {4., 5., 6.}});
    const Tensor y = x, view = xg::transpose(x);
    x += y;
    CHECK(elements<double>(x) == std::vector<double>{2, 4, 6, 8, 10, 12});
    x -= 1.0;
    CHECK(elements<double>(x) == std::vector<double>{1, 3, 5, 7, 9, 11});
    x *= xt::xarray<double>{1, 2, -1};
    CHECK(elements<double>(x) == std::vector<double>{1, 6, -5, 7, 18, -11});
    x /= 2;
    CHECK(elements<double>(x) == std::vector<double>{0.5, 3, -2.5, 3.5, 9, -5.5});
    x += x;
    CHECK(elements<double>(x) == std::vector<double>{1, 6, -5, 7, 18, -11});
    CHECK(elements<double>(y) == std::vector<double>{1, 2, 3, 4, 5, 6});
    CHECK(elements<double>(view) == std::vector<double>{1, 4, 2, 5, 3, 6});

    Tensor narrow = counted<float>({3});
    narrow *= 2.5;
    CHECK(narrow.dtype() == xg::f32);
}

TEST_CASE("the data that a tensor was made of may change and die") {
    Tensor x;
    {
        xt::xarray<double> a = counted({2, 3});
        x = a;
        a.fill(-1);
    }
    check_equal(x, counted({2, 3}));
}

TEST_CASE("moving copies nothing, and a tensor may be assigned to itself") {
    Tensor x = counted({4});
    const double* data = x.data<double>();
    Tensor y = std::move(x);
    CHECK(y.data<double>() == data);
    Tensor& same = y;
    y = same;
    CHECK(y.data<double>() == data);
    static_assert(std::is_nothrow_move_constructible_v<Tensor> && std::is_nothrow_move_assignable_v<Tensor>);
}

TEST_CASE("a default-constructed tensor is an error wherever it is used") {
    const Tensor none, x = counted({2, 3}), i = xg::tensor({0, 1});
    const xt::xarray<double> a = counted({2, 3});
    xg::Rng rng(1);
    CHECK_FALSE(none.defined());
#define CHECK_EMPTY(expression) CHECK_THROWS_AS(static_cast<void>(expression), xg::Error)
    CHECK_EMPTY(none.dtype());
    CHECK_EMPTY(none.dimension());
    CHECK_EMPTY(none.shape());
    CHECK_EMPTY(none.shape(0));
    CHECK_EMPTY(none.strides());
    CHECK_EMPTY(none.size());
    CHECK_EMPTY(none.item<double>());
    CHECK_EMPTY(none.item<int>());
    CHECK_EMPTY(static_cast<double>(none));
    CHECK_EMPTY(none.values<double>());
    CHECK_EMPTY(none.data<double>());
    CHECK_EMPTY(-none);
    CHECK_EMPTY(none + x);
    CHECK_EMPTY(x + none);
    CHECK_EMPTY(none + none);
    CHECK_EMPTY(none - 1.0);
    CHECK_EMPTY(1 - none);
    CHECK_EMPTY(none * a);
    CHECK_EMPTY(a / none);
    CHECK_EMPTY(2.0 / none);
    CHECK_EMPTY(none / 3);
    CHECK_EMPTY(none / 4);
    for (const double p : {0., 1., 2., 2.5}) CHECK_EMPTY(xg::pow(none, p));
    CHECK_EMPTY(xg::pow(x, none));
    CHECK_EMPTY(xg::exp(none));
    CHECK_EMPTY(xg::maximum(none, 0));
    CHECK_EMPTY(xg::where(none, x, x));
    CHECK_EMPTY(xg::where(x > 0, none, 0));
    CHECK_EMPTY(xg::where(x > 0, x, none));
    CHECK_EMPTY(xg::clip(none, 0, 1));
    CHECK_EMPTY(xg::clip(x, none, 1));
    CHECK_EMPTY(none < x);
    CHECK_EMPTY(none < 1);
    CHECK_EMPTY(xg::equal(x, none));
    CHECK_EMPTY(none && none);
    CHECK_EMPTY(!none);
    CHECK_EMPTY(xg::isfinite(none));
    CHECK_EMPTY(xg::astype(none, xg::f32));
    CHECK_EMPTY(xg::sum(none));
    CHECK_EMPTY(xg::mean(none, 0));
    CHECK_EMPTY(xg::amax(none));
    CHECK_EMPTY(xg::logsumexp(none));
    CHECK_EMPTY(xg::any(none));
    CHECK_EMPTY(xg::argmax(none));
    CHECK_EMPTY(xg::argmax(none, 0));
    CHECK_EMPTY(xg::reshape(none, {1}));
    CHECK_EMPTY(xg::broadcast_to(none, {2}));
    CHECK_EMPTY(xg::copy(none));
    CHECK_EMPTY(xg::transpose(none));
    CHECK_EMPTY(xg::permute(none, {0, 1}));
    CHECK_EMPTY(xg::squeeze(none));
    CHECK_EMPTY(xg::expand_dims(none, 0));
    CHECK_EMPTY(xg::split(none, 2));
    CHECK_EMPTY(xg::concatenate(std::vector{x, none}));
    CHECK_EMPTY(xg::concatenate(std::vector{none, x}));
    CHECK_EMPTY(xg::stack(std::vector{x, none}));
    CHECK_EMPTY(xg::stack(std::vector{none, x}));
    CHECK_EMPTY(xg::view(none, 0));
    CHECK_EMPTY(xg::set_view(none, 0.0, 0));
    CHECK_EMPTY(xg::set_view(x, none, 0));
    CHECK_EMPTY(xg::take(none, i));
    CHECK_EMPTY(xg::take(x, none));
    CHECK_EMPTY(xg::index_add(none, i, x));
    CHECK_EMPTY(xg::index_add(x, none, x));
    CHECK_EMPTY(xg::index_add(x, i, none));
    CHECK_EMPTY(xg::one_hot(none, 3));
    CHECK_EMPTY(xg::matmul(none, x));
    CHECK_EMPTY(xg::matmul(x, none));
    CHECK_EMPTY(xg::softmax(none));
    CHECK_EMPTY(xg::softmax_vjp(x, none));
    CHECK_EMPTY(xg::log_softmax(none));
    CHECK_EMPTY(xg::layer_norm(none));
    CHECK_EMPTY(xg::layer_norm(x, none));
    CHECK_EMPTY(xg::cross_entropy(none, i));
    CHECK_EMPTY(xg::cross_entropy(x, none));
    CHECK_EMPTY(xg::zeros_like(none));
    CHECK_EMPTY(xg::categorical(none, rng));
#undef CHECK_EMPTY
    Tensor y = none;
    CHECK_THROWS_AS(y += x, xg::Error);
    CHECK_FALSE(y.defined());
}

TEST_CASE("C++ numbers become tensors, and tensors numbers, only when asked") {
    static_assert(!std::convertible_to<double, Tensor> && !std::convertible_to<int, Tensor> &&
                  !std::convertible_to<bool, Tensor>);
    static_assert(!std::convertible_to<Tensor, double> && !std::convertible_to<Tensor, bool>);
    static_assert(!std::constructible_from<Tensor, const char*> && !std::constructible_from<Tensor, std::string>);
    static_assert(!Comparable<Tensor, Tensor> && !Comparable<Tensor, double> && !Comparable<Tensor, xt::xarray<double>>);
    CHECK(Tensor(2.5).dtype() == xg::f64);
    CHECK(Tensor(2.5f).dtype() == xg::f32);
    CHECK(Tensor(2.5L).dtype() == xg::f64);
    CHECK(Tensor(2).dtype() == xg::i64);
    CHECK(Tensor('a').dtype() == xg::i64);
    CHECK(Tensor(true).dtype() == xg::boolean);
    CHECK(Tensor(2.5).shape() == xg::Shape());
    CHECK(Tensor(std::numeric_limits<std::int64_t>::max()).item<std::int64_t>() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("item gives the one element, converted") {
    CHECK(Tensor(2.5).item<double>() == 2.5);
    CHECK(Tensor(2.5).item<float>() == 2.5f);
    CHECK(Tensor(0.5).item<bool>());
    CHECK(Tensor(std::int64_t(1) << 60 | 1).item<std::int64_t>() == (std::int64_t(1) << 60 | 1));
    CHECK(Tensor(true).item<double>() == 1);
    CHECK(Tensor(7).item<std::uint8_t>() == 7);
    CHECK(static_cast<double>(xg::sum(xg::tensor({1.5, 2.0}))) == 3.5);
    CHECK(double(Tensor(0.1f)) == double(0.1f));
    CHECK(xg::tensor({{{4.5}}}).item<double>() == 4.5);
    CHECK(xg::view(xg::tensor({{1., 2.}, {3., 4.}}), 1, 0).item<double>() == 3);
    CHECK_THROWS_AS(xg::zeros({2}).item<double>(), xg::ShapeError);
    CHECK_THROWS_AS(xg::zeros({0, 3}).item<double>(), xg::ShapeError);
    CHECK_THROWS_AS(static_cast<void>(static_cast<int>(xg::zeros({1, 2}))), xg::ShapeError);
}

TEST_CASE("an integer that does not hold a value is an error, on the way out and in") {
    const auto refuses = []<class T>(const Tensor& x, T) {
        CHECK_THROWS_AS(static_cast<void>(x.item<T>()), xg::DtypeError);
        CHECK_THROWS_AS(static_cast<void>(static_cast<T>(x)), xg::DtypeError);
    };
    constexpr double inf = std::numeric_limits<double>::infinity();
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min(), highest = std::numeric_limits<std::int64_t>::max();
    for (const double x : {2.5, -0.5, 1e-300, 0x1p40, 0x1p31, -0x1p31 - 1, inf, -inf, double(NAN)}) refuses(Tensor(x), int());
    for (const float x : {0.5f, 0x1p31f, float(inf), NAN}) refuses(Tensor(x), int());
    for (const std::int64_t x : {std::int64_t(1) << 40, std::int64_t(1) << 31, lowest, highest}) refuses(Tensor(x), int());
    refuses(Tensor(0x1p63), std::int64_t());
    refuses(Tensor(-0x1.0000000000001p63), std::int64_t());
    refuses(Tensor(0x1p64), std::uint64_t());
    refuses(Tensor(-1), unsigned());
    refuses(Tensor(-1.), unsigned());
    refuses(Tensor(-1), std::uint64_t());
    refuses(Tensor(256), std::uint8_t());
    refuses(Tensor(-129), static_cast<signed char>(0));
    CHECK(Tensor(2.).item<int>() == 2);
    CHECK(Tensor(-0.).item<unsigned>() == 0);
    CHECK(Tensor(0x1p31 - 1).item<int>() == std::numeric_limits<int>::max());
    CHECK(Tensor(-0x1p31f).item<int>() == std::numeric_limits<int>::min());
    CHECK(Tensor(-0x1p63).item<std::int64_t>() == lowest);
    CHECK(Tensor(0x1p63).item<std::uint64_t>() == std::uint64_t(1) << 63);
    CHECK(Tensor(0x1.fffffffffffffp63).item<std::uint64_t>() == 0xfffffffffffff800);
    CHECK(Tensor(highest).item<std::uint64_t>() == std::uint64_t(highest));
    CHECK(Tensor(true).item<int>() == 1);
    CHECK(Tensor(double(NAN)).item<bool>());
    CHECK(std::isinf(Tensor(1e300).item<float>()));

    const std::uint64_t largest = std::uint64_t(highest);
    for (const std::uint64_t x : {largest + 1, ~std::uint64_t(0)}) {
        CHECK_THROWS_AS(Tensor{x}, xg::DtypeError);
        CHECK_THROWS_AS(xg::tensor({std::uint64_t(0), x}), xg::DtypeError);
        CHECK_THROWS_AS(Tensor(xt::xarray<std::uint64_t>{0, x}), xg::DtypeError);
        CHECK_THROWS_AS(Tensor(xt::xarray<std::uint64_t>{x} + 0), xg::DtypeError);
        CHECK_THROWS_AS(xg::view(xg::ones({2}), x), xg::IndexError);  // not the last one
    }
    CHECK(Tensor(largest).item<std::int64_t>() == highest);
    CHECK(Tensor(xt::xarray<std::uint64_t>{largest}).item<std::int64_t>() == highest);
    CHECK(xg::tensor({largest}).item<std::int64_t>() == highest);
}
