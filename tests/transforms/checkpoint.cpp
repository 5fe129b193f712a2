// Recomputing instead of storing.
#include <functional>
#include <random>
#include <utility>

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

TEST_CASE("a function that returns its argument returns that") {
    const Tensor x = normal({3}, 1), w = normal({3}, 2);
    xg::Tape tape;
    const Tensor y = xg::checkpoint([](const Tensor&, const Tensor& b) { return b; }, w, x);
    CHECK(tape.nodes() == 0);
    CHECK(y.block() == x.block());
    CHECK(near(tape.gradient(xg::sum(y * y), x), 2. * x));
    CHECK(near(xg::grad([](auto& t) { return xg::sum(xg::checkpoint([](auto& s) { return s; }, t * t)); })(x), 2. * x));
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

namespace {

/// Everything that draws, each a function of x and a generator.
const std::vector<std::pair<const char*, std::function<Tensor(const Tensor&, xg::Rng&)>>> drawing{
    {"dropout", [](auto& t, auto& r) { return xg::dropout(t, 0.5, r) * t; }},
    {"uniform", [](auto& t, auto& r) { return t * t * xg::uniform(t.shape(), xg::f64, r); }},
    {"uniform, f32", [](auto& t, auto& r) { return t * t * xg::astype(xg::uniform(t.shape(), xg::f32, r), xg::f64); }},
    {"randn", [](auto& t, auto& r) { return xg::sin(t * xg::randn(t.shape(), xg::f64, r)); }},
    {"randint", [](auto& t, auto& r) { return t * t * xg::astype(xg::randint(t.shape(), 0, 1000, r), xg::f64); }},
    {"permutation", [](auto& t, auto& r) { return xg::take(t * t, xg::permutation(t.shape(0), r), 0) * t; }},
    {"categorical",
     [](auto& t, auto& r) {
         return t * xg::sum(xg::take(t, xg::categorical(xg::ones({4, t.shape(0)}), r), 0), 0);
     }},
    {"split",
     [](auto& t, auto& r) {
         xg::Rng other = r.split();
         return xg::dropout(t * t, 0.5, other) * xg::uniform(t.shape(), xg::f64, r);
     }},
    {"attention",
     [](auto& t, auto& r) {
         return xg::attention(t, t * 0.5, t, {.heads = 2, .dropout = {0.4, r}}) * xg::dropout(t, 0.2, r);
     }},
    {"twice", [](auto& t, auto& r) { return xg::dropout(xg::tanh(xg::dropout(t * t, 0.3, r)), 0.3, r); }},
    {"a layer's argument",
     [](auto& t, auto& r) {
         const xg::nn::Dropout dropout{0.5};
         return dropout(t, r) * t;
     }},
    {"a checkpoint",
     [](auto& t, auto& r) {
         const Tensor u = xg::dropout(t, 0.2, r);
         const Tensor v = xg::checkpoint([&r](auto& s) { return xg::dropout(s * s, 0.5, r); }, u);
         return v * xg::dropout(u, 0.2, r);
     }},
};

}  // namespace

TEST_CASE("a generator held by reference draws the same numbers again, and stays where the first run left it") {
    {
        xg::Rng r(1);
        const Tensor x = xg::ones({8});
        xg::Tape tape;
        const Tensor y = xg::checkpoint([&r](auto& s) { return xg::dropout(s, .5, r); }, x);
        CHECK(near(tape.gradient(xg::sum(y), x), y / x));
    }
    const Tensor x = normal({6, 4}, 1), v = normal({6, 4}, 2);
    for (const auto& [name, f] : drawing) {
        CAPTURE(name);
        const auto& draw = f;
        const auto run = [&](bool stored, auto derivative) {
            xg::Rng r(7);
            const auto once = [&](const Tensor& t) { return draw(t, r); };
            const Tensor d = derivative([&](const Tensor& t) {
                r = xg::Rng(7);  // a second call in one transform starts as the first
                const Tensor h = stored ? xg::checkpoint(once, t) : once(t);
                const Tensor y = stored ? xg::checkpoint(once, h * 0.5) : once(h * 0.5);  // goes on from there
                return xg::sum(y * v);
            });
            return std::pair(d, r.position());
        };
        const auto same = [&](auto derivative) {
            const auto [want, at] = run(false, derivative);
            const auto [got, there] = run(true, derivative);
            CHECK(at > 0);
            CHECK(there == at);
            CHECK(near(got, want));
            CHECK(xg::amax(xg::abs(want)).template item<double>() > 0);
        };
        same([&](auto g) { return xg::grad(g)(x); });
        same([&](auto g) { return xg::jvp(g, x, v).second; });
        same([&](auto g) { return xg::hvp(g)(x, v); });
        same([&](auto g) {
            xg::Tape tape(xg::persistent);
            const Tensor y = g(x);
            tape.gradient(y, x);
            return tape.gradient(y, x) + tape.gradient(y, x);
        });
    }
}

TEST_CASE("draws after a checkpoint's second run are those that would have come without it") {
    const Tensor x = normal({6}, 1);
    xg::Rng r(3), s(3);
    const auto noise = [](xg::Rng& g) { return xg::uniform({6}, xg::f64, g); };
    noise(s);
    xg::Tape tape;
    const Tensor y = xg::sum(xg::checkpoint([&](auto& t) { return t * noise(r); }, x));
    const Tensor between = noise(r);
    CHECK(near(between, noise(s)));
    xg::Rng moved = r;
    r = xg::Rng(99);  // not even that matters
    tape.gradient(y, x);
    CHECK((r.seed() == 99 && r.position() == 0));
    CHECK(near(noise(moved), noise(s)));
}

TEST_CASE("a function that does something else the second time is found out") {
    const Tensor x = normal({3}, 1);
    struct World {
        Tensor w = Tensor(2.), other = Tensor(3.);
        xt::xarray<double> array = {1., 2., 3.};
        double number = 2;
        bool branch = false;
        int times = 1;
        std::mt19937 foreign{1};
        xg::Rng r{1};
    };
    struct Change {
        const char* name;
        std::function<Tensor(World&, const Tensor&)> f;
        std::function<void(World&)> change;
        const char* says;
    };
    const std::vector<Change> changes{
        {"a weight, stepped", [](auto& c, auto& t) { return t * c.w; }, [](auto& c) { c.w -= 0.1; }, "given a new value"},
        {"a weight, to equal values", [](auto& c, auto& t) { return t * c.w; }, [](auto& c) { c.w = Tensor(2.); },
         "given a new value"},
        {"two weights, exchanged", [](auto& c, auto& t) { return t * c.w + c.other; }, [](auto& c) { std::swap(c.w, c.other); },
         "given a new value"},
        {"a weight less", [](auto& c, auto& t) { return c.branch ? t * 1. : t * c.w; }, [](auto& c) { c.branch = true; },
         "other tensors or ops"},
        {"a weight more", [](auto& c, auto& t) { return c.branch ? t * c.w : t * 1.; }, [](auto& c) { c.branch = true; },
         "other tensors or ops"},
        {"a number", [](auto& c, auto& t) { return t * c.number; }, [](auto& c) { c.number = 3; }, "a number"},
        {"a bound that no element meets", [](auto& c, auto& t) { return xg::clip(t, -100., 100. * c.number); },
         [](auto& c) { c.number = 3; }, "a number"},
        {"an op of equal value", [](auto& c, auto& t) { return c.branch ? xg::stop_gradient(t) + t - t : t + t - t; },
         [](auto& c) { c.branch = true; }, "other tensors or ops"},
        {"an op", [](auto& c, auto& t) { return c.branch ? xg::sin(t) : xg::cos(t); }, [](auto& c) { c.branch = true; },
         "other tensors or ops"},
        {"operands, exchanged", [](auto& c, auto& t) { return c.branch ? c.w - t : t - c.w; }, [](auto& c) { c.branch = true; },
         "other tensors or ops"},
        {"a shape",
         [](auto& c, auto& t) {
             return c.branch ? xg::stack({t, t}) : t * 2.;
         },
         [](auto& c) { c.branch = true; }, "other tensors or ops"},
        {"a loop",
         [](auto& c, auto t) {
             for (int i = 0; i < c.times; ++i) t = xg::tanh(t);
             return t;
         },
         [](auto& c) { c.times = 2; }, "other tensors or ops"},
        {"no dependence", [](auto& c, auto& t) { return c.branch ? c.w : t * c.w; }, [](auto& c) { c.branch = true; },
         "no longer depends"},
        {"an array", [](auto& c, auto& t) { return t * Tensor(c.array); }, [](auto& c) { c.array(2) = 7; }, "other values"},
        {"a constant", [](auto& c, auto& t) { return t + xg::full({3}, c.number); }, [](auto& c) { c.number = 3; },
         "other values"},
        {"a foreign generator",
         [](auto& c, auto& t) { return t * Tensor(std::uniform_real_distribution<double>(1, 2)(c.foreign)); }, [](auto&) {},
         "other values"},
        {"a draw more",
         [](auto& c, auto& t) {
             if (c.branch) c.r.split();
             return xg::dropout(t, 0.5, c.r);
         },
         [](auto& c) { c.branch = true; }, "more or less often"},
        {"a draw less", [](auto& c, auto& t) { return c.branch ? t * 1. : xg::dropout(t, 0.5, c.r); },
         [](auto& c) { c.branch = true; }, "more or less often"},
        {"a dropout's rate", [](auto& c, auto& t) { return xg::dropout(t, 0.1 * c.number, c.r); }, [](auto& c) { c.number = 3; },
         "a number"},
    };
    for (const Change& change : changes)
        for (const bool forward : {false, true}) {
            CAPTURE(change.name);
            CAPTURE(forward);
            World world, want;
            const Tensor w = world.w;
            want.w = w, want.other = world.other;
            xg::Tape tape;
            const Tensor y = xg::sum(xg::checkpoint([&](const Tensor& t) { return change.f(world, t); }, x));
            const auto derivative = [&](xg::Tape& t, const Tensor& of) { return forward ? t.jvp(of, x, x) : t.gradient(of, x); };
            World before = world;
            change.change(world);
            const std::string text = complaint<xg::TapeError>([&] { derivative(tape, y); });
            CHECK(has(text, "[checkpoint] the function does not do in this walk what it did before"));
            CHECK(has(text, change.says));
            CHECK(has(text, "by value"));
            if (std::string(change.name) == "a foreign generator") continue;
            world = before;  // then it is as if nothing had been
            xg::Tape plain;
            const Tensor z = xg::sum(change.f(want, x));
            CHECK(near(derivative(tape, y), derivative(plain, z)));
        }
}

TEST_CASE("what makes no difference to the result is no change") {
    const Tensor x = normal({5, 3}, 1);
    Tensor mask, unused(1.);
    int runs = 0;
    xg::nn::BatchNorm norm(3, {.dtype = xg::f64});
    const auto f = [&](const Tensor& t) {
        if (!mask.defined()) mask = xg::exp(xg::arange(3.)) * 2.;  // made by ops in the first run, and kept
        const Tensor count = unused * double(++runs);
        return norm(t * mask, xg::nn::training) * t;
    };
    Tensor y, g;
    {
        xg::Tape tape;
        y = xg::sum(xg::checkpoint(f, x));
        unused = Tensor(2.);
        g = tape.gradient(y, x);
    }
    CHECK(runs == 2);
    CHECK(near(g, xg::grad([&](const Tensor& t) { return xg::sum(f(t)); })(x)));
}
