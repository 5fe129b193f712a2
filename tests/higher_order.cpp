// Derivatives of derivatives: nested tapes, and nothing else.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include <xtensor/xview.hpp>
#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

namespace {

using Function = std::function<xg::Tensor(const xg::Tensor&)>;
using Numbers = std::vector<double>;

/// The elements in row-major order. Asks no op, so that no tape sees it.
Numbers numbers(const xg::Tensor& x) {
    const auto v = x.values<double>();
    return Numbers(v.begin(), v.end());
}

/// Largest difference, relative to the largest element.
double distance(const xg::Tensor& a, const xg::Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    const Numbers p = numbers(a), q = numbers(b);
    double most = 0, scale = 1;
    for (std::size_t i = 0; i < p.size(); ++i) {
        most = std::max(most, std::abs(p[i] - q[i]));
        if (!(std::abs(p[i] - q[i]) < INFINITY)) return INFINITY;
        scale = std::max(scale, std::abs(q[i]));
    }
    return most / scale;
}

xg::Tensor gradient(const Function& f, const xg::Tensor& x) {
    xg::Tape tape;
    return tape.gradient(f(x), x);
}
double scalar_product(const xg::Tensor& a, const xg::Tensor& b) { return xg::sum(a * b).item<double>(); }

xg::Tensor reverse_over_reverse(const Function& f, const xg::Tensor& x, const xg::Tensor& v) {
    xg::Tape outer;
    return outer.gradient(xg::sum(gradient(f, x) * v), x);
}
xg::Tensor forward_over_reverse(const Function& f, const xg::Tensor& x, const xg::Tensor& v) {
    xg::Tape outer;
    return outer.jvp(gradient(f, x), x, v);
}
xg::Tensor reverse_over_forward(const Function& f, const xg::Tensor& x, const xg::Tensor& v) {
    xg::Tape outer;
    const xg::Tensor slope = [&] {
        xg::Tape inner;
        return inner.jvp(f(x), x, v);
    }();
    return outer.gradient(slope, x);
}
double forward_over_forward(const Function& f, const xg::Tensor& x, const xg::Tensor& v) {
    xg::Tape outer;
    const xg::Tensor slope = [&] {
        xg::Tape inner;
        return inner.jvp(f(x), x, v);
    }();
    return outer.jvp(slope, x, v).item<double>();
}

/// H v by central differences of the gradient.
xg::Tensor by_differences(const Function& f, const xg::Tensor& x, const xg::Tensor& v) {
    const double h = 1e-5;
    return (gradient(f, x + v * h) - gradient(f, x - v * h)) * (0.5 / h);
}

/// Neither equal nor on a grid.
xg::Tensor spread(const xg::Shape& shape, double low, double high, int seed = 1) {
    xg::Rng rng{std::uint64_t(seed)};
    return xg::uniform(shape, xg::f64, rng, low, high);
}

struct Case {
    const char* name;
    Function f;
    xg::Shape shape;
    double low = -1, high = 1;
};

const xg::Tensor w45 = spread({4, 5}, -1, 1, 11), w34 = spread({3, 4}, -1, 1, 12), w4 = spread({4}, 0.5, 1.5, 13);
const xg::Tensor labels = xg::tensor({2, 0, 3}), rows = xg::tensor({2, -3, 2, 1, 0});

const std::vector<Case> cases{
    {"broadcasting",
     [](const xg::Tensor& x) {
         const xg::Tensor column = xg::view(x, xt::all(), xt::range(1, 2)), row = xg::view(x, 1);
         return xg::sum(xg::tanh(column * row + x) / (row * row + 1.5) - x / column);
     },
     {3, 4},
     0.5,
     1.5},
    {"arithmetic with numbers",
     [](const xg::Tensor& x) {
         return xg::sum(2. / (x * 3. + 1.) - (1. - x) * x / 3. + xg::pow(x, 3) + xg::pow(x, 2.5) - xg::square(x));
     },
     {3, 4},
     0.5,
     1.5},
    {"powers and roots",
     [](const xg::Tensor& x) { return xg::sum(xg::pow(x, xg::sqrt(x)) * xg::log(x) + xg::exp(-x) * xg::abs(x - 3.)); },
     {3, 4},
     0.5,
     1.5},
    {"activations",
     [](const xg::Tensor& x) {
         return xg::sum(xg::gelu(x) * xg::sigmoid(x) + xg::gelu_tanh(x) * xg::erf(x) + xg::relu(x) * x * xg::cos(x) +
                        xg::sin(x) * xg::tanh(x));
     },
     {3, 4}},
    {"selection",
     [](const xg::Tensor& x) {
         return xg::sum(xg::where(x > 0.1, x * x * x, xg::sin(x)) * xg::maximum(x, w34) * xg::minimum(x * x, w34) +
                        xg::clip(x, -0.5, 0.5) * x * x);
     },
     {3, 4}},
    {"matmul",
     [](const xg::Tensor& x) { return xg::sum(xg::square(xg::matmul(xg::transpose(x), xg::tanh(xg::matmul(x, w45))))); },
     {3, 4}},
    {"matmul of vectors",
     [](const xg::Tensor& x) {
         return xg::matmul(xg::matmul(xg::view(x, 0), xg::transpose(x)), xg::matmul(x, w4)) *
                xg::matmul(xg::view(x, 1), xg::view(x, 2));
     },
     {3, 4}},
    {"matmul of batches",
     [](const xg::Tensor& x) {
         const xg::Tensor batch = xg::reshape(x, {2, 1, 3, 4}), other = xg::stack({w45, w45 * 0.5, w45 * w45});
         return xg::sum(xg::square(xg::matmul(batch, other))) +
                xg::mean(xg::matmul(xg::matmul(batch, w45), xg::transpose(w45, {1, 0}) * xg::sum(x)));
     },
     {2, 3, 4}},
    {"matmul of a batch and one matrix",
     [](const xg::Tensor& x) { return xg::sum(xg::tanh(xg::matmul(x, w45 * xg::mean(x)))); },
     {2, 3, 4}},
    {"softmax", [](const xg::Tensor& x) { return xg::sum(xg::softmax(x) * xg::softmax(x * w34, 0) * x); }, {3, 4}},
    {"softmax along the middle",
     [](const xg::Tensor& x) { return xg::sum(xg::square(xg::softmax(x, 1)) * xg::cos(x)); },
     {2, 3, 4}},
    {"softmax_vjp",
     [](const xg::Tensor& x) { return xg::sum(xg::softmax_vjp(x, xg::sin(x)) * xg::softmax_vjp(w34 * x, x, 0)); },
     {3, 4}},
    {"log_softmax and cross_entropy",
     [](const xg::Tensor& x) {
         return xg::sum(xg::log_softmax(x, 0) * x) + xg::cross_entropy(x * x, labels) * xg::cross_entropy(x, labels);
     },
     {3, 4}},
    {"layer_norm",
     [](const xg::Tensor& x) { return xg::sum(xg::square(xg::layer_norm(x * x, xg::view(x, 1), xg::view(x, 2))) * w34); },
     {3, 4},
     0.5,
     1.5},
    {"reductions",
     [](const xg::Tensor& x) {
         return xg::logsumexp(x) * xg::mean(x * x) + xg::sum(xg::square(xg::amax(x * x, 0)) * xg::amin(x, {0})) +
                xg::sum(xg::logsumexp(x * 2., 1)) * xg::sum(xg::square(xg::sum(x, 1, xt::keep_dims) * x));
     },
     {3, 4}},
    {"reductions over two of three axes",
     [](const xg::Tensor& x) {
         return xg::sum(xg::square(xg::sum(x * x, {0, 2})) * xg::mean(x, {2, 0}) +
                        xg::logsumexp(x, {0, 2}) * xg::amax(x, {0, 2}));
     },
     {2, 3, 4}},
    {"views",
     [](const xg::Tensor& x) {
         const xg::Tensor a = xg::view(x, xt::all(), xt::range(0, 4, 2)),
                          b = xg::view(x, xt::range(2, xt::placeholders::_, -1), xt::range(1, 4, 2)),
                          c = xg::view(x, 1, xt::newaxis(), xt::ellipsis());
         return xg::sum(a * b * a) * xg::sum(c * c * c) +
                xg::sum(xg::square(xg::reshape(xg::transpose(x), {2, 6})) * xg::reshape(x, {-1, 6}));
     },
     {3, 4}},
    {"set_view",
     [](const xg::Tensor& x) {
         return xg::sum(xg::square(xg::set_view(x * x, xg::view(x, 1) * x, xt::range(0, 3), xt::all()) *
                                   xg::set_view(x, xg::sum(x), 1, xt::range(1, 4, 2))));
     },
     {3, 4}},
    {"axes",
     [](const xg::Tensor& x) {
         const xg::Tensor thick = xg::expand_dims(x, 1), wide = xg::broadcast_to(thick, {3, 2, 4});
         return xg::sum(xg::square(wide * xg::permute(xg::stack({x, x * x}), {1, 0, 2}))) *
                xg::mean(xg::squeeze(thick * thick * thick, 1));
     },
     {3, 4}},
    {"joining and splitting",
     [](const xg::Tensor& x) {
         const auto parts = xg::split(x * x, 2, 1);
         return xg::sum(xg::square(xg::concatenate({parts[1] * parts[0], x, parts[0]}, 1)) * xg::sum(x)) +
                xg::sum(parts[0] * parts[1] * parts[1]);
     },
     {3, 4}},
    {"take and index_add",
     [](const xg::Tensor& x) {
         const xg::Tensor t = xg::take(x, rows);
         return xg::sum(xg::square(t) * t) + xg::sum(xg::square(xg::index_add(x * x, rows, xg::sin(t)) * x));
     },
     {3, 4}},
    {"sort", [](const xg::Tensor& x) { return xg::sum(xg::exp(xg::sort(x, 1)) * xg::sin(w34)); }, {3, 4}},
    {"topk", [](const xg::Tensor& x) { return xg::sum(xg::exp(xg::topk(x, 2).first)); }, {3, 4}},
    {"attention",
     [](const xg::Tensor& x) {
         const xg::Tensor q = xg::matmul(x, w45), k = xg::matmul(xg::sin(x), w45);
         return xg::sum(xg::square(xg::matmul(xg::softmax(xg::matmul(q, xg::transpose(k)) * 0.5), x)));
     },
     {3, 4}},
};

}  // namespace

