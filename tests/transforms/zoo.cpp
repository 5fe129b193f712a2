// A zoo of functions, from one-liners to a small transformer: every transform against a closed form or another transform.
#include <functional>

#include "near.hpp"

namespace {

using Function = std::function<Tensor(const Tensor&)>;

struct Animal {
    const char* name;
    Function f;  // of a vector, one element
    Tensor x;
    Function gradient = {};  // by hand, where that is a line
};

Tensor softplus_net(const Tensor& w) {
    const Tensor x = xg::reshape(xg::linspace(-1., 1., 12), {4, 3});
    const Tensor h = xg::tanh(xg::matmul(x, xg::reshape(xg::view(w, xt::range(0, 6)), {3, 2})));
    return xg::sum(xg::softplus(xg::matmul(h, xg::reshape(xg::view(w, xt::range(6, 8)), {2, 1}))));
}

/// One block of a transformer, two heads, its weights in one vector of 4 x 4 matrices.
Tensor transformer(const Tensor& w) {
    xg::Rng rng(5);
    const Tensor x = xg::randn({3, 4}, xg::f64, rng);
    const auto weight = [&](int i) { return xg::reshape(xg::view(w, xt::range(16 * i, 16 * i + 16)), {4, 4}); };
    const Tensor n = xg::layer_norm(x * 1.);
    const Tensor a = x + xg::matmul(xg::attention(xg::matmul(n, weight(0)), xg::matmul(n, weight(1)), xg::matmul(n, weight(2)),
                                                  {.causal = true, .heads = 2}),
                                    weight(3));
    const Tensor y = a + xg::matmul(xg::gelu(xg::matmul(xg::rms_norm(a), weight(4))), weight(5));
    return xg::cross_entropy(y, xg::tensor({1, 0, 3}));
}

Tensor pendulum(const Tensor& p) {
    Tensor angle = xg::view(p, 0), speed = xg::view(p, 1);
    const Tensor drag = xg::view(p, 2);
    for (int i = 0; i < 20; ++i) {
        speed = speed - (xg::sin(angle) + drag * speed) * 0.1;
        angle = angle + speed * 0.1;
    }
    return angle * angle;
}

const Tensor A = normal({4, 4}, 11), b = normal({4}, 12), mask = xg::tensor({1., 0., 1., 1.});

std::vector<Animal> zoo() {
    const Tensor x = normal({4}, 1), p = positive({4}, 2), unit = p * 0.4;
    using namespace xg;
    return {
        {"constant", [](const Tensor&) { return Tensor(3.); }, x, [](const Tensor& t) { return zeros_like(t); }},
        {"linear", [](const Tensor& t) { return dot(b, t); }, x, [](const Tensor&) { return b; }},
        {"square", [](const Tensor& t) { return sum(t * t); }, x, [](const Tensor& t) { return 2. * t; }},
        {"form", [](const Tensor& t) { return dot(t, matmul(A, t)); }, x,
         [](const Tensor& t) { return matmul(A + transpose(A), t); }},
        {"product", [](const Tensor& t) { return prod(t); }, p, [](const Tensor& t) { return prod(t) / t; }},
        {"norm", [](const Tensor& t) { return sqrt(sum(t * t)); }, x, [](const Tensor& t) { return t / sqrt(sum(t * t)); }},
        {"exp", [](const Tensor& t) { return sum(exp(t) * b); }, x, [](const Tensor& t) { return exp(t) * b; }},
        {"log", [](const Tensor& t) { return sum(log(t)); }, p, [](const Tensor& t) { return 1. / t; }},
        {"entropy", [](const Tensor& t) { return -sum(t * log(t)); }, p, [](const Tensor& t) { return -log(t) - 1.; }},
        {"sine", [](const Tensor& t) { return sum(sin(t) * t); }, x, [](const Tensor& t) { return sin(t) + t * cos(t); }},
        {"tangent", [](const Tensor& t) { return sum(tan(t)); }, unit, [](const Tensor& t) { return 1. / square(cos(t)); }},
        {"arcs", [](const Tensor& t) { return sum(asin(t) + atan(t)); }, unit,
         [](const Tensor& t) { return 1. / sqrt(1. - t * t) + 1. / (1. + t * t); }},
        {"hyperbolic", [](const Tensor& t) { return sum(sinh(t) * cosh(t)); }, x, [](const Tensor& t) { return cosh(2. * t); }},
        {"power", [](const Tensor& t) { return sum(pow(t, t)); }, p, [](const Tensor& t) { return pow(t, t) * (log(t) + 1.); }},
        {"cube root", [](const Tensor& t) { return sum(cbrt(t)); }, p, [](const Tensor& t) { return cbrt(t) / (3. * t); }},
        {"erf", [](const Tensor& t) { return sum(erf(t)); }, x, [](const Tensor& t) { return 1.1283791670955126 * exp(-t * t); }},
        {"lgamma", [](const Tensor& t) { return sum(lgamma(t + 1.) - lgamma(t)); }, p, [](const Tensor& t) { return 1. / t; }},
        {"ratio", [](const Tensor& t) { return sum(b / (1. + t * t)); }, x,
         [](const Tensor& t) { return -2. * b * t / square(1. + t * t); }},
        {"logsumexp", [](const Tensor& t) { return logsumexp(t); }, x, [](const Tensor& t) { return softmax(t); }},
        {"softmax", [](const Tensor& t) { return dot(softmax(t), b); }, x,
         [](const Tensor& t) { return softmax(t) * (b - dot(softmax(t), b)); }},
        {"sigmoid", [](const Tensor& t) { return sum(sigmoid(t)); }, x,
         [](const Tensor& t) { return sigmoid(t) * (1. - sigmoid(t)); }},
        {"variance", [](const Tensor& t) { return variance(t); }, x, [](const Tensor& t) { return (t - mean(t)) * 0.5; }},
        {"cumulative", [](const Tensor& t) { return dot(cumsum(t), b); }, x,
         [](const Tensor&) { return flip(cumsum(flip(b, 0)), 0); }},
        {"masked", [](const Tensor& t) { return sum(where(mask > 0.5, t * t, 0.)); }, x,
         [](const Tensor& t) { return 2. * t * mask; }},
        {"gather",
         [](const Tensor& t) {
             return sum(square(take(t, tensor({3, 3, 0}))));
         },
         x,
         [](const Tensor& t) {
             return t * tensor({2., 0., 0., 4.});
         }},
        {"outer", [](const Tensor& t) { return sum(outer(t, t) * A); }, x,
         [](const Tensor& t) { return matmul(A + transpose(A), t); }},
        {"einsum", [](const Tensor& t) { return einsum("i,ij,j,i->", t, A, b, t); }, x,
         [](const Tensor& t) { return 2. * t * matmul(A, b); }},
        {"chained", [](const Tensor& t) { return sum(sin(exp(t * 0.5))); }, x,
         [](const Tensor& t) { return cos(exp(t * 0.5)) * exp(t * 0.5) * 0.5; }},
        {"rosenbrock",
         [](const Tensor& t) {
             const Tensor head = view(t, xt::range(0, 3)), tail = view(t, xt::range(1, 4));
             return sum(100. * square(tail - head * head) + square(1. - head));
         },
         x},
        {"powell",
         [](const Tensor& t) {
             const auto at = [&](int i) { return view(t, i); };
             return square(at(0) + 10. * at(1)) + 5. * square(at(2) - at(3)) + pow(at(1) - 2. * at(2), 4.) +
                    10. * pow(at(0) - at(3), 4.);
         },
         x},
        {"layer norm", [](const Tensor& t) { return dot(layer_norm(t), b * b); }, x},
        {"gelu", [](const Tensor& t) { return sum(gelu(t) * silu(t)); }, x},
        {"pendulum", pendulum, tensor({0.8, -0.3, 0.2})},
        {"network", softplus_net, normal({8}, 3)},
        {"custom",
         [](const Tensor& t) {
             return sum(custom(
                 "cube", [](auto& s) { return s * s * s; }, [](auto& g, auto& s, auto&) { return g * 3. * s * s; }, t));
         },
         x, [](const Tensor& t) { return 3. * t * t; }},
        {"checkpointed", [](const Tensor& t) { return sum(checkpoint([](auto& s) { return sin(s) * s; }, t)); }, x,
         [](const Tensor& t) { return sin(t) + t * cos(t); }},
        {"a derivative", [](const Tensor& t) { return sum(grad([](auto& s) { return sum(s * s * s * s); })(t)); }, x,
         [](const Tensor& t) { return 12. * t * t; }},
        {"transformer", transformer, normal({96}, 4) * 0.5},
    };
}

Tensor differences(const Function& f, const Tensor& x, const Tensor& v) {
    const double h = 2e-4;  // of fourth order
    return (8. * (f(x + v * h) - f(x - v * h)) - (f(x + v * (2 * h)) - f(x - v * (2 * h)))) / (12 * h);
}

}  // namespace

