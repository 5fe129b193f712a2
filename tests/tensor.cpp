#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>

#include <doctest/doctest.h>
#include <xtensor/xfixed.hpp>
#include <xtensor/xindex_view.hpp>
#include <xtensor/xio.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;
using xg::Tensor;
using xt::placeholders::_;

namespace {

/// The elements in row-major order, read through data and strides.
template <class T>
std::vector<T> elements(const Tensor& x) {
    const xg::Shape shape = x.shape();
    const xg::Strides strides = x.strides();
    std::vector<T> list;
    std::vector<xg::Index> at(shape.size(), 0);
    for (std::size_t n = x.size(); n-- > 0;) {
        xg::Index offset = 0;
        for (std::size_t d = 0; d < at.size(); ++d) offset += at[d] * strides[d];
        list.push_back(x.data<T>()[offset]);
        for (std::size_t d = at.size(); d-- > 0 && ++at[d] == shape[d];) at[d] = 0;
    }
    return list;
}

template <class E>
using element = xg::element_of<xg::dtype_of<typename std::remove_cvref_t<E>::value_type>>;

/// The elements of an xtensor expression in row-major order, as a tensor stores them.
template <class E>
std::vector<element<E>> elements_of(const E& e) {
    std::vector<element<E>> list;
    for (auto i = e.template begin<xt::layout_type::row_major>(); i != e.template end<xt::layout_type::row_major>(); ++i)
        list.push_back(static_cast<element<E>>(*i));
    return list;
}

std::string printed(const auto& x) {
    std::ostringstream os;
    os << x;
    return os.str();
}

template <class T>
void check_elements(const Tensor& x, const xg::Shape& shape, const std::vector<T>& expected) {
    const std::vector<T> got = elements<T>(x);
    std::ostringstream values;
    for (const T v : expected) values << ' ' << v;
    INFO("expected ", shape, values.str(), ", got ", x);
    CHECK(x.shape() == shape);
    const bool as_expected = got == expected;
    CHECK(as_expected);
}

/// dtype, shape and every element of x are those of the expression.
template <class E>
void check_equal(const Tensor& x, const E& e) {
    REQUIRE(x.dtype() == xg::dtype_of<typename E::value_type>);
    check_elements(x, xg::Shape(e.shape()), elements_of(e));
}

/// A conversion to a tensor copies the expression.
template <class E>
void check_conversion(const E& e) {
    check_equal(e, e);
}

/// 0.25, 1.25, ... of a shape.
template <class T = double>
xt::xarray<T> counted(const std::vector<std::size_t>& shape) {
    xt::xarray<T> a(shape);
    for (std::size_t i = 0; i < a.size(); ++i) a.flat(i) = static_cast<T>(double(i) + 0.25);
    return a;
}

template <class A, class B>
concept Comparable = requires(const A& a, const B& b) { a == b; };
template <class E>
concept Writable = requires(E e) { e(0) = 1; };

}  // namespace

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
    CHECK(Tensor(-2.5).item<int>() == -2);
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

TEST_CASE("an xtensor container becomes a tensor of its element type") {
    check_conversion(counted<double>({2, 3, 4}));
    check_conversion(counted<float>({2, 3, 4}));
    check_conversion(counted<long double>({2, 3}));
    check_conversion(counted<int>({2, 3}));
    check_conversion(counted<std::int64_t>({5}));
    check_conversion(counted<std::uint8_t>({2, 3}));
    check_conversion(counted<short>({3, 1}));
    check_conversion(counted<std::size_t>({3, 2}));
    check_conversion(xt::xarray<signed char>{-3, 4, -128});
    check_conversion(xt::xarray<bool>{{true, false, true}, {false, false, true}});
    check_conversion(xt::xarray<double>(2.5));
    check_conversion(xt::xarray<double>::from_shape({0, 3}));
    check_conversion(xt::xarray<int>::from_shape({4, 0}));
    check_conversion(xt::xarray<double, xt::layout_type::column_major>(counted({2, 3, 4})));
    check_conversion(xt::xarray<bool, xt::layout_type::column_major>{{true, false, true}, {false, false, true}});
    xt::xarray<float, xt::layout_type::dynamic> dynamic(std::vector<std::size_t>{2, 3}, xt::layout_type::column_major);
    dynamic = counted<float>({2, 3});
    check_conversion(dynamic);
    check_conversion(xt::xtensor<double, 3>(counted({2, 3, 4})));
    check_conversion(xt::xtensor<int, 2, xt::layout_type::column_major>(counted<int>({2, 3})));
    check_conversion(xt::xtensor_fixed<double, xt::xshape<2, 3>>(counted({2, 3})));
    check_conversion(
        xt::xtensor_fixed<std::uint8_t, xt::xshape<2, 3>, xt::layout_type::column_major>(counted<std::uint8_t>({2, 3})));
    const std::vector<float> memory{1, 2, 3, 4, 5, 6};
    check_conversion(xt::adapt(memory, std::vector<std::size_t>{3, 2}));
    check_conversion(xt::adapt(memory.data(), 4, xt::no_ownership(), std::vector<std::size_t>{2, 2}));
    check_conversion(
        xt::adapt(memory.data(), 6, xt::no_ownership(), std::vector<std::size_t>{2, 3}, std::vector<std::ptrdiff_t>{1, 2}));
}

