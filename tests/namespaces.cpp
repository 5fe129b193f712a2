// Every function that both libraries have, called without a namespace under two using-directives, and in generic code.
// That it compiles is most of the test.
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

namespace {

// Before the using-directives: found by argument-dependent lookup alone.
const auto energy = [](const auto& q) { return sum(square(q) * 0.5 + cos(q)); };

}  // namespace

using namespace xt;
using namespace xtgrad;

namespace {

#define FORWARD(x) static_cast<decltype(x)&&>(x)

/// xtensor's result as an array. A Tensor here would mean that xtgrad took xtensor's call.
template <class E>
    requires XtensorExpression<E>
auto evaluated(const E& e) {
    xarray<typename E::value_type> array(std::vector<std::size_t>(e.shape().begin(), e.shape().end()));
    std::copy_n(e.template begin<layout_type::row_major>(), array.size(), array.begin());
    return array;
}
xarray<bool> evaluated(bool b) { return xarray<bool>(b); }
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
bool close(const std::vector<Tensor>& x, const std::vector<xarray<double>>& expected) {
    return std::equal(x.begin(), x.end(), expected.begin(), expected.end(),
                      [](const auto& p, const auto& q) { return close(p, q); });
}

template <class X>
concept NotTensor = !AnyTensor<X>;

/// f of a tensor passed in each way is what f of the array is; f of an array passed in any way is xtensor's.
template <class F, class T>
void agree(const F& f, const xarray<T>& array, int line = __builtin_LINE()) {
    CAPTURE(line);
    static_assert(NotTensor<decltype(f(std::declval<xarray<T>&>()))> && NotTensor<decltype(f(std::declval<xarray<T>>()))>);
    const auto expected = evaluated(f(array));
    const Tensor x = array;
    Tensor y = array;
    const bool agrees = close(f(x), expected) && close(f(y), expected) && close(f(Tensor(array)), expected);
    CHECK(agrees);
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
}

const xarray<double> a = 0.25 + arange<double>(24).reshape({2, 3, 4}) / 16;
const xarray<double> b{0.75, 0.25, 1.5, 0.5};
const xarray<bool> p = a<0.9, q = b> 0.5;
const xarray<double> thin = 0.5 + arange<double>(6).reshape({1, 2, 1, 3});

}  // namespace

TEST_CASE("functions of one tensor") {
    agree([](auto&& x) { return exp(FORWARD(x)); }, a);
    agree([](auto&& x) { return log(FORWARD(x)); }, a);
    agree([](auto&& x) { return sqrt(FORWARD(x)); }, a);
    agree([](auto&& x) { return square(FORWARD(x)); }, a);
    agree([](auto&& x) { return abs(FORWARD(x)); }, a);
    agree([](auto&& x) { return sin(FORWARD(x)); }, a);
    agree([](auto&& x) { return cos(FORWARD(x)); }, a);
    agree([](auto&& x) { return tanh(FORWARD(x)); }, a);
    agree([](auto&& x) { return erf(FORWARD(x)); }, a);
    agree([](auto&& x) { return isfinite(FORWARD(x)); }, a);
    agree([](auto&& x) { return -FORWARD(x); }, a);
    agree([](auto&& x) { return !FORWARD(x); }, p);
    agree([](auto&& x) { return clip(FORWARD(x), 0.5, 1.25); }, a);
    agree([](auto&& x) { return zeros_like(FORWARD(x)); }, a);
    agree([](auto&& x) { return ones_like(FORWARD(x)); }, a);
    agree([](auto&& x) { return full_like(FORWARD(x), 2.5); }, a);
}

