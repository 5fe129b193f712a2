// Optimizers against PyTorch over 100 steps; what a step does to its arguments.
#include "reference.hpp"

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/reduction.hpp>
#include <xtgrad/optim/optimizers.hpp>
#include <xtgrad/random.hpp>
#include <xtgrad/runtime.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;
using reference::Named;
using xg::Tensor;

namespace {

struct Model {
    Tensor weight = reference::filled("weight", {3, 5}), bias = reference::filled("bias", {7});
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};

Tensor gradient(const Tensor& p, int t) {
    std::vector<double> g;
    for (std::size_t i = 0; i < p.size(); ++i)
        g.push_back(std::sin(0.7 * double(i) + 0.3 * t + double(p.shape(0))) + 0.1 * p.data<double>()[i]);
    return reference::from_values(p.shape(), g);
}
std::vector<Tensor> gradients(const Model& model, int t) { return {gradient(model.weight, t), gradient(model.bias, t)}; }

template <class O>
void check(const std::string& name, O optimizer) {
    const Named& file = reference::of("optim");
    INFO(name);
    Model model;
    int checked = 0;
    for (int t = 0; t < 100; ++t) {
        optimizer.step(model, gradients(model, t));
        for (const auto& named : nn::named_parameters(model)) {
            const std::string& key = named.first;
            const auto line = file.find(name + ":" + std::to_string(t + 1) + ":" + key);
            if (line == file.end()) continue;
            INFO(key << " after " << t + 1);
            CHECK(reference::distance(named.second, line->second) < 1e-12);
            ++checked;
        }
    }
    CHECK(checked == 6);
    CHECK(optimizer.steps.template item<int>() == 100);
}

struct Nested {
    std::vector<Tensor> layers;
    static void visit(auto& self, auto&& field) { field("layers", self.layers); }
};

bool same(const Tensor& a, const Tensor& b) { return reference::distance(a, b) == 0; }

struct Growing {
    Tensor weight = reference::filled("weight", {3, 5});
    std::optional<Tensor> bias = {};
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};

}  // namespace

TEST_CASE("a hundred steps give PyTorch's numbers") {
    check("SGD", optim::SGD({.lr = 0.03}));
    check("SGD, momentum", optim::SGD({.lr = 0.03, .momentum = 0.9, .dampening = 0.2, .weight_decay = 0.1}));
    check("SGD, Nesterov", optim::SGD({.lr = 0.03, .momentum = 0.8, .nesterov = true}));
    check("Adam", optim::Adam());
    check("Adam, decay", optim::Adam({.lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-4, .weight_decay = 0.1}));
    check("AdamW", optim::AdamW());
    check("AdamW, decay", optim::AdamW({.lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-4, .weight_decay = 0.3}));
    check("RMSprop", optim::RMSprop());
    check("RMSprop, all",
          optim::RMSprop({.lr = 0.02, .alpha = 0.9, .eps = 1e-3, .weight_decay = 0.1, .momentum = 0.7, .centered = true}));
    check("Adagrad", optim::Adagrad());
    check("Adagrad, all",
          optim::Adagrad({.lr = 0.05, .lr_decay = 0.02, .weight_decay = 0.1, .initial_accumulator_value = 0.3, .eps = 1e-3}));
}

TEST_CASE("a parameter that joins later is corrected by its own steps, as PyTorch's") {
    const auto check_joined = [](const std::string& name, auto optimizer) {
        Growing model;
        const auto steps = [&](int from, int to) {
            for (int t = from; t < to; ++t) {
                std::vector<Tensor> grads;
                for (const Tensor& p : nn::parameters(model)) grads.push_back(gradient(p, t));
                optimizer.step(model, grads);
            }
        };
        steps(0, 50);
        CHECK(optimizer.joined.empty());
        model.bias = reference::filled("bias", {7});
        steps(50, 51);
        CHECK(reference::distance(*model.bias, reference::of("optim").at(name + ", joined:51:bias")) < 1e-12);
        CHECK(optimizer.joined.size() == 1);
        CHECK(optimizer.joined.at("bias").template item<int>() == 50);
        steps(51, 100);
        for (const auto& [key, x] : nn::named_parameters(model))
            CHECK(reference::distance(x, reference::of("optim").at(name + ", joined:100:" + key)) < 1e-12);
        optimizer.joined["bias"] = Tensor(std::int64_t(101));
        CHECK_THROWS_AS(steps(100, 101), xg::Error);
    };
    check_joined("Adam", optim::Adam({.lr = 0.02}));
    check_joined("AdamW", optim::AdamW({.lr = 0.02}));
}

