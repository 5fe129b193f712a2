// Attention against naive loops and against the composition of other ops, with every option and pair of options.
#include "attention.hpp"

#include <cstring>

#include "instruction_sets.hpp"

using namespace attention_problems;

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() && std::memcmp(a.data<float>(), b.data<float>(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("attention with every pair of options agrees with naive loops") {
    in_each_set([] {
        xg::Rng rng(1);
        for (int i = 0; i < option_count; ++i)
            for (int j = i; j < option_count; ++j) {
                CAPTURE(i);
                CAPTURE(j);
                for (const Index queries : {9, 1}) {
                    CAPTURE(queries);
                    const Problem p = make({.queries = queries}, {Option(i), Option(j)}, rng);
                    check_naive(p, xg::f64, 1e-12, rng);
                    check_naive(p, xg::f32, p.x[3].item<double>() > 10 ? 1e-3 : 2e-5, rng);
                }
            }
    });
}

TEST_CASE("attention of many sizes agrees with naive loops") {
    in_each_set([] {
        xg::Rng rng(2);
        const Sizes all[] = {{1, 1, 1, 1, 1, 1, 1},       {2, 0, 5, 3, 2, 1, 1},      {2, 5, 0, 3, 2, 1, 1},
                             {0, 5, 4, 3, 2, 1, 1},       {1, 1, 300, 33, 19, 1, 1},  {1, 300, 1, 8, 2, 1, 1},
                             {1, 131, 257, 19, 33, 1, 1}, {1, 270, 140, 16, 8, 2, 2}, {3, 65, 129, 7, 40, 2, 2},
                             {1, 64, 128, 64, 64, 1, 1},  {2, 2, 1100, 16, 40, 1, 1}, {1, 3, 600, 35, 19, 4, 2},
                             {1, 8, 513, 32, 17, 2, 2}};
        for (const Sizes& n : all)
            for (const auto& chosen : std::vector<std::vector<Option>>{
                     {}, {causal}, {causal, offset_on, bias}, {window, mask}, {causal, window, grouped}}) {
                CAPTURE(n.queries);
                CAPTURE(n.keys);
                CAPTURE(chosen.size());
                const Problem p = make(n, chosen, rng);
                check_naive(p, xg::f64, 1e-12, rng);
                if (chosen.size() == 1) check_naive(p, xg::f32, 5e-5, rng);
            }
    });
}

TEST_CASE("second derivatives of attention, in four ways, are those of the composition") {
    in_each_set([] {
        xg::Rng rng(3);
        for (int i = 0; i < option_count; ++i)
            for (int j = i; j < option_count; ++j) {
                CAPTURE(i);
                CAPTURE(j);
                const Problem p = make({}, {Option(i), Option(j)}, rng);
                check_second(p, p.x, rng, p.x[3].item<double>() > 10 ? 1e-8 : 1e-11);
            }
        for (const Sizes& n : {Sizes{1, 131, 257, 19, 33, 1, 1}, Sizes{2, 70, 140, 16, 8, 2, 2}, Sizes{1, 5, 0, 3, 2, 1, 1}})
            for (const auto& chosen : std::vector<std::vector<Option>>{{}, {causal}, {causal, window, grouped, bias}}) {
                const Problem p = make(n, chosen, rng);
                CAPTURE(n.queries);
                check_second(p, p.x, rng, 1e-11);
            }
    });
}

TEST_CASE("derivatives of attention agree with differences") {
    xg::Rng rng(4);
    const Sizes n{2, 3, 4, 2, 3, 2, 2};
    for (int i = 0; i < option_count; ++i) {
        if (i == minus_inf || i == large || i == zero_scale || i == query_bias) continue;
        CAPTURE(i);
        const Problem p = make(n, {Option(i), i == mask || i == key_mask ? Option(i) : causal}, rng);
        xg::detail::gradcheck([&](std::span<const Tensor> v) { return p(Tensors(v.begin(), v.end())); }, p.x, {});
    }
}

TEST_CASE("third derivatives of attention are those of the composition") {
    xg::Rng rng(5);
    const Problem p = make({1, 3, 4, 2, 3, 2, 2}, {causal, bias}, rng);
    const Tensors d = directions(p.x, rng);
    const auto agree = [&](auto first, auto second) {  // derivatives: the first, that of it, and of that the gradient
        const auto third = [&](bool fused) {
            xg::Tape outer;
            const Tensor two = [&] {
                xg::Tape middle;
                const Tensor one = [&] {
                    xg::Tape inner;
                    return first(inner, p.vector(p.x, fused));
                }();
                return second(middle, one);
            }();
            return outer.gradient(xg::sum(two * xg::cos(two)), p.x);
        };
        const Tensors got = third(true), want = third(false);
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(error(got[i], want[i]) < 1e-11);
    };
    const auto tangent = [&](xg::Tape& tape, const Tensor& y) { return tape.jvp(y, p.x, d); };
    const auto gradient = [&](std::size_t i) {
        return [&p, i](xg::Tape& tape, const Tensor& y) { return tape.gradient(xg::sum(xg::square(y)), p.x[i]); };
    };
    agree(gradient(0), gradient(1));
    agree(tangent, tangent);
    agree(tangent, gradient(1));
    agree(gradient(2), tangent);
}
TEST_CASE("the tangent of attention along a tangent that moves is the tangent along that") {
    xg::Rng rng(6);
    const Problem p = make({1, 3, 4, 2, 3, 2, 2}, {causal, bias}, rng);
    const Tensors d = directions(p.x, rng);
    const auto along = [&](const Tensor& u) {
        Tensors moved = d;
        moved[1] = u;
        xg::Tape tape;
        return tape.jvp(p.vector(p.x, true), p.x, moved);
    };
    const Tensor u = xg::randn(p.x[1].shape(), p.x[1].dtype(), rng), nothing = xg::zeros_like(u);
    CHECK(error(xg::jvp(along, d[1], u).second, along(u) - along(nothing)) < 1e-12);
}

TEST_CASE("long rows of attention agree with the composition") {
    xg::Rng rng(6);
    const std::pair<Index, std::vector<Option>> cases[] = {{1024, {causal}}, {1024, {window, bias}}, {4096, {causal, dropout}}};
    for (const auto& [rows, chosen] : cases) {
        const Problem p = make({1, rows, rows, 16, 8, 1, 1}, chosen, rng);
        const Tensor g = xg::randn({1, rows, 8}, xg::f64, rng);
        const auto gradients = [&](bool fused) {
            xg::Tape tape;
            const Tensor y =
                fused ? p(p.x) : xg::reshape(xg::view(p.vector(p.x, false), xt::range(Index(0), rows * 8)), {1, rows, 8});
            Tensors all = tape.vjp(y, g, p.x);
            all.push_back(y);
            return all;
        };
        const auto got = gradients(true), want = gradients(false);
        for (std::size_t i = 0; i < got.size(); ++i) CHECK(error(got[i], want[i]) < 1e-12);
    }
}

TEST_CASE("attention reads slices of one buffer, and any strides") {
    xg::Rng rng(7);
    const Tensor all = xg::randn({2, 9, 24}, xg::f64, rng), g = xg::randn({2, 9, 8}, xg::f64, rng);
    const auto f = [](const Tensor& x, bool copies) {
        Tensors parts{xg::view(x, xt::all(), xt::all(), xt::range(0, 8)), xg::view(x, xt::all(), xt::all(), xt::range(8, 16)),
                      xg::view(x, xt::all(), xt::all(), xt::range(16, 24))};
        if (copies)
            for (Tensor& t : parts) t = xg::copy(t);
        return xg::attention(parts[0], parts[1], parts[2], {.causal = true, .heads = 2});
    };
    xg::Tape one, two;
    const Tensor y = f(all, false), z = f(all, true);
    CHECK(error(y, z) == 0);
    CHECK(error(one.vjp(y, g, all), two.vjp(z, g, all)) == 0);
    const Tensor q = xg::randn({3, 8, 2, 9}, xg::f64, rng), moved = xg::permute(q, {2, 0, 3, 1});
    CHECK(error(xg::attention(moved, moved, moved), xg::attention(xg::copy(moved), xg::copy(moved), xg::copy(moved))) == 0);
    const Tensor broad = xg::broadcast_to(g, {4, 2, 9, 8});
    CHECK(error(xg::attention(broad, broad, broad), xg::attention(xg::copy(broad), xg::copy(broad), xg::copy(broad))) == 0);
}

TEST_CASE("attention gives the same bits for any number of threads") {
    xg::Rng rng(8);
    const int before = xg::num_threads();
    for (const Sizes& n : {Sizes{1, 300, 700, 16, 8, 1, 1}, Sizes{2, 300, 200, 16, 8, 3, 3}, Sizes{1, 200, 300, 8, 16, 4, 2}}) {
        const Problem p = make(n, {causal, offset_on, bias}, rng);
        Tensors x;
        for (const Tensor& t : p.x) x.push_back(xg::astype(t, xg::f32));
        const Tensor g = xg::randn({n.batch, n.queries, n.heads * n.value_width}, xg::f32, rng);
        Tensors along = directions(x, rng);
        along.push_back(xg::randn(g.shape(), xg::f32, rng));
        std::vector<Tensors> results;
        for (const int threads : {1, 2, 3}) {
            xg::set_num_threads(threads);
            Tensors all{p(x)};
            xg::Tape tape;
            for (const Tensor& t : tape.vjp(p(x), g, x)) all.push_back(t);
            for (const Tensors& way : second_order(p, x, g, along))
                for (const Tensor& t : way) all.push_back(t);
            results.push_back(all);
        }
        for (const Tensors& other : results)
            for (std::size_t i = 0; i < other.size(); ++i) CHECK(same_bits(xg::copy(other[i]), xg::copy(results[0][i])));
    }
    xg::set_num_threads(before);
}

TEST_CASE("the gradient of a bias that batches share is the sum of theirs, in both orders") {
    in_each_set([] {
        xg::Rng rng(10);
        const xg::AttentionOptions plain{.causal = true, .offset = 90, .heads = 2};
        const Tensor q = xg::randn({3, 1, 150, 8}, xg::f64, rng), k = xg::randn({3, 1, 270, 8}, xg::f64, rng),
                     v = xg::randn({3, 1, 270, 6}, xg::f64, rng), g = xg::randn({3, 1, 150, 6}, xg::f64, rng);
        const auto derivatives = [&](const Tensor& bias, const Tensor& along) {
            xg::AttentionOptions o = plain;
            o.bias = bias;
            xg::Tape outer, inner;
            const Tensor first = inner.gradient(xg::sum(xg::attention(q, k, v, o) * g), bias);
            return Tensors{first, outer.gradient(xg::sum(first * along), bias)};
        };
        for (const xg::Shape& shape : {xg::Shape{2, 150, 270}, {1, 1, 2, 150, 270}, {2, 1, 270}, {150, 270}}) {
            const Tensor bias = xg::randn(shape, xg::f64, rng), along = xg::randn(shape, xg::f64, rng);
            const auto own = [](const Tensor& x) { return xg::copy(xg::broadcast_to(x, {3, 1, 2, 150, 270})); };
            const Tensors shared = derivatives(bias, along), apart = derivatives(own(bias), own(along));
            for (std::size_t i : {0, 1}) {
                Tensor sum = apart[i];  // [3, 1, 2, 150, 270], over what is shared
                for (xg::Index axis = 0; axis < 5; ++axis)
                    if (axis + bias.dimension() < 5 || bias.shape(axis - 5) == 1) sum = xg::sum(sum, {axis}, xt::keep_dims);
                CHECK(error(shared[i], xg::reshape(sum, shape)) < 1e-12);
            }
        }
    });
}

TEST_CASE("a query that may attend to nothing gives 0 and has no gradient") {
    xg::Rng rng(9);
    const Tensor k = xg::randn({5, 6}, xg::f64, rng), v = xg::randn({5, 3}, xg::f64, rng), never = xg::full({5}, -inf);
    for (const Index queries : {9, 1}) {
        const Tensor q = xg::randn({queries, 6}, xg::f64, rng), none = xg::zeros({queries, 5}) > 0;
        for (const xg::AttentionOptions& o : {xg::AttentionOptions{.bias = never},
                                              {.mask = none},
                                              {.causal = true, .window = 0},
                                              {.causal = true, .offset = -9}}) {
            xg::Tape tape(xg::check_finite);
            const Tensor y = xg::attention(q, k, v, o);
            for (const Tensor& g : tape.vjp(y, xg::ones_like(y), Tensors{q, k, v})) CHECK(error(g, xg::zeros_like(g)) == 0);
            CHECK(error(y, xg::zeros_like(y)) == 0);
            CHECK(xg::all(xg::equal(xg::attention_logsumexp(q, k, v, o).second, -inf)).item<bool>());
        }
    }
}

TEST_CASE("a bias that is low but finite is a number as any other") {
    in_each_set([] {
        xg::Rng rng(10);
        for (const xg::Dtype dtype : {xg::f32, xg::f64})
            for (const Index queries : {9, 1})
                for (const double low : {-1e4, -1e9, 1e9, -1e31, -double(std::numeric_limits<float>::max())}) {
                    CAPTURE(low);
                    const Tensor q = xg::randn({queries, 6}, dtype, rng), k = xg::randn({8, 6}, dtype, rng),
                                 v = xg::randn({8, 3}, dtype, rng);
                    const xg::AttentionOptions o{.scale = low == -1e4 ? 0. : 1., .bias = xg::full({queries, 8}, low, dtype)};
                    xg::Tape tape(xg::persistent);
                    const Tensor y = xg::attention(q, k, v, o), back = tape.vjp(y, xg::ones_like(y), v);
                    // Each query's probabilities sum to 1, whatever the scores.
                    CHECK(error(xg::sum(back, 0), xg::full({3}, double(queries), dtype)) < 1e-5);
                    CHECK(error(tape.jvp(y, v, xg::ones_like(v)), xg::ones_like(y)) < 1e-5);
                    if (low != -1e4 && dtype == xg::f64) continue;
                    const Tensor mean = xg::broadcast_to(xg::mean(v, 0), y.shape());  // rounded to one score, all are alike
                    if (std::fabs(low) > 1e8 || low == -1e4) CHECK(error(y, mean, 1) < 1e-6);
                    CHECK(error(xg::attention(q, k, v, o), y) < 1e-6);
                }
    });
}

TEST_CASE("probabilities of large scores sum to 1 in the adjoint, too") {
    in_each_set([] {
        xg::Rng rng(11);
        for (const double size : {3., 30., 3000.})
            for (const Index keys : {1, 150}) {
                CAPTURE(size);
                CAPTURE(keys);
                const Tensor q = xg::randn({70, 19}, xg::f32, rng) * size, k = xg::randn({keys, 19}, xg::f32, rng) * size,
                             v = xg::randn({keys, 5}, xg::f32, rng), dq = xg::randn({70, 19}, xg::f32, rng);
                xg::Tape outer;
                const auto [y, back] = [&] {
                    xg::Tape tape;
                    const Tensor out = xg::attention(q, k, v, {.scale = 1});
                    return std::pair(out, tape.vjp(out, xg::ones_like(out), v));
                }();
                CHECK(error(xg::sum(back, 0), xg::full({5}, 70., xg::f32)) < 1e-6);
                // Of what moves, nothing is lost: the sum over the keys stays.
                const Tensor moved = outer.jvp(back, q, dq);
                CHECK(error(xg::sum(moved, 0), xg::zeros({5}, xg::f32), 1 + xg::amax(xg::abs(moved)).item<float>()) < 1e-4);
            }
    });
}

TEST_CASE("a NaN is passed on, and so is an infinity") {
    const double nan = std::nan("");
    for (const Index queries : {9, 1}) {
        const Tensor x = xg::ones({queries, 2});
        CHECK(std::isnan(xg::attention(x, x * nan, x).data<double>()[0]));
        for (const Tensor& k : {x * nan, x * inf}) {
            CHECK(std::isnan(xg::attention_logsumexp(x, k, x).second.data<double>()[0]));
            xg::Tape tape;
            CHECK(std::isnan(xg::attention_logsumexp(x, k, x).second.data<double>()[0]));
        }
    }
}

TEST_CASE("empty tensors of any batch cost nothing") {
    const Tensor none = xg::zeros({Index(1) << 40, 0, 4});
    xg::Tape tape;
    const Tensor y = xg::attention(none, none, none, {.bias = xg::ones({1})});
    CHECK(tape.vjp(y, y, none).shape() == none.shape());
}

TEST_CASE("attention tells what does not fit") {
    const auto message = [](auto f) -> std::string {
        try {
            f();
        } catch (const xg::ShapeError& e) {
            return std::string("shape: ") + e.what();
        } catch (const xg::DtypeError& e) {
            return std::string("dtype: ") + e.what();
        } catch (const xg::Error& e) {
            return e.what();
        }
        return "nothing thrown";
    };
    const Tensor q = xg::zeros({2, 3, 8}), k = xg::zeros({2, 5, 8}), v = xg::zeros({2, 5, 6});
    const auto call = [&](xg::AttentionOptions o) { return message([&] { xg::attention(q, k, v, o); }); };
    const auto with = [&](Tensor a, Tensor b, Tensor c) { return message([&] { xg::attention(a, b, c, {.heads = 2}); }); };
    const auto names = [](const std::string& text, std::initializer_list<const char*> parts) {
        INFO(text);
        for (const char* part : parts) CHECK(text.find(part) != std::string::npos);
    };
    names(with(xg::zeros({8}), k, v), {"shape: [attention]", "q (8,)", "two axes"});
    names(with(q, xg::zeros({3, 5, 8}), v), {"shape:", "(2, 3, 8)", "k (3, 5, 8)"});
    names(with(q, k, xg::zeros({5, 6})), {"shape:", "v (5, 6)"});
    names(with(q, k, xg::zeros({2, 4, 6})), {"shape:", "k (2, 5, 8)", "v (2, 4, 6)"});
    names(with(q, xg::zeros({2, 5, 6}), v), {"shape:", "k (2, 5, 6)", "q (2, 3, 8)", "8"});
    names(with(xg::zeros({2, 3, 0}), xg::zeros({2, 5, 0}), v), {"shape:", "no columns"});
    names(with(xg::astype(q, xg::i64), k, v), {"dtype:"});
    names(with(q, xg::astype(k, xg::f32), v), {"dtype:", "f32", "f64"});
    names(call({.heads = 3}), {"shape:", "q (2, 3, 8)", "3 heads"});
    names(call({.heads = 0}), {"shape:", "heads is 0"});
    names(call({.heads = 4, .kv_heads = 3}), {"shape:", "4 heads", "3 kv_heads"});
    names(call({.heads = 4, .kv_heads = 0}), {"shape:", "kv_heads is 0"});
    names(call({.heads = 4, .kv_heads = 4}), {"shape:", "v (2, 5, 6)", "4 heads"});
    names(call({.window = -1}), {"window is -1"});
    xg::Rng rng(1);
    for (const double rate : {-0.1, 1., std::nan("")}) names(call({.dropout = {rate, rng}}), {"dropout is", "below 1"});
    names(call({.scale = xg::zeros({1}), .dropout = {0.1, rng}}), {"shape:"});
    CHECK(rng.position() == 0);
    names(call({.bias = xg::zeros({3, 4})}), {"shape:", "bias (3, 4)", "(2, 1, 3, 5)"});
    names(call({.bias = xg::zeros({3, 5}, xg::f32)}), {"dtype:", "f32"});
    names(call({.mask = xg::zeros({3, 5})}), {"dtype:", "mask", "f64"});
    names(call({.mask = xg::zeros({1, 2, 1, 3, 5}) > 0}), {"shape:", "mask (1, 2, 1, 3, 5)"});
    names(call({.scale = xg::zeros({1})}), {"shape:", "scale (1,)"});
    names(call({.scale = xg::zeros({}, xg::f32)}), {"dtype:", "f32"});
    names(call({.scale = Tensor(std::int64_t(1))}), {"dtype:", "i64"});
    const Tensor X = xg::zeros({4, 5}), Y = xg::zeros({4, 6}), A = xg::zeros({3, 4}), C = xg::zeros({6, 4});
    const auto block = [&](Tensor x, Tensor y, Tensor a, Tensor b, Tensor c) {
        return message([&] { xg::attention_block(x, y, a, b, c, 1); });
    };
    CHECK(block(X, Y, A, A, C) == "nothing thrown");
    names(block(xg::zeros({4}), Y, A, A, C), {"shape: [attention_block]", "X (4,)"});
    names(block(X, xg::zeros({5, 6}), A, A, C), {"shape:", "Y (5, 6)", "4"});
    names(block(X, Y, xg::zeros({3, 5}), A, C), {"shape:", "A (3, 5)"});
    names(block(X, Y, A, xg::zeros({2, 4}), C), {"shape:", "B (2, 4)"});
    names(block(X, Y, A, A, xg::zeros({4, 6})), {"shape:", "C (4, 6)"});
    names(block(X, Y, A, xg::zeros({3, 4}, xg::f32), C), {"dtype:"});
}

TEST_CASE("a call that fails leaves the generator where it was") {
    xg::Rng rng(12);
    const Tensor k = xg::ones({1, 4}), huge = xg::broadcast_to(k, {Index(1) << 50, 4});
    CHECK_THROWS_AS(xg::attention(huge, k, k, {.dropout = {0.5, rng}}), xg::Error);
    CHECK(rng.split().seed() == xg::Rng(12).split().seed());
    xg::AttentionOptions without;
    without.dropout.rate = 0.5;
    CHECK_THROWS_WITH_AS(xg::attention(k, k, k, without),
                         "[attention] dropout of 0.5 has no generator; give both, as in .dropout = {0.5, rng}", xg::Error);
}

TEST_CASE("dropout drops probabilities at its rate, others in each head, and others each time") {
    const Index n = 500;
    const Tensor q = xg::zeros({2, n, 4}), eye = xg::eye(n), v = xg::concatenate(std::vector{eye, eye}, 1),
                 values = xg::stack(std::vector{v, v});
    xg::Rng rng(1), again(1);
    const auto kept = [&](xg::Rng& r) { return xg::attention(q, q, values, {.heads = 2, .dropout = {0.2, r}}) * double(n); };
    const Tensor first = kept(rng), second = kept(rng);
    CHECK(error(kept(again), first) == 0);
    CHECK(again.position() == 1);
    const double count = double(first.size());
    CHECK(xg::count_nonzero(xg::isclose(first, 1.25)).item<std::int64_t>() +
              xg::count_nonzero(xg::equal(first, 0.)).item<std::int64_t>() ==
          count);
    const auto rate = [&](const Tensor& x) { return xg::mean(xg::astype(xg::equal(x, 0.), xg::f64)).item<double>(); };
    CHECK(std::fabs(rate(first) - 0.2) < 5 * std::sqrt(0.16 / count));
    const auto both = [&](const Tensor& x, const Tensor& y) { return rate(x + y); };  // dropped in one and the other
    const auto part = [&](Index b, Index h) { return xg::view(first, b, xt::all(), xt::range(h * n, (h + 1) * n)); };
    const double close = 5 * std::sqrt(0.04 * 0.96 / (count / 4));
    for (const Tensor& other : {part(0, 1), part(1, 0), part(1, 1), xg::transpose(part(0, 0)), xg::roll(part(0, 0), 1, 0),
                                xg::roll(part(0, 0), 1, 1), Tensor(xg::view(second, 0, xt::all(), xt::range(Index(0), n)))})
        CHECK(std::fabs(both(part(0, 0), other) - 0.04) < close);
}

TEST_CASE("the attention block is the softmax written out") {
    xg::Rng rng(11);
    const Index r = 3, n = 4, p = 5, m = 6;
    const auto fused = [](const Tensors& v) { return xg::attention_block(v[0], v[1], v[2], v[3], v[4], v[5]); };
    const auto written = [](const Tensors& v) {
        const Tensor scores = xg::matmul(xg::transpose(xg::matmul(v[2], v[0])), xg::matmul(v[3], v[1]));
        return xg::matmul(xg::softmax(v[5] * scores, -1), xg::matmul(v[4], v[0]));
    };
    for (const double lambda : {0.7, 0.}) {
        const Tensors x{xg::randn({n, p}, xg::f64, rng), xg::randn({n, m}, xg::f64, rng), xg::randn({r, n}, xg::f64, rng),
                        xg::randn({r, n}, xg::f64, rng), xg::randn({m, n}, xg::f64, rng), Tensor(lambda)};
        CHECK(fused(x).shape() == Shape{p, p});
        CHECK(error(fused(x), written(x)) < 1e-14);
        const Tensor g = xg::randn({p, p}, xg::f64, rng);
        xg::Tape one, two;
        const auto a = one.vjp(fused(x), g, x), b = two.vjp(written(x), g, x);
        for (std::size_t i = 0; i < a.size(); ++i) CHECK(error(a[i], b[i], 1) < 1e-13);
        Tensors along = directions(x, rng);
        along.push_back(xg::randn(g.shape(), xg::f64, rng));
        const auto got = second_order(fused, x, g, along), want = second_order(written, x, g, along);
        for (std::size_t way = 0; way < got.size(); ++way)
            for (std::size_t i = 0; i < got[way].size(); ++i) CHECK(error(got[way][i], want[way][i], 1) < 1e-12);
        const Tensor X = x[0], C = xg::randn({p, n}, xg::f64, rng);
        const auto self = [&](auto f) {
            xg::Tape tape;
            return tape.vjp(f(Tensors{X, X, x[2], x[3], C, x[5]}), g, X);
        };
        CHECK(error(self(fused), self(written)) < 1e-13);
    }
}