TEST_CASE("the zoo") {
    const std::vector<Animal> all = zoo();
    CHECK(all.size() >= 30);
    for (const Animal& a : all) {
        CAPTURE(a.name);
        const auto& [name, f, x, by_hand] = a;
        const Tensor v = normal(x.shape(), 21), w = normal(x.shape(), 22);
        const Function g = xg::grad(f);

        auto [value, gradient] = xg::value_and_grad(f)(x);
        CHECK(near(value, f(x)));
        if (by_hand) CHECK(near(gradient, by_hand(x), 1e-11));
        CHECK(near(xg::sum(gradient * v), differences(f, x, v), 1e-8));
        CHECK(near(xg::vjp(f, x).second(Tensor(2.)), 2. * gradient));
        CHECK(near(xg::jvp(f, x, v).second, xg::sum(gradient * v)));
        CHECK(near(xg::jacobian(f)(x), gradient));

        const Tensor product = xg::hvp(f)(x, v);
        CHECK(near(product, differences(g, x, v), 1e-7));
        if (by_hand) CHECK(near(product, xg::jvp(by_hand, x, v).second, 1e-10));
        CHECK(near(xg::grad([&](const Tensor& t) { return xg::sum(g(t) * v); })(x), product, 1e-11));
        CHECK(near(xg::grad([&](const Tensor& t) { return xg::jvp(f, t, v).second; })(x), product, 1e-11));
        if (x.size() < 10) {
            const Tensor H = xg::hessian(f)(x);
            CHECK(near(xg::matmul(H, v), product, 1e-11));
            CHECK(near(H, xg::transpose(H), 1e-11));
            CHECK(near(H, xg::jacobian(g, xg::JacobianMode::reverse)(x), 1e-11));
        }

        // the third derivative along v, v, w: three mixtures of modes, and differences of the second
        const Function h = [&](const Tensor& t) { return xg::hvp(f)(t, v); };
        const Tensor third = xg::jvp([&](const Tensor& t) { return xg::sum(h(t) * v); }, x, w).second;
        CHECK(near(third, xg::sum(v * differences(h, x, w)), 1e-6));
        CHECK(near(xg::sum(w * xg::grad([&](const Tensor& t) { return xg::sum(h(t) * v); })(x)), third, 1e-10));
        const auto along = [](Function k, Tensor d) -> Function {
            return [k, d](const Tensor& t) { return xg::jvp(k, t, d).second; };
        };
        CHECK(near(along(along(along(f, v), v), w)(x), third, 1e-10));
    }
}
