// The traversal of models that are plain structs.
#include <doctest/doctest.h>

#include <xtgrad/io/save.hpp>
#include <xtgrad/nn/visit.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/optim/optimizers.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using xg::Tensor;

namespace {

struct Affine {
    Tensor weight, bias;
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};

struct Norm {
    Tensor scale = xg::ones({3}), mean = xg::zeros({3}), seen = Tensor(7);
    std::array<Affine, 2> frozen;
    static void visit(auto& self, auto&& field) {
        field("scale", self.scale);
        field("mean", nn::buffer(self.mean));
        field("seen", self.seen);
        field("frozen", nn::buffer(self.frozen));
    }
};

struct Layer {
    Affine up;
    std::optional<Norm> norm;
    std::array<Tensor, 2> pair;
    static void visit(auto& self, auto&& field) {
        field("up", self.up);
        field("norm", self.norm);
        field("pair", self.pair);
    }
};

struct Model {
    std::vector<Layer> layers;
    nn::TensorMap extra;
    static void visit(auto& self, auto&& field) {
        field("layers", self.layers);
        field("extra", self.extra);
    }
};

struct Twice {
    Affine a{xg::ones({2}), {}}, b = a;
    static void visit(auto& self, auto&& field) {
        field("a", self.a);
        field("a", self.b);
    }
};

struct TwoMaps {
    nn::TensorMap one, other;
    static void visit(auto& self, auto&& field) {
        field("map", self.one);
        field("map", self.other);
    }
};

Model example() {
    Model model;
    model.layers.resize(2);
    model.layers[0].up = {xg::zeros({2, 5}, xg::f32), {}};
    model.layers[0].pair = {xg::zeros({4}), xg::zeros({1, 6})};
    model.layers[1].up = {xg::zeros({7}), xg::zeros({})};
    model.layers[1].norm.emplace();
    model.layers[1].norm->frozen[1].weight = xg::zeros({2, 2});
    model.extra["a.b"] = xg::zeros({2});
    return model;
}

std::vector<std::string> names(const nn::NamedTensors& named) {
    std::vector<std::string> result;
    for (const auto& [name, tensor] : named) result.push_back(name);
    return result;
}

}  // namespace

TEST_CASE("tensors of nested fields have dotted names in the order of the fields") {
    const Model model = example();
    const std::vector<std::string> trained{"layers.0.up.weight", "layers.0.pair.0",     "layers.0.pair.1", "layers.1.up.weight",
                                           "layers.1.up.bias",   "layers.1.norm.scale", "extra.a.b"};
    CHECK(names(nn::named_parameters(model)) == trained);
    const std::vector<std::string> all{"layers.0.up.weight", "layers.0.pair.0",    "layers.0.pair.1",
                                       "layers.1.up.weight", "layers.1.up.bias",   "layers.1.norm.scale",
                                       "layers.1.norm.mean", "layers.1.norm.seen", "layers.1.norm.frozen.1.weight",
                                       "extra.a.b"};
    CHECK(names(nn::named_tensors(model)) == all);
    CHECK(nn::count(model) == 10 + 4 + 6 + 7 + 1 + 3 + 2);
}

TEST_CASE("parameters are the model's own variables") {
    const Model model = example();
    const auto parameters = nn::parameters(model);
    REQUIRE(parameters.size() == 7);
    CHECK(parameters[3].block() == model.layers[1].up.weight.block());
}

TEST_CASE("a model may be a tensor or a list of models") {
    const std::vector<Affine> list{{xg::zeros({2}), {}}, {xg::zeros({3}), {}}};
    CHECK(names(nn::named_parameters(list)) == std::vector<std::string>{"0.weight", "1.weight"});
    CHECK(names(nn::named_parameters(list[0].weight)) == std::vector<std::string>{""});
}

TEST_CASE("a visitor may assign to the tensors of a model that is not const") {
    Model model = example();
    nn::for_each_tensor(model, [](std::string_view, Tensor& x, nn::Role role) {
        if (role == nn::Role::parameter) x = xg::ones({1});
    });
    CHECK(nn::count(model) == 7);
}

TEST_CASE("a visitor that takes maps adds entries") {
    struct Loader {
        void operator()(std::string_view, Tensor&, nn::Role) {}
        void map(std::string_view name, nn::TensorMap& map, nn::Role) { map.emplace(std::string(name) + ".new", xg::zeros({8})); }
    };
    Model model = example();
    nn::for_each_tensor(model, Loader());
    CHECK(model.extra.size() == 2);
    CHECK(model.extra.contains("extra.new"));
}

TEST_CASE("two fields under one name are an error wherever names count") {
    std::vector<Twice> model(1);
    constexpr const char* what = "[visit] two fields have the name '0.a.weight'; give each a name of its own";
    CHECK_THROWS_WITH_AS(nn::named_parameters(model), what, xg::Error);
    CHECK_THROWS_WITH_AS(nn::named_tensors(model), what, xg::Error);
    CHECK_THROWS_WITH_AS(xg::save(model, "/proc/none/x"), what, xg::Error);
    CHECK_THROWS_WITH_AS(xg::load(model, "/proc/none/x"), what, xg::Error);
    xg::optim::SGD plain, heavy({.momentum = 0.9});
    for (auto* optimizer : {&plain, &heavy}) {
        CHECK_THROWS_WITH_AS(optimizer->step(model, {xg::ones({2}), xg::ones({2})}), what, xg::Error);
        CHECK(optimizer->steps.item<int>() == 0);
    }
    TwoMaps maps;
    CHECK_THROWS_WITH_AS(xg::load(maps, "/proc/none/x"), "[visit] two fields have the name 'map.'; give each a name of its own",
                         xg::Error);
}

TEST_CASE("summary is a table with totals") {
    const std::vector<Norm> model(1);
    CHECK(nn::summary(model) ==
          "name     shape  dtype  count\n"
          "0.scale  (3,)   f64    3\n"
          "0.mean   (3,)   f64    3 (buffer)\n"
          "0.seen   ()     i64    1 (buffer)\n"
          "3 parameters, 4 in buffers\n");
}