TEST_CASE("Lion is algorithm 2 of its paper") {
    const double lr = 0.01, beta1 = 0.9, beta2 = 0.97, decay = 0.2;
    optim::Lion optimizer({.lr = lr, .betas = {beta1, beta2}, .weight_decay = decay});
    Model model;
    std::vector<std::vector<double>> theta, m;
    for (const Tensor& p : nn::parameters(model)) {
        theta.emplace_back(p.data<double>(), p.data<double>() + p.size());
        m.emplace_back(p.size(), 0.);
    }
    for (int t = 0; t < 100; ++t) {
        const auto grads = gradients(model, t);
        optimizer.step(model, grads);
        for (std::size_t k = 0; k < theta.size(); ++k)
            for (std::size_t i = 0; i < theta[k].size(); ++i) {
                const double g = grads[k].data<double>()[i], c = beta1 * m[k][i] + (1 - beta1) * g;
                theta[k][i] -= lr * ((c > 0) - (c < 0) + decay * theta[k][i]);
                m[k][i] = beta2 * m[k][i] + (1 - beta2) * g;
            }
    }
    const auto parameters = nn::parameters(model);
    for (std::size_t k = 0; k < theta.size(); ++k)
        CHECK(reference::distance(parameters[k], reference::from_values(parameters[k].shape(), theta[k])) < 1e-12);
}

TEST_CASE("groups by name: another decay, another rate") {
    optim::AdamW optimizer({.lr = 0.1,
                            .weight_decay = 0.5,
                            .groups = {{.names = {"b??s"}, .weight_decay = 0}, {.names = {"bi*", "*i*t"}, .scale = 0.25}}});
    optim::AdamW alone({.lr = 0.1, .weight_decay = 0}), slow({.lr = 0.025, .weight_decay = 0.5});
    Model model, by_alone, by_slow;
    for (int t = 0; t < 3; ++t) {
        optimizer.step(model, gradients(model, t));
        alone.step(by_alone, gradients(by_alone, t));
        slow.step(by_slow, gradients(by_slow, t));
    }
    CHECK(same(model.bias, by_alone.bias));
    CHECK(same(model.weight, by_slow.weight));
    CHECK(!same(model.weight, by_alone.weight));
}

TEST_CASE("names match patterns as a whole") {
    const auto is_scaled = [](std::string pattern) {
        optim::SGD optimizer({.lr = 1, .groups = {{.names = {std::move(pattern)}, .scale = 0}}});
        Nested nested{{xg::zeros({1})}};
        optimizer.step(nested, {xg::ones({1})});
        return nested.layers[0].item<double>() == 0;
    };
    for (const char* yes : {"layers.0", "*", "l*0", "*.0", "layers.?", "*a*e*s*", "layers.0*", "**0"}) CHECK(is_scaled(yes));
    for (const char* no : {"layers", "", "*.1", "?", "layers.0?", "*a*z*", "ayers.0"}) CHECK_THROWS_AS(is_scaled(no), xg::Error);
}

TEST_CASE("a pattern of no parameter and a negative rate are errors") {
    Model model;
    const auto grads = gradients(model, 0);
    optim::AdamW misspelt({.groups = {{.names = {"*weight", "*baias"}, .weight_decay = 0}}});
    CHECK_THROWS_WITH_AS(misspelt.step(model, grads),
                         "[AdamW] the group pattern '*baias' matches no parameter; they are weight, bias (nn::named_parameters)",
                         xg::Error);
    CHECK(misspelt.steps.item<int>() == 0);
    optim::SGD uphill({.lr = -0.1}), group({.groups = {{.names = {"bias"}, .scale = -1}}});
    CHECK_THROWS_WITH_AS(uphill.step(model, grads), "[SGD] lr is -0.1; it lies in [0, inf)", xg::Error);
    CHECK_THROWS_WITH_AS(group.step(model, grads), "[SGD] a group's scale is -1; it lies in [0, inf)", xg::Error);
    uphill.options.lr = std::nan("");
    CHECK_THROWS_AS(uphill.step(model, grads), xg::Error);
}

TEST_CASE("a step works in place where nobody else sees the parameter, and never where somebody does") {
    Model model;
    optim::SGD optimizer({.lr = 0.5});
    const auto* block = model.weight.block();
    const Tensor kept = model.bias, before = reference::filled("bias", {7});
    optimizer.step(model, gradients(model, 0));
    CHECK(model.weight.block() == block);
    CHECK(model.bias.block() != kept.block());
    CHECK(same(kept, before));
    CHECK(!same(model.bias, before));
}

TEST_CASE("a parameter after a step is another variable to a tape") {
    Model model;
    optim::SGD optimizer({.lr = 0.5});
    xg::Tape tape;
    const Tensor loss = xg::sum(xg::abs(model.weight));
    const auto grads = gradients(model, 0);
    optimizer.step(model, grads);
    CHECK_THROWS_AS(tape.gradient(loss, model.weight), xg::TapeError);
}