TEST_CASE("a lazy expression or a temporary becomes a tensor") {
    const xt::xarray<double> a = counted({2, 3, 4});
    check_conversion(a * 2 + 1);
    check_conversion(a > 7.5);
    check_conversion(xt::where(a > 7.5, a, 0.));
    check_conversion(xt::cast<float>(a));
    check_conversion(xt::cast<int>(a));
    check_conversion(xt::sum(a));
    check_conversion(xt::sum(a, {1}));
    check_conversion(xt::arange<double>(0, 5));
    check_conversion(xt::arange<int>(5));
    check_conversion(xt::ones<float>({2, 3}));
    check_conversion(xt::eye(3));
    check_conversion(xt::broadcast(xt::view(a, 0), {5, 3, 4}));
    check_conversion(xt::linspace<double>(0, 1, 7));
    check_conversion(xt::concatenate(xt::xtuple(a, a), 1));
    check_conversion(xt::reshape_view(a, {6, 4}));
    check_conversion(xt::filter(a, a > 7.5));
    check_conversion(xt::index_view(a, std::vector<std::vector<std::size_t>>{{0, 1, 2}, {1, 0, 3}}));
    check_equal(counted({3, 2}), counted({3, 2}));
    check_equal(counted({3, 2}) + 1, xt::xarray<double>(counted({3, 2}) + 1));
}

TEST_CASE("a view of an xtensor container becomes a tensor") {
    const xt::xarray<double> a = counted({3, 4, 5});
    const xt::xarray<double, xt::layout_type::column_major> column = a;
    const xt::xtensor<float, 3> fixed_rank = counted<float>({3, 4, 5});
    const xt::xtensor_fixed<double, xt::xshape<3, 4, 5>> fixed = a;
    const auto views = [](const auto& e) {
        check_conversion(xt::view(e, 1));
        check_conversion(xt::view(e, xt::all(), xt::range(1, 3), xt::all()));
        check_conversion(xt::strided_view(e, {1, xt::ellipsis()}));
    };
    SUBCASE("of a dynamic rank") {
        views(a);
        check_conversion(xt::view(a, 1, xt::all(), 2));
        check_conversion(xt::view(a, 1, 2));
        check_conversion(xt::view(a, 2, 3, 4));
        check_conversion(xt::view(a, xt::range(1, 3)));
        check_conversion(xt::view(a, xt::range(1, 3), xt::all(), xt::all()));
        check_conversion(xt::view(a, 1, xt::range(2, 4), xt::all()));
        check_conversion(xt::view(a, xt::all(), xt::all(), xt::range(0, 5, 2)));
        check_conversion(xt::view(a, xt::all(), xt::all(), xt::range(_, _, -1)));
        check_conversion(xt::view(a, xt::newaxis(), 1, xt::newaxis()));
        check_conversion(xt::view(a, xt::keep(2, 0), xt::all(), xt::drop(1, 3)));
        check_conversion(xt::view(xt::view(a, xt::range(1, 3)), 1, xt::range(2, 4)));
        check_conversion(xt::view(a + 1, 1, xt::range(2, 4)));
        check_conversion(xt::strided_view(a, {xt::ellipsis(), xt::range(4, 0, -2)}));
        check_conversion(xt::transpose(a, {1, 2, 0}));
        check_conversion(xt::expand_dims(xt::view(a, 1), 1));
    }
    SUBCASE("column-major") { views(column); }
    SUBCASE("of a fixed rank") { views(fixed_rank); }
    SUBCASE("of a fixed shape") { views(fixed); }
    SUBCASE("of booleans") { views(xt::xarray<bool>(xt::sin(a * 7) > 0)); }
    SUBCASE("reshaped") { check_conversion(xt::reshape_view(xt::view(a, 1), {10, 2})); }
    SUBCASE("writable") {
        xt::xarray<double> b = a;
        check_conversion(xt::view(b, 1));
        check_conversion(xt::row(xt::view(b, 2), 1));
        check_conversion(xt::col(xt::view(b, 2), 1));
    }
    SUBCASE("as an operand") {
        const Tensor x = xg::ones({4, 5});
        check_equal(x * xt::view(a, 2), xt::xarray<double>(xt::view(a, 2)));
    }
}

