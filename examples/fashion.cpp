// A small attention classifier learns Fashion-MNIST, about a minute on two cores.
//
// An image is a sequence of 16 patches. One attention layer, built from matmul, transpose and softmax, looks at them; layer
// norms, a hidden layer and a linear head follow. Plain SGD with momentum.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "idx.hpp"

namespace xg = xtgrad;
using xg::Tensor;

namespace {

constexpr int patches = 16, patch_size = 49, width = 64, hidden = 128, classes = 10;
constexpr int batch_size = 100, epochs = 10;

struct Data {
    Tensor images, labels;
};

/// Images as rows of patches, [n, 16, 49], with mean about 0 and variance about 1.
Data load(const std::string& folder, const std::string& part) {
    const Tensor bytes = read_idx(folder + "/" + part + "-images-idx3-ubyte.gz"),
                 labels = read_idx(folder + "/" + part + "-labels-idx1-ubyte.gz");
    const Tensor pixels = (xg::astype(bytes, xg::f32) / 255. - 0.286) / 0.353;
    const xg::Index n = pixels.shape(0);
    const Tensor tiles = xg::permute(xg::reshape(pixels, {n, 4, 7, 4, 7}), {0, 1, 3, 2, 4});
    return {xg::reshape(tiles, {n, patches, patch_size}), labels};
}

struct Model {
    Tensor embed, position, query, key, value, up, up_bias, head, head_bias;

    explicit Model(xg::Rng& rng) {
        const auto matrix = [&](int in, int out) { return xg::randn({in, out}, xg::f32, rng) / std::sqrt(double(in)); };
        embed = matrix(patch_size, width);
        position = xg::randn({patches, width}, xg::f32, rng) * 0.1;
        query = matrix(width, width);
        key = matrix(width, width);
        value = matrix(width, width);
        up = matrix(width, hidden);
        up_bias = xg::zeros({hidden}, xg::f32);
        head = matrix(hidden, classes);
        head_bias = xg::zeros({classes}, xg::f32);
    }

    std::vector<Tensor*> fields() { return {&embed, &position, &query, &key, &value, &up, &up_bias, &head, &head_bias}; }

    /// Images [n, 16, 49] to logits [n, 10].
    Tensor operator()(const Tensor& images) const {
        const Tensor x = xg::matmul(images, embed) + position;
        const Tensor seen = x + attention(xg::layer_norm(x));
        const Tensor features = xg::gelu_tanh(xg::matmul(xg::layer_norm(seen), up) + up_bias);
        return xg::matmul(xg::mean(features, 1), head) + head_bias;
    }

private:
    /// softmax(Q K^T / sqrt(width)) V, each patch attending to all.
    Tensor attention(const Tensor& x) const {
        const Tensor q = xg::matmul(x, query), k = xg::matmul(x, key), v = xg::matmul(x, value);
        const Tensor scores = xg::matmul(q, xg::permute(k, {0, 2, 1})) / std::sqrt(double(width));
        return xg::matmul(xg::softmax(scores), v);
    }
};

double accuracy(const Model& model, const Data& data) {
    double right = 0;
    const xg::Index n = data.labels.shape(0), part = 1000;
    for (xg::Index i = 0; i < n; i += part) {
        const auto range = xt::range(i, std::min(i + part, n));
        const Tensor predicted = xg::argmax(model(xg::view(data.images, range)), 1);
        right += xg::sum(xg::equal(predicted, xg::view(data.labels, range))).item<double>();
    }
    return right / double(n);
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void train(Model& model, const Data& data, xg::Rng& rng) {
    const int steps_an_epoch = int(data.labels.shape(0)) / batch_size, steps = epochs * steps_an_epoch;
    const double begin = seconds(), peak = 0.1, momentum = 0.9;
    std::vector<Tensor> velocity;
    for (const Tensor* w : model.fields()) velocity.push_back(xg::zeros_like(*w));
    double smooth = std::log(double(classes)), shown = begin;
    for (int step = 0; step < steps;) {
        const Tensor order = xg::permutation(data.labels.shape(0), rng);
        for (int i = 0; i < steps_an_epoch; ++i, ++step) {
            const Tensor chosen = xg::view(order, xt::range(i * batch_size, (i + 1) * batch_size));
            const Tensor images = xg::take(data.images, chosen), labels = xg::take(data.labels, chosen);

            xg::Tape tape;
            const Tensor loss = xg::cross_entropy(model(images), labels);
            std::vector<Tensor> weights;
            for (const Tensor* w : model.fields()) weights.push_back(*w);
            const std::vector<Tensor> gradients = tape.gradient(loss, weights);

            const double rate = peak * 0.5 * (1 + std::cos(M_PI * step / steps));
            for (std::size_t k = 0; k < gradients.size(); ++k) {
                velocity[k] = velocity[k] * momentum + gradients[k];
                *model.fields()[k] -= velocity[k] * rate;
            }

            smooth += 0.02 * (loss.item<double>() - smooth);
            if (seconds() - shown < 0.5 && step + 1 < steps) continue;
            shown = seconds();
            const double elapsed = shown - begin, left = elapsed / (step + 1) * (steps - step - 1);
            std::printf("\rstep %4d/%d  loss %.3f  %6.0f images/s  %3.0f s left ", step + 1, steps, smooth,
                        (step + 1) * batch_size / elapsed, left);
            std::fflush(stdout);
        }
    }
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) try {
    const std::string folder = argc > 1 ? argv[1] : "/usr/share/datasets/fashion-mnist";
    if (!std::filesystem::exists(folder + "/train-images-idx3-ubyte.gz")) {
        std::fprintf(stderr,
                     "Fashion-MNIST is not in %s.\nInstall the Debian package dataset-fashion-mnist, or give the folder of its "
                     "four .gz files as argument.\n",
                     folder.c_str());
        return 1;
    }
    const Data training = load(folder, "train"), test = load(folder, "t10k");
    std::printf("%td training images, %td test images; %d threads, %s\n", training.labels.shape(0), test.labels.shape(0),
                xg::num_threads(), xg::instruction_set());
    xg::Rng rng(1);
    Model model(rng);
    train(model, training, rng);
    std::printf("test accuracy %.2f %%\n", 100 * accuracy(model, test));
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
