// Tapes, and what walks them.
#include <doctest/doctest.h>

#include "failing.hpp"

using namespace memory;

namespace {

Tensor numbers(const Shape& shape) {
    xg::Rng rng(3);
    return xg::randn(shape, xg::f64, rng);
}
Tensor loss(const Tensor& x, const Tensor& w) { return xg::mean(xg::square(xg::tanh(xg::matmul(x, w)))); }

}  // namespace

TEST_CASE("walks") {
    const Tensor x = numbers({4, 3}), w = numbers({3, 5}), v = numbers({3, 5});
    exhaust("gradient",
            [&] {
                xg::Tape tape;
                return Tensors{tape.gradient(loss(x, w), w)};
            },
            {x, w});
    exhaust("gradients with on_ready",
            [&] {
                Tensors ready(2);
                xg::Tape tape;
                const Tensor l = loss(x, w);
                tape.gradient(l, Tensors{x, w}, xg::on_ready([&](std::size_t i, const Tensor& g) { ready[i] = g; }));
                return ready;
            },
            {x, w});
    exhaust("many targets", [&] {
        Tensors xs;
        for (int i = 0; i < 20; ++i) xs.push_back(xg::full({2}, double(i)));
        xg::Tape tape(xg::check_finite);
        return tape.gradient(xg::sum(xg::concatenate(xs, 0) * 2.), xs);
    });
    exhaust("a persistent tape",
            [&] {
                xg::Tape tape(xg::persistent);
                const Tensor l = loss(x, w);
                return Tensors{tape.gradient(l, w), tape.jvp(l, w, v), tape.gradient(l, x)};
            },
            {x, w});
    exhaust("a Hessian-vector product",
            [&] {
                xg::Tape outer;
                const Tensor g = [&] {
                    xg::Tape inner;
                    return inner.gradient(loss(x, w), w);
                }();
                return Tensors{outer.jvp(g, w, v)};
            },
            {x, w});
    exhaust("a long tape",
            [&] {
                xg::Tape tape;
                Tensor y = w;
                for (int i = 0; i < 1500; ++i) y = y * 1.001;
                return Tensors{tape.gradient(xg::sum(y), w)};
            },
            {w});
    exhaust("a pause",
            [&] {
                xg::Tape one, two(xg::persistent);
                const Tensor y = w * w;
                Tensor z;
                for (int i = 0; i < 3; ++i) {
                    const xg::no_record outside;
                    z = y * y;
                }
                return Tensors{one.gradient(xg::sum(y * z), w), two.gradient(xg::sum(y), w)};
            },
            {w});
}

TEST_CASE("transforms") {
    const Tensor x = numbers({4, 3}), w = numbers({3, 5}), v = numbers({3, 5});
    const auto f = [&](const Tensor& t) { return loss(x, t); };
    exhaust("grad", [&] { return Tensors{xg::grad(f)(w)}; }, {w});
    exhaust("hvp", [&] { return Tensors{xg::hvp(f)(w, v)}; }, {w, v});
    exhaust("hessian", [&] { return Tensors{xg::hessian(f)(w)}; }, {w});
    exhaust("jacobian", [&] { return Tensors{xg::jacobian([](const Tensor& t) { return xg::sin(t) * t; })(v)}; }, {v});
    exhaust("vjp",
            [&] {
                auto [y, pullback] = xg::vjp([&](const Tensor& t) { return xg::matmul(x, t); }, w);
                return Tensors{y, pullback(y), pullback(y * y)};
            },
            {w});
    exhaust("checkpoint",
            [&] {
                return Tensors{xg::grad([&](const Tensor& t) {
                    return xg::checkpoint([&](const Tensor& u) { return xg::sum(xg::sin(xg::matmul(x, u))); }, t);
                })(w)};
            },
            {w});
    exhaust("custom",
            [&] {
                const auto cube = [](const Tensor& t) {
                    return xg::custom(
                        "cube", [](const Tensor& u) { return u * u * u; },
                        [](const Tensor& g, const Tensor& u, const Tensor&) { return g * 3. * u * u; }, t);
                };
                return Tensors{xg::hessian([&](const Tensor& t) { return xg::sum(cube(t)); })(w)};
            },
            {w});
    exhaust("minimize",
            [&] { return Tensors{xg::optim::minimize([](const Tensor& t) { return xg::sum(xg::square(t * t - 1.)); }, v).x}; },
            {v});
}
