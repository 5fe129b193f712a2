// A user's program: tensors from xtensor and back, and a gradient.
#include <array>
#include <cmath>
#include <functional>
#include <iostream>
#include <vector>

#include <xtensor/xmath.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xview.hpp>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

namespace {

int failures = 0;

void check(const char* what, bool right) {
    std::cout << (right ? "right  " : "WRONG  ") << what << '\n';
    failures += !right;
}

bool close(const xg::Tensor& x, const xt::xarray<double>& expected) {
    return x.shape() == expected.shape() && xt::allclose(x.values<double>(), expected, 1e-12, 1e-12);
}

}  // namespace

int main() {
    xt::xarray<double> a = xt::random::randn<double>({64, 16});
    xg::Tensor x = a;
    xg::Rng rng(42);
    xg::Tensor w = xg::randn({16, 4}, xg::f64, rng);
    xg::Tensor y = xg::tanh(xg::matmul(x, w)) * 2.0 + 1.0;
    auto v = y.values<double>();

    xt::xarray<double> product = xt::zeros<double>({64, 4});
    for (std::size_t i = 0; i < 64; ++i)
        for (std::size_t j = 0; j < 4; ++j)
            for (std::size_t k = 0; k < 16; ++k) product(i, j) += a(i, k) * w.values<double>()(k, j);
    check("values", close(y, xt::tanh(product) * 2 + 1) && v(63, 3) == y.data<double>()[255]);
    check("item", std::abs(xg::sum(y).item<double>() - xt::sum(v)()) < 1e-10);
    check("an xtensor operand", close(x * a, a * a) && close(xg::maximum(a, x), a));
    check("views", close(xg::transpose(xg::view(x, xt::range(0, 5), xt::all())), xt::transpose(xt::view(a, xt::range(0, 5)))));
    std::cout << xg::tensor({{1., 2.}, {3., 4.}}) << '\n';

    const xt::xarray<double> t = xt::random::randn<double>({64, 4});
    {
        xg::Tape tape;
        xg::Tensor loss = xg::mean(xg::square(xg::matmul(x, w) - t));
        xg::Tensor dw = tape.gradient(loss, w);
        xt::xarray<double> expected = xt::zeros<double>({16, 4});
        for (std::size_t i = 0; i < 64; ++i)
            for (std::size_t j = 0; j < 4; ++j)
                for (std::size_t k = 0; k < 16; ++k) expected(k, j) += a(i, k) * 2 * (product(i, j) - t(i, j)) / 256;
        check("gradient", close(dw, expected));
    }
    {
        xg::Tensor b = xg::zeros({4});
        xg::Tape tape(xg::persistent);
        xg::Tensor z = xg::matmul(x, w) + b;
        auto [dw, db] = tape.vjp(z, xg::ones({64, 4}), {w, b});
        check("vjp", close(db, 64 * xt::ones<double>({4})) &&
                         close(dw, xt::broadcast(xt::view(xt::sum(a, {0}), xt::all(), xt::newaxis()), {16, 4})));
        check("jvp", close(tape.jvp(z, b, xg::arange(4)), xt::broadcast(xt::arange<double>(4), {64, 4})));
    }
    {
        xg::Tape outer;
        xg::Tensor g = [&] {
            xg::Tape inner;
            return inner.gradient(xg::sum(xg::exp(x)), x);
        }();
        check("Hessian-vector product", close(outer.jvp(g, x, xg::ones({64, 16})), xt::exp(a)));
    }
    xg::io::write_npz("consumer.npz", {{"w", w}});  // with zlib and JSON behind it, which the library brings along
    check("a file", close(xg::io::read_npz("consumer.npz").at("w"), w.values<double>()));
    xg::io::write_safetensors("consumer.safetensors", {{"w", w}});
    check("another", close(xg::io::read_safetensors("consumer.safetensors").at("w"), w.values<double>()));
    try {
        xg::matmul(x, xg::transpose(w));
        check("an error", false);
    } catch (const xg::ShapeError& error) {
        std::cout << error.what() << '\n';
    }
    for (const auto& use : std::array<std::function<void()>, 4>{[] { xg::Tensor().shape(); }, [] { xg::Tensor().strides(); },
                                                                [] { xg::Tensor().item<double>(); }, [] { -xg::Tensor(); }})
        try {
            use();
            check("an empty tensor", false);
        } catch (const xg::Error&) {
        }
    std::cout << "xtgrad " << xg::version() << ", " << xg::instruction_set() << ", " << xg::num_threads() << " threads\n";
    return failures;
}
