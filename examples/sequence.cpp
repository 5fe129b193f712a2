// An LSTM against attention: both learn to repeat a list of symbols, and one of them soon can: a minute.
#include "common/gpt.hpp"
#include "common/run.hpp"

namespace xg = xtgrad;
using xg::Index;
using xg::Tensor;

namespace {

struct Lstm {
    xg::nn::Embedding tokens;
    xg::nn::LSTMCell cell;
    xg::nn::Linear head;

    Lstm(Index vocabulary, Index width, xg::Rng& rng)
        : tokens(vocabulary, width, rng), cell(width, width, rng), head(width, vocabulary, rng) {}
    /// Tokens i64 [B, T] to logits [B, T, vocabulary].
    Tensor operator()(const Tensor& ids) const {
        const Tensor x = tokens(ids);
        auto state = cell.start(ids.shape(0));
        std::vector<Tensor> states;
        for (Index t = 0; t < ids.shape(1); ++t) {
            state = cell(xg::view(x, xt::all(), t), state);
            states.push_back(state.h);
        }
        return head(xg::stack(states, 1));
    }
    static void visit(auto& self, auto&& field) {
        field("tokens", self.tokens);
        field("cell", self.cell);
        field("head", self.head);
    }
};

/// Both, trained side by side on the same lists.
struct Contest {
    Lstm lstm;
    example::Gpt attention;
    static void visit(auto& self, auto&& field) {
        field("lstm", self.lstm);
        field("attention", self.attention);
    }
};

/// Lists of symbols, a sign, the same lists: what follows each token is the target, ignored before the sign.
xg::data::Batch lists(Index count, Index length, Index symbols, xg::Rng& rng) {
    const Tensor list = xg::randint({count, length}, 0, symbols, rng), sign = xg::zeros({count, 1}, xg::i64) + symbols;
    const Tensor inputs = xg::concatenate({list, sign, xg::view(list, xt::all(), xt::range(0, length - 1))}, 1);
    return {inputs, xg::concatenate({xg::zeros({count, length}, xg::i64) + xg::data::ignored, list}, 1)};
}

/// The percentage of symbols that are right.
double accuracy(const auto& model, const xg::data::Batch& batch) {
    const Tensor counts = xg::astype(xg::not_equal(batch.targets, xg::data::ignored), xg::f64);
    const Tensor right = xg::astype(xg::equal(xg::argmax(model(batch.inputs), -1), batch.targets), xg::f64);
    return 100 * (xg::sum(right) / xg::sum(counts)).item<double>();
}

int sequence(int argc, char** argv) {
    example::Options options("sequence", "An LSTM and attention learn to repeat a list of symbols.",
                             {.steps = 1500, .in_short = 300});
    std::int64_t length = 12, symbols = 8, width = 64, batch = 64;
    double lr = 3e-3;
    options.add_count("--length", length, "of the lists", 4);
    options.add_count("--symbols", symbols, "how many different ones");
    options.add_count("--width", width, "of the LSTM, and of the transformer", 32);
    options.add_count("--batch", batch, "lists in a step", 32);
    options.add("--lr", lr, "the highest learning rate", 6e-3);
    options.parse(argc, argv);
    example::Run run(options);

    xg::Rng rng(options.seed);
    Contest models{
        Lstm(symbols + 1, width, rng),
        example::Gpt({.vocabulary = symbols + 1, .context = 2 * length, .layers = 2, .heads = 4, .channels = width}, rng)};
    xg::optim::AdamW optimizer({.weight_decay = 0.01, .groups = example::no_decay()});
    run.resume(models, optimizer, rng);
    const bool finished = run.train(models, optimizer, rng, [&](std::int64_t step) {
        const auto [ids, targets] = run.shard(lists(batch, length, symbols, rng));
        xg::Tape tape;
        const Tensor lstm = xg::cross_entropy(models.lstm(ids), targets),
                     attention = xg::cross_entropy(models.attention(ids), targets);
        const Tensor loss = lstm + attention;  // no parameter is in both
        const auto gradients = run.gradient(tape, loss, models);
        optimizer.options.lr = xg::optim::cosine(step, {.peak = lr, .warmup = 50, .steps = options.steps});
        optimizer.step(models, gradients);
        run.record("LSTM", run.mean(lstm.item<double>()));
        run.record("attention", run.mean(attention.item<double>()));
        return loss.item<double>() / 2;
    });
    if (!finished) return 0;

    xg::save(models, run.file("model.safetensors"));
    const xg::data::Batch test = lists(1000, length, symbols, rng);
    const double guess = 100. / double(symbols);
    run.at_least("symbols that the LSTM repeats", accuracy(models.lstm, test), 1.5 * guess, " %");
    run.at_least("symbols that attention repeats", accuracy(models.attention, test), options.short_mode ? 50 : 99, " %");
    run.result("guessing", std::to_string(guess) + " %");
    const Tensor one = xg::view(test.inputs, 0);
    const Tensor looks = xg::mean(example::attention_map(models.attention, one), 0);
    run.report().add(
        example::draw_matrix(run.file("attention"), "Attention of the first block: who looks (rows) at whom", looks));
    return run.finish(models);
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("sequence", [&] { return sequence(argc, argv); });
}
