// Both libraries under two using-directives, and the test that a function of one is not taken by the other.
#pragma once
#include <algorithm>
#include <array>
#include <sstream>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>
#include <xtensor/xarray.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xindex_view.hpp>
#include <xtensor/xio.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmasked_view.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnorm.hpp>
#include <xtensor/xpad.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xset_operation.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include <xtgrad/xtgrad.hpp>

using namespace xt;
using namespace xtgrad;

namespace {

#define FORWARD(x) static_cast<decltype(x)&&>(x)

/// xtensor's result as an array. A Tensor here would mean that xtgrad took xtensor's call.
template <class E>
    requires XtensorExpression<E>
auto evaluated(const E& e) {
    const auto& shape = e.shape();  // some expressions make it anew each time
    xarray<typename E::value_type> array(std::vector<std::size_t>(shape.begin(), shape.end()));
    std::copy_n(e.template begin<layout_type::row_major>(), array.size(), array.begin());
    return array;
}
inline xarray<bool> evaluated(bool b) { return xarray<bool>(b); }
template <class E>
auto evaluated(const std::vector<E>& parts) {
    std::vector<xarray<double>> arrays;
    for (const auto& part : parts) arrays.emplace_back(part);
    return arrays;
}

template <class A>
bool close(const A& a, const A& b) {
    if constexpr (requires {
                      a.front();
                      b.dimension();
                  })
        return a.dimension() == b.dimension() && std::equal(a.shape().begin(), a.shape().end(), b.shape().begin()) &&
               allclose(a, b, 1e-13, 1e-13);
    else
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& p, const auto& q) { return close(p, q); });
}

/// Is the tensor what xtensor computed?
template <class T>
bool close(const Tensor& x, const xarray<T>& expected) {
    using E = element_of<dtype_of<T>>;
    return x.dtype() == dtype_of<T> && close(xarray<E>(x.values<E>()), xarray<E>(cast<E>(expected)));
}
inline bool close(const std::vector<Tensor>& x, const std::vector<xarray<double>>& expected) {
    return std::equal(x.begin(), x.end(), expected.begin(), expected.end(),
                      [](const auto& p, const auto& q) { return close(p, q); });
}

template <class X>
concept NotTensor = !AnyTensor<X>;

/// f of a tensor passed in each way is `expected`; f of an array passed in any way is xtensor's.
template <class F, class T>
void gives(const F& f, const xarray<T>& array, const auto& expected, int line = __builtin_LINE()) {
    CAPTURE(line);
    static_assert(NotTensor<decltype(f(std::declval<xarray<T>&>()))> && NotTensor<decltype(f(std::declval<xarray<T>>()))>);
    const Tensor x = array;
    Tensor y = array;
    const bool agrees = close(f(x), expected) && close(f(y), expected) && close(f(Tensor(array)), expected);
    CHECK(agrees);
}
/// Numbers that are all different.
inline xarray<double> wave(const auto& like, double phase) {
    const std::vector<std::size_t> shape(like.shape().begin(), like.shape().end());
    xarray<double> numbers = xt::sin(phase + xt::arange<double>(double(like.size())));
    numbers.reshape(shape);
    return numbers;
}
/// The slope of <w, f> along a direction: by a tape, and by differences through xtensor. Beside the point, which may be one
/// where f has no derivative.
template <class F>
void slopes_agree(const F& f, const xarray<double>& beside) {
    const xarray<double> at = beside + 0.0123, direction = wave(at, 1);
    const auto values = [&](double step) {
        const xarray<double> moved = at + step * direction;
        return evaluated(f(moved));
    };
    if constexpr (std::same_as<decltype(values(0)), xarray<double>>) {
        const xarray<double> w = wave(values(0), 2);
        const double step = 1e-5, expected = xt::sum((values(step) - values(-step)) * w)() / (2 * step);
        const Tensor x = at;
        Tape tape;
        const Tensor loss = xtgrad::sum(f(x) * Tensor(w)) + xtgrad::sum(x) * 0.;
        const double slope = xtgrad::sum(tape.gradient(loss, x) * Tensor(direction)).item<double>();
        CHECK(slope == doctest::Approx(expected).epsilon(1e-7).scale(1));
    }
}

/// f of a tensor passed in each way is what f of the array is, and so is its slope.
template <class F, class T>
void agree(const F& f, const xarray<T>& array, int line = __builtin_LINE()) {
    gives(f, array, evaluated(f(array)), line);
    if constexpr (std::same_as<T, double>) {
        CAPTURE(line);
        slopes_agree(f, array);
    }
}

/// The same for two arguments: each pair of ways, and a tensor with an array.
template <class F, class S, class T>
void agree(const F& f, const xarray<S>& a, const xarray<T>& b, int line = __builtin_LINE()) {
    CAPTURE(line);
    static_assert(NotTensor<decltype(f(std::declval<xarray<S>&>(), std::declval<xarray<T>&>()))> &&
                  NotTensor<decltype(f(std::declval<xarray<S>>(), std::declval<xarray<T>>()))>);
    const auto expected = evaluated(f(a, b));
    const Tensor p = a, q = b;
    Tensor r = a, s = b;
    xarray<S> c = a;
    xarray<T> d = b;
    const Tensor results[] = {f(p, q),
                              f(p, s),
                              f(p, Tensor(b)),
                              f(r, q),
                              f(r, s),
                              f(r, Tensor(b)),
                              f(Tensor(a), q),
                              f(Tensor(a), s),
                              f(p, b),
                              f(r, d),
                              f(a, q),
                              f(c, s),
                              f(Tensor(a), Tensor(b)),
                              f(Tensor(a), xarray<T>(b)),
                              f(xarray<S>(a), Tensor(b))};
    const bool all_agree =
        std::all_of(std::begin(results), std::end(results), [&](const Tensor& x) { return close(x, expected); });
    CHECK(all_agree);
    if constexpr (std::same_as<S, double>) slopes_agree([&](auto&& x) { return f(FORWARD(x), b); }, a);
    if constexpr (std::same_as<T, double>) slopes_agree([&](auto&& x) { return f(a, FORWARD(x)); }, b);
}

const xarray<double> a = 0.25 + arange<double>(24).reshape({2, 3, 4}) / 16;
const xarray<double> b{0.75, 0.25, 1.5, 0.5};
const xarray<bool> p = a<0.9, q = b> 0.5;
const xarray<double> thin = 0.5 + arange<double>(6).reshape({1, 2, 1, 3});
const std::vector<std::size_t> axes_vector{0, 2};
const std::array<std::size_t, 2> axes_array{0, 2};
const std::vector<int> signed_axes{0, -1};

}  // namespace
