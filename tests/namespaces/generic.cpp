// Generic code finds both libraries' functions by their arguments, and is differentiable.
#include <xtensor/xmath.hpp>
#include <xtgrad/xtgrad.hpp>

namespace {

// Before the using-directives: found by argument-dependent lookup alone.
const auto energy = [](const auto& q) { return sum(square(q) * 0.5 + cos(q)); };

}  // namespace

#include "agree.hpp"

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
    CHECK(close(grad(energy)(x), xarray<double>(a - sin(a))));
}
