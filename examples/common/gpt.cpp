#include "gpt.hpp"

#include <cmath>

namespace example {

namespace xg = xtgrad;
using xg::Tensor;

Gpt::Gpt(const GptOptions& o, xg::Rng& rng)
    : options(o),
      tokens(o.vocabulary, o.channels, rng),
      positions(xg::randn({o.context, o.channels}, xg::f32, rng) * 0.02),
      norm(o.channels) {
    tokens.weight = tokens.weight * 0.02;
    for (xg::Index i = 0; i < o.layers; ++i)
        blocks.emplace_back(o.channels, rng, xg::nn::TransformerBlockOptions{.heads = o.heads, .causal = true});
    const double small = 1 / std::sqrt(2 * double(o.layers));
    xg::nn::for_each_tensor(blocks, [&](std::string_view name, Tensor& x, xg::nn::Role) {
        const bool ends_branch = name.ends_with("out.weight") || name.ends_with("down.weight");
        if (x.dimension() == 2) x = xg::randn(x.shape(), xg::f32, rng) * (ends_branch ? 0.02 * small : 0.02);
        if (name.ends_with("bias")) x = xg::zeros_like(x);
    });
}

Tensor Gpt::operator()(const Tensor& ids) const {
    Tensor x = tokens(ids) + xg::view(positions, xt::range(0, ids.shape(-1)));
    for (const auto& block : blocks) x = block(x);
    return xg::linear(norm(x), tokens.weight);
}

Tensor Gpt::operator()(const Tensor& ids, Caches& caches) const {
    caches.resize(blocks.size());
    const xg::Index before = caches.front().length();
    Tensor x = tokens(ids) + xg::view(positions, xt::range(before, before + ids.shape(-1)));
    for (std::size_t i = 0; i < blocks.size(); ++i) x = blocks[i](x, caches[i]);
    return xg::linear(norm(x), tokens.weight);
}

double mean_loss(const Gpt& model, const xg::data::Dataset& data, xg::Index batch) {
    const xg::no_record paused;
    double sum = 0, count = 0;
    for (const auto& [ids, targets] : xg::data::batches(data, {.size = batch})) {
        const double n = xg::sum(xg::astype(xg::not_equal(targets, xg::data::ignored), xg::f64)).item<double>();
        sum += n * xg::cross_entropy(model(ids), targets).item<double>();
        count += n;
    }
    return sum / count;
}

std::vector<xg::Index> generate(const Gpt& model, std::vector<xg::Index> tokens, xg::Rng& rng, const GenerateOptions& options) {
    const xg::no_record paused;
    const auto as_row = [](auto begin, auto end) {
        const xt::xtensor<xg::Index, 1> row = xt::adapt(std::vector<xg::Index>(begin, end));
        return xg::reshape(Tensor(row), {1, -1});
    };
    const std::size_t prefix = tokens.size();
    Gpt::Caches caches;
    std::size_t seen = 0;  // how many tokens the caches know
    while (xg::Index(tokens.size() - prefix) < options.count) {
        if (caches.empty() || caches.front().length() + xg::Index(tokens.size() - seen) > model.options.context) {
            caches.clear();  // full: go on with the later half of what was seen
            const auto context = std::size_t(model.options.context);
            seen = tokens.size() <= context ? 0 : tokens.size() - (context + 1) / 2;
        }
        const Tensor logits = model(as_row(tokens.begin() + std::ptrdiff_t(seen), tokens.end()), caches);
        seen = tokens.size();
        const Tensor last = xg::view(logits, 0, -1);
        const xg::Index next = options.temperature == 0
                                   ? xg::argmax(last, 0).item<xg::Index>()
                                   : xg::categorical(xg::softmax(last / options.temperature), rng).item<xg::Index>();
        if (next == options.stop) break;
        tokens.push_back(next);
    }
    return {tokens.begin() + std::ptrdiff_t(prefix), tokens.end()};
}

Tensor attention_map(const Gpt& model, const Tensor& ids) {
    const xg::no_record paused;
    const auto& block = model.blocks.front();
    const xg::Index n = ids.size(), heads = model.options.heads, width = model.options.channels / heads;
    const Tensor x = model.tokens(ids) + xg::view(model.positions, xt::range(0, n));
    const Tensor normed = std::visit([&](const auto& layer) { return layer(x); }, block.attention_norm);
    const auto by_head = [&](const Tensor& y) { return xg::permute(xg::reshape(y, {n, heads, width}), {1, 0, 2}); };
    const Tensor scores =
        xg::matmul(by_head(block.attention.query(normed)), xg::permute(by_head(block.attention.key(normed)), {0, 2, 1}));
    const Tensor hidden = xg::triu(xg::ones({n, n}, xg::f32), 1) * 1e9;
    return xg::softmax(scores / std::sqrt(double(width)) - hidden);
}

std::vector<xg::optim::Group> no_decay() { return {{.names = {"*bias", "*norm*"}, .weight_decay = 0}}; }

void save_writer(const Writer& writer, const std::string& path) {
    const GptOptions& o = writer.model.options;
    xg::save(writer.model, path,
             {{"context", std::to_string(o.context)},
              {"layers", std::to_string(o.layers)},
              {"heads", std::to_string(o.heads)},
              {"channels", std::to_string(o.channels)},
              {"alphabet", writer.characters.alphabet()}});
}

Writer load_writer(const std::string& path) {
    const xg::io::Metadata metadata = xg::io::Safetensors(path).metadata();
    const auto text = [&](const char* key) {
        const auto found = metadata.find(key);
        if (found == metadata.end())
            throw xg::IoError(path + ": has no " + key + " in its metadata: not a model that words wrote");
        return found->second;
    };
    const auto number = [&](const char* key) {
        const xg::Index value = std::atoll(text(key).c_str());
        if (value < 1 || value > 1 << 20) throw xg::IoError(path + ": " + key + " in its metadata is not a sensible number");
        return value;
    };
    const xg::data::Characters characters(text("alphabet"));
    xg::Rng rng(0);
    Writer writer{Gpt({characters.size(), number("context"), number("layers"), number("heads"), number("channels")}, rng),
                  characters};
    xg::load(writer.model, path);
    return writer;
}

}  // namespace example
