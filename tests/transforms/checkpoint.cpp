// Recomputing instead of storing.
#include "near.hpp"

namespace {

Tensor layer(const Tensor& x, const Tensor& w) { return xg::tanh(xg::matmul(x, w)) + x; }

struct Block {
    Tensor w, b;
    Tensor operator()(const Tensor& x) const { return xg::tanh(xg::matmul(x, w) + b) * 2.; }
    static void visit(auto& self, auto&& field) { field("w", self.w), field("b", self.b); }
};

}  // namespace

TEST_CASE("the same value and gradients, captured weights included") {
    const Tensor x = normal({2, 3}, 1), w = normal({3, 3}, 2), v = normal({2, 3}, 3);
    const auto plain = [&](const Tensor& t, const Tensor& u) { return xg::sum(layer(layer(t, u), u) * v); };
    const auto stored = [&](const Tensor& t, const Tensor& u) {
        return xg::sum(xg::checkpoint([u](const Tensor& s) { return layer(layer(s, u), u); }, t) * v);
    };
    CHECK(near(stored(x, w), plain(x, w)));
    auto [dx, dw] = xg::grad(plain)(x, w);
    auto [cx, cw] = xg::grad(stored)(x, w);
    CHECK(near(cx, dx));
    CHECK(near(cw, dw));
    CHECK(near(xg::jvp(stored, {x, w}, {v, w}).second, xg::jvp(plain, {x, w}, {v, w}).second));
    xg::Tape tape;  // a leaf that the tape knows by nothing else
    const Tensor y = xg::checkpoint(Block{w, v}, x);
    CHECK(tape.nodes() == 1);
    auto [gw, gb] = tape.gradient(xg::sum(y), {w, v});
    auto [pw, pb] = xg::grad([&](auto& a, auto& b) { return xg::sum(Block{a, b}(x)); })(w, v);
    CHECK(near(gw, pw));
    CHECK(near(gb, pb));
}

TEST_CASE("higher orders through a checkpoint") {
    const Tensor x = normal({2, 2}, 1), w = normal({2, 2}, 2);
    const auto plain = [](const Tensor& t, const Tensor& u) { return xg::sum(layer(t, u)); };
    const auto stored = [](const Tensor& t, const Tensor& u) {
        return xg::sum(xg::checkpoint([u](const Tensor& s) { return layer(s, u); }, t));
    };
    const auto H = xg::hessian(plain)(x, w), C = xg::hessian(stored)(x, w);
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) CHECK(near(C[i][j], H[i][j]));
    const auto third = [&](auto f) {
        return xg::grad([&, f](auto& t) { return xg::sum(xg::hvp([&, f](const Tensor& s) { return f(s, w); })(t, x)); })(x);
    };
    CHECK(near(third(stored), third(plain)));
    CHECK_NOTHROW(xg::gradcheck(stored, x, w));
}

TEST_CASE("a checkpoint inside a checkpoint") {
    const Tensor x = normal({2, 3}, 1), w = normal({3, 3}, 2), u = normal({3, 3}, 3);
    const auto deep = [](const Tensor& t, const Tensor& p, const Tensor& q) {
        return xg::sum(xg::checkpoint(
            [p, q](const Tensor& s) {
                const Tensor inner = xg::checkpoint([p](const Tensor& r) { return layer(r, p); }, s);
                return xg::checkpoint([p, q](const Tensor& r) { return layer(r, q) * xg::sum(p); }, layer(inner, p * 1.5));
            },
            t));
    };
    const auto plain = [](const Tensor& t, const Tensor& p, const Tensor& q) {
        return xg::sum(layer(layer(layer(t, p), p * 1.5), q) * xg::sum(p));
    };
    const auto got = xg::grad(deep)(x, w, u), want = xg::grad(plain)(x, w, u);
    for (std::size_t i = 0; i < 3; ++i) CHECK(near(got[i], want[i]));
    const auto Hg = xg::hvp(deep)({x, w, u}, {x, w, u}), Hw = xg::hvp(plain)({x, w, u}, {x, w, u});
    for (std::size_t i = 0; i < 3; ++i) CHECK(near(Hg[i], Hw[i]));
}

