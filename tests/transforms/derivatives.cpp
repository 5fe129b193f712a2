// The transforms, one by one: what they return, how they nest, what they say when asked for nonsense.
#include "near.hpp"

namespace {

const auto f = [](const Tensor& x) { return xg::sum(xg::sin(x) * x); };

struct Affine {
    Tensor weight, bias;
    Tensor operator()(const Tensor& x) const { return xg::matmul(x, weight) + bias; }
    static void visit(auto& self, auto&& field) { field("weight", self.weight), field("bias", self.bias); }
};
struct Model {
    Affine up;
    std::vector<Affine> rest;
    Tensor steps;
    static void visit(auto& self, auto&& field) {
        field("up", self.up), field("rest", self.rest), field("steps", xg::nn::buffer(self.steps));
    }
};

}  // namespace

TEST_CASE("grad and value_and_grad of one tensor") {
    const Tensor x = normal({5}, 1);
    CHECK(near(xg::grad(f)(x), xg::sin(x) + x * xg::cos(x)));
    auto [value, gradient] = xg::value_and_grad(f)(x);
    CHECK(near(value, f(x)));
    CHECK(near(gradient, xg::grad(f)(x)));
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(xg::grad(f)(t)); })(x), 2. * xg::cos(x) - x * xg::sin(x)));
}

TEST_CASE("several arguments give an array") {
    const Tensor a = normal({2, 3}, 1), b = normal({3}, 2), c = normal({2, 1}, 3);
    auto [da, db, dc] = xg::grad([](auto& p, auto& q, auto& r) { return xg::sum(p * q * r); })(a, b, c);
    CHECK(near(da, b * c));
    CHECK(near(db, xg::sum(a * c, 0)));
    CHECK(near(dc, xg::sum(a * b, 1, xt::keep_dims)));
    // the same tensor twice is two variables
    auto [first, second] = xg::grad([](auto& p, auto& q) { return xg::sum(p * p * q); })(b, b);
    CHECK(near(first, 2. * b * b));
    CHECK(near(second, b * b));
}

TEST_CASE("vectors, arrays and mixtures of arguments") {
    const std::vector<Tensor> list{normal({2}, 1), normal({2}, 2), normal({2}, 3)};
    const auto product = [](const std::vector<Tensor>& v) { return xg::sum(v[0] * v[1] * v[2]); };
    const std::vector<Tensor> gradient = xg::grad(product)(list);
    CHECK(gradient.size() == 3);
    CHECK(near(gradient[1], list[0] * list[2]));
    const std::array<Tensor, 2> pair{list[0], list[1]};
    const std::array<Tensor, 2> of_pair = xg::grad([](const std::array<Tensor, 2>& v) { return xg::sum(v[0] * v[1]); })(pair);
    CHECK(near(of_pair[0], list[1]));
    auto [dlist, dx] =
        xg::grad([&](const std::vector<Tensor>& v, const Tensor& x) { return product(v) * xg::sum(x); })(list, Tensor(2.));
    CHECK(near(dlist[2], 2. * list[0] * list[1]));
    CHECK(near(dx, product(list)));
    const std::vector<Tensor> none;
    CHECK(xg::grad([](const std::vector<Tensor>&) { return Tensor(1.); })(none).empty());
}

