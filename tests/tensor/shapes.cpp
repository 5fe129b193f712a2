// Shapes, strides, views, printing, alignment.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <iomanip>
#include <limits>

#include <xtensor/xfixed.hpp>
#include <xtensor/xio.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "common.hpp"

using xt::placeholders::_;

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
    check(xt::xarray<double>::from_shape({0, 3}), "f64 (0, 3)");
    check(xt::xarray<double>{1e-300, -2e300, std::numeric_limits<double>::infinity(), std::nan("")}, "f64 (4,)");
    const xt::xarray<double> large = counted({40, 50});
    CHECK(printed(large).find("...") != std::string::npos);
    check(large, "f64 (40, 50)");
    CHECK(printed(xg::transpose(Tensor(large))) == printed(xt::xarray<double>(xt::transpose(large))) + "\nTensor f64 (50, 40)");
    CHECK(printed(xg::i64) == "i64");
}

TEST_CASE("a tensor without axes prints as its number, as the stream prints numbers") {
    std::ostringstream line;
    line << "loss " << Tensor(1. / 3) << " at step " << xg::tensor({3, 4}).shape(0) << '\n';
    CHECK(line.str() == "loss 0.333333 at step 2\n");
    std::ostringstream precise;
    precise << std::setprecision(12) << Tensor(1. / 3) << ' ' << Tensor(std::int64_t(-7)) << ' ' << Tensor(0.25f) << ' '
            << Tensor(true) << ' ' << xg::view(Tensor(counted({3})), 1);
    CHECK(precise.str() == "0.333333333333 -7 0.25 true 1.25");
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