TEST_CASE("values reads the tensor's memory without a copy") {
    const xt::xarray<double> a = counted({3, 4, 5});
    const Tensor x = a;
    const auto v = x.values<double>();
    CHECK(v.data() == x.data<double>());
    CHECK(v.dimension() == 3);
    CHECK(v == a);
    CHECK(v(1, 2, 3) == a(1, 2, 3));
    CHECK(xt::xarray<double>(v * 2 + a) == 3 * a);
    CHECK(xt::sum(v)() == xt::sum(a)());
    static_assert(!Writable<decltype(x.values<double>())> && Writable<xt::xarray<double>>);
    CHECK(Tensor(2.5).values<double>()() == 2.5);
    CHECK(xg::zeros({0, 3}).values<double>().size() == 0);
    CHECK(Tensor(xt::xarray<bool>{true, false}).values<bool>() == xt::xarray<bool>{true, false});
    CHECK(Tensor(xt::xarray<int>{4, -5}).values<std::int64_t>() == xt::xarray<std::int64_t>{4, -5});
    CHECK(Tensor(xt::xarray<float>{4, -5}).values<float>() == xt::xarray<float>{4, -5});
    check_conversion(v);
}

TEST_CASE("values of a view follow its strides") {
    const xt::xarray<double> a = counted({3, 4, 5});
    const Tensor x = a;
    const auto agree = [](const Tensor& y, const xt::xarray<double>& expected) {
        const auto v = y.values<double>();
        CHECK(v.data() == y.data<double>());
        CHECK(v.shape() == expected.shape());
        CHECK(v == expected);
        CHECK(xt::xarray<double>(v) == expected);
        CHECK(xt::xarray<double, xt::layout_type::column_major>(v) == expected);
        CHECK(xt::xarray<double>(v + expected) == 2 * expected);
        CHECK(xt::sum(v)() == xt::sum(expected)());
        CHECK(xt::xarray<double>(xt::sum(v, {0})) == xt::xarray<double>(xt::sum(expected, {0})));
        CHECK(elements_of(v) == elements_of(expected));
    };
    agree(xg::transpose(x), xt::transpose(a));
    agree(xg::permute(x, {2, 0, 1}), xt::transpose(a, {2, 0, 1}));
    agree(xg::broadcast_to(xg::view(x, 1, 2), {2, 3, 5}), xt::broadcast(xt::view(a, 1, 2), {2, 3, 5}));
    agree(xg::broadcast_to(Tensor(2.5), {2, 3}), 2.5 * xt::ones<double>({2, 3}));
    agree(xg::view(x, xt::all(), xt::all(), xt::range(0, 5, 2)), xt::view(a, xt::all(), xt::all(), xt::range(0, 5, 2)));
    agree(xg::view(x, xt::all(), xt::range(_, _, -1)), xt::view(a, xt::all(), xt::range(_, _, -1)));
    agree(xg::view(x, xt::range(_, _, -1), 1, xt::range(4, 0, -2)), xt::view(a, xt::range(_, _, -1), 1, xt::range(4, 0, -2)));
    agree(xg::view(xg::transpose(x), 2, xt::range(1, 3), xt::newaxis()),
          xt::view(xt::transpose(a), 2, xt::range(1, 3), xt::newaxis()));
    agree(xg::expand_dims(xg::view(x, 1), 1), xt::expand_dims(xt::view(a, 1), 1));
    agree(xg::split(x, 2, 1)[1], xt::view(a, xt::all(), xt::range(2, 4)));

    CHECK(xg::view(Tensor(counted<float>({3, 4})), 2, xt::range(1, 3)).values<float>() == xt::xarray<float>{9.25, 10.25});
    CHECK(xg::view(Tensor(counted<int>({3, 4})), 2, xt::range(1, 3)).values<std::int64_t>() == xt::xarray<std::int64_t>{9, 10});
    CHECK(xg::view(Tensor(counted<int>({3, 4})) > 9, 2, xt::range(1, 3)).values<bool>() == xt::xarray<bool>{false, true});
}

