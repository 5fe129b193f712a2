// Two fields that hold one tensor are one parameter, whatever is done with the model.
#include "tied.hpp"

#include <xtgrad/gradcheck.hpp>
#include <xtgrad/transforms.hpp>

using namespace tied;

namespace {

/// All optimizers at their defaults, SGD also with a momentum.
void for_each_optimizer(auto f) {
    f(optim::SGD({.lr = 0.1}));
    f(optim::SGD({.lr = 0.1, .momentum = 0.9}));
    f(optim::Adam({.lr = 0.1}));
    f(optim::AdamW({.lr = 0.1}));
    f(optim::RMSprop({.lr = 0.1, .momentum = 0.5, .centered = true}));
    f(optim::Adagrad({.lr = 0.1}));
    f(optim::Lion({.lr = 0.1}));
}

}  // namespace

TEST_CASE("tied fields are one parameter, which moves by the sum of its gradients") {
    Pair model;
    CHECK(nn::count(model) == 2);
    CHECK(nn::parameters(model).size() == 1);
    CHECK(nn::named_parameters(model)[0].first == "a");
    CHECK(nn::named_tensors(model).size() == 2);
    optim::SGD optimizer({.lr = 0.1});
    for (int step = 0; step < 2; ++step) {
        xg::Tape tape;
        const Tensor loss = xg::sum(3. * model.a + 5. * model.b);
        optimizer.step(model, tape.gradient(loss, nn::parameters(model)));
        CHECK(one(model.a, model.b));
    }
    CHECK(is(model.a, -0.6));
}

TEST_CASE("every optimizer steps tied fields as a model with one member, in place") {
    for_each_optimizer([](auto optimizer) {
        auto alone = optimizer;
        Pair model;
        std::vector<Tensor> single{xg::ones({2})};
        for (int step = 0; step < 5; ++step) {
            const auto* block = model.a.block();
            const std::vector<Tensor> grads{xg::tensor({0.5 - step, 0.25 * step})};
            optimizer.step(model, grads);
            alone.step(single, grads);
            CHECK(one(model.a, model.b));
            CHECK(model.a.block() == block);
        }
        CHECK(distance(model.a, single[0]) == 0);
        for (const auto& [name, x] : nn::named_tensors(optimizer)) CHECK(!name.ends_with(".b"));
        // Whoever holds a copy keeps its values, and the copy is tied in itself.
        Pair copy = model;
        const Tensor before = xg::copy(model.a);
        optimizer.step(model, {xg::ones({2})});
        CHECK(distance(copy.a, before) == 0);
        CHECK(one(copy.a, copy.b));
        CHECK(one(model.a, model.b));
        CHECK(!one(copy.a, model.a));
    });
}

TEST_CASE("many fields, some of them tied far apart") {
    std::vector<Tensor> model;
    for (int i = 0; i < 40; ++i) model.push_back(i % 13 == 12 ? model[std::size_t(i / 13)] : xg::full({1}, double(i)));
    CHECK(nn::parameters(model).size() == 37);
    std::string names;
    for (const auto& [name, x] : nn::named_parameters(model)) names += name + ' ';
    CHECK(names.find(" 11 13 ") != std::string::npos);
    CHECK(nn::parameters(model)[36].item<double>() == 39 - 1 + 1);
    std::vector<Tensor> grads;
    for (const Tensor& x : nn::parameters(model)) grads.push_back(x * 0.5);
    optim::SGD({.lr = 1}).step(model, grads);
    for (int i = 0; i < 40; ++i) {
        const int first = i % 13 == 12 ? i / 13 : i;
        CHECK(model[std::size_t(i)].item<double>() == 0.5 * first);
        CHECK(one(model[std::size_t(i)], model[std::size_t(first)]));
    }
}

TEST_CASE("a copy that is not trained is not tied: it keeps its values") {
    xg::Rng rng(1);
    Speller model(rng);
    const Tensor before = model.frozen;
    std::string names;
    for (const auto& [name, x] : nn::named_parameters(model)) names += name + ' ';
    CHECK(names == "embedding.weight layer.weight layer.bias head.bias ");
    xg::Tape tape;
    optim::SGD({.lr = 0.5}).step(model, tape.gradient(loss_of(model), nn::parameters(model)));
    CHECK(one(model.frozen, before));
    CHECK(one(model.embedding.weight, model.head.weight));
    CHECK(!one(model.embedding.weight, before));
}