TEST_CASE("functions of two tensors, or of a tensor and an array") {
    agree([](auto&& x, auto&& y) { return FORWARD(x) + FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) - FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) * FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) / FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return pow(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return maximum(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return minimum(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) < FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) <= FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) > FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) >= FORWARD(y); }, a, b);
    agree([](auto&& x, auto&& y) { return less(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return less_equal(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return greater(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return greater_equal(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return equal(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return not_equal(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return FORWARD(x) && FORWARD(y); }, p, q);
    agree([](auto&& x, auto&& y) { return FORWARD(x) || FORWARD(y); }, p, q);
    agree([](auto&& m, auto&& x) { return where(FORWARD(m), FORWARD(x), 0.5); }, q, a);
    agree([](auto&& m, auto&& x) { return where(FORWARD(m), 0.5, FORWARD(x)); }, q, a);
    agree([](auto&& x, auto&& y) { return where(x < y, FORWARD(x), FORWARD(y)); }, a, b);
}

TEST_CASE("a tensor and a number") {
    agree([](auto&& x) { return FORWARD(x) + 2.5; }, a);
    agree([](auto&& x) { return 2.5 + FORWARD(x); }, a);
    agree([](auto&& x) { return FORWARD(x) - 1; }, a);
    agree([](auto&& x) { return 1 - FORWARD(x); }, a);
    agree([](auto&& x) { return FORWARD(x) * 2; }, a);
    agree([](auto&& x) { return 2 * FORWARD(x); }, a);
    agree([](auto&& x) { return FORWARD(x) / 3.0; }, a);
    agree([](auto&& x) { return 3.0 / FORWARD(x); }, a);
    agree([](auto&& x) { return pow(FORWARD(x), 3); }, a);
    agree([](auto&& x) { return pow(FORWARD(x), 0.5); }, a);
    agree([](auto&& x) { return pow(2.0, FORWARD(x)); }, a);
    agree([](auto&& x) { return maximum(FORWARD(x), 0.5); }, a);
    agree([](auto&& x) { return minimum(0.5, FORWARD(x)); }, a);
    agree([](auto&& x) { return FORWARD(x) < 0.5; }, a);
    agree([](auto&& x) { return 0.5 <= FORWARD(x); }, a);
    agree([](auto&& x) { return FORWARD(x) > 0.5; }, a);
    agree([](auto&& x) { return 0.5 >= FORWARD(x); }, a);
    agree([](auto&& x) { return less(FORWARD(x), 0.5); }, a);
    agree([](auto&& x) { return equal(0.25, FORWARD(x)); }, a);
    agree([](auto&& x) { return not_equal(FORWARD(x), 0.25); }, a);
    agree([](auto&& x) { return FORWARD(x) && true; }, p);
    agree([](auto&& x) { return false || FORWARD(x); }, p);
}

namespace {

const std::vector<std::size_t> axes_vector{0, 2};
const std::array<std::size_t, 2> axes_array{0, 2};
const std::vector<int> signed_axes{0, -1};

}  // namespace

// The ways to name axes, for a reducer that both libraries have.
#define CHECK_REDUCER(f)                                                 \
    agree([](auto&& x) { return f(FORWARD(x)); }, a);                    \
    agree([](auto&& x) { return f(FORWARD(x), keep_dims); }, a);         \
    agree([](auto&& x) { return f(FORWARD(x), 1); }, a);                 \
    agree([](auto&& x) { return f(FORWARD(x), -1, keep_dims); }, a);     \
    agree([](auto&& x) { return f(FORWARD(x), {0, 2}); }, a);            \
    agree([](auto&& x) { return f(FORWARD(x), {0, 2}, keep_dims); }, a); \
    agree([](auto&& x) { return f(FORWARD(x), axes_vector); }, a);       \
    agree([](auto&& x) { return f(FORWARD(x), axes_array, keep_dims); }, a)

TEST_CASE("sum") {
    CHECK_REDUCER(sum);
    agree([](auto&& x) { return sum(FORWARD(x), std::size_t(2)); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), {1}); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), signed_axes); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), axes_vector, keep_dims); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), std::vector<std::size_t>{0, 1}); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), std::array<std::size_t, 1>{1}); }, a);
}
TEST_CASE("mean") { CHECK_REDUCER(mean); }
TEST_CASE("amax") { CHECK_REDUCER(amax); }
TEST_CASE("amin") { CHECK_REDUCER(amin); }