TEST_CASE("values keeps the memory alive") {
    const auto v = [] { return Tensor(counted({50, 70})).values<double>(); }();
    const auto w = [] { return xg::transpose(Tensor(counted({50, 70}))).values<double>(); }();
    const Tensor overwrites_freed_memory = xg::zeros({50, 70}), and_more = xg::zeros({50, 70});
    CHECK(v == counted({50, 70}));
    CHECK(w == xt::transpose(counted({50, 70})));
    auto copy = v;
    CHECK(copy.data() == v.data());
}

TEST_CASE("values and data of another type are a DtypeError") {
    CHECK_THROWS_AS(xg::zeros({2}).values<float>(), xg::DtypeError);
    CHECK_THROWS_AS(xg::zeros({2}, xg::f32).values<double>(), xg::DtypeError);
    CHECK_THROWS_AS(xg::zeros({2}, xg::i64).values<bool>(), xg::DtypeError);
    CHECK_THROWS_AS(xg::zeros({2}, xg::boolean).values<std::int64_t>(), xg::DtypeError);
    CHECK_THROWS_AS(xg::zeros({2}).data<float>(), xg::DtypeError);
    CHECK_THROWS_WITH_AS(xg::zeros({2}).data<float>(), "[data] the elements are f64, not f32; convert with astype(x, xg::f32)",
                         xg::DtypeError);
}

TEST_CASE("shape, dimension, size and strides") {
    const Tensor x = xg::zeros({2, 3, 4});
    CHECK(x.dimension() == 3);
    CHECK(x.size() == 24);
    CHECK(x.shape() == xg::Shape{2, 3, 4});
    CHECK(x.strides() == xg::Strides{12, 4, 1});
    CHECK(x.shape(0) == 2);
    CHECK(x.shape(-1) == 4);
    CHECK(x.shape(-3) == 2);
    CHECK_THROWS_AS(static_cast<void>(x.shape(3)), xg::IndexError);
    CHECK_THROWS_AS(static_cast<void>(x.shape(-4)), xg::IndexError);
    CHECK(xg::transpose(x).strides() == xg::Strides{1, 4, 12});
    CHECK(xg::broadcast_to(Tensor(1.), {2, 3}).strides() == xg::Strides{0, 0});
    CHECK(Tensor(1.).dimension() == 0);
    CHECK(Tensor(1.).size() == 1);
    CHECK(xg::zeros({0, 3}).size() == 0);
}

TEST_CASE("a shape is made of any integers, and compares with any list of them") {
    const short two = 2;
    const std::size_t three = 3;
    const std::uint8_t five = 5;
    CHECK(xg::zeros({two, three, 4L, five}).shape() == xg::Shape{2, 3, 4, 5});
    CHECK(xg::Shape(std::vector<int>{2, 3}) == xg::Shape{2, 3});
    const xt::xarray<double> a = counted({2, 3});
    const xt::xtensor<double, 2> b = a;
    const xt::xtensor_fixed<double, xt::xshape<2, 3>> c = a;
    const xg::Shape shape = a.shape();
    CHECK(shape == xg::Shape(b.shape()));
    CHECK(shape == xg::Shape(c.shape()));
    CHECK(shape == a.shape());
    CHECK(a.shape() == shape);
    CHECK(shape == b.shape());
    CHECK(shape == c.shape());
    CHECK(shape == (a + b).shape());
    CHECK(shape == std::vector<long>{2, 3});
    CHECK(shape == std::array<int, 2>{2, 3});
    CHECK(shape != xg::Shape{3, 2});
    CHECK(shape != xg::Shape{2, 3, 1});
    CHECK(shape != std::vector<std::size_t>{2});
    CHECK(xg::Shape{-1} != std::vector<std::uint64_t>{std::numeric_limits<std::uint64_t>::max()});
    CHECK(xg::zeros(a.shape()).shape() == a.shape());
    CHECK(xg::reshape(Tensor(a), std::vector<int>{-1, 2}).shape() == xg::Shape{3, 2});
    CHECK(printed(shape) == "(2, 3)");
    CHECK(printed(xg::Shape{7}) == "(7,)");
    CHECK(printed(xg::Shape{}) == "()");
    CHECK_THROWS_AS(xg::Shape(std::vector<int>(17, 1)), xg::ShapeError);
    CHECK(xg::zeros(std::vector<int>(16, 1)).dimension() == 16);
}