TEST_CASE("Hessian-vector products agree with differences, by reverse and forward walks in each order") {
    for (const Case& c : cases) {
        CAPTURE(c.name);
        const xg::Tensor x = spread(c.shape, c.low, c.high, 3), v = spread(c.shape, -1, 1, 4);
        const xg::Tensor expected = by_differences(c.f, x, v);
        CHECK(distance(expected, xg::zeros(c.shape)) > 1e-3);  // not zero against zero
        CHECK(distance(reverse_over_reverse(c.f, x, v), expected) < 1e-6);
        CHECK(distance(forward_over_reverse(c.f, x, v), expected) < 1e-6);
        CHECK(distance(reverse_over_forward(c.f, x, v), expected) < 1e-6);
        CHECK(forward_over_forward(c.f, x, v) == doctest::Approx(scalar_product(expected, v)).epsilon(1e-6));
        // With each other they agree much better than with differences.
        CHECK(distance(forward_over_reverse(c.f, x, v), reverse_over_reverse(c.f, x, v)) < 1e-11);
        CHECK(distance(reverse_over_forward(c.f, x, v), reverse_over_reverse(c.f, x, v)) < 1e-11);
    }
}

TEST_CASE("third derivatives along a direction agree with differences of Hessian-vector products") {
    for (const Case& c : cases) {
        CAPTURE(c.name);
        const xg::Tensor x = spread(c.shape, c.low, c.high, 3), v = spread(c.shape, -1, 1, 4);
        const double h = 1e-5;
        const xg::Tensor expected =
            (forward_over_reverse(c.f, x + v * h, v) - forward_over_reverse(c.f, x - v * h, v)) * (0.5 / h);
        xg::Tape outer(xg::persistent);
        const xg::Tensor hv = forward_over_reverse(c.f, x, v);
        CHECK(distance(outer.jvp(hv, x, v), expected) < 1e-5);
        CHECK(distance(outer.gradient(xg::sum(hv * v), x), expected) < 1e-5);
    }
}