TEST_CASE("any, all and argmax") {
    agree([](auto&& x) { return any(FORWARD(x)); }, p);
    agree([](auto&& x) { return all(FORWARD(x)); }, p);
    agree([](auto&& x) { return argmax(FORWARD(x)); }, a);
    agree([](auto&& x) { return argmax(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return argmax(FORWARD(x), 2); }, a);
}

TEST_CASE("reductions that xtensor has not, or not over axes") {
    const auto each_way = [](const auto& f, const xarray<bool>& expected, const xarray<bool>& from) {
        const Tensor x = from;
        Tensor y = from;
        CHECK(close(f(x), expected));
        CHECK(close(f(y), expected));
        CHECK(close(f(Tensor(from)), expected));
    };
    const xarray<bool> m{{true, false, true}, {false, false, true}};
    each_way([](auto&& x) { return any(FORWARD(x), 0); }, {true, false, true}, m);
    each_way([](auto&& x) { return any(FORWARD(x), {0}, keep_dims); }, {{true, false, true}}, m);
    each_way([](auto&& x) { return all(FORWARD(x), std::vector{0}); }, {false, false, true}, m);
    each_way([](auto&& x) { return all(FORWARD(x), {0, 1}); }, xarray<bool>(false), m);
    each_way([](auto&& x) { return all(FORWARD(x), std::array{1}, keep_dims); }, xarray<bool>(zeros<bool>({2, 1})), m);

    const auto with_keep_dims = [](auto&& x) { return logsumexp(FORWARD(x), {0, 2}, keep_dims); };
    const xarray<double> expected = log(sum(exp(a), {0, 2}, keep_dims));
    const Tensor x = a;
    Tensor y = a;
    CHECK(close(with_keep_dims(x), expected));
    CHECK(close(with_keep_dims(y), expected));
    CHECK(close(with_keep_dims(Tensor(a)), expected));
    CHECK(close(logsumexp(x, 1), xarray<double>(log(sum(exp(a), {1})))));
    CHECK(close(logsumexp(y, axes_vector), xarray<double>(log(sum(exp(a), axes_vector)))));
    CHECK(close(logsumexp(x), xarray<double>(log(sum(exp(a))))));
    CHECK(close(argmax(x, 1, keep_dims), xarray<std::int64_t>(2 * ones<std::int64_t>({2, 1, 4}))));
}

TEST_CASE("other arrangements") {
    agree([](auto&& x) { return transpose(FORWARD(x)); }, a);
    agree([](auto&& x) { return transpose(FORWARD(x), {1, 2, 0}); }, a);
    agree([](auto&& x) { return transpose(FORWARD(x), std::vector<std::size_t>{2, 0, 1}); }, a);
    agree([](auto&& x) { return transpose(FORWARD(x), std::array<std::size_t, 3>{2, 0, 1}); }, a);
    agree([](auto&& x) { return squeeze(FORWARD(x)); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), 2); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), std::size_t(2)); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), {0, 2}); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), axes_vector); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), axes_array); }, thin);
    agree([](auto&& x) { return expand_dims(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return expand_dims(FORWARD(x), std::size_t(3)); }, a);
    agree([](auto&& x) { return broadcast(FORWARD(x), {5, 2, 3, 4}); }, a);
    agree([](auto&& x) { return broadcast(FORWARD(x), std::vector<std::size_t>{5, 2, 3, 4}); }, a);
    agree([](auto&& x) { return broadcast(FORWARD(x), std::array<std::size_t, 4>{5, 2, 3, 4}); }, a);
    agree([](auto&& x) { return view(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return view(FORWARD(x), 1, 2, 3); }, a);
    agree([](auto&& x) { return view(FORWARD(x), all(), 2); }, a);
    agree([](auto&& x) { return view(FORWARD(x), all(), range(1, 3), newaxis(), range(0, 4, 2)); }, a);
    agree([](auto&& x) { return view(FORWARD(x), std::size_t(1), range(placeholders::_, 2)); }, a);
    agree([](auto&& x) { return view(FORWARD(x), all(), range(placeholders::_, placeholders::_, -1)); }, a);
    const Tensor x = a;
    Tensor y = a;
    const xarray<double> last = strided_view(a, {ellipsis(), 3});
    CHECK(close(view(x, ellipsis(), 3), last));
    CHECK(close(view(y, ellipsis(), 3), last));
    CHECK(close(view(Tensor(a), ellipsis(), 3), last));
}

TEST_CASE("splitting and joining") {
    xarray<double> array = a;
    const Tensor x = a;
    Tensor y = a;
    CHECK(close(split(x, 2), evaluated(split(array, 2))));
    CHECK(close(split(y, 2), evaluated(split(a, 2))));
    CHECK(close(split(Tensor(a), std::size_t(4), 2), evaluated(split(array, 4, 2))));
    CHECK(close(split(x, 3, std::size_t(1)), evaluated(split(array, 3, 1))));
    CHECK(close(split(y, std::size_t(3), std::size_t(1)), evaluated(split(array, std::size_t(3), std::size_t(1)))));
    CHECK(close(split(y, 2, -1), evaluated(split(array, 2, 2))));
    agree([](auto&& v, auto&& w) { return concatenate(xtuple(FORWARD(v), FORWARD(w))); }, a, a);
    agree([](auto&& v, auto&& w) { return concatenate(xtuple(FORWARD(v), FORWARD(w)), 2); }, a, a);
    agree([](auto&& v, auto&& w) { return stack(xtuple(FORWARD(v), FORWARD(w))); }, a, a);
    agree([](auto&& v, auto&& w) { return stack(xtuple(FORWARD(v), FORWARD(w)), 1); }, a, a);
    CHECK(close(concatenate(std::vector{x, y}, 1), xarray<double>(concatenate(xtuple(a, a), 1))));
    CHECK(close(concatenate(std::array{x, y, x}), xarray<double>(concatenate(xtuple(a, a, a)))));
    CHECK(close(stack(std::array{x, y}, 3), xarray<double>(stack(xtuple(a, a), 3))));
    CHECK(close(stack(split(x, 2), 1), xarray<double>(stack(xtuple(view(a, range(0, 1)), view(a, range(1, 2))), 1))));
}

TEST_CASE("assignments and printing") {
    Tensor x = a;
    x += b;
    x -= 0.5;
    x *= x;
    x /= Tensor(b);
    CHECK(close(x, xarray<double>(square(a + b - 0.5) / b)));
    std::ostringstream tensor_text, array_text;
    tensor_text << Tensor(a);
    array_text << a;
    CHECK(tensor_text.str() == array_text.str() + "\nTensor f64 (2, 3, 4)");
}

TEST_CASE("functions of numbers are still the standard ones") {
    CHECK(exp(0.0) == 1);
    CHECK(abs(-2) == 2);
    CHECK(double(sin(0.0)) == 0);
    CHECK(pow(2.0, 3.0) == 8);
}

TEST_CASE("generic code is found by argument-dependent lookup, and is differentiable") {
    const Tensor x = a;
    const double expected = energy(a)();
    CHECK(energy(x).item<double>() == doctest::Approx(expected).epsilon(1e-13));
    Tape tape;
    const Tensor loss = energy(x);
    CHECK(close(tape.gradient(loss, x), xarray<double>(a - sin(a))));
}
