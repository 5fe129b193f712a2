// An MLP with hinge loss separates two moons, and its decision boundary is drawn: a second.
#include <algorithm>

#include <xtgrad/xtgrad.hpp>

#include "common/run.hpp"

namespace xg = xtgrad;
using xg::Tensor;

namespace {

struct Mlp {
    xg::nn::Linear first, second, last;
    Tensor operator()(const Tensor& x) const { return last(xg::relu(second(xg::relu(first(x))))); }
    static void visit(auto& self, auto&& field) {
        field("first", self.first);
        field("second", self.second);
        field("last", self.last);
    }
};

/// Points (n, 2) to scores (n,); their sign is the moon.
Tensor scores(const Mlp& model, const Tensor& points) { return xg::reshape(model(points), {-1}); }

double accuracy(const Mlp& model, const xg::data::Dataset& data) {
    const Tensor right = xg::equal(xg::astype(scores(model, data.inputs) > 0., xg::i64), data.targets);
    return 100 * xg::mean(xg::astype(right, xg::f64)).item<double>();
}

/// The scores on a grid of the rectangle, (rows, columns).
Tensor on_grid(const Mlp& model, const example::Rectangle& area, xg::Index columns, xg::Index rows) {
    const Tensor x = xg::linspace(area.x0, area.x1, columns, true, xg::f32),
                 y = xg::linspace(area.y0, area.y1, rows, true, xg::f32);
    const Tensor places =
        xg::stack({xg::broadcast_to(x, {rows, columns}), xg::broadcast_to(xg::reshape(y, {-1, 1}), {rows, columns})}, -1);
    return xg::reshape(scores(model, xg::reshape(places, {-1, 2})), {rows, columns});
}

int moons(int argc, char** argv) {
    example::Options options("moons", "An MLP with hinge loss learns to separate two interleaved half circles.",
                             {.steps = 1500, .in_short = 400});
    std::int64_t points = 1000, width = 32;
    double noise = 0.1, lr = 1e-2;
    options.add_count("--points", points, "how many there are in both moons");
    options.add("--noise", noise, "the deviation of the noise on their coordinates");
    options.add_count("--width", width, "of the hidden layers");
    options.add("--lr", lr, "the highest learning rate");
    options.parse(argc, argv);
    example::Run run(options);

    xg::Rng rng(options.seed);
    const xg::data::Dataset data = xg::data::moons(points, noise, rng);
    Mlp model{{2, width, rng}, {width, width, rng}, {width, 1, rng}};
    xg::optim::AdamW optimizer({.lr = lr});
    run.resume(model, optimizer, rng);
    const bool finished = run.train(model, optimizer, rng, [&](std::int64_t step) {
        const auto [points_here, moons_here] = run.shard(data);
        xg::Tape tape;
        const Tensor sides = xg::astype(moons_here, xg::f32) * 2. - 1.;  // 1 the lower moon, -1 the upper
        const Tensor loss = xg::nn::hinge(scores(model, points_here), sides);
        const auto gradients = run.gradient(tape, loss, model);
        optimizer.options.lr = xg::optim::cosine(step, {.peak = lr, .steps = options.steps});
        optimizer.step(model, gradients);
        return loss.item<double>();
    });
    if (!finished) return 0;

    xg::save(model, run.file("model.safetensors"));
    run.at_least("accuracy", accuracy(model, data), 100, " %");
    const example::Rectangle area{-1.5, 2.5, -1, 1.5};
    run.report().add(example::draw_boundary(run.file("boundary"), "The decision boundary", on_grid(model, area, 161, 101), area,
                                            data.inputs, data.targets));
    return run.finish(model);
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("moons", [&] { return moons(argc, argv); });
}