TEST_CASE("arguments: several, lists, models, integers, one that is also captured, one unused") {
    const Tensor x = normal({2, 3}, 1), w = normal({3, 3}, 2), b = normal({3}, 3), index = xg::tensor({1, 0, 1});
    const Block block{w, b};
    const auto by_model = xg::grad([&](const Block& m) {
        return xg::sum(xg::checkpoint([](const Block& k, const Tensor& t) { return k(t); }, m, x));
    })(block);
    const auto plain = xg::grad([&](const Block& m) { return xg::sum(m(x)); })(block);
    CHECK(near(by_model.w, plain.w));
    CHECK(near(by_model.b, plain.b));
    CHECK(near(xg::grad([&](auto& t) {
                   return xg::sum(xg::checkpoint([](auto& s, auto& i) { return xg::take(s, i, 0) * 2.; }, t, index));
               })(x),
               xg::grad([&](auto& t) { return xg::sum(xg::take(t, index, 0) * 2.); })(x)));
    CHECK(near(xg::grad([](auto& t) { return xg::sum(xg::checkpoint([t](auto& s) { return s * t * t; }, t)); })(x), 3. * x * x));
    const std::vector<Tensor> list{x, x * 2.};
    CHECK(near(xg::grad([](const std::vector<Tensor>& v) {
                   return xg::sum(xg::checkpoint([](const std::vector<Tensor>& u) { return u[0] * u[1]; }, v));
               })(list)[1],
               x));
    auto [dx, db] =
        xg::grad([](auto& p, auto& q) { return xg::sum(xg::checkpoint([](auto& s, auto&) { return s * s; }, p, q)); })(x, b);
    CHECK(near(dx, 2. * x));
    CHECK(near(db, xg::zeros_like(b)));
}

TEST_CASE("more captured tensors than a mask has bits") {
    std::vector<Tensor> w;
    for (int i = 0; i < 70; ++i) w.push_back(Tensor(1. + 0.01 * i));
    const Tensor x(0.5);
    xg::Tape tape;
    const Tensor y = xg::checkpoint(
        [&](const Tensor& t) {
            Tensor s = t;
            for (const Tensor& u : w) s = xg::sin(s) * u + 0.1;
            return s;
        },
        x);
    const std::vector<Tensor> got = tape.gradient(y, w);
    const std::vector<Tensor> want = xg::grad([&](const std::vector<Tensor>& u) {
        Tensor s = x;
        for (const Tensor& t : u) s = xg::sin(s) * t + 0.1;
        return s;
    })(w);
    for (std::size_t i = 0; i < w.size(); ++i) CHECK(near(got[i], want[i]));
}

TEST_CASE("a generator held by value draws the same numbers again") {
    const Tensor x = normal({50}, 1);
    const auto dropped = [rng = xg::Rng(3)](const Tensor& t) mutable { return t * t * xg::uniform(t.shape(), xg::f64, rng); };
    auto once = dropped;
    const Tensor mask = once(xg::ones_like(x));
    CHECK(near(xg::grad([&](auto& t) { return xg::sum(xg::checkpoint(dropped, t)); })(x), 2. * x * mask));
}

TEST_CASE("what does not depend on anything is no node") {
    const Tensor x = normal({3}, 1), c = normal({3}, 2);
    xg::Tape tape;
    const Tensor same = xg::checkpoint([&](const Tensor&) { return c; }, x);
    CHECK(tape.nodes() == 0);
    CHECK(same.block() == c.block());
    const Tensor y = xg::checkpoint([&](const Tensor&) { return c; }, x) * 2.;
    CHECK(near(tape.gradient(xg::sum(y), c), xg::full({3}, 2., xg::f64)));
}

TEST_CASE("a tape holds the arguments of a checkpoint, not what happens inside") {
    const Tensor x = normal({1000}, 1), w = normal({1000}, 2);
    const auto chain = [&w](Tensor t) {
        for (int i = 0; i < 30; ++i) t = xg::sin(t) * w;
        return t;
    };
    {
        xg::Tape plain;
        chain(x);
        CHECK(plain.bytes() > 200000);
    }
    const auto users = [&] { return w.block()->references.load(); };
    const auto before = users();
    xg::Tape tape;
    const Tensor y = xg::checkpoint(chain, x);
    CHECK(tape.bytes() < 20000);
    CHECK(users() == before);
    tape.gradient(xg::sum(y), x);
    CHECK(users() == before);
}

TEST_CASE("a function that does something else the second time is found out") {
    Tensor w(2.);
    const Tensor x(3.);
    xg::Tape tape;
    const Tensor y = xg::checkpoint([&](const Tensor& t) { return t * w; }, x);
    const Tensor old = w;
    w = Tensor(5.);
    CHECK(has(complaint<xg::TapeError>([&] {
                  tape.gradient(y, {x, old});
              }),
              "[checkpoint] the function does not do in this walk"));
    xg::Tape other;
    int calls = 0;
    const Tensor z = xg::checkpoint([&](const Tensor& t) { return ++calls == 1 ? t * 2. : xg::stack({t, t}); }, x);
    CHECK(has(complaint<xg::TapeError>([&] { other.gradient(z, x); }), "[checkpoint]"));
}
