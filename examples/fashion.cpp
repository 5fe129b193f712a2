// A classifier of Fashion-MNIST, with attention, as an MLP or by convolution: up to three minutes.
//
// To the attention model an image is a sequence of 16 patches of 7 x 7; two transformer blocks look at them, and their mean is
// classified.
#include <algorithm>
#include <array>

#include <xtgrad/xtgrad.hpp>

#include "common/run.hpp"

namespace xg = xtgrad;
using xg::Index;
using xg::Tensor;

namespace {

constexpr Index classes = 10, pixels = 784;

/// Images (n, 784) in [0, 1] with mean about 0 and variance about 1.
Tensor centered(const Tensor& images) { return (images - 0.286) / 0.353; }

struct Attention {
    static constexpr Index patches = 16, patch = 49, width = 64;
    xg::nn::Linear embed;
    Tensor positions;
    std::array<xg::nn::TransformerBlock, 2> blocks;
    xg::nn::LayerNorm norm;
    xg::nn::Linear head;

    explicit Attention(xg::Rng& rng)
        : embed(patch, width, rng),
          positions(xg::randn({patches, width}, xg::f32, rng) * 0.1),
          blocks{layer(rng), layer(rng)},
          norm(width),
          head(width, classes, rng) {}
    Tensor operator()(const Tensor& images) const {
        const Index n = images.shape(0);
        const Tensor tiles = xg::permute(xg::reshape(centered(images), {n, 4, 7, 4, 7}), {0, 1, 3, 2, 4});
        Tensor x = embed(xg::reshape(tiles, {n, patches, patch})) + positions;
        for (const auto& block : blocks) x = block(x);
        return head(xg::mean(norm(x), 1));
    }
    static void visit(auto& self, auto&& field) {
        field("embed", self.embed);
        field("positions", self.positions);
        field("blocks", self.blocks);
        field("norm", self.norm);
        field("head", self.head);
    }

private:
    static xg::nn::TransformerBlock layer(xg::Rng& rng) { return {width, rng, {.heads = 4, .hidden = 256}}; }
};

struct Mlp {
    xg::nn::Linear first, second, head;

    explicit Mlp(xg::Rng& rng) : first(pixels, 256, rng), second(256, 128, rng), head(128, classes, rng) {}
    Tensor operator()(const Tensor& images) const { return head(xg::relu(second(xg::relu(first(centered(images)))))); }
    static void visit(auto& self, auto&& field) {
        field("first", self.first);
        field("second", self.second);
        field("head", self.head);
    }
};

/// Two convolutions with pooling, then two linear layers.
struct Convolutional {
    xg::nn::Conv2d first, second;
    xg::nn::Linear hidden, head;

