// An autoencoder squeezes Fashion-MNIST through two numbers, and draws where the classes lie: under a minute.
#include <algorithm>

#include <xtgrad/xtgrad.hpp>

#include "common/run.hpp"

namespace xg = xtgrad;
using xg::Index;
using xg::Tensor;

namespace {

struct Half {
    std::vector<xg::nn::Linear> layers;

    Half(const std::vector<Index>& widths, xg::Rng& rng) {
        for (std::size_t i = 0; i + 1 < widths.size(); ++i) layers.emplace_back(widths[i], widths[i + 1], rng);
    }
    Tensor operator()(Tensor x) const {
        for (std::size_t i = 0; i < layers.size(); ++i) x = layers[i](i ? xg::gelu_tanh(x) : x);
        return x;
    }
    static void visit(auto& self, auto&& field) { field("layers", self.layers); }
};

struct Autoencoder {
    Half encode, decode;
    static void visit(auto& self, auto&& field) {
        field("encode", self.encode);
        field("decode", self.decode);
    }
};

/// The mean square of what a pixel differs by.
double error(const Autoencoder& model, const Tensor& images) {
    return xg::nn::mse(xg::sigmoid(model.decode(model.encode(images))), images).item<double>();
}

int autoencoder(int argc, char** argv) {
    example::Options options("autoencoder", "An autoencoder learns to squeeze Fashion-MNIST through two numbers.",
                             {.steps = 4000, .in_short = 150});
    std::string folder = "/usr/share/datasets/fashion-mnist";
    std::int64_t batch = 100, width = 256, images = 60000;
    double lr = 2e-3;
    options.add("--data", folder, "the folder of the four files; the Debian package dataset-fashion-mnist has them");
    options.add("--batch", batch, "images in a step", {.least = 1}, 50);
    options.add("--width", width, "of the widest hidden layer", {.least = 1}, 64);
    options.add("--images", images, "to train on, at most", {.least = 1}, 3000);
    options.add("--lr", lr, "the highest learning rate", {.above = 0});
    options.parse(argc, argv);
    example::Run run(options, "binary cross-entropy of a pixel, nats");

    const auto first = [](const xg::data::Dataset& data, Index n) {
        return xg::data::slice(data, 0, std::min(n, xg::data::size(data)));
    };
    const xg::data::Dataset train = first(xg::data::fashion_mnist(folder, "train"), images),
                            test = first(xg::data::fashion_mnist(folder, "test"), 5000);
    if (xg::data::size(train) < batch)
        throw xg::Error("--images " + std::to_string(xg::data::size(train)) + " do not fill a --batch of " +
                        std::to_string(batch));
    xg::Rng rng(options.seed), order = xg::Rng(options.seed).split();
    Autoencoder model{{{784, width, 64, 2}, rng}, {{2, 64, width, 784}, rng}};
    xg::optim::AdamW optimizer({.weight_decay = 0});
    run.resume(model, optimizer, rng);
    auto next = run.batches(train, batch, order);
    const bool finished = run.train(model, optimizer, rng, [&](std::int64_t step) {
        const auto [pictures, labels] = run.shard(*next);
        ++next;
        xg::Tape tape;
        const Tensor loss = xg::nn::binary_cross_entropy_with_logits(model.decode(model.encode(pictures)), pictures);
        const auto gradients = run.gradient(tape, loss, model);
        optimizer.options.lr = xg::optim::cosine(step, {.peak = lr, .warmup = 50, .steps = options.steps});
        optimizer.step(model, gradients);
        return loss.item<double>();
    });
    if (!finished) return 0;

    xg::save(model, run.file("model.safetensors"));
    run.result("mean squared error of the mean image", xg::mean(xg::variance(test.inputs, 0)).item<double>());
    run.at_most("mean squared error", error(model, test.inputs), options.short_mode ? 0.06 : 0.03);
    const Tensor latent = model.encode(test.inputs);
    run.report().add(example::draw_points(run.file("latent"), "Where the ten classes lie between the two halves",
                                          {"first number", "second number"}, latent, test.targets,
                                          xg::data::fashion_mnist_classes()));
    const Tensor originals = xg::view(test.inputs, xt::range(0, 10)), copies = xg::sigmoid(model.decode(model.encode(originals)));
    run.report().add(example::draw_images(run.file("copies"), "Images, and what comes back",
                                          xg::reshape(xg::concatenate({originals, copies}, 0), {-1, 28, 28}), 10));
    return run.finish(model);
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("autoencoder", [&] { return autoencoder(argc, argv); });
}
