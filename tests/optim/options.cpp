// Options that are numbers: each is checked, wherever it is used, and the error names it, its value and its range.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include <xtgrad/nn.hpp>
#include <xtgrad/ops.hpp>
#include <xtgrad/optim.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
namespace optim = xtgrad::optim;
using xg::Index;
using xg::Tensor;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

/// An option: what uses it with a value, and what is right and wrong.
struct Row {
    const char *op, *name, *range;
    std::function<void(double)> use;
    std::vector<double> good, bad;
};

template <class O>
std::function<void(double)> step(auto set) {
    return [set](double value) {
        O optimizer;
        set(optimizer.options, value);
        std::vector<Tensor> model{xg::ones({2})};
        try {
            optimizer.step(model, {xg::ones({2})});
        } catch (const xg::Error&) {
            CHECK(optimizer.steps.template item<int>() == 0);
            CHECK(model[0].data<double>()[1] == 1);
            throw;
        }
    };
}

template <class O>
void add_common(std::vector<Row>& rows, const char* op) {
    const auto add = [&](const char* name, auto set) {
        rows.push_back({op, name, "[0, inf)", step<O>(set), {0, 1e-3, 2}, {-1e-9, -inf, inf, not_a_number}});
    };
    add("lr", [](auto& o, double v) { o.lr = v; });
    add("weight_decay", [](auto& o, double v) { o.weight_decay = v; });
    add("a group's scale", [](auto& o, double v) { o.groups = {{.names = {"*"}, .scale = v}}; });
    add("a group's weight_decay", [](auto& o, double v) { o.groups = {{.names = {"*"}, .weight_decay = v}}; });
    if constexpr (requires(O optimizer) { optimizer.options.eps; }) add("eps", [](auto& o, double v) { o.eps = v; });
    if constexpr (requires(O optimizer) { optimizer.options.betas; }) {
        rows.push_back(
            {op, "betas[0]", "[0, 1)", step<O>([](auto& o, double v) { o.betas[0] = v; }), {0, 0.5}, {1, 2, -0.1, not_a_number}});
        rows.push_back(
            {op, "betas[1]", "[0, 1)", step<O>([](auto& o, double v) { o.betas[1] = v; }), {0, 0.5}, {1, 2, -0.1, not_a_number}});
    }
}