TEST_CASE("derivatives of tanh up to the fourth by nested tapes, reverse and forward") {
    const xg::Tensor x = xg::tensor({-1.5, -0.25, 0., 0.7, 2.}), ones = xg::ones({5});
    const auto expected = [&](int order) {
        Numbers d;
        for (const double v : numbers(x)) {
            const double t = std::tanh(v), s = 1 - t * t;
            d.push_back(order == 1   ? s
                        : order == 2 ? -2 * t * s
                        : order == 3 ? (6 * t * t - 2) * s
                                     : (16 * t - 24 * t * t * t) * s);
        }
        return d;
    };
    const std::function<xg::Tensor(int, int)> derivative = [&](int order, int forward) {
        if (order == 0) return xg::tanh(x);
        xg::Tape tape;
        const xg::Tensor y = derivative(order - 1, forward);
        return (forward >> order & 1) ? tape.jvp(y, x, ones) : tape.gradient(xg::sum(y), x);
    };
    for (int order = 1; order <= 4; ++order)
        for (int forward = 0; forward < 1 << (order + 1); forward += 2) {
            CAPTURE(order);
            CAPTURE(forward);
            const Numbers d = numbers(derivative(order, forward)), e = expected(order);
            for (std::size_t i = 0; i < d.size(); ++i) CHECK(d[i] == doctest::Approx(e[i]).epsilon(1e-13));
        }
}

