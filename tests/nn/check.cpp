// What visit forgets, found where the members of a struct can be counted.
#include <doctest/doctest.h>

#include <functional>

#include <xtgrad/nn/check.hpp>
#include <xtgrad/nn/layers.hpp>
#include <xtgrad/ops/creation.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using xg::Tensor;

struct Complete {
    nn::Linear up;
    std::vector<Tensor> list{xg::ones({2})};
    Tensor bias, mean = xg::ones({1});  // the first is empty, the second a buffer
    double eps = 1e-5;
    std::optional<nn::Linear> gate = up;
    const Tensor table = xg::ones({4});
    std::function<Tensor(const Tensor&)> activation = {};
    static void visit(auto& self, auto&& field) {
        field("up", self.up);
        field("list", self.list);
        field("bias", self.bias);
        field("mean", nn::buffer(self.mean));
        field("gate", self.gate);
    }
};

struct ForgetsTensor {
    Tensor weight = xg::ones({2, 2}), bias = xg::ones({2}, xg::f32);
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};

struct ForgetsLayer {
    Tensor weight = xg::ones({2});
    double scale = 1;
    std::optional<nn::Linear> layer;
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};

struct Outer {
    double scale = 1;
    std::vector<ForgetsTensor> layers{{}};
    static void visit(auto& self, auto&& field) { field("layers", self.layers); }
};

struct NamesParts {
    std::array<nn::Linear, 2> layers;
    static void visit(auto& self, auto&& field) {
        field("first", self.layers[0].weight);
        field("second", self.layers[1]);
        field("first_bias", self.layers[0].bias);
    }
};

struct Constructed {
    Tensor weight = xg::ones({2}), bias = weight;
    Constructed() {}
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};

// What is not looked into, but must compile.
struct Array {
    Tensor weight = xg::ones({2}), list[3] = {xg::ones({2}), {}, {}};
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};
struct Derived : Complete {
    Tensor more = xg::ones({2});
    static void visit(auto& self, auto&& field) { Complete::visit(self, field); }
};
struct Seventeen {
    Tensor a = xg::ones({2}), b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q = a;
    static void visit(auto& self, auto&& field) { field("a", self.a); }
};
struct Sixteen {
    Tensor a = xg::ones({2}), b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = a;
    static void visit(auto& self, auto&& field) { field("a", self.a); }
};

TEST_CASE("the members of aggregates are counted, of others not") {
    CHECK(nn::detail::members<Complete>() == 8);
    CHECK(nn::detail::members<ForgetsTensor>() == 2);
    CHECK(nn::detail::members<Sixteen>() == 16);
    CHECK(nn::detail::members<Seventeen>() == 0);
    CHECK(nn::detail::members<Array>() == 0);
    CHECK(nn::detail::members<Derived>() == 0);
    CHECK(nn::detail::members<Constructed>() == 0);
    CHECK(nn::detail::members<nn::Linear>() == 0);
}

TEST_CASE("a tensor that visit does not name is an error that says where it is") {
    xg::Rng rng(1);
    const std::string what =
        " that visit does not name, so it is neither trained nor saved; add field(...), with nn::buffer for one that is not "
        "trained, "
        "or make the member const";
    CHECK_THROWS_WITH_AS(nn::check_visit(ForgetsTensor()),
                         ("[check_visit] member 2 of ForgetsTensor holds a tensor f32 (2,)" + what).c_str(), xg::Error);
    CHECK_THROWS_WITH_AS(nn::check_visit(Outer()),
                         ("[check_visit] member 2 of ForgetsTensor, member 2 of Outer holds a tensor f32 (2,)" + what).c_str(),
                         xg::Error);
    ForgetsLayer forgets;
    CHECK_NOTHROW(nn::check_visit(forgets));  // there is no layer
    forgets.layer.emplace(2, 3, rng);
    CHECK_THROWS_WITH_AS(nn::check_visit(forgets),
                         ("[check_visit] member 3 of ForgetsLayer holds a tensor f32 (3, 2)" + what).c_str(), xg::Error);
    CHECK_THROWS_AS(nn::check_visit(Sixteen()), xg::Error);
}

TEST_CASE("what visit names, in whatever way, and what it need not") {
    xg::Rng rng(1);
    Complete complete;
    complete.up = nn::Linear(2, 3, rng), complete.gate = complete.up;
    CHECK_NOTHROW(nn::check_visit(complete));
    CHECK_NOTHROW(nn::check_visit(NamesParts{{nn::Linear(2, 3, rng), nn::Linear(2, 3, rng)}}));
    CHECK_NOTHROW(nn::check_visit(std::vector<Tensor>{xg::ones({2})}));
    CHECK_NOTHROW(nn::check_visit(nn::TensorMap{{"a", xg::ones({2})}}));
    CHECK_NOTHROW(nn::check_visit(nn::BatchNorm(3)));
    // Taken at its visit's word.
    CHECK_NOTHROW(nn::check_visit(Constructed()));
    CHECK_NOTHROW(nn::check_visit(Array()));
    CHECK_NOTHROW(nn::check_visit(Derived()));
    CHECK_NOTHROW(nn::check_visit(Seventeen()));
}