TEST_CASE("a gradient of a model is a model") {
    const Model model{
        {normal({3, 4}, 1), normal({4}, 2)}, {{normal({4, 2}, 3), Tensor()}, {normal({2, 2}, 5), normal({2}, 6)}}, Tensor(7.)};
    const Tensor x = normal({5, 3}, 9);
    const auto loss = [&](const Model& m) {
        const Tensor h = xg::tanh(m.up(x));
        return xg::sum(xg::square(xg::matmul(xg::matmul(h, m.rest[0].weight), m.rest[1].weight) + m.rest[1].bias));
    };
    const Model gradient = xg::grad(loss)(model);
    const std::vector<Tensor> parameters = xg::nn::parameters(model);
    xg::Tape tape;
    const std::vector<Tensor> want = tape.gradient(loss(model), parameters), got = xg::nn::parameters(gradient);
    CHECK(got.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(near(got[i], want[i]));
    CHECK(gradient.steps.item<double>() == 7);
    CHECK_FALSE(gradient.rest[0].bias.defined());

    auto [value, tangent] = xg::jvp(loss, model, gradient);
    double squares = 0;
    for (const Tensor& g : want) squares += xg::sum(g * g).item<double>();
    CHECK(near(tangent, Tensor(squares)));
    auto [again, pullback] = xg::vjp(loss, model);
    CHECK(near(pullback(Tensor(2.)).up.bias, 2. * gradient.up.bias));
    CHECK(near(again, value));
    const Model product = xg::hvp(loss)(model, gradient);
    const double h = 1e-5;
    const auto moved = [&](double by) {
        Model m = model;
        m.up.weight += gradient.up.weight * by, m.up.bias += gradient.up.bias * by;
        m.rest[0].weight += gradient.rest[0].weight * by;
        m.rest[1].weight += gradient.rest[1].weight * by, m.rest[1].bias += gradient.rest[1].bias * by;
        return xg::grad(loss)(m).up.weight;
    };
    CHECK(near(product.up.weight, (moved(h) - moved(-h)) / (2 * h), 1e-6));
}

TEST_CASE("vjp: the pullback may be called often, by outer tapes too") {
    const auto g = [](const Tensor& x) { return xg::exp(x) * 2.; };
    const Tensor x = normal({4}, 1), gy = normal({4}, 2);
    auto [y, pullback] = xg::vjp(g, x);
    CHECK(near(y, g(x)));
    for (int i = 0; i < 3; ++i) CHECK(near(pullback(gy), y * gy));
    CHECK(near(xg::grad([&, pull = pullback](auto& t) { return xg::sum(pull(t * t)); })(gy), 2. * gy * y));
    const auto through = [&](const Tensor& t) {
        auto [value, pull] = xg::vjp(g, t);
        return xg::sum(pull(gy) * value);
    };
    CHECK(near(xg::grad(through)(x), 2. * y * y * gy));
    auto [two, back] = xg::vjp([](const Tensor& a, const Tensor& b) { return a * b; }, x, gy);
    auto [da, db] = back(Tensor(xg::ones_like(x)));
    CHECK(near(da, gy));
    CHECK(near(db, x));
}

TEST_CASE("a pullback records nothing, and does not keep what others record") {
    const Tensor x = normal({1000}, 1);
    auto [y, pullback] = xg::vjp([](const Tensor& t) { return xg::exp(t); }, x);
    const auto users = [&] { return x.block()->references.load(); };
    const auto before = users();
    for (int i = 0; i < 5; ++i) {
        xg::Tape tape;
        Tensor z = x;
        for (int k = 0; k < 50; ++k) z = xg::sin(z) * x;
        const auto during = users();
        CHECK(during > before + 40);
        tape.gradient(xg::sum(z), x);
    }
    CHECK(users() == before);
    CHECK(near(pullback(x), y * x));
}

TEST_CASE("jvp") {
    const Tensor x = normal({2, 3}, 1), dx = normal({2, 3}, 2), b = normal({3}, 3), db = normal({3}, 4);
    auto [y, dy] = xg::jvp([](const Tensor& t) { return xg::sin(t); }, x, dx);
    CHECK(near(y, xg::sin(x)));
    CHECK(near(dy, xg::cos(x) * dx));
    auto [z, dz] = xg::jvp([](auto& p, auto& q) { return p * q; }, {x, b}, {dx, db});
    CHECK(near(dz, dx * b + x * db));
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(xg::jvp([](const Tensor& s) { return s * s * s; }, t, dx).second); })(x),
               6. * x * dx));
}

