// From xtensor and back.
#include <doctest/doctest.h>

#include <xtensor/xadapt.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xfixed.hpp>
#include <xtensor/xindex_view.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "common.hpp"

using xt::placeholders::_;

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
