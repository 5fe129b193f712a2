// Models in files: what fits is loaded, what does not is a clear error and changes nothing.
#include <sys/stat.h>
#include <xtgrad/io/save.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include <xtgrad/nn/attention.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/optim/optimizers.hpp>

#include "files.hpp"

namespace xg = xtgrad;

namespace {

struct Layer {
    xg::Tensor weight, bias;
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};

struct Model {
    std::vector<Layer> layers;
    std::optional<Layer> head;
    xg::Tensor mean;
    std::array<xg::Tensor, 2> pair;
    static void visit(auto& self, auto&& field) {
        field("layers", self.layers);
        field("head", self.head);
        field("mean", xg::nn::buffer(self.mean));
        field("pair", self.pair);
    }
};

Model model_of(double value, xg::Dtype dtype = xg::f32) {
    const auto filled = [&](const xg::Shape& shape) { return xg::full(shape, value, dtype); };
    return {{{filled({2, 3}), filled({3})}, {filled({3, 5}), {}}},
            Layer{filled({5}), {}},
            xg::full({4}, value),
            {filled({}), xg::Tensor(7)}};
}

struct Pair {
    xg::Tensor scale;
    Layer layer;
    static void visit(auto& self, auto&& field) {
        field("scale", self.scale);
        field("layer", self.layer);
    }
};

bool is(const Model& model, double value) {
    bool same = true;
    xg::nn::for_each_tensor(model, [&](std::string_view name, const xg::Tensor& x, xg::nn::Role) {
        if (name == "pair.1") return;
        for (const double e :
             x.dtype() == xg::f32 ? std::vector<double>(x.data<float>(), x.data<float>() + x.size()) : elements<double>(x))
            same = same && e == value;
    });
    return same;
}

}  // namespace

TEST_CASE("a model comes back") {
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    xg::save(model_of(1.5), path);
    CHECK(xg::io::Safetensors(path).names() == std::vector<std::string>{"pair.1", "mean", "head.weight", "layers.0.bias",
                                                                        "layers.0.weight", "layers.1.weight", "pair.0"});
    Model model = model_of(0);
    model.pair[1] = xg::Tensor(8);
    const xg::Tensor before = model.layers[0].weight;
    xg::load(model, path);
    CHECK(is(model, 1.5));
    CHECK(model.pair[1].item<int>() == 7);
    CHECK(before.data<float>()[0] == 0);  // a copy that somebody holds is not changed
    CHECK(model.layers[0].weight.shape() == xg::Shape{2, 3});
}

TEST_CASE("what does not fit changes nothing") {
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    const auto refused = [&](Model model, std::initializer_list<std::string_view> parts) {
        const std::string text = message([&] { xg::load(model, path); });
        CHECK(contains(text, path));
        for (const std::string_view part : parts) CHECK(contains(text, part));
        return is(model, 0) && !text.empty();
    };
    xg::save(model_of(1), path);
    Model wider = model_of(0);
    wider.layers[0].weight = xg::zeros({2, 4}, xg::f32);
    CHECK(refused(wider, {"'layers.0.weight' is f32 (2, 3) in the file and f32 (2, 4) in the program"}));
    Model deeper = model_of(0);
    deeper.layers.push_back(model_of(0).layers[0]);
    CHECK(refused(deeper, {"'layers.2.weight' is missing in the file", "'layers.2.bias' is missing"}));
    Model headless = model_of(0);
    headless.head.reset();
    CHECK(refused(headless, {"'head.weight' is in the file and unknown to the program"}));
    CHECK(refused(model_of(0, xg::f64), {"f32 (5,) in the file and f64 (5,)", "'layers.0.bias'"}));
    Model other = model_of(0);
    other.layers.assign(9, other.layers[0]);
    other = xg::nn::untied(other);
    CHECK(refused(other, {"and 11 more"}));

    const std::string whole = contents(path);
    for (std::size_t n = 0; n < whole.size(); n += 7) {
        write(path, whole.substr(0, n));
        CHECK(refused(model_of(0), {}));
    }
    write(path, "garbage");
    CHECK(refused(model_of(0), {"7 bytes"}));
}

TEST_CASE("load is strict about tensors that cannot be read, in the model or not") {
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    xg::save(Layer{xg::ones({2}, xg::f32), xg::ones({3})}, path);
    std::string bytes = contents(path);
    bytes.replace(bytes.find("F32"), 3, "F99");
    write(path, bytes);
    CHECK(elements<double>(xg::io::Safetensors(path)["bias"]) == std::vector<double>{1, 1, 1});
    Layer both{xg::zeros({2}, xg::f32), xg::zeros({3})}, one{{}, xg::zeros({3})};
    CHECK(contains(message([&] { xg::load(both, path); }), "tensor 'weight' is of dtype 'F99', which cannot be read"));
    CHECK(elements<double>(both.bias) == std::vector<double>{0, 0, 0});
    CHECK(message([&] { xg::load(one, path); }) != "");
    CHECK(elements<double>(one.bias) == std::vector<double>{0, 0, 0});
}

