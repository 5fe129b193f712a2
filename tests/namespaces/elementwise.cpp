// Elementwise functions that both libraries have, called without a namespace under two using-directives: that it compiles is most
// of the test.
#include "agree.hpp"

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
    agree([](auto&& x) { return exp2(FORWARD(x)); }, a);
    agree([](auto&& x) { return expm1(FORWARD(x)); }, a);
    agree([](auto&& x) { return log2(FORWARD(x)); }, a);
    agree([](auto&& x) { return log10(FORWARD(x)); }, a);
    agree([](auto&& x) { return log1p(FORWARD(x)); }, a);
    agree([](auto&& x) { return cbrt(FORWARD(x)); }, a);
    agree([](auto&& x) { return cube(FORWARD(x)); }, a);
    agree([](auto&& x) { return sign(FORWARD(x)); }, a);
    agree([](auto&& x) { return fabs(FORWARD(x)); }, a);
    agree([](auto&& x) { return floor(FORWARD(x)); }, a);
    agree([](auto&& x) { return ceil(FORWARD(x)); }, a);
    agree([](auto&& x) { return round(FORWARD(x)); }, a);
    agree([](auto&& x) { return trunc(FORWARD(x)); }, a);
    agree([](auto&& x) { return tan(FORWARD(x)); }, a);
    agree([](auto&& x) { return atan(FORWARD(x)); }, a);
    agree([](auto&& x) { return sinh(FORWARD(x)); }, a);
    agree([](auto&& x) { return cosh(FORWARD(x)); }, a);
    agree([](auto&& x) { return asinh(FORWARD(x)); }, a);
    agree([](auto&& x) { return erfc(FORWARD(x)); }, a);
    agree([](auto&& x) { return lgamma(FORWARD(x)); }, a);
    agree([](auto&& x) { return isnan(FORWARD(x)); }, a);
    agree([](auto&& x) { return isinf(FORWARD(x)); }, a);
    agree([](auto&& x) { return asin(FORWARD(x)); }, xarray<double>(thin / 8));
    agree([](auto&& x) { return acos(FORWARD(x)); }, xarray<double>(thin / 8));
    agree([](auto&& x) { return atanh(FORWARD(x)); }, xarray<double>(thin / 8));
    agree([](auto&& x) { return acosh(FORWARD(x)); }, xarray<double>(thin + 1));
    agree([](auto&& x) { return -FORWARD(x); }, a);
    agree([](auto&& x) { return !FORWARD(x); }, p);
    agree([](auto&& x) { return clip(FORWARD(x), 0.5, 1.25); }, a);
    agree([](auto&& x) { return clip(FORWARD(x), 1.25, 0.5); }, a);
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
    agree([](auto&& x, auto&& y) { return atan2(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return hypot(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return fmod(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return fma(FORWARD(x), FORWARD(y), 0.5); }, a, b);
    agree([](auto&& x, auto&& y) { return fma(y, FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return isclose(FORWARD(x), FORWARD(y)); }, a, b);
    agree([](auto&& x, auto&& y) { return isclose(FORWARD(x), FORWARD(y), 0.1, 0.2, true); }, a, b);
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

TEST_CASE("allclose is a bool in both") {
    const Tensor x = a, y = b;
    static_assert(std::same_as<decltype(allclose(x, y)), bool>);
    CHECK(allclose(x, x + 1e-9));
    CHECK(allclose(a, x));
    CHECK(!allclose(x, y));
    CHECK(allclose(x, y, 0., 2.));
    CHECK(allclose(a, xarray<double>(a + 1e-9)));
}