TEST_CASE("functions of several results") {
    const Tensor x = normal({3}, 1), dx = normal({3}, 2);
    const auto both = [](const Tensor& t) { return std::array<Tensor, 2>{xg::sin(t), xg::sum(t * t)}; };
    auto [y, dy] = xg::jvp(both, x, dx);
    CHECK(near(dy[0], xg::cos(x) * dx));
    CHECK(near(dy[1], 2. * xg::sum(x * dx)));
    auto [z, pullback] = xg::vjp(both, x);
    CHECK(near(pullback({dx, Tensor(3.)}), xg::cos(x) * dx + 6. * x));
    for (auto mode : {xg::JacobianMode::reverse, xg::JacobianMode::forward}) {
        const std::array<Tensor, 2> J = xg::jacobian(both, mode)(x);
        CHECK(near(J[0], xg::diag(xg::cos(x))));
        CHECK(near(J[1], 2. * x));
    }
    const auto mixed = [](const Tensor& t) { return std::vector<Tensor>{xg::astype(t, xg::f32), t * t, Tensor(1.), t * 3.}; };
    const std::vector<Tensor> J = xg::jacobian(mixed)(x);
    CHECK(near(J[1], 2. * xg::diag(x)));
    CHECK(near(J[2], xg::zeros_like(x)));
    CHECK(near(J[3], 3. * xg::eye(3)));
    auto [m, dm] = xg::jvp(mixed, x, dx);
    CHECK(dm[0].dtype() == xg::f32);
    CHECK(near(dm[1], 2. * x * dx));
}

TEST_CASE("jacobian: shapes, both modes") {
    const Tensor A = normal({4, 3}, 1), x = normal({3, 2}, 2);
    const auto g = [&](const Tensor& t) { return xg::matmul(A, t); };
    const Tensor want = xg::einsum("ij,kl->ikjl", A, xg::eye(2));
    for (auto mode : {xg::JacobianMode::automatic, xg::JacobianMode::reverse, xg::JacobianMode::forward}) {
        const Tensor J = xg::jacobian(g, mode)(x);
        CHECK(J.shape() == xg::Shape{4, 2, 3, 2});
        CHECK(near(J, want));
    }
    auto [JA, Jx] = xg::jacobian([](auto& p, auto& q) { return xg::matmul(p, q); })(A, x);
    CHECK(near(Jx, want));
    CHECK(JA.shape() == xg::Shape{4, 2, 4, 3});
    CHECK(near(xg::jacobian(f)(x), xg::grad(f)(x)));
    CHECK(xg::jacobian([](const Tensor& t) { return t * 2.; })(xg::zeros({0}, xg::f64)).shape() == xg::Shape{0, 0});
    CHECK(xg::jacobian([](const Tensor& t) { return t * 2.; }, xg::JacobianMode::forward)(xg::zeros({0, 2}, xg::f64)).shape() ==
          xg::Shape{0, 2, 0, 2});
    CHECK(near(xg::jacobian([](const Tensor&) { return xg::ones({2}, xg::f64); })(x), xg::zeros({2, 3, 2}, xg::f64)));
    // of a jacobian: d2(t^3) = 6 t on the diagonal of three axes
    const Tensor t = normal({3}, 5);
    const Tensor J2 =
        xg::jacobian([&](const Tensor& s) { return xg::jacobian([](const Tensor& r) { return r * r * r; })(s); })(t);
    CHECK(near(xg::einsum("iii->i", J2), 6. * t));
    CHECK(near(xg::sum(J2), 6. * xg::sum(t)));
}

TEST_CASE("hessian and hvp") {
    const Tensor A = normal({3, 3}, 1), x = normal({3}, 2), v = normal({3}, 3);
    const auto form = [&](const Tensor& t) { return xg::dot(t, xg::matmul(A, t)); };
    CHECK(near(xg::hessian(form)(x), A + xg::transpose(A)));
    CHECK(near(xg::hvp(form)(x, v), xg::matmul(A + xg::transpose(A), v)));
    const Tensor X = normal({2, 2}, 4);
    const Tensor H = xg::hessian([](const Tensor& t) { return xg::sum(t * t * t); })(X);
    CHECK(H.shape() == xg::Shape{2, 2, 2, 2});
    CHECK(near(xg::reshape(H, {4, 4}), xg::diag(xg::reshape(6. * X, {4}))));

    const Tensor b = normal({2}, 5), w = normal({2}, 6);
    const auto two = [](const Tensor& p, const Tensor& q) { return xg::sum(xg::sin(p)) * xg::sum(q * q); };
    const auto H2 = xg::hessian(two)(x, b);
    CHECK(near(H2[0][0], xg::diag(-xg::sin(x)) * xg::sum(b * b)));
    CHECK(near(H2[0][1], xg::outer(xg::cos(x), 2. * b)));
    CHECK(near(H2[1][0], xg::outer(2. * b, xg::cos(x))));
    CHECK(near(H2[1][1], 2. * xg::eye(2) * xg::sum(xg::sin(x))));
    auto [hx, hb] = xg::hvp(two)({x, b}, {v, w});
    CHECK(near(hx, xg::matmul(H2[0][0], v) + xg::matmul(H2[0][1], w)));
    CHECK(near(hb, xg::matmul(H2[1][0], v) + xg::matmul(H2[1][1], w)));
    const auto blocks = xg::hessian([&](const std::vector<Tensor>& p) { return two(p[0], p[1]); })(std::vector{x, b});
    CHECK(near(blocks[1][0], H2[1][0]));
}

