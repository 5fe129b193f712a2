// Continues a text with a model that `words` has trained: at once.
#include "common/gpt.hpp"
#include "common/run.hpp"

namespace xg = xtgrad;

namespace {

int generate(int argc, char** argv) {
    std::string model = "build/runs/words/model.safetensors", prefix;
    std::int64_t count = 100, seed = 1, samples = 5;
    double temperature = 0.8;
    bool whole = false;
    example::Options options("generate", "Continues a text with a model that words has trained.");
    options.add("--model", model, "the file that words saved");
    options.add("--count", count, "characters to add at most");
    options.add_count("--samples", samples, "how many continuations");
    options.add("--temperature", temperature, "below 1 more likely ones, 0 the likeliest");
    options.add("--seed", seed, "of the random numbers");
    options.add("--lines", whole, "go on after the end of a line");
    options.add("prefix", prefix, "what to continue; by default the beginning of a line");
    options.parse(argc, argv);

    const example::Writer writer = example::load_writer(model);
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