TEST_CASE("groups: a pattern of any of the names counts, and two groups are an error that names the fields") {
    Pair model;
    optim::SGD optimizer({.lr = 1, .groups = {{.names = {"a", "b"}, .scale = 0.5}}});
    optimizer.step(model, {xg::ones({2})});
    CHECK(is(model.b, 0.5));
    const std::string what = "[SGD] a and b are one parameter and fall into different groups; give one group patterns of both";
    optim::SGD alone({.groups = {{.names = {"b"}, .scale = 0}}}), both({.groups = {{.names = {"a"}}, {.names = {"b"}}}});
    for (auto* other : {&alone, &both}) {
        CHECK(message([&] { other->step(model, {xg::ones({2})}); }) == what);
        CHECK(other->steps.item<int>() == 0);
    }
}

TEST_CASE("as many gradients as fields are too many") {
    Pair model;
    CHECK(message([&] {
              optim::SGD().step(model, {xg::ones({2}), xg::ones({2})});
          }) ==
          "[SGD] 2 gradients for 1 parameters; give one for each of nn::parameters(model), in that order (a and b are one)");
    CHECK(one(model.a, model.b));
}

TEST_CASE("the transforms: one variable, and a struct whose tied fields hold its gradient") {
    xg::Rng rng(2);
    Speller model(rng);
    xg::Rng same(2);
    Speller other(same, false);
    const Tensor sum = [&] {
        const Speller g = xg::grad(loss_of)(other);
        return g.embedding.weight + g.head.weight;
    }();
    const auto [value, g] = xg::value_and_grad(loss_of)(model);
    CHECK(one(g.embedding.weight, g.head.weight));
    CHECK(distance(g.head.weight, sum) < 1e-15);
    CHECK(nn::parameters(g).size() == 4);
    xg::gradcheck(loss_of, model);

    const auto [y, pullback] = xg::vjp(loss_of, model);
    CHECK(distance(pullback(Tensor(2.)).head.weight, 2. * sum) < 1e-14);
    const auto tangent = xg::jvp(loss_of, model, g).second;
    double squares = 0;
    for (const Tensor& x : nn::parameters(g)) squares += xg::sum(x * x).item<double>();
    CHECK(tangent.item<double>() == doctest::Approx(squares));
    const Speller J = xg::jacobian(loss_of)(model);
    CHECK(one(J.embedding.weight, J.head.weight));
    CHECK(distance(J.head.weight, sum) < 1e-14);

    // The Hessian's product with the gradient is half the slope of the gradient's square.
    const Speller hv = xg::hvp(loss_of)(model, g);
    CHECK(one(hv.embedding.weight, hv.head.weight));
    const Speller slope = xg::grad([](const Speller& m) {
        Tensor total = Tensor(0.);
        for (const Tensor& x : nn::parameters(xg::grad(loss_of)(m))) total = total + xg::sum(x * x);
        return 0.5 * total;
    })(model);
    CHECK(distance(hv.head.weight, slope.head.weight) < 1e-13);
    CHECK(distance(hv.layer.weight, slope.layer.weight) < 1e-13);

    const Speller again = xg::grad([](const Speller& m) {
        CHECK(one(m.embedding.weight, m.head.weight));
        return xg::checkpoint(loss_of, m);
    })(model);
    CHECK(distance(again.head.weight, sum) < 1e-14);

    Speller by_struct = model, by_list = model;
    optim::SGD({.lr = 1}).step(by_struct, g);
    optim::SGD({.lr = 1}).step(by_list, nn::parameters(g));
    CHECK(distance(by_struct.head.weight, by_list.head.weight) == 0);
    CHECK(one(by_struct.embedding.weight, by_struct.head.weight));
}