TEST_CASE("a NaN is refused unless it is asked for; an infinity is a number") {
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    Model model = model_of(1);
    model.layers[0].bias = xg::tensor({1.f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()});
    xg::save(model, path);
    Model loaded = model_of(0);
    CHECK(contains(message([&] { xg::load(loaded, path); }), "tensor 'layers.0.bias' (3,) holds a NaN, element 2"));
    CHECK(is(loaded, 0));
    xg::load(loaded, path, {.allow_nan = true});
    CHECK(std::isnan(loaded.layers[0].bias.data<float>()[2]));
    model.layers[0].bias = xg::full({3}, -std::numeric_limits<double>::infinity(), xg::f32);
    xg::save(model, path);
    xg::load(loaded, path);
    CHECK(std::isinf(loaded.layers[0].bias.data<float>()[2]));
}

TEST_CASE("tensors whose names come and go") {
    const TemporaryFolder folder;
    const std::string path = folder / "state.safetensors";
    const xg::io::TensorMap state{{"a.weight", xg::ones({2})}, {"b", xg::ones({3})}};
    xg::save(state, path);
    xg::io::TensorMap loaded{{"b", xg::zeros({3})}, {"c", xg::zeros({1})}};
    xg::load(loaded, path);
    CHECK(loaded.size() == 2);
    CHECK(elements<double>(loaded.at("a.weight")) == std::vector<double>{1, 1});
    xg::io::TensorMap other{{"b", xg::zeros({4})}};
    CHECK(contains(message([&] { xg::load(other, path); }), "'b' is f64 (3,) in the file and f64 (4,)"));
    CHECK(other.at("b").shape() == xg::Shape{4});
}

TEST_CASE("an optimizer's state is whole or an error") {
    using xg::optim::AdamW;
    const TemporaryFolder folder;
    const std::string path = folder / "state.safetensors", damaged = folder / "damaged.safetensors";
    Pair model{xg::ones({2}), {xg::ones({3}), {}}};
    AdamW optimizer;
    optimizer.step(model, {xg::ones({2}), xg::ones({3})});
    /// The same file without some names, or with others.
    const auto change = [&](std::initializer_list<std::string_view> less, std::initializer_list<std::string_view> more = {}) {
        const xg::io::Safetensors whole(path);
        xg::io::TensorMap tensors = xg::io::read_safetensors(path);
        for (const auto name : less) REQUIRE(tensors.erase(std::string(name)) == 1);
        for (const auto name : more) tensors[std::string(name)] = xg::ones({3});
        xg::io::write_safetensors(damaged, tensors, whole.metadata());
    };
    /// What it says; it must say something and leave the state alone.
    const auto refused = [](AdamW& into, auto&& f) {
        const auto before = xg::nn::named_tensors(into);
        const std::string text = message(f);
        const auto after = xg::nn::named_tensors(into);
        CHECK(std::ranges::equal(before, after, [](const auto& a, const auto& b) {
            return a.first == b.first && a.second.block() == b.second.block();
        }));
        return text;
    };

    xg::save(optimizer, path);
    for (const bool fresh : {true, false}) {
        AdamW other;
        if (!fresh) other = optimizer;
        const auto load = [&] { xg::load(other, damaged); };
        change({"exp_avg.layer.weight"});
        CHECK(contains(refused(other, load), "'exp_avg.layer.weight' is missing"));
        change({"exp_avg.layer.weight", "exp_avg.scale"});
        CHECK(contains(refused(other, load), "'exp_avg.scale' is missing"));
        change({}, {"exp_avg_sq.new"});
        CHECK(contains(refused(other, load), "'exp_avg.new' is missing"));
        change({"exp_avg.layer.weight", "exp_avg.scale", "exp_avg_sq.layer.weight", "exp_avg_sq.scale"});
        CHECK(contains(refused(other, load), "'exp_avg.' has no names, after 1 steps"));
        xg::load(other, path);
        CHECK(other.exp_avg.size() == 2);
        xg::save(AdamW(), damaged);  // before its first step
        xg::load(other, damaged);
        CHECK(other.exp_avg.empty());
    }

    xg::save_checkpoint(path, model, optimizer, {.step = 1});
    for (const bool fresh : {true, false}) {
        AdamW other;
        if (!fresh) other = optimizer;
        const auto load = [&] { xg::load_checkpoint(damaged, model, other); };
        change({"optimizer.exp_avg.layer.weight", "optimizer.exp_avg_sq.layer.weight"});
        CHECK(contains(refused(other, load), "'optimizer.exp_avg.layer.weight' is missing"));
        change({}, {"optimizer.exp_avg.new", "optimizer.exp_avg_sq.new"});
        CHECK(contains(refused(other, load), "'optimizer.exp_avg.new' belongs to no parameter of the model"));
        xg::load_checkpoint(path, model, other);
        CHECK(other.exp_avg.size() == 2);
    }

    // Of one map, of a part of the model, of two optimizers, of none that has state.
    xg::optim::Lion lion;
    lion.step(model, {xg::ones({2}), xg::ones({3})});
    xg::save_checkpoint(path, model, lion, {});
    change({"optimizer.exp_avg.scale"});
    CHECK(contains(message([&] { xg::load_checkpoint(damaged, model, lion); }), "'optimizer.exp_avg.scale' is missing"));
    std::vector<AdamW> both(2);
    both[0].step(model.layer, {xg::ones({3})});
    both[1].step(model.scale, {xg::ones({2})});
    xg::save_checkpoint(path, model, both, {});
    std::vector<AdamW> again(2);
    xg::load_checkpoint(path, model, again);
    CHECK(again[0].exp_avg.contains("weight"));
    CHECK(again[1].exp_avg.contains(""));
    xg::optim::SGD plain;
    plain.step(model, {xg::ones({2}), xg::ones({3})});
    xg::save_checkpoint(path, model, plain, {});
    xg::load_checkpoint(path, model, plain);
    xg::optim::SGD heavy({.momentum = 0.9});
    CHECK(contains(message([&] { xg::load_checkpoint(path, model, heavy); }), "'optimizer.momentum_buffer.scale' is missing"));

    // What could not be loaded is not saved.
    optimizer.exp_avg.erase("scale");
    CHECK(contains(message([&] { xg::save_checkpoint(path, model, optimizer, {}); }), "'optimizer.exp_avg.scale' is missing"));
}

