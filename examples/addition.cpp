// A GPT learns to add three-digit numbers from examples, and is tested on sums that it has not seen: one to two minutes.
#include <cmath>

#include "common/gpt.hpp"
#include "common/run.hpp"

namespace xg = xtgrad;
using xg::Index;
using xg::Tensor;

namespace {

/// The percentage of sums all of whose digits are right: what the likeliest digit, one after the other, would write.
double exact(const example::Gpt& model, const xg::data::Dataset& data) {
    double right = 0;
    for (const auto& [ids, targets] : xg::data::batches(data, {.size = 500})) {
        const Tensor wrong = xg::not_equal(xg::argmax(model(ids), -1), targets) && xg::not_equal(targets, xg::data::ignored);
        right += double(ids.shape(0)) - xg::sum(xg::astype(xg::any(wrong, 1), xg::f64)).item<double>();
    }
    return 100 * right / double(xg::data::size(data));
}

/// A sum, as the model writes it digit by digit after what stands before its =.
std::string written(const example::Gpt& model, const std::vector<Index>& problem, Index digits) {
    xg::Rng unused(0);
    std::string sum;
    for (const Index digit : example::generate(model, problem, unused, {.count = digits + 1, .temperature = 0}))
        sum.insert(sum.begin(), digit < 10 ? char('0' + digit) : '?');
    std::string text;
    for (const Index t : problem) text += "0123456789+="[t];
    return text + sum;
}

/// Is "12+07=019" right?
bool right(const std::string& sum, Index digits) {
    const auto n = std::size_t(digits);
    return std::stol(sum.substr(0, n)) + std::stol(sum.substr(n + 1, n)) == std::atol(sum.substr(2 * n + 2).c_str());
}

int addition(int argc, char** argv) {
    example::Options options("addition", "A GPT learns to add from examples.", {.steps = 2500, .in_short = 500});
    std::int64_t digits = 3, examples = 100000, tested = 2000, layers = 2, heads = 4, channels = 64, batch = 256;
    double lr = 4e-3;
    options.add("--digits", digits, "of each number", {.least = 1, .most = 9}, 1);
    options.add("--examples", examples, "sums to train on", {.least = 1}, 60);
    options.add("--tested", tested, "other sums to test on", {.least = 1}, 40);
    options.add("--layers", layers, "blocks of the transformer", {.least = 1});
    options.add("--heads", heads, "of attention in a block", {.least = 1});
    options.add("--channels", channels, "width of the model", {.least = 1}, 32);
    options.add("--batch", batch, "sums in a step", {.least = 1}, 30);
    options.add("--lr", lr, "the highest learning rate", {.above = 0});
    options.parse(argc, argv);
    if (channels % heads)
        throw xg::Error("--channels " + std::to_string(channels) + " is not a multiple of --heads " + std::to_string(heads));
    if (examples < batch)
        throw xg::Error("--examples " + std::to_string(examples) + " does not fill a --batch of " + std::to_string(batch));
    if (double(examples) + double(tested) > std::pow(100., double(digits)))
        throw xg::Error("--examples " + std::to_string(examples) + " and --tested " + std::to_string(tested) +
                        " are more sums than there are with --digits " + std::to_string(digits));
    example::Run run(options);

    xg::Rng rng(options.seed), order = xg::Rng(options.seed).split();
    const xg::data::Dataset all = xg::data::addition(examples + tested, digits, rng);  // all different
    const xg::data::Dataset train = xg::data::slice(all, 0, examples), test = xg::data::slice(all, examples, examples + tested);
    example::Gpt model({.vocabulary = 12, .context = all.inputs.shape(1), .layers = layers, .heads = heads, .channels = channels},
                       rng);
    xg::optim::AdamW optimizer({.weight_decay = 0.01, .groups = example::no_decay()});
    run.resume(model, optimizer, rng);
    auto next = run.batches(train, batch, order);
    const bool finished = run.train(model, optimizer, rng, [&](std::int64_t step) {
        const auto [ids, targets] = run.shard(*next);
        ++next;
        xg::Tape tape;
        const Tensor loss = xg::cross_entropy(model(ids), targets);
        auto gradients = run.gradient(tape, loss, model);
        xg::optim::clip_norm(gradients, 1);
        optimizer.options.lr = xg::optim::cosine(step, {.peak = lr, .warmup = 100, .steps = options.steps});
        optimizer.step(model, gradients);
        if (run.due(250)) run.record("unseen sums", example::mean_loss(model, test));
        return loss.item<double>();
    });
    if (!finished) return 0;

    xg::save(model, run.file("model.safetensors"));
    run.at_least("unseen sums that are right", exact(model, test), options.short_mode ? 20 : 99, " %");
    std::string first;
    Index written_right = 0;
    const Index count = std::min<Index>(tested, 100), length = test.inputs.shape(1);
    for (Index i = 0; i < count; ++i) {
        const Index* row = test.inputs.data<Index>() + i * length;
        const std::string sum = written(model, {row, row + 2 * digits + 2}, digits);
        written_right += right(sum, digits);
        if (i < 10) first += sum + '\n';
    }
    run.at_least("of some, written digit by digit", 100 * double(written_right) / double(count), options.short_mode ? 20 : 99,
                 " %");
    std::printf("%s", first.c_str());
    run.report().add("Unseen sums, as it writes them", first);
    return run.finish(model);
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("addition", [&] { return addition(argc, argv); });
}
