// Continues a text with a model that `words` has trained: at once.
#include "common/gpt.hpp"
#include "common/run.hpp"

namespace xg = xtgrad;

namespace {

/// A prefix is of characters that the model has seen.
void check_known(const xg::data::Characters& characters, const std::string& prefix) {
    try {
        static_cast<void>(characters.encode('\n' + prefix));
    } catch (const xg::Error&) {
        std::string alphabet;
        for (const char c : characters.alphabet()) alphabet += c == '\n' ? "" : std::string(1, c);
        throw xg::Error("the model does not know a character of \"" + prefix + "\"; it was trained on these: \"" + alphabet +
                        '"');
    }
}

int generate(int argc, char** argv) {
    std::string model = example::runs_folder() + "/words/model.safetensors", prefix;
    std::int64_t count = 100, seed = 1, samples = 5;
    double temperature = 0.8;
    bool whole = false;
    example::Options options("generate", "Continues a text with a model that words has trained.");
    options.add("--model", model, "the file that words saved");
    options.add("--count", count, "characters to add at most", {.least = 1});
    options.add("--samples", samples, "how many continuations", {.least = 1});
    options.add("--temperature", temperature, "below 1 more likely ones, 0 the likeliest", {.least = 0});
    options.add("--seed", seed, "of the random numbers", {});
    options.add("--lines", whole, "go on after the end of a line");
    options.add("prefix", prefix, "what to continue; by default the beginning of a line");
    options.parse(argc, argv);

    const example::Writer writer = example::load_writer(model);
    check_known(writer.characters, prefix);
    const xg::Tensor begin = writer.characters.encode('\n' + prefix);
    const std::vector<xg::Index> tokens(begin.data<xg::Index>(), begin.data<xg::Index>() + begin.size());
    xg::Rng rng(std::uint64_t{static_cast<std::uint64_t>(seed)});
    for (std::int64_t i = 0; i < samples; ++i) {
        std::string text = prefix;
        const auto stop = whole ? std::nullopt : std::optional(tokens.front());
        for (const xg::Index t :
             example::generate(writer.model, tokens, rng, {.count = count, .temperature = temperature, .stop = stop}))
            text += writer.characters.decode(xg::Tensor(t));
        std::printf("%s\n", text.c_str());
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("generate", [&] { return generate(argc, argv); });
}