    explicit Convolutional(xg::Rng& rng)
        : first(1, 16, 3, rng, {.padding = 1}),
          second(16, 32, 3, rng, {.padding = 1}),
          hidden(32 * 7 * 7, 128, rng),
          head(128, classes, rng) {}
    Tensor operator()(const Tensor& images) const {
        const Tensor x = xg::reshape(centered(images), {-1, 1, 28, 28});
        const Tensor halved = xg::max_pool2d(xg::relu(first(x)), 2);
        const Tensor quartered = xg::max_pool2d(xg::relu(second(halved)), 2);
        return head(xg::relu(hidden(xg::reshape(quartered, {-1, 32 * 7 * 7}))));
    }
    static void visit(auto& self, auto&& field) {
        field("first", self.first);
        field("second", self.second);
        field("hidden", self.hidden);
        field("head", self.head);
    }
};

/// The likeliest class of each image.
Tensor predicted(const auto& model, const xg::data::Dataset& data) {
    std::vector<Tensor> parts;
    for (const auto& [images, labels] : xg::data::batches(data, {.size = 1000})) parts.push_back(xg::argmax(model(images), 1));
    return xg::concatenate(parts, 0);
}

double accuracy(const Tensor& labels, const Tensor& guesses) {
    return 100 * xg::mean(xg::astype(xg::equal(labels, guesses), xg::f64)).item<double>();
}

double mean_loss(const auto& model, const xg::data::Dataset& data) {
    const xg::no_record paused;
    return xg::nn::cross_entropy(model(data.inputs), data.targets).template item<double>();
}

/// Of the images of a class (row) the share that is taken for another (column), in percent.
Tensor confusion(const Tensor& labels, const Tensor& guesses) {
    const Tensor counts = xg::matmul(xg::transpose(xg::one_hot(labels, classes)), xg::one_hot(guesses, classes));
    return 100 * counts / xg::sum(counts, 1, xt::keep_dims);
}

/// The first wrong guesses as a picture, and in words.
void add_wrong_examples(example::Run& run, const xg::data::Dataset& data, const Tensor& guesses) {
    constexpr Index shown = 40, columns = 10;
    const auto& names = xg::data::fashion_mnist_classes();
    std::vector<Index> wrong;
    std::string text;
    for (Index i = 0; i < data.targets.shape(0) && Index(wrong.size()) < shown; ++i) {
        const Index label = data.targets.data<Index>()[i], guess = guesses.data<Index>()[i];
        if (label == guess) continue;
        text += names[std::size_t(label)] + " taken for " + names[std::size_t(guess)] +
                (wrong.size() % columns == columns - 1 ? '\n' : ',') + ' ';
        wrong.push_back(i);
    }
    if (wrong.empty()) return;
    const Tensor images = xg::take(data.inputs, Tensor(xt::xarray<Index>(xt::adapt(wrong))));
    run.report().add(example::draw_images(run.file("wrong"), "Wrong examples", xg::reshape(images, {-1, 28, 28}), columns));
    run.report().add("They are, row by row", text);
}

struct Settings {
    std::string folder = "/usr/share/datasets/fashion-mnist", model = "attention";
    std::int64_t batch = 100, train = 60000, test = 10000;
    double lr = 2e-3, decay = 0.01;
};

/// `promised` is the accuracy in percent.
template <class Model>
int train(const example::Options& options, const Settings& s, double promised) {
    example::Run run(options);
    const auto first = [](const xg::data::Dataset& data, Index n) {
        return xg::data::slice(data, 0, std::min(n, xg::data::size(data)));
    };
    const xg::data::Dataset training = first(xg::data::fashion_mnist(s.folder, "train"), s.train),
                            test = first(xg::data::fashion_mnist(s.folder, "test"), s.test);
    if (xg::data::size(training) < s.batch)
        throw xg::Error("--train " + std::to_string(xg::data::size(training)) + " does not fill a --batch of " +
                        std::to_string(s.batch));
    const xg::data::Dataset glimpse = first(test, 1000);
    xg::Rng rng(options.seed), order = xg::Rng(options.seed).split();
    Model model(rng);
    xg::optim::AdamW optimizer({.weight_decay = s.decay});
    run.resume(model, optimizer, rng);
    auto next = run.batches(training, s.batch, order);
    const bool finished = run.train(model, optimizer, rng, [&](std::int64_t step) {
        const auto [images, labels] = run.shard(*next);
        ++next;
        xg::Tape tape;
        const Tensor loss = xg::nn::cross_entropy(model(images), labels);
        const auto gradients = run.gradient(tape, loss, model);
        optimizer.options.lr = xg::optim::cosine(step, {.peak = s.lr, .warmup = 50, .steps = options.steps});
        optimizer.step(model, gradients);
        if (run.due(100)) run.record("test images", mean_loss(model, glimpse));
        return loss.item<double>();
    });
    if (!finished) return 0;

    xg::save(model, run.file("model.safetensors"), {{"model", s.model}});
    const Tensor guesses = predicted(model, test);
    run.at_least("test accuracy", accuracy(test.targets, guesses), promised, " %");
    run.report().add(example::draw_table(run.file("confusion"), "What the images of a class are taken for, percent",
                                         {"found", "truth"}, confusion(test.targets, guesses), xg::data::fashion_mnist_classes(),
                                         xg::data::fashion_mnist_classes()));
    add_wrong_examples(run, test, guesses);
    return run.finish(model);
}

int fashion(int argc, char** argv) {
    example::Options options("fashion", "A classifier learns Fashion-MNIST.", {.steps = 6000, .in_short = 150});
    Settings s;
    options.add_choice("--model", s.model, {"attention", "mlp", "conv"}, "what it is made of; each has its own folder");
    options.add("--data", s.folder, "the folder of the four files; the Debian package dataset-fashion-mnist has them");
    options.add("--batch", s.batch, "images in a step", {.least = 1});
    options.add("--lr", s.lr, "the highest learning rate", {.above = 0});
    options.add("--decay", s.decay, "weight decay", {.least = 0});
    options.add("--train", s.train, "images to train on, at most", {.least = 1}, 6000);
    options.add("--test", s.test, "images to test on, at most", {.least = 1}, 1000);
    options.parse(argc, argv);
    if (!options.given("--out")) options.out += '_' + s.model;
    if (s.model == "mlp") return train<Mlp>(options, s, options.short_mode ? 70 : 88);
    if (s.model == "conv") return train<Convolutional>(options, s, options.short_mode ? 70 : 91);
    return train<Attention>(options, s, options.short_mode ? 70 : 88);
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("fashion", [&] { return fashion(argc, argv); });
}