std::vector<Row> rows() {
    std::vector<Row> all;
    add_common<optim::SGD>(all, "SGD");
    add_common<optim::Adam>(all, "Adam");
    add_common<optim::AdamW>(all, "AdamW");
    add_common<optim::RMSprop>(all, "RMSprop");
    add_common<optim::Adagrad>(all, "Adagrad");
    add_common<optim::Lion>(all, "Lion");
    const auto add = [&](const char* op, const char* name, const char* range, std::function<void(double)> use,
                         std::vector<double> good, std::vector<double> bad) {
        all.push_back({op, name, range, std::move(use), std::move(good), std::move(bad)});
    };
    const std::vector<double> below_0{-1e-9, -inf, inf, not_a_number}, no_share{-1e-9, 1 + 1e-12, 2, inf, not_a_number},
        not_finite{inf, -inf, not_a_number};
    const auto of = [](const xg::Shape& shape) { return xg::ones(shape) * 0.5; };

    add("SGD", "momentum", "[0, inf)", step<optim::SGD>([](auto& o, double v) { o.momentum = v; }), {0, 0.9, 1}, below_0);
    add("SGD", "dampening", "(-inf, inf)", step<optim::SGD>([](auto& o, double v) { o.dampening = v; }), {-1, 0, 2}, not_finite);
    add("RMSprop", "momentum", "[0, inf)", step<optim::RMSprop>([](auto& o, double v) { o.momentum = v; }), {0, 0.9}, below_0);
    add("RMSprop", "alpha", "[0, 1)", step<optim::RMSprop>([](auto& o, double v) { o.alpha = v; }), {0, 0.9},
        {1, 1.5, -0.5, not_a_number});
    add("Adagrad", "lr_decay", "[0, inf)", step<optim::Adagrad>([](auto& o, double v) { o.lr_decay = v; }), {0, 1}, below_0);
    add("Adagrad", "initial_accumulator_value", "[0, inf)",
        step<optim::Adagrad>([](auto& o, double v) { o.initial_accumulator_value = v; }), {0, 1}, below_0);

    const auto average = [](double v) { optim::MovingAverage(std::vector<Tensor>{xg::ones({2})}, v); };
    const auto update = [](double v) {
        const std::vector<Tensor> model{xg::ones({2})};
        optim::MovingAverage of_model(model);
        of_model.decay = v;
        of_model.update(model);
    };
    add("MovingAverage", "decay", "[0, 1]", average, {0, 0.5, 1}, no_share);
    add("MovingAverage", "decay", "[0, 1]", update, {0, 0.5, 1}, no_share);
    const auto clip = [](auto f) {
        return [f](double v) {
            std::vector<Tensor> grads{xg::ones({2})};
            f(grads, v);
        };
    };
    add("clip_norm", "most", "[0, inf]", clip([](auto& g, double v) { optim::clip_norm(g, v); }), {0, 1, inf},
        {-1, not_a_number});
    add("clip_value", "most", "[0, inf]", clip([](auto& g, double v) { optim::clip_value(g, v); }), {0, 1, inf},
        {-1, not_a_number});

    add(
        "cosine", "peak", "(-inf, inf)", [](double v) { optim::cosine(0, {.peak = v}); }, {-1, 0}, not_finite);
    add(
        "linear", "floor", "(-inf, inf)", [](double v) { optim::linear(0, {.floor = v}); }, {-1, 0}, not_finite);
    add("constant", "warmup", "[0, inf)", [](double v) { optim::constant(0, {.warmup = Index(v)}); }, {0, 5}, {-1});
    add("cosine", "steps", "[0, inf)", [](double v) { optim::cosine(0, {.steps = Index(v)}); }, {0, 5}, {-1});
    add("cosine", "step", "[0, inf)", [](double v) { optim::cosine(Index(v), {}); }, {0, 5}, {-1});
    add("warmup", "step", "[0, inf)", [](double v) { optim::warmup(Index(v), 3); }, {0, 5}, {-1});
    add("warmup", "steps", "[0, inf)", [](double v) { optim::warmup(0, Index(v)); }, {0, 5}, {-1});
    add("one_cycle", "steps", "[1, inf)", [](double v) { optim::one_cycle(0, {.steps = Index(v)}); }, {1, 5}, {0, -1});
    add(
        "one_cycle", "rise", "[0, 1]", [](double v) { optim::one_cycle(0, {.rise = v}); }, {0, 1}, no_share);
    add(
        "one_cycle", "start", "(-inf, inf)", [](double v) { optim::one_cycle(0, {.start = v}); }, {0, 1}, not_finite);
    add(
        "one_cycle", "end", "(-inf, inf)", [](double v) { optim::one_cycle(0, {.end = v}); }, {0, 1}, not_finite);
    add("step_decay", "every", "[1, inf)", [](double v) { optim::step_decay(0, {.every = Index(v)}); }, {1, 5}, {0, -1});
    add(
        "step_decay", "factor", "[0, inf)", [](double v) { optim::step_decay(0, {.factor = v}); }, {0, 1, 2}, below_0);

    const auto minimize = [](optim::MinimizeOptions o) {
        optim::minimize([](const Tensor& x) { return xg::sum(xg::square(x)); }, xg::ones({2}), o);
    };
    add(
        "minimize", "tolerance", "[0, inf)", [=](double v) { minimize({.tolerance = v}); }, {0, 1}, below_0);
    add("minimize", "max_iterations", "[0, inf)", [=](double v) { minimize({.max_iterations = int(v)}); }, {0, 1}, {-1});
    add("minimize", "history", "[0, inf)", [=](double v) { minimize({.history = int(v)}); }, {0, 1}, {-1});

    add(
        "layer_norm", "eps", "[0, inf)",
        [=](double v) {
            xg::layer_norm(of({2, 3}), {.eps = v});
        },
        {0, 1}, below_0);
    add(
        "layer_norm", "eps", "[0, inf)",
        [=](double v) {
            xg::layer_norm(of({2, 3}), of({3}), of({3}), {.eps = v});
        },
        {0}, below_0);
    add(
        "rms_norm", "eps", "[0, inf)",
        [=](double v) {
            xg::rms_norm(of({2, 3}), of({3}), {.eps = v});
        },
        {0, 1}, below_0);
    add(
        "dropout", "p", "[0, 1]",
        [=](double v) {
            xg::Rng rng(1);
            xg::dropout(of({3}), v, rng);
        },
        {0, 1}, no_share);
    add(
        "dropout", "p", "[0, 1]",
        [=](double v) {
            xg::Rng rng(1);
            nn::Dropout{.p = v}(of({3}), rng);
        },
        {0, 1}, no_share);
    add(
        "cross_entropy", "label_smoothing", "[0, 1]",
        [=](double v) {
            xg::cross_entropy(of({2, 3}), xg::tensor({0, 1}), {.label_smoothing = v});
        },
        {0, 1}, no_share);
    add("huber", "delta", "(0, inf]", [=](double v) { nn::huber(of({2}), of({2}), {.delta = v}); }, {1e-9, inf},
        {0, -1, not_a_number});

    const auto norm = [=](auto set) {
        return [=](double v) {
            nn::BatchNorm layer(3, {.dtype = xg::f64});
            set(layer, v);
            layer(of({4, 3}));
        };
    };
    const auto trained = [=](auto set) {
        return [=](double v) {
            nn::BatchNorm layer(3, {.dtype = xg::f64});
            set(layer, v);
            layer(of({4, 3}), nn::training);
        };
    };
    const auto eps = [](auto& o, double v) { o.eps = v; };
    const auto momentum = [](auto& o, double v) { o.momentum = v; };
    add("batch_norm", "eps", "[0, inf)", norm(eps), {0, 1}, below_0);
    add("batch_norm", "eps", "[0, inf)", trained(eps), {0, 1}, below_0);
    add("batch_norm", "momentum", "[0, 1]", trained(momentum), {0, 0.1, 1}, no_share);
    add(
        "batch_norm", "momentum", "[0, 1]", [](double v) { nn::BatchNorm(3, {.momentum = v}); }, {0, 0.1, 1}, no_share);
    add(
        "LayerNorm", "eps", "[0, inf)", [](double v) { nn::LayerNorm(3, {.eps = v}); }, {0, 1}, below_0);
    add(
        "RMSNorm", "eps", "[0, inf)", [](double v) { nn::RMSNorm(3, {.eps = v}); }, {0, 1}, below_0);

    const auto with_rng = [](auto f) {
        return [f](double v) {
            xg::Rng rng(1);
            f(v, rng);
        };
    };
    add("Mlp", "dropout", "[0, 1]", with_rng([](double v, xg::Rng& rng) { nn::Mlp(2, 2, rng, {.dropout = v}); }), {0, 1},
        no_share);
    add("MultiHeadAttention", "dropout", "[0, 1)",
        with_rng([](double v, xg::Rng& rng) { nn::MultiHeadAttention(2, rng, {.dropout = v}); }), {0, 0.5},
        {-0.5, 1, not_a_number});
    add("MultiHeadAttention", "rotary_base", "(0, inf)",
        with_rng([](double v, xg::Rng& rng) { nn::MultiHeadAttention(2, rng, {.rotary_base = v}); }), {1e-3, 1e4},
        {0, -1, inf, not_a_number});
    add("MultiHeadAttention", "dropout", "[0, 1)",
        with_rng([](double v, xg::Rng& rng) { nn::TransformerBlock(2, rng, {.dropout = v}); }), {0, 0.5},
        {-0.5, 1, not_a_number});
    add("xavier_uniform", "gain", "(-inf, inf)", with_rng([](double v, xg::Rng& rng) {
            nn::xavier_uniform({2, 2}, xg::f64, rng, v);
        }),
        {0, 2}, not_finite);
    add("xavier_normal", "gain", "(-inf, inf)", with_rng([](double v, xg::Rng& rng) {
            nn::xavier_normal({2, 2}, xg::f64, rng, v);
        }),
        {0, 2}, not_finite);
    add("kaiming_uniform", "gain", "(-inf, inf)", with_rng([](double v, xg::Rng& rng) {
            nn::kaiming_uniform({2, 2}, xg::f64, rng, v);
        }),
        {0, 2}, not_finite);
    add("kaiming_normal", "gain", "(-inf, inf)", with_rng([](double v, xg::Rng& rng) {
            nn::kaiming_normal({2, 2}, xg::f64, rng, v);
        }),
        {0, 2}, not_finite);
    return all;
}

}  // namespace

