// Losses against PyTorch.
#include "reference.hpp"

#include <xtgrad/gradcheck.hpp>
#include <xtgrad/nn/losses.hpp>
#include <xtgrad/ops/elementwise.hpp>

namespace xg = xtgrad;
namespace nn = xtgrad::nn;
using reference::Named;
using xg::Tensor;

TEST_CASE("losses agree with PyTorch") {
    const Named& file = reference::of("nn");
    const std::vector<Tensor> no_model;
    const auto pair = [&](const std::string& name, auto f) {
        reference::check(file, name, no_model, {{"x", {3, 4}}, {"target", {3, 4}}},
                         [&](auto&, Named& v) { return f(v["x"], v["target"]); });
    };
    pair("mse", [](auto& x, auto& t) { return nn::mse(x, t); });
    pair("l1", [](auto& x, auto& t) { return nn::l1(x, t); });
    pair("huber", [](auto& x, auto& t) { return nn::huber(x, t, {.delta = 0.3}); });
    pair("binary_cross_entropy_with_logits",
         [](auto& x, auto& t) { return nn::binary_cross_entropy_with_logits(9. * x, t + 0.5); });
    pair("binary_cross_entropy_with_logits, weighted", [](auto& x, auto& t) {
        return nn::binary_cross_entropy_with_logits(
            x, t + 0.5, {.weight = 1 + reference::filled("w", {4}), .pos_weight = 2 + reference::filled("p", {4})});
    });
    pair("kl_div", [](auto& x, auto& t) { return nn::kl_div(xg::log_softmax(x), xg::softmax(t)); });
    const Tensor signs = xg::broadcast_to(xg::tensor({1., -1., -1., 1.}), {3, 4});
    reference::check(file, "hinge", no_model, {{"x", {3, 4}}}, [&](auto&, Named& v) { return nn::hinge(3. * v["x"], signs); });
    const Tensor labels = xg::tensor({{2, 0}, {1, 4}});
    reference::check(file, "nll", no_model, {{"x", {2, 2, 5}}}, [&](auto&, Named& v) { return nn::nll(v["x"], labels); });
    reference::check(file, "nll, weighted", no_model, {{"x", {2, 2, 5}}}, [&](auto&, Named& v) {
        return nn::nll(v["x"], labels, {.ignore_index = 0, .weight = 1 + reference::filled("w", {5})});
    });
}

TEST_CASE("cross_entropy is among the losses, and nll of log_softmax is the same") {
    const Tensor x = reference::filled("x", {3, 4}), labels = xg::tensor({2, 3, 0});
    CHECK(reference::distance(nn::cross_entropy(x, labels), nn::nll(xg::log_softmax(x), labels)) < 1e-15);
}

TEST_CASE("derivatives of losses agree with differences") {
    const Tensor x = reference::filled("x", {3, 4}), t = reference::filled("target", {3, 4});
    xg::gradcheck([](auto& a, auto& b) { return nn::mse(a, b); }, x, t);
    xg::gradcheck([](auto& a, auto& b) { return nn::l1(a, b); }, x, t);
    const Tensor signs = xg::broadcast_to(xg::tensor({1., -1., -1., 1.}), {3, 4});
    xg::gradcheck([&](auto& a) { return nn::hinge(3. * a, signs); }, x);
    xg::gradcheck([](auto& a) { return nn::cross_entropy(a, xg::tensor({1, 3, 0}), {.label_smoothing = 0.1}); }, x);
    xg::gradcheck([](auto& a, auto& b) { return nn::huber(a, b, {.delta = 0.3}); }, x, t);
    xg::gradcheck([](auto& a, auto& b) { return nn::binary_cross_entropy_with_logits(a, b); }, x, t + 0.5);
    xg::gradcheck([](auto& a, auto& b) { return nn::kl_div(a, b); }, x, t + 0.6);
    xg::gradcheck([](auto& a) { return nn::nll(xg::square(a), xg::tensor({1, 3, 3}), {.ignore_index = 1}); }, x);
}

TEST_CASE("losses of extreme numbers") {
    const Tensor far = xg::tensor({1000., -1000.});
    CHECK(nn::binary_cross_entropy_with_logits(far, xg::tensor({1., 0.})).item<double>() == 0);
    CHECK(nn::binary_cross_entropy_with_logits(far, xg::tensor({0., 1.})).item<double>() == 1000);
    xg::Tape tape(xg::persistent);
    const Tensor t = xg::tensor({{0., 1.}}), loss = nn::kl_div(xg::tensor({{-3., -2.}}), t);
    CHECK(loss.item<double>() == 2);
    CHECK(tape.gradient(loss, t).data<double>()[0] == 3);
    const double inf = INFINITY;
    const Tensor impossible = xg::tensor({{-inf, -1.}}), none = nn::kl_div(impossible, t);
    CHECK(none.item<double>() == 1);
    const Tensor slopes = tape.gradient(none, impossible);
    CHECK(slopes.data<double>()[0] == 0);
    CHECK(slopes.data<double>()[1] == -1);
    CHECK(nn::kl_div(impossible, xg::tensor({{1., 0.}})).item<double>() == inf);
    CHECK(std::isnan(nn::kl_div(xg::tensor({{double(NAN), -1.}}), t).item<double>()));
    const Tensor apart = xg::tensor({inf, -inf, 0.5, -3.}), far_off = nn::huber(apart, xg::zeros({4}), {.delta = 2});
    CHECK(far_off.item<double>() == inf);
    CHECK(reference::distance(tape.gradient(far_off, apart), xg::tensor({0.5, -0.5, 0.125, -0.5})) == 0);
    CHECK(nn::huber(xg::tensor({4.}), xg::zeros({1}), {.delta = inf}).item<double>() == 8);
    CHECK(nn::nll(xg::tensor({{-inf, -1.}, {-2., -3.}}), xg::tensor({-100, 0})).item<double>() == 2);
    CHECK(std::isnan(nn::nll(xg::tensor({{-1., -1.}}), xg::tensor({-100})).item<double>()));
}

TEST_CASE("losses do not broadcast, and labels are checked") {
    CHECK_THROWS_WITH_AS(nn::mse(xg::zeros({3, 1}), xg::zeros({3})),
                         "[mse] the target (3,) differs from (3, 1); reshape or broadcast_to one of them", xg::ShapeError);
    CHECK_THROWS_AS(nn::l1(xg::zeros({3}), xg::zeros({3}, xg::f32)), xg::DtypeError);
    CHECK_THROWS_AS(nn::huber(xg::zeros({3}), xg::zeros({3}), {.delta = 0}), xg::Error);
    CHECK_THROWS_AS(nn::kl_div(Tensor(1.), Tensor(1.)), xg::ShapeError);
    const Tensor x = xg::zeros({2, 3});
    CHECK_THROWS_AS(nn::nll(x, xg::tensor({0, 3})), xg::IndexError);
    CHECK_THROWS_AS(nn::nll(x, xg::tensor({0, -1})), xg::IndexError);
    CHECK_THROWS_AS(nn::nll(x, xg::tensor({0})), xg::ShapeError);
    CHECK_THROWS_AS(nn::nll(x, xg::tensor({0., 1.})), xg::DtypeError);
    CHECK_THROWS_AS(nn::nll(x, xg::tensor({0, 1}), {.weight = xg::ones({2})}), xg::ShapeError);
}
