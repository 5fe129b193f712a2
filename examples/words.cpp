// A character-level GPT learns to make up English words, or to write like any text: a minute.
//
// Tiny Shakespeare in the manner of nanoGPT: examples/run words --data shakespeare.txt --layers 4 --channels 128 --context 64
// --batch 12 --lr 1e-3 --steps 2000
#include <array>
#include <cmath>
#include <set>

#include "common/gpt.hpp"
#include "common/run.hpp"

namespace xg = xtgrad;
using xg::Index;
using xg::Tensor;

namespace {

struct Texts {
    std::string train, held_out;
};

/// The lower-case ASCII words of a list, one a line, at random: nine tenths to train.
Texts words_of(const std::string& list) {
    std::vector<std::string> words;
    for (std::size_t begin = 0, end; begin < list.size(); begin = end + 1) {
        end = std::min(list.find('\n', begin), list.size());
        const std::string word = list.substr(begin, end - begin);
        const bool plain = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
        if (plain && !word.empty()) words.push_back(word);
    }
    xg::Rng fixed(2024);  // the same split for every seed
    const Tensor order = xg::permutation(Index(words.size()), fixed);
    Texts texts;
    for (std::size_t i = 0; i < words.size(); ++i)
        (i < words.size() / 10 ? texts.held_out : texts.train) += words[std::size_t(order.data<Index>()[i])] + '\n';
    return texts;
}

/// Any text: its last tenth is held out.
Texts parts_of(const std::string& text) {
    const std::size_t begin = text.size() - text.size() / 10;
    return {text.substr(0, begin), text.substr(begin)};
}

/// The loss of counting which character follows each n - 1 others, in nats a character; every count begins at 0.1.
double ngram_loss(const Tensor& train, const Tensor& held_out, Index vocabulary, int n) {
    constexpr double prior = 0.1;
    Index contexts = 1;
    for (int i = 1; i < n; ++i) contexts *= vocabulary;
    std::vector<double> counts(std::size_t(contexts * vocabulary), prior),
        totals(std::size_t(contexts), prior * double(vocabulary));
    const auto walk = [&](const Tensor& text, auto f) {
        const Index* p = text.data<Index>();
        Index before = 0;
        for (Index i = 0; i < text.shape(0); ++i) {
            if (i >= n - 1) f(std::size_t(before), std::size_t(before * vocabulary + p[i]));
            before = contexts == 1 ? 0 : (before * vocabulary + p[i]) % contexts;
        }
    };
    walk(train, [&](std::size_t context, std::size_t gram) { ++counts[gram], ++totals[context]; });
    double sum = 0, count = 0;
    walk(held_out, [&](std::size_t context, std::size_t gram) { sum -= std::log(counts[gram] / totals[context]), ++count; });
    return sum / count;
}

/// Lines that the model makes up and the text does not have.
std::string new_lines(const example::Writer& writer, const std::string& text, xg::Rng& rng, int count) {
    const std::vector<Index> begin{writer.characters.encode("\n").item<Index>()};
    const auto as_text = [&](const std::vector<Index>& tokens) {
        std::string line;
        for (const Index t : tokens) line += writer.characters.decode(Tensor(t));
        return line;
    };
    std::string lines;
    for (int tries = 0; count > 0 && tries < 1000; ++tries) {
        const std::string line = as_text(example::generate(writer.model, begin, rng, {.stop = begin[0]}));
        if (line.empty() || ('\n' + text).find('\n' + line + '\n') != std::string::npos) continue;
        lines += line + '\n';
        --count;
    }
    return lines;
}

struct Settings {
    std::string data;
    std::int64_t layers = 2, heads = 4, channels = 128, context = 32, batch = 32, warmup = 100;
    double lr = 4e-3, floor = 1e-4, beta2 = 0.99, decay = 0.1, clip = 1;
};

int words(int argc, char** argv) {
    example::Options options("words", "A character-level GPT learns to make up words, or to write like any text.",
                             {.steps = 1800, .in_short = 300});
    Settings s;
    options.add("--data", s.data, "a text to learn instead of the words in /usr/share/dict/words; its last tenth is held out");
    options.add_count("--layers", s.layers, "blocks of the transformer");
    options.add_count("--heads", s.heads, "of attention in a block", 2);
    options.add_count("--channels", s.channels, "width of the model", 32);
    options.add_count("--context", s.context, "how many characters it sees");
    options.add_count("--batch", s.batch, "stretches of text in a step", 16);
    options.add("--lr", s.lr, "the highest learning rate", 1e-2);
    options.add("--floor", s.floor, "the last learning rate");
    options.add("--warmup", s.warmup, "steps to the highest learning rate", 10);
    options.add("--beta2", s.beta2, "AdamW's second decay rate");
    options.add("--decay", s.decay, "weight decay");
    options.add("--clip", s.clip, "the largest norm of the gradient");
    options.parse(argc, argv);
    example::Run run(options);

    const bool from_words = s.data.empty();
    const Texts texts =
        from_words ? words_of(xg::data::read_text("/usr/share/dict/words")) : parts_of(xg::data::read_text(s.data));
    const xg::data::Characters characters(texts.train + texts.held_out);
    const Tensor train = characters.encode(texts.train);
    const Tensor held_out = characters.encode(options.short_mode ? texts.held_out.substr(0, 5000) : texts.held_out);
    const xg::data::Dataset held_out_windows = xg::data::windows(held_out, s.context);
    std::printf("%td characters to train on, %td held out, %td different ones\n", train.shape(0), held_out.shape(0),
                characters.size());

    xg::Rng rng(options.seed);
    example::Writer writer{example::Gpt({characters.size(), s.context, s.layers, s.heads, s.channels}, rng), characters};
    example::Gpt& model = writer.model;
    xg::optim::AdamW optimizer({.betas = {0.9, s.beta2}, .weight_decay = s.decay, .groups = example::no_decay()});
    run.resume(model, optimizer, rng);
    const xg::data::Dataset glimpse =
        xg::data::slice(held_out_windows, 0, std::min<Index>(200, xg::data::size(held_out_windows)));
    const bool finished = run.train(model, optimizer, rng, [&](std::int64_t step) {
        const auto [inputs, targets] = run.shard(xg::data::random_windows(train, s.batch, s.context, rng));
        xg::Tape tape;
        const Tensor loss = xg::cross_entropy(model(inputs), targets);
        auto gradients = run.gradient(tape, loss, model);
        xg::optim::clip_norm(gradients, s.clip);
        optimizer.options.lr =
            xg::optim::cosine(step, {.peak = s.lr, .floor = s.floor, .warmup = s.warmup, .steps = options.steps});
        optimizer.step(model, gradients);
        if (step % 100 == 0) run.record("held out", example::mean_loss(model, glimpse));
        return loss.item<double>();
    });
    if (!finished) return 0;

    example::save_writer(writer, run.file("model.safetensors"));
    const double bigram = ngram_loss(train, held_out, characters.size(), 2),
                 trigram = ngram_loss(train, held_out, characters.size(), 3);
    const std::string unit = " nats a character";
    run.result("a bigram's held-out loss", std::to_string(bigram) + unit);
    run.result("a trigram's held-out loss", std::to_string(trigram) + unit);
    run.at_most("held-out loss", example::mean_loss(model, held_out_windows), options.short_mode ? bigram : trigram, unit);

    const std::string lines = new_lines(writer, texts.train + texts.held_out, rng, 20);
    std::printf("%s\n%s\n", from_words ? "new words:" : "new lines:", lines.c_str());
    run.report().add(from_words ? "New words" : "New lines", lines);
    const std::string shown =
        from_words ? "\nunforgettable\n" : texts.held_out.substr(0, std::size_t(std::min<Index>(24, s.context)));
    const Tensor ids = characters.encode(shown);
    std::vector<std::string> names;
    for (Index i = 0; i < ids.shape(0); ++i) {
        const std::string c = characters.decode(xg::view(ids, i));
        names.push_back(c == "\n" ? "end" : c);
    }
    if (ids.shape(0) <= s.context)
        run.report().add(example::draw_matrix(run.file("attention"),
                                              "Attention of the first block's heads, their mean: who looks (rows) at whom",
                                              xg::mean(example::attention_map(model, ids), 0), names, names));
    std::printf("the model continues a text: examples/run generate --model %s PREFIX\n", run.file("model.safetensors").c_str());
    return run.finish(model);
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("words", [&] { return words(argc, argv); });
}