namespace {

struct Counted {
    xg::Tensor steps;
    xg::io::TensorMap mean;
    static void visit(auto& self, auto&& field) {
        field("steps", xg::nn::state(self.steps));
        field("mean", xg::nn::state(self.mean));
    }
};

}  // namespace

TEST_CASE("what a file calls steps need not be an integer") {
    const TemporaryFolder folder;
    const std::string path = folder / "counted.safetensors";
    for (const double steps : {2.5, 1e300}) {
        xg::save(Counted{xg::Tensor(steps), {}}, path);
        Counted loaded{xg::Tensor(0.), {}};
        CHECK(message<xg::Error>([&] { xg::load(loaded, path); }) == "");
        CHECK(loaded.steps.item<double>() == steps);
    }
}

TEST_CASE("a cache comes and goes") {
    const TemporaryFolder folder;
    const std::string path = folder / "cache.safetensors";
    const xg::nn::KeyValueCache none, full{xg::ones({1, 5, 4}), xg::zeros({1, 5, 4})},
        shorter{xg::ones({1, 2, 4}), xg::ones({1, 2, 4})};
    for (xg::nn::KeyValueCache cache : {none, full, shorter}) {
        xg::save(full, path);
        xg::load(cache, path);
        CHECK(cache.length() == 5);
        CHECK(elements<double>(cache.values) == std::vector<double>(20, 0));
        xg::save(none, path);
        xg::load(cache, path);
        CHECK(cache.length() == 0);
    }
    Layer layer{xg::ones({2}), {}};
    xg::save(Layer{xg::ones({2}), xg::ones({2})}, path);
    CHECK(contains(message([&] { xg::load(layer, path); }), "'bias' is in the file and unknown"));  // other fields do not
}

TEST_CASE("what a file replaces: links stay links, modes stay, nothing but files") {
    namespace fs = std::filesystem;
    const TemporaryFolder folder;
    const Layer layer{xg::ones({2}), {}};
    const auto save = [&](const std::string& path) { xg::save(layer, path); };
    fs::create_directory(folder.path / "inside");
    fs::create_symlink("inside/new", folder.path / "relative");  // to nothing yet
    fs::create_symlink(folder.path / "relative", folder.path / "absolute");
    for (int i = 0; i < 2; ++i) {
        save(folder / "absolute");
        CHECK(fs::is_symlink(folder.path / "absolute"));
        CHECK(fs::is_symlink(folder.path / "relative"));
        CHECK(fs::is_regular_file(fs::symlink_status(folder.path / "inside/new")));
        CHECK(std::distance(fs::directory_iterator(folder.path / "inside"), {}) == 1);
    }
    fs::create_symlink("loop", folder.path / "loop");
    CHECK(contains(message([&] { save(folder / "loop"); }), "loop: cannot be written"));
    CHECK(fs::is_symlink(folder.path / "loop"));

    for (const auto mode : {fs::perms::owner_read | fs::perms::owner_write, fs::perms::all}) {
        fs::permissions(folder.path / "inside/new", mode);
        save(folder / "relative");
        CHECK(fs::status(folder.path / "inside/new").permissions() == mode);
    }

    const std::string pipe = folder / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(contains(message([&] { save(pipe); }), pipe + ": cannot be replaced: it is not a regular file"));
    CHECK(fs::is_fifo(pipe));
}
