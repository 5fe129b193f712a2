// Lazy expressions of xtensor and what they are, as literal numbers: computed by xtensor alone, in C++20. Each file that includes
// this is one order of headers.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "headers.hpp"

namespace expressions {

using Extents = std::vector<std::size_t>;
using Numbers = std::vector<double>;

/// xtensor's own comparison might be as wrong as what it compares: element by element, and the shape.
template <class E>
void check_elements(const E& e, const Extents& shape, const Numbers& values) {
    REQUIRE(Extents(e.shape().begin(), e.shape().end()) == shape);
    Numbers found;
    for (auto i = e.template begin<xt::layout_type::row_major>(); i != e.template end<xt::layout_type::row_major>(); ++i)
        found.push_back(static_cast<double>(*i));
    REQUIRE(found.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(std::abs(found[i] - values[i]) < 1e-14);
}

/// As it stands, evaluated by xtensor into the type of its choice, and assigned to a container.
struct Check {
    template <class E>
    void operator()(const char* name, const E& e, const Extents& shape, const Numbers& values) const {
        CAPTURE(name);
        check_elements(e, shape, values);
        check_elements(xt::eval(e), shape, values);
        check_elements(xt::xarray<std::remove_cvref_t<typename E::value_type>>(e), shape, values);
    }
};

/// row(name, expression, shape, values) for each.
template <class Row>
void each(const Row& row) {
    using xt::placeholders::_;
    const xt::xarray<double> a = {{1., 2., 3.}, {4., 5., 6.}}, line = {10., 20., 30.}, down = {{3., 2., 1.}, {6., 5., 4.}},
                             cube = xt::ones<double>({2, 1, 3});
    const xt::xtensor<double, 2> b = a, column = {{10.}, {20.}};
    const xt::xtensor_fixed<double, xt::xshape<2, 3>> f = a;
    const xt::xarray<double, xt::layout_type::column_major> c = a;
    const std::vector<double> memory = {1., 2., 3., 4., 5., 6.};

    row("a * 2", a * 2., {2, 3}, {2, 4, 6, 8, 10, 12});
    row("a / 2 + 1", a / 2. + 1., {2, 3}, {1.5, 2, 2.5, 3, 3.5, 4});
    row("-a", -a, {2, 3}, {-1, -2, -3, -4, -5, -6});
    row("of a fixed rank", b * 2., {2, 3}, {2, 4, 6, 8, 10, 12});
    row("of a fixed shape", f * 2., {2, 3}, {2, 4, 6, 8, 10, 12});
    row("column-major", c * 2., {2, 3}, {2, 4, 6, 8, 10, 12});
    row("of two kinds", a * b, {2, 3}, {1, 4, 9, 16, 25, 36});
    row("of three kinds", a - b + f, {2, 3}, {1, 2, 3, 4, 5, 6});
    row("exp", xt::exp(a * 0.), {2, 3}, {1, 1, 1, 1, 1, 1});
    row("sqrt", xt::sqrt(a * a), {2, 3}, {1, 2, 3, 4, 5, 6});
    row("pow", xt::pow(a, 2.), {2, 3}, {1, 4, 9, 16, 25, 36});
    row("abs", xt::abs(a - 4.), {2, 3}, {3, 2, 1, 0, 1, 2});
    row("maximum", xt::maximum(a, 3.5), {2, 3}, {3.5, 3.5, 3.5, 4, 5, 6});
    row("clip", xt::clip(a, 2., 5.), {2, 3}, {2, 2, 3, 4, 5, 5});
    row("where", xt::where(a > 3., a, 0.), {2, 3}, {0, 0, 0, 4, 5, 6});
    row("a > 3", a > 3., {2, 3}, {0, 0, 0, 1, 1, 1});
    row("equal", xt::equal(a, 2. * b / 2.), {2, 3}, {1, 1, 1, 1, 1, 1});
    row("cast", xt::cast<int>(a / 2.), {2, 3}, {0, 1, 1, 2, 2, 3});
    row("vectorize", xt::vectorize([](double x) { return x + 1; })(a), {2, 3}, {2, 3, 4, 5, 6, 7});

    row("pad", xt::pad(a, 1), {4, 5}, {0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0});
    row("pad of a fixed rank", xt::pad(b, 1), {4, 5}, {0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0});
    row("roll", xt::roll(a, 1), {2, 3}, {6, 1, 2, 3, 4, 5});
    row("roll along an axis", xt::roll(a, 1, 1), {2, 3}, {3, 1, 2, 6, 4, 5});
    row("concatenate", xt::concatenate(xt::xtuple(a, a)), {4, 3}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
    row("concatenate of two kinds", xt::concatenate(xt::xtuple(a, b), 1), {2, 6}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    row("stack", xt::stack(xt::xtuple(a, a)), {2, 2, 3}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
    row("hstack", xt::hstack(xt::xtuple(line, line)), {6}, {10, 20, 30, 10, 20, 30});
    row("transpose", xt::transpose(a), {3, 2}, {1, 4, 2, 5, 3, 6});
    row("flip", xt::flip(a, 1), {2, 3}, {3, 2, 1, 6, 5, 4});
    row("rot90", xt::rot90(a), {3, 2}, {3, 6, 2, 5, 1, 4});
    row("repeat", xt::repeat(a, 2, 0), {4, 3}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
    row("tile", xt::tile(a, {2, 1}), {4, 3}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6});
    row("flatten", xt::flatten(a), {6}, {1, 2, 3, 4, 5, 6});
    row("expand_dims", xt::expand_dims(a, 1), {2, 1, 3}, {1, 2, 3, 4, 5, 6});
    row("squeeze", xt::squeeze(cube), {2, 3}, {1, 1, 1, 1, 1, 1});
    row("diff", xt::diff(a, 1, 1), {2, 2}, {1, 1, 1, 1});
    row("sort", xt::sort(down, 1), {2, 3}, {1, 2, 3, 4, 5, 6});
    row("tril", xt::tril(a), {2, 3}, {1, 0, 0, 4, 5, 0});
    row("diag", xt::diag(line), {3, 3}, {10, 0, 0, 0, 20, 0, 0, 0, 30});
    row("diagonal", xt::diagonal(a), {2}, {1, 5});

    row("sum", xt::sum(a), {}, {21});
    row("sum along an axis", xt::sum(a, {0}), {3}, {5, 7, 9});
    row("sum that keeps its axis", xt::sum(a, {1}, xt::keep_dims), {2, 1}, {6, 15});
    row("sum at once", xt::sum(a, {1}, xt::evaluation_strategy::immediate), {2}, {6, 15});
    row("sum of a lazy expression", xt::sum(a * 2. + 1., {0}), {3}, {12, 16, 20});
    row("sum of a fixed rank", xt::sum(b, {0}), {3}, {5, 7, 9});
    row("a less its mean", a - xt::mean(a, {0}), {2, 3}, {-1.5, -1.5, -1.5, 1.5, 1.5, 1.5});
    row("amax", xt::amax(a, {0}), {3}, {4, 5, 6});
    row("prod", xt::prod(a, {1}), {2}, {6, 120});
    row("variance", xt::variance(a, {0}), {3}, {2.25, 2.25, 2.25});
    row("norm_sq", xt::norm_sq(a, {1}), {2}, {14, 77});
    row("argmax", xt::argmax(a, 1), {2}, {2, 2});
    row("cumsum", xt::cumsum(a, 1), {2, 3}, {1, 3, 6, 4, 9, 15});

    row("view", xt::view(a, 1), {3}, {4, 5, 6});
    row("view of ranges", xt::view(a, xt::all(), xt::range(0, 2)) * 2., {2, 2}, {2, 4, 8, 10});
    row("view of a lazy expression", xt::view(a + 1., xt::newaxis(), 1), {1, 3}, {5, 6, 7});
    row("view of kept columns", xt::view(a, xt::all(), xt::keep(2, 0)), {2, 2}, {3, 1, 6, 4});
    row("strided_view", xt::strided_view(a, {xt::ellipsis(), xt::range(_, _, -1)}), {2, 3}, {3, 2, 1, 6, 5, 4});
    row("col", xt::col(a, 1) + 1., {2}, {3, 6});
    row("reshape_view", xt::reshape_view(a, {3, 2}), {3, 2}, {1, 2, 3, 4, 5, 6});
    row("filter", xt::filter(a, a > 3.), {3}, {4, 5, 6});
    row("adapt", xt::adapt(memory, Extents{3, 2}) * 2., {3, 2}, {2, 4, 6, 8, 10, 12});

    row("broadcast", xt::broadcast(line, {2, 3}), {2, 3}, {10, 20, 30, 10, 20, 30});
    row("a row broadcast", a + line, {2, 3}, {11, 22, 33, 14, 25, 36});
    row("a column broadcast", a * column, {2, 3}, {10, 20, 30, 80, 100, 120});
    row("a broadcast view", a + xt::view(a, 0), {2, 3}, {2, 4, 6, 5, 7, 9});
    row("arange", xt::arange<double>(0, 4) * 2., {4}, {0, 2, 4, 6});
    row("linspace", xt::linspace<double>(0, 1, 3), {3}, {0, 0.5, 1});
    row("ones", xt::ones<double>({2, 2}) + xt::eye(2), {2, 2}, {2, 1, 1, 2});
}

template <class E>
std::string printed(const E& e) {
    std::ostringstream os;
    os << e;
    return os.str();
}

/// xtensor's printing evaluates.
inline void check_printing() {
    const xt::xarray<double> a = {{1., 2.}, {3., 4.}}, line = {3., 4.};
    CHECK(printed(a * 2.) == "{{ 2.,  4.},\n { 6.,  8.}}");
    CHECK(printed(xt::eval(xt::exp(a * 0.) + a)) == "{{ 2.,  3.},\n { 4.,  5.}}");
    CHECK(printed(xt::sum(a, {0})) == "{ 4.,  6.}");
    CHECK(printed(xt::view(a, 1)) == "{ 3.,  4.}");
    CHECK(printed(xt::pad(line, 1)) == "{ 0.,  3.,  4.,  0.}");
    CHECK(printed(xt::roll(a, 1)) == "{{ 4.,  1.},\n { 2.,  3.}}");
    CHECK(printed(xt::cast<int>(xt::transpose(a))) == "{{1, 3},\n {2, 4}}");
}

/// What is left of an expression's kind: any rank, or a fixed one.
static_assert(std::same_as<decltype(xt::eval(std::declval<xt::xarray<double>&>() * 2.)), xt::xarray<double>>);
static_assert(std::same_as<decltype(xt::eval(std::declval<xt::xtensor<double, 2>&>() * 2.)), xt::xtensor<double, 2>>);

}  // namespace expressions
