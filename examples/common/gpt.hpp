// A small GPT (Radford et al., 2019): a language model of transformer blocks, the same weight for tokens and logits.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace example {

struct GptOptions {
    xtgrad::Index vocabulary = 0, context = 64, layers = 4, heads = 4, channels = 128;
};

struct Gpt {
    GptOptions options;
    xtgrad::nn::Embedding tokens;
    xtgrad::Tensor positions;  ///< (context, channels)
    std::vector<xtgrad::nn::TransformerBlock> blocks;
    xtgrad::nn::LayerNorm norm;

    /// Weights are normal with deviation 0.02, those that end a residual branch smaller by sqrt(2 layers), as GPT-2's.
    Gpt(const GptOptions&, xtgrad::Rng&);

    /// Logits [B, T, vocabulary] of what follows each of the tokens, i64 [B, T]; T is at most the context.
    xtgrad::Tensor operator()(const xtgrad::Tensor& ids) const;
    /// The same for tokens that follow those of the caches, one for each block.
    using Caches = std::vector<xtgrad::nn::KeyValueCache>;
    xtgrad::Tensor operator()(const xtgrad::Tensor& ids, Caches&) const;

    static void visit(auto& self, auto&& field) {
        field("tokens", self.tokens);
        field("positions", self.positions);
        field("blocks", self.blocks);
        field("norm", self.norm);
    }
};

/// The mean loss over all tokens that are not ignored, in nats, without recording.
double mean_loss(const Gpt&, const xtgrad::data::Dataset&, xtgrad::Index batch = 64);

struct GenerateOptions {
    xtgrad::Index count = 100;               ///< tokens at most
    double temperature = 1;                  ///< 0: always the likeliest
    std::optional<xtgrad::Index> stop = {};  ///< a token that ends
};
/// Tokens that follow a prefix, which is not empty.
std::vector<xtgrad::Index> generate(const Gpt&, std::vector<xtgrad::Index> prefix, xtgrad::Rng&, const GenerateOptions& = {});

/// The probabilities with which the heads of the first block look from each of T tokens to each: (heads, T, T).
xtgrad::Tensor attention_map(const Gpt&, const xtgrad::Tensor& ids);

/// What the weights and biases that do not decay are called: norms and biases.
std::vector<xtgrad::optim::Group> no_decay();

/// A model with the alphabet that it was trained on, in a safetensors file.
struct Writer {
    Gpt model;
    xtgrad::data::Characters characters;
};
void save_writer(const Writer&, const std::string& path);
/// Throws xtgrad::IoError.
Writer load_writer(const std::string& path);

}  // namespace example