TEST_CASE("a number out of its range is an error that names option, value and range") {
    for (const Row& row : rows()) {
        const std::string head = "[" + std::string(row.op) + "] " + row.name + " is ";
        INFO(head << "..., range " << row.range);
        for (const double value : row.good) {
            INFO("good: " << value);
            CHECK_NOTHROW(row.use(value));
        }
        for (const double value : row.bad) {
            INFO("bad: " << value);
            try {
                row.use(value);
                FAIL_CHECK("no error");
            } catch (const xg::Error& error) {
                const std::string text = error.what(), tail = "; it lies in " + std::string(row.range);
                INFO(text);
                CHECK(text.find(head) == 0);
                CHECK(text.ends_with(tail));
                const std::string shown = text.substr(head.size(), text.size() - head.size() - tail.size());
                CHECK((std::isnan(value) ? shown == "nan" : std::stod(shown) == value));
            }
        }
    }
}

TEST_CASE("the message, and what options say of one another") {
    std::vector<Tensor> model{xg::ones({2})};
    const std::vector<Tensor> grads{xg::ones({2})};
    CHECK_THROWS_WITH_AS(optim::Adam({.betas = {0.9, 1}}).step(model, grads), "[Adam] betas[1] is 1; it lies in [0, 1)",
                         xg::Error);
    CHECK_THROWS_WITH_AS(optim::RMSprop({.alpha = 1.5}).step(model, grads), "[RMSprop] alpha is 1.5; it lies in [0, 1)",
                         xg::Error);
    CHECK_THROWS_WITH_AS(optim::SGD({.lr = inf}).step(model, grads), "[SGD] lr is inf; it lies in [0, inf)", xg::Error);
    CHECK_THROWS_WITH_AS(optim::SGD({.lr = -not_a_number}).step(model, grads), "[SGD] lr is nan; it lies in [0, inf)", xg::Error);
    const std::string remedy = "; it needs a momentum above 0, and no dampening";
    CHECK_THROWS_WITH_AS(optim::SGD({.nesterov = true}).step(model, grads),
                         ("[SGD] nesterov with a momentum of 0 and a dampening of 0" + remedy).c_str(), xg::Error);
    CHECK_THROWS_WITH_AS(optim::SGD({.momentum = 0.9, .dampening = 0.5, .nesterov = true}).step(model, grads),
                         ("[SGD] nesterov with a momentum of 0.9 and a dampening of 0.5" + remedy).c_str(), xg::Error);
    // Between two steps, too.
    optim::Adam optimizer;
    optimizer.step(model, grads);
    optimizer.options.eps = -1;
    CHECK_THROWS_WITH_AS(optimizer.step(model, grads), "[Adam] eps is -1; it lies in [0, inf)", xg::Error);
    CHECK(optimizer.steps.item<int>() == 1);
}

TEST_CASE("dropout of a layer that was changed afterwards is not skipped when it is no probability") {
    xg::Rng rng(1);
    nn::TransformerBlock block(2, rng);
    const Tensor x = xg::ones({3, 2}, xg::f32);
    for (const double p : {-0.5, not_a_number, 2.}) {
        block.mlp.options.dropout = p;
        CHECK_THROWS_AS(block(x, rng), xg::Error);
        CHECK_THROWS_AS(block.mlp(x, rng), xg::Error);
        block.mlp.options.dropout = 0;
        block.attention.options.dropout = p;
        CHECK_THROWS_AS(block(x, rng), xg::Error);
        block.attention.options.dropout = 0;
        CHECK_NOTHROW(block(x, rng));
    }
}