TEST_CASE("perturbations of nested calls never mix") {
    const Tensor x(1.);
    CHECK(xg::grad([](auto& s) { return s * xg::grad([&](auto& t) { return s + t; })(s); })(x).item<double>() == 1);
    CHECK(xg::grad([&](auto& y) { return x + y; })(x).item<double>() == 1);
    CHECK(xg::jvp([](auto& s) { return s * xg::jvp([&](auto& t) { return s + t; }, s, Tensor(1.)).second; }, x, Tensor(1.))
              .second.item<double>() == 1);
    CHECK(xg::jvp([](auto& s) { return s * xg::grad([&](auto& t) { return s + t; })(s); }, x, Tensor(1.)).second.item<double>() ==
          1);
    CHECK(xg::grad([](auto& s) { return s * xg::jvp([&](auto& t) { return s + t; }, s, Tensor(1.)).second; })(x).item<double>() ==
          1);
    // d/dx x d/dy (x y) = 2x; and of the same tensor as both
    CHECK(xg::grad([](auto& s) { return s * xg::grad([&](auto& t) { return s * t; })(s); })(Tensor(3.)).item<double>() == 6);
    CHECK(xg::grad([](auto& s) { return xg::grad([&](auto& t) { return s * t * t; })(s); })(Tensor(3.)).item<double>() == 12);
}

TEST_CASE("captured tensors are variables of the transforms around") {
    const Tensor a(2.), b(5.);
    const auto outer = [&](const Tensor& s) { return xg::grad([&](auto& t) { return s * s * t * t; })(b); };
    CHECK(outer(a).item<double>() == 40);
    CHECK(xg::grad(outer)(a).item<double>() == 40);  // d/da 2 a^2 b
    xg::Tape tape;
    const Tensor g = xg::grad([&](auto& t) { return a * t * t; })(b);
    CHECK(tape.gradient(g, a).item<double>() == 10);
}

TEST_CASE("what does not depend has derivative zero, of which there are derivatives again") {
    const Tensor x = normal({3}, 1), c(4.);
    const auto constant = [&](const Tensor&) { return c; };
    CHECK(near(xg::grad(constant)(x), xg::zeros_like(x)));
    CHECK(near(xg::grad([](const Tensor&) { return Tensor(2.); })(x), xg::zeros_like(x)));
    CHECK(near(xg::grad([](const Tensor& t) { return xg::sum(xg::stop_gradient(t)); })(x), xg::zeros_like(x)));
    CHECK(near(xg::hessian(constant)(x), xg::zeros({3, 3}, xg::f64)));
    CHECK(near(xg::hessian([](const Tensor& t) { return xg::sum(t * 2.); })(x), xg::zeros({3, 3}, xg::f64)));
    CHECK(near(xg::hvp(constant)(x, x), xg::zeros_like(x)));
    CHECK(near(xg::jvp(constant, x, x).second, Tensor(0.)));
    CHECK(near(xg::vjp(constant, x).second(Tensor(1.)), xg::zeros_like(x)));
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(xg::grad(constant)(t)); })(x), xg::zeros_like(x)));
    CHECK(near(xg::grad([](const Tensor& t) { return xg::sum(xg::floor(t)); })(x), xg::zeros_like(x)));
    CHECK(near(xg::grad([](const Tensor& t) { return t; })(Tensor(3.)), Tensor(1.)));
}