TEST_CASE("equal gradients and tangents tie nothing") {
    Pair model{xg::ones({2}), xg::ones({2})};
    const auto f = [](const Pair& m) { return xg::sum(m.a + m.b); };
    const Pair g = xg::grad(f)(model);
    CHECK(nn::parameters(g).size() == 2);
    CHECK(xg::vjp(f, model).second(Tensor(1.)).b.size() == 2);
    CHECK(nn::parameters(xg::vjp(f, model).second(Tensor(1.))).size() == 2);
    optim::SGD optimizer({.lr = 1});
    optimizer.step(model, g);
    optimizer.step(model, nn::parameters(g));
    CHECK(is(model.b, -1));
    const Pair along;  // whose fields hold one tensor
    CHECK(xg::jvp(f, model, along).second.item<double>() == 4);
    optimizer.step(model, along);
    CHECK(is(model.b, -2));
    CHECK(!one(model.a, model.b));
    // Under an outer tape they stay differentiable.
    const Pair second = xg::grad([&](const Pair& m) {
        const Pair inner = xg::grad([](const Pair& n) { return xg::sum(xg::square(n.a + n.b)); })(m);
        return xg::sum(inner.b * 1.5);
    })(model);
    CHECK(is(second.a, 3));
    CHECK(is(second.b, 3));
}

TEST_CASE("tied fields with two gradients or tangents are an error that names them") {
    Pair model;
    const Pair two{xg::ones({2}), xg::zeros({2})}, equal{xg::ones({2}), xg::ones({2})};
    const auto f = [](const Pair& m) { return xg::sum(m.a * m.b); };
    const std::string what =
        "a and b are one parameter and were given different tensors; give both the same, for a gradient the sum";
    CHECK(message([&] { xg::jvp(f, model, two); }) == "[jvp] " + what);
    CHECK(message([&] { xg::hvp(f)(model, two); }) == "[hvp] " + what);
    CHECK(message([&] { optim::SGD().step(model, two); }) == "[step] " + what);
    CHECK(xg::jvp(f, model, equal).second.item<double>() == 4);
    CHECK(is(xg::hvp(f)(model, equal).b, 2));
    optim::SGD({.lr = 1}).step(model, equal);
    CHECK(is(model.b, 0));
}

TEST_CASE("the tensors of a list, and arguments, are variables of their own") {
    const std::vector<Tensor> start(2, xg::ones({2}));
    const auto f = [](const std::vector<Tensor>& v) { return xg::sum(3. * v[0] + 5. * v[1] * v[1]); };
    const auto g = xg::grad(f)(start);
    CHECK(is(g[0], 3));
    CHECK(is(g[1], 10));
    CHECK(is(xg::jvp(f, start, start).second, 26));
    const auto [dx, dy] = xg::grad([](const Tensor& x, const Tensor& y) { return xg::sum(x * x * y); })(start[0], start[0]);
    CHECK(is(dx, 2));
    CHECK(is(dy, 1));
    const std::array<Tensor, 2> pair{start[0], start[0]};
    CHECK(is(xg::grad([](const std::array<Tensor, 2>& v) { return xg::sum(v[0] * 2. + v[1]); })(pair)[1], 1));
    const auto m =
        optim::minimize([](const std::vector<Tensor>& v) { return xg::sum(xg::square(v[0] - 1.) + xg::square(v[1] - 3.)); },
                        std::vector<Tensor>(2, xg::zeros({2})));
    CHECK(is(m.x[0], 1));
    CHECK(is(m.x[1], 3));
}

TEST_CASE("a minimum over a model with tied fields") {
    for (const auto method : {optim::lbfgs, optim::newton_cg}) {
        const auto m =
            optim::minimize([](const Pair& p) { return xg::sum(xg::square(p.a - 1.) + xg::square(p.b - 4.) + p.a + p.b); },
                            Pair{}, {.method = method});
        CHECK(distance(m.x.a, xg::full({2}, 2.)) < 1e-8);
        CHECK(one(m.x.a, m.x.b));
        CHECK(one(m.gradient.a, m.gradient.b));
    }
}