TEST_CASE("flat nested tapes, all alive at once, may be consumed in any order") {
    const xg::Tensor x(0.7);
    const double t = std::tanh(0.7), s = 1 - t * t;
    std::array<int, 3> order{0, 1, 2};
    do {
        xg::Tape tapes[3];
        const xg::Tensor y = xg::tanh(x), d1 = tapes[order[0]].gradient(y, x), d2 = tapes[order[1]].gradient(d1, x),
                         d3 = tapes[order[2]].gradient(d2, x);
        CHECK(d1.item<double>() == doctest::Approx(s));
        CHECK(d2.item<double>() == doctest::Approx(-2 * t * s));
        CHECK(d3.item<double>() == doctest::Approx((6 * t * t - 2) * s));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("second derivatives of linear, constant and independent functions are zeros, not errors") {
    const xg::Tensor x = spread({2, 3}, -1, 1), v = spread({2, 3}, -1, 1, 2), zero = xg::zeros({2, 3});
    const auto is_zero = [&](const xg::Tensor& g) { return distance(g, zero) == 0; };
    const std::vector<Function> linear{[](const xg::Tensor& t) { return xg::sum(t); },
                                       [](const xg::Tensor& t) { return xg::sum(t * 3. - 1.); },
                                       [](const xg::Tensor& t) { return -xg::mean(xg::transpose(t)); },
                                       [](const xg::Tensor& t) { return xg::sum(xg::view(t, 1)) - xg::sum(t + t); },
                                       [](const xg::Tensor& t) {
                                           return xg::sum(xg::matmul(t, xg::ones({3, 4})));
                                       },
                                       [](const xg::Tensor& t) { return xg::view(xg::reshape(t, {6}), 4); },
                                       [](const xg::Tensor& t) {
                                           return xg::sum(xg::take(t, xg::tensor({1, 1, 0})));
                                       },
                                       [](const xg::Tensor& t) { return xg::sum(t * 0.); },
                                       [](const xg::Tensor& t) { return xg::sum(xg::stop_gradient(t) * t); },
                                       [](const xg::Tensor& t) {  // independent, but seen
                                           const xg::Tensor aside = t * 2.;
                                           return xg::Tensor(1.) * 2.;
                                       },
                                       [](const xg::Tensor& t) {  // constant
                                           const xg::Tensor aside = t * 2.;
                                           return xg::sum(xg::stop_gradient(t) * 2.);
                                       }};
    for (std::size_t i = 0; i < linear.size(); ++i) {
        CAPTURE(i);
        CHECK(is_zero(reverse_over_reverse(linear[i], x, v)));
        CHECK(is_zero(forward_over_reverse(linear[i], x, v)));
        CHECK(is_zero(reverse_over_forward(linear[i], x, v)));
        CHECK(forward_over_forward(linear[i], x, v) == 0);
        // And the gradient itself, without any op on it, as the outer tape's result.
        xg::Tape outer(xg::persistent);
        const xg::Tensor g = gradient(linear[i], x);
        CHECK(is_zero(outer.vjp(g, v, x)));
        CHECK(is_zero(outer.jvp(g, x, v)));
    }
    {
        xg::Tape outer;  // never seen, by neither
        const xg::Tensor g = [&] {
            xg::Tape inner;
            return inner.gradient(xg::Tensor(2.) * 3., x, xg::zeros_if_unused);
        }();
        CHECK(is_zero(g));
        CHECK(is_zero(outer.gradient(xg::sum(g), x, xg::zeros_if_unused)));
    }
    {
        xg::Tape outer;  // x == y
        const xg::Tensor one(1.5), g = [&] {
            xg::Tape inner;
            return inner.gradient(one, one);
        }();
        CHECK(g.item<double>() == 1);
        CHECK(outer.gradient(g * one, one).item<double>() == 1);
    }
}

TEST_CASE("duplicate and unused targets give nodes of the outer tape too") {
    const xg::Tensor x(0.5), unused(3.), seen(4.);
    xg::Tape outer(xg::persistent), inner;
    const xg::Tensor aside = seen * 2., h = x * x, y = h * h * x;  // x^5
    const auto g = inner.gradient(y, std::vector{x, unused, x, y, h, seen, aside}, xg::zeros_if_unused);
    const double d[]{5 * std::pow(0.5, 4), 0, 5 * std::pow(0.5, 4), 1, 2 * 0.25 * 0.5, 0, 0},
        dd[]{20 * 0.125, 0, 20 * 0.125, 0, 6 * 0.25, 0, 0};
    for (std::size_t i = 0; i < g.size(); ++i) {
        CAPTURE(i);
        CHECK(g[i].item<double>() == doctest::Approx(d[i]));
        CHECK(outer.gradient(g[i], x).item<double>() == doctest::Approx(dd[i]));
        CHECK(outer.jvp(g[i], x, x).item<double>() == doctest::Approx(0.5 * dd[i]));
        CHECK(outer.gradient(g[i], unused, xg::zeros_if_unused).item<double>() == 0);
    }
}

TEST_CASE("a persistent inner tape's gradients are differentiated by an outer one") {
    const xg::Tensor x = xg::tensor({0.5, -1.}), w = xg::tensor({2., 3.});
    xg::Tape outer(xg::persistent);
    xg::Tape inner(xg::persistent);
    const xg::Tensor y = xg::sum(x * x * x * w * w);
    const xg::Tensor gx = inner.gradient(y, x), gw = inner.gradient(y, w), tangent = inner.jvp(y, x, w);
    const Numbers xv = numbers(x), wv = numbers(w);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(numbers(outer.gradient(xg::sum(gx), x))[i] == doctest::Approx(6 * xv[i] * wv[i] * wv[i]));
        CHECK(numbers(outer.gradient(xg::sum(gx), w))[i] == doctest::Approx(6 * xv[i] * xv[i] * wv[i]));
        CHECK(numbers(outer.gradient(xg::sum(gw), x))[i] == doctest::Approx(6 * xv[i] * xv[i] * wv[i]));  // mixed partials agree
        CHECK(numbers(outer.gradient(xg::sum(gw), w))[i] == doctest::Approx(2 * std::pow(xv[i], 3)));
        CHECK(numbers(outer.gradient(tangent, x))[i] == doctest::Approx(6 * xv[i] * std::pow(wv[i], 3)));
        CHECK(numbers(outer.gradient(tangent, w))[i] ==
              doctest::Approx(9 * xv[i] * xv[i] * wv[i] * wv[i]));  // w is the tangent as well
    }
    // The inner one still cannot differentiate its own, and still goes on.
    CHECK_THROWS_AS(inner.gradient(xg::sum(gx), x), xg::TapeError);
    const xg::Tensor more = xg::sum(gx * x);
    CHECK_THROWS_AS(inner.gradient(more, x), xg::TapeError);
    CHECK(numbers(outer.gradient(more, x))[1] == doctest::Approx(9 * xv[1] * xv[1] * 9));
    CHECK(numbers(inner.gradient(more, gx))[1] == doctest::Approx(xv[1]));
    const xg::Tensor gx_again = inner.gradient(y, x);
    CHECK(numbers(outer.gradient(xg::sum(gx_again), x))[0] == doctest::Approx(6 * xv[0] * wv[0] * wv[0]));
}

TEST_CASE("rows of the Hessian by walks of one persistent outer tape") {
    const xg::Tensor x = spread({3, 4}, -1, 1, 5);
    const Function& f = cases[9].f;
    xg::Tape outer(xg::persistent);
    const xg::Tensor g = gradient(f, x);
    std::vector<Numbers> by_vjp, by_jvp;
    for (int i = 0; i < 12; ++i) {
        const xg::Tensor unit = xg::reshape(xg::one_hot(xg::tensor({i}), 12, xg::f64), {3, 4});
        by_vjp.push_back(numbers(outer.vjp(g, unit, x)));
        by_jvp.push_back(numbers(outer.jvp(g, x, unit)));
        CHECK(distance(by_differences(f, x, unit), outer.vjp(g, unit, x)) < 1e-6);
    }
    for (std::size_t i = 0; i < 12; ++i)
        for (std::size_t j = 0; j < 12; ++j) {
            CHECK(by_vjp[i][j] == doctest::Approx(by_vjp[j][i]).epsilon(1e-10));  // symmetric
            CHECK(by_jvp[i][j] == doctest::Approx(by_vjp[i][j]).epsilon(1e-10));
        }
}

TEST_CASE("the gradient of a gradient with respect to an intermediate") {
    const xg::Tensor x(0.5);
    xg::Tape outer(xg::persistent);
    const xg::Tensor h = [&] {
        xg::Tape idle;
        return x * x;
    }();
    xg::Tensor g, k;
    {
        xg::Tape inner;
        k = h * 2.;
        g = inner.gradient(k * k * k, h);  // 24 h^2
    }
    CHECK(g.item<double>() == doctest::Approx(24 * 0.0625));
    CHECK(outer.gradient(g, h).item<double>() == doctest::Approx(48 * 0.25));
    CHECK(outer.gradient(g, x).item<double>() == doctest::Approx(48 * 0.25));  // 2 x = 1
    CHECK(outer.gradient(g * g, g).item<double>() == doctest::Approx(48 * 0.0625));
    CHECK(outer.gradient(g * k, {g, k, h, x})[1].item<double>() == doctest::Approx(1.5 + 0.5 * 12 * 0.5));  // g = 6 k^2
    CHECK(outer.jvp(g, h, x).item<double>() == doctest::Approx(48 * 0.25 * 0.5));
}

TEST_CASE("mixed partial derivatives of a function of two arguments agree") {
    const xg::Tensor x = spread({3, 4}, -1, 1, 6), w = spread({4, 5}, -1, 1, 7), v = spread({3, 4}, -1, 1, 8),
                     u = spread({4, 5}, -1, 1, 9);
    const auto f = [&] { return xg::sum(xg::tanh(xg::matmul(xg::softmax(x), w)) * xg::matmul(x, w)); };
    const auto partial = [&](const xg::Tensor& first, const xg::Tensor& along, const xg::Tensor& second) {
        xg::Tape outer;
        const xg::Tensor g = [&] {
            xg::Tape inner;
            return inner.gradient(f(), first);
        }();
        return outer.gradient(xg::sum(g * along), second);
    };
    CHECK(scalar_product(partial(x, v, w), u) == doctest::Approx(scalar_product(partial(w, u, x), v)).epsilon(1e-11));
    CHECK(std::abs(scalar_product(partial(x, v, w), u)) > 1e-3);
    xg::Tape outer;
    const auto [gx, gw] = [&] {
        xg::Tape inner;
        return inner.gradient(f(), {x, w});
    }();
    const auto [hx, hw] = outer.gradient(xg::sum(gx * v) + xg::sum(gw * u), {x, w});
    CHECK(distance(hw, partial(x, v, w) + partial(w, u, w)) < 1e-11);
    CHECK(distance(hx, partial(x, v, x) + partial(w, u, x)) < 1e-11);
}

TEST_CASE("cotangents and tangents are variables as well") {
    const xg::Tensor x = xg::tensor({0.5, -1.25}), g = xg::tensor({2., 3.}), v = xg::tensor({5., 7.});
    xg::Tape outer(xg::persistent), inner(xg::persistent);
    const xg::Tensor y = x * x * x;
    const xg::Tensor pulled = inner.vjp(y, g, x), pushed = inner.jvp(y, x, v), same = inner.vjp(x, g, x),
                     sent = inner.jvp(x, x, v);
    for (std::size_t i = 0; i < 2; ++i) {
        const double t = numbers(x)[i];
        CHECK(numbers(outer.gradient(xg::sum(pulled), g))[i] == doctest::Approx(3 * t * t));
        CHECK(numbers(outer.gradient(xg::sum(pulled), x))[i] == doctest::Approx(6 * t * numbers(g)[i]));
        CHECK(numbers(outer.gradient(xg::sum(pushed), v))[i] == doctest::Approx(3 * t * t));
        CHECK(numbers(outer.gradient(xg::sum(pushed), x))[i] == doctest::Approx(6 * t * numbers(v)[i]));
        CHECK(numbers(outer.gradient(xg::sum(same), g))[i] == 1);
        CHECK(numbers(outer.gradient(xg::sum(sent), v))[i] == 1);
    }
}

TEST_CASE("a gradient handed to on_ready is a node of the outer tape") {
    const xg::Tensor x = spread({3, 4}, -1, 1, 3), v = spread({3, 4}, -1, 1, 4);
    const Function& f = cases[5].f;
    xg::Tape outer;
    xg::Tensor handed, weighted;
    {
        xg::Tape inner;
        inner.gradient(f(x), std::vector{x}, xg::on_ready([&](std::size_t, const xg::Tensor& g) {
                           handed = g;
                           weighted = xg::sum(g * v);
                       }));
    }
    CHECK(distance(outer.gradient(weighted, x), by_differences(f, x, v)) < 1e-6);
}

TEST_CASE("perturbations are not confused: d/dx (x * d/dy (x + y)) is 1") {
    const xg::Tensor x(1.);
    const auto inner_derivative = [&](const xg::Tensor& y, bool forward) {
        xg::Tape inner;
        const xg::Tensor z = x + y;
        return forward ? inner.jvp(z, y, xg::Tensor(1.)) : inner.gradient(z, y);
    };
    for (const bool inner_forward : {false, true})
        for (const bool outer_forward : {false, true})
            for (const bool fresh : {false, true}) {
                xg::Tape outer;
                const xg::Tensor y = fresh ? xg::Tensor(1.) : xg::copy(x);  // a variable of its own, both ways
                const xg::Tensor z = x * inner_derivative(y, inner_forward);
                CHECK(z.item<double>() == 1);
                CHECK((outer_forward ? outer.jvp(z, x, xg::Tensor(1.)) : outer.gradient(z, x)).item<double>() == 1);
            }
    // y a function of x: d/dx (x * d/dy (x y)) with y = x^2 is d/dx x^2.
    xg::Tape outer;
    const xg::Tensor two(2.), y = two * two, g = [&] {
        xg::Tape inner;
        return inner.gradient(two * y, y);
    }();
    CHECK(outer.gradient(two * g, two).item<double>() == 4);
}

TEST_CASE("an unrolled optimizer is differentiated through its steps") {
    // f(w) = a w^2 / 2; w <- w - r a w; after n steps w = w0 (1 - r a)^n, dw/dr = -n a w0 (1 - r a)^(n-1).
    const xg::Tensor a(3.), w0(2.), r(0.1);
    xg::Tape outer;
    xg::Tensor w = w0 * 1.;
    for (int i = 0; i < 6; ++i) {
        xg::Tape inner;
        const xg::Tensor f = a * w * w * 0.5;
        w = w - r * inner.gradient(f, w);
    }
    const auto [da, dw0, dr] = outer.gradient(w, {a, w0, r});
    CHECK(w.item<double>() == doctest::Approx(2 * std::pow(0.7, 6)));
    CHECK(dr.item<double>() == doctest::Approx(-6 * 3 * 2 * std::pow(0.7, 5)));
    CHECK(da.item<double>() == doctest::Approx(-6 * 0.1 * 2 * std::pow(0.7, 5)));
    CHECK(dw0.item<double>() == doctest::Approx(std::pow(0.7, 6)));
}