TEST_CASE("a tensor kept from inside is a plain value") {
    const Tensor x(2.);
    Tensor kept;
    const Tensor g = xg::grad([&](auto& t) {
        kept = t * t;
        return kept * t;
    })(x);
    CHECK(g.item<double>() == 12);
    CHECK(xg::grad([&](auto& t) { return kept * t; })(x).item<double>() == 4);
    CHECK(has(complaint<xg::TapeError>([&] {
                  xg::Tape tape;
                  tape.gradient(x * 2., kept);
              }),
              "never seen"));
}

TEST_CASE("third derivatives by any mixture of modes") {
    const Tensor x = positive({4}, 1);
    const auto cubic = [](const Tensor& t) { return xg::sum(xg::log(t) * t * t); };  // f''' = 2 / t
    const Tensor third = xg::jacobian([&](const Tensor& t) { return xg::hessian(cubic)(t); })(x);
    CHECK(near(xg::einsum("iii->i", third), 2. / x));
    const auto along = [](auto g) { return [g](const Tensor& t) { return xg::jvp(g, t, xg::ones_like(t)).second; }; };
    CHECK(near(along(along(along([](const Tensor& t) { return xg::log(t) * t * t; })))(x), 2. / x));
    const auto summed = [](auto g) { return [g](const Tensor& t) { return xg::sum(xg::grad(g)(t)); }; };
    CHECK(near(xg::grad(summed(summed(cubic)))(x), 2. / x));
    CHECK(near(along(xg::grad(summed(cubic)))(x), 2. / x));
}

TEST_CASE("errors of transforms") {
    const Tensor x = normal({3}, 1), labels = xg::tensor({1, 2, 3});
    const auto twice = [](const Tensor& t) { return t * 2.; };
    CHECK(has(complaint<xg::TapeError>([&] { xg::grad(twice)(x); }), "[grad] the function returned (3,), not one element"));
    CHECK(has(complaint<xg::TapeError>([&] { xg::value_and_grad(twice)(x); }), "[value_and_grad]"));
    CHECK(has(complaint<xg::TapeError>([&] { xg::hessian(twice)(x); }), "[hessian]"));
    CHECK(has(complaint<xg::TapeError>([&] { xg::hvp(twice)(x, x); }), "[hvp]"));
    CHECK(has(complaint<xg::DtypeError>([&] { xg::grad(f)(labels); }), "[grad] argument 0 is i64 (3,)"));
    CHECK(has(complaint([&] { xg::grad(f)(Tensor()); }), "argument 0 is an empty tensor"));
    CHECK(has(complaint([&] { xg::grad([](auto&) { return Tensor(); })(x); }), "the function returned an empty tensor"));
    CHECK(has(complaint<xg::DtypeError>([&] { xg::grad([](auto& t) { return xg::astype(xg::sum(t), xg::i64); })(x); }),
              "the function returned i64"));
    CHECK(has(complaint<xg::ShapeError>([&] { xg::jvp(twice, x, Tensor(1.)); }), "[jvp] the tangent () needs the shape"));
    CHECK(has(complaint<xg::ShapeError>([&] { xg::hvp([&](const Tensor& t) { return xg::sum(twice(t)); })(x, Tensor(1.)); }),
              "[hvp] the tangent () needs the shape"));
    CHECK(has(complaint<xg::DtypeError>([&] { xg::jvp(twice, x, xg::zeros({3}, xg::f32)); }), "[jvp] mixes"));
    CHECK(has(complaint<xg::ShapeError>([&] { xg::hvp(f)(x, Tensor(1.)); }), "the tangent ()"));
    auto [y, pullback] = xg::vjp(twice, x);
    CHECK(has(complaint<xg::ShapeError>([&, pull = pullback] { pull(Tensor(1.)); }),
              "[vjp] the cotangent () needs the shape of the result, (3,)"));
    const auto many = [](const std::vector<Tensor>& v) { return v; };
    CHECK(has(complaint([&] { xg::jvp(many, std::vector{x, x}, std::vector{x}); }), "got 1 tangents"));
    CHECK(has(complaint([&] { xg::vjp(many, std::vector{x, x}).second({x}); }), "got 1 cotangents"));
    // nothing is left behind
    xg::Tape tape;
    CHECK_THROWS(xg::grad([](auto& t) -> Tensor { throw xg::Error("mine" + std::to_string(t.size())); })(x));
    CHECK(near(tape.gradient(f(x), x), xg::grad(f)(x)));
}