TEST_CASE("steps are not recorded") {
    Model model;
    optim::AdamW optimizer;
    xg::Tape tape;
    optimizer.step(model, gradients(model, 0));
    CHECK(tape.nodes() == 0);
}

TEST_CASE("gradients may be views, or a model") {
    Model model, other;
    optim::Adam one, two;
    auto grads = gradients(model, 0);
    const Tensor rows = xg::copy(xg::transpose(grads[0]));
    one.step(model, {xg::transpose(rows), grads[1]});
    Model as_model;
    as_model.weight = grads[0], as_model.bias = grads[1];
    two.step(other, as_model);
    CHECK(same(model.weight, other.weight));
    CHECK(same(model.bias, other.bias));
}

TEST_CASE("the state is visited under the parameters' names, and a copy goes on by itself") {
    Model model;
    optim::AdamW optimizer;
    optimizer.step(model, gradients(model, 0));
    std::string names;
    for (const auto& [name, x] : nn::named_tensors(optimizer)) names += name + ' ';
    CHECK(names == "steps exp_avg.bias exp_avg.weight exp_avg_sq.bias exp_avg_sq.weight ");
    CHECK(nn::parameters(optimizer).empty());
    optim::AdamW copy = optimizer;
    Model one = model, two = model;
    for (int t = 1; t < 4; ++t) optimizer.step(one, gradients(one, t));
    for (int t = 1; t < 4; ++t) copy.step(two, gradients(two, t));
    CHECK(same(one.weight, two.weight));
    CHECK(copy.steps.item<int>() == 4);
}

TEST_CASE("what does not fit is an error that changes nothing") {
    Model model;
    const Model before = model;
    optim::AdamW optimizer;
    auto grads = gradients(model, 0);
    CHECK_THROWS_AS(optimizer.step(model, {grads[0]}), xg::Error);
    CHECK_THROWS_WITH_AS(
        optimizer.step(model, {grads[0], grads[0]}),
        "[AdamW] the gradient of bias (3, 5) does not fit (7,); give those of this model, in the order of nn::parameters",
        xg::ShapeError);
    CHECK_THROWS_AS(optimizer.step(model, {grads[0], xg::zeros({7}, xg::f32)}), xg::DtypeError);
    CHECK_THROWS_AS(optimizer.step(model, {grads[0], Tensor()}), xg::Error);
    CHECK(optimizer.steps.item<int>() == 0);
    CHECK(optimizer.exp_avg.empty());
    optimizer.steps = Tensor(std::int64_t(-1));
    CHECK_THROWS_WITH_AS(optimizer.step(model, grads), "[AdamW] steps is -1; it counts those that were done, from 0", xg::Error);
    CHECK(optimizer.exp_avg.empty());
    optimizer.steps = Tensor(std::int64_t(0));
    optimizer.exp_avg["bias"] = xg::zeros({8});
    CHECK_THROWS_AS(optimizer.step(model, grads), xg::ShapeError);
    CHECK(optimizer.exp_avg.size() == 1);
    CHECK(model.weight.block() == before.weight.block());
}

TEST_CASE("centered RMSprop stays finite while a gradient in f32 does not change") {
    std::vector<Tensor> model{xg::zeros({8}, xg::f32)};
    optim::RMSprop optimizer({.centered = true});
    const std::vector<Tensor> grads{xg::full({8}, 1.7, xg::f32)};
    for (int t = 0; t < 6000; ++t) optimizer.step(model, grads);
    CHECK(std::isfinite(model[0].data<float>()[0]));
    // As in PyTorch the average comes near to the gradient, from below.
    CHECK(optimizer.grad_avg.begin()->second.data<float>()[0] > 1.6999f);
    CHECK(optimizer.grad_avg.begin()->second.data<float>()[0] <= 1.7f);
    // Were the average of squares smaller than the square, as rounding can make it, the deviation would be 0.
    optimizer.square_avg.begin()->second = xg::zeros({8}, xg::f32);
    optimizer.grad_avg.begin()->second = xg::full({8}, 2, xg::f32);
    optimizer.step(model, std::vector{xg::full({8}, 0.5, xg::f32)});
    CHECK(std::isfinite(model[0].data<float>()[0]));
}

TEST_CASE("in f32 steps have the same bits for 1 and 2 threads") {
    std::vector<Tensor> results;
    for (const int threads : {1, 2}) {
        xg::set_num_threads(threads);
        xg::Rng rng(5);
        std::vector<Tensor> model{xg::randn({300, 257}, xg::f32, rng)};
        optim::AdamW optimizer;
        for (int t = 0; t < 3; ++t) optimizer.step(model, std::vector{xg::randn({300, 257}, xg::f32, rng)});
        results.push_back(model[0]);
    }
    CHECK(std::equal(results[0].data<float>(), results[0].data<float>() + results[0].size(), results[1].data<float>()));
}