TEST_CASE("a moving average is tied as the model is, and to nothing outside of it") {
    Pair model;
    optim::MovingAverage average(model, 0.5);
    CHECK(one(average.model.a, average.model.b));
    CHECK(!one(average.model.a, model.a));
    optim::SGD optimizer({.lr = 1});
    for (int step = 0; step < 3; ++step) {
        optimizer.step(model, {xg::ones({2})});
        const auto* block = average.model.a.block();
        average.update(model);
        CHECK(average.model.a.block() == block);
        CHECK(one(average.model.a, average.model.b));
    }
    CHECK(is(average.model.b, 0.125 + 0.125 * 0 + 0.25 * -1 + 0.5 * -2));
    model = nn::untied(model);
    model.b = xg::full({2}, 10.);
    average.update(model);
    CHECK(is(average.model.a, 0.5 * -1.125 + 0.5 * -2));
    CHECK(is(average.model.b, 0.5 * -1.125 + 0.5 * 10));
}

TEST_CASE("a list of copies of one block is one block; untied makes each its own") {
    xg::Rng rng(4);
    const std::vector<nn::Linear> copies(3, nn::Linear(2, 2, rng)), own = nn::untied(copies);
    CHECK(nn::count(copies) == 6);
    CHECK(nn::count(own) == 18);
    CHECK(distance(own[2].weight, copies[0].weight) == 0);
    CHECK(one(own[0].weight, copies[0].weight));
    CHECK(nn::summary(std::vector<nn::Linear>(copies.begin(), copies.begin() + 2)) ==
          "name      shape   dtype  count\n"
          "0.weight  (2, 2)  f32    4\n"
          "0.bias    (2,)    f32    2\n"
          "1.weight  (2, 2)  f32    4 (tied to 0.weight)\n"
          "1.bias    (2,)    f32    2 (tied to 0.bias)\n"
          "6 parameters\n");
}

TEST_CASE("no layer of ours ties its own fields") {
    xg::Rng rng(5);
    const auto check = [](const char* name, const auto& layer) {
        INFO(name);
        const auto all = nn::named_tensors(layer);
        CHECK(!all.empty());
        for (std::size_t i = 0; i < all.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                INFO(all[i].first << " and " << all[j].first);
                CHECK(!one(all[i].second, all[j].second));
            }
    };
    check("Linear", nn::Linear(2, 2, rng));
    check("Linear without inputs", nn::Linear(0, 0, rng));
    check("Embedding", nn::Embedding(2, 2, rng));
    check("LayerNorm", nn::LayerNorm(2));
    check("LayerNorm of nothing", nn::LayerNorm(0));
    check("RMSNorm", nn::RMSNorm(2));
    check("BatchNorm", nn::BatchNorm(2));
    check("Conv1d", nn::Conv1d(2, 2, 1, rng));
    check("Conv2d", nn::Conv2d(2, 2, 1, rng));
    check("GRUCell", nn::GRUCell(2, 2, rng));
    check("LSTMCell", nn::LSTMCell(2, 2, rng));
    check("LearnedPositions", nn::LearnedPositions(2, 2, rng));
    check("MultiHeadAttention", nn::MultiHeadAttention(2, rng));
    check("Mlp", nn::Mlp(2, 2, rng, {.activation = nn::Activation::swiglu}));
    for (const auto norm : {nn::NormKind::layer, nn::NormKind::rms})
        check("TransformerBlock", nn::TransformerBlock(2, rng, {.norm = norm, .activation = nn::Activation::swiglu}));
    check("Sequential", nn::Sequential(nn::Linear(2, 2, rng), nn::LayerNorm(2), nn::BatchNorm(2), nn::BatchNorm(2)));
    std::vector<nn::TransformerBlock> blocks;
    for (int i = 0; i < 2; ++i) blocks.emplace_back(2, rng);
    check("blocks", blocks);
    const auto state = nn::LSTMCell(2, 2, rng).start(3);
    CHECK(!one(state.h, state.c));
    optim::AdamW optimizer;
    nn::Linear linear(2, 2, rng);
    optimizer.step(linear, nn::parameters(linear));
    check("AdamW", optimizer);
}