TEST_CASE("views copy nothing") {
    const Tensor x = counted({4, 6, 5});
    const double* p = x.data<double>();
    CHECK(xg::transpose(x).data<double>() == p);
    CHECK(xg::permute(x, {1, 2, 0}).data<double>() == p);
    CHECK(xg::reshape(x, {-1, 8}).data<double>() == p);
    CHECK(xg::reshape(xg::view(x, xt::range(1, 3)), {12, 5}).data<double>() == p + 30);
    CHECK(xg::view(x, xt::range(1, 3), xt::all(), xt::range(2, 5)).data<double>() == p + 32);
    CHECK(xg::view(x, -1, xt::newaxis()).data<double>() == p + 90);
    CHECK(xg::view(x, xt::ellipsis(), 3).data<double>() == p + 3);
    CHECK(xg::view(x, xt::range(_, _, -1)).data<double>() == p + 90);
    CHECK(xg::broadcast_to(x, {2, 4, 6, 5}).data<double>() == p);
    CHECK(xg::broadcast(x, {2, 4, 6, 5}).data<double>() == p);
    CHECK(xg::expand_dims(x, 1).data<double>() == p);
    CHECK(xg::squeeze(xg::view(x, xt::range(2, 3))).data<double>() == p + 60);
    const auto parts = xg::split(x, 3, 1);
    REQUIRE(parts.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(parts[i].data<double>() == p + 10 * i);
    CHECK(xg::view(xg::transpose(xg::view(x, 1)), 2).data<double>() == p + 32);
    CHECK(xg::astype(x, xg::f64).data<double>() == p);

    const Tensor copy = xg::copy(x), flat = xg::reshape(xg::transpose(x), {-1});
    CHECK(copy.data<double>() != p);
    check_equal(copy, counted({4, 6, 5}));
    CHECK(flat.data<double>() != p);
    check_equal(flat, xt::xarray<double>(xt::ravel(xt::xarray<double>(xt::transpose(counted({4, 6, 5}))))));
}

TEST_CASE("printing is xtensor's, with dtype and shape below") {
    const auto check = [](const auto& a, const std::string& line) {
        const Tensor x = a;
        CHECK(printed(x) == printed(a) + "\nTensor " + line);
    };
    check(counted({2, 3}), "f64 (2, 3)");
    check(counted<float>({4}), "f32 (4,)");
    check(counted<std::int64_t>({1, 3}), "i64 (1, 3)");
    check(xt::xarray<bool>{{true, false, true}}, "boolean (1, 3)");
    check(xt::xarray<double>(2.5), "f64 ()");
    check(xt::xarray<double>::from_shape({0, 3}), "f64 (0, 3)");
    check(xt::xarray<double>{1e-300, -2e300, std::numeric_limits<double>::infinity(), std::nan("")}, "f64 (4,)");
    const xt::xarray<double> large = counted({40, 50});
    CHECK(printed(large).find("...") != std::string::npos);
    check(large, "f64 (40, 50)");
    CHECK(printed(xg::transpose(Tensor(large))) == printed(xt::xarray<double>(xt::transpose(large))) + "\nTensor f64 (50, 40)");
    CHECK(printed(xg::i64) == "i64");
}

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
    CHECK_THROWS_WITH_AS(x + y, "[add] mixes f64 (2, 3) and f32 (3,); convert one, as in astype(a, xg::f32)", xg::DtypeError);
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

TEST_CASE("large data begin at a multiple of 64 bytes") {
    const auto aligned = [](const Tensor& x) {
        const auto check = [](const void* p) { CHECK(reinterpret_cast<std::uintptr_t>(p) % 64 == 0); };
        switch (x.dtype()) {
            case xg::f32: return check(x.data<float>());
            case xg::f64: return check(x.data<double>());
            case xg::i64: return check(x.data<std::int64_t>());
            case xg::boolean: return check(x.data<bool>());
        }
    };
    for (const xg::Dtype d : {xg::f32, xg::f64, xg::i64, xg::boolean})
        for (const int n : {64, 65, 129, 1000, 100'003}) {
            CAPTURE(n);
            aligned(xg::zeros({n}, d));
            aligned(xg::zeros({1, n, 1, 1, 1}, d));
            aligned(!(xg::zeros({n}, d) < xg::zeros({3, 1}, d)));
        }
    aligned(Tensor(counted({30, 40})));
    aligned(xg::exp(Tensor(counted<float>({1000}))));
}
