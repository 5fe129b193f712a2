// What the tests of tensors share.
#pragma once
#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include <xtensor/xarray.hpp>
#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;
using xg::Tensor;

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
