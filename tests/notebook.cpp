// What a notebook shows of a tensor: xtensor's table, under dtype and shape.
#include <xtgrad/notebook.hpp>

#include <doctest/doctest.h>

#include <xtgrad/ops/creation.hpp>

namespace {

std::string html(const nlohmann::json& bundle) { return bundle.at("text/html").get<std::string>(); }

}  // namespace

TEST_CASE("a tensor shows as xtensor shows its values, with dtype and shape") {
    const xt::xarray<double> array{{1.5, 2.5}, {3.5, -4.5}};
    const xtgrad::Tensor x = array;
    const nlohmann::json bundle = mime_bundle_repr(x);  // by argument-dependent lookup, as the notebook finds it
    CHECK(html(bundle) == "<p><code>Tensor f64 (2, 2)</code></p>" + html(mime_bundle_repr(array)));
    CHECK(bundle.at("text/plain").get<std::string>().find("Tensor f64 (2, 2)") != std::string::npos);
}

TEST_CASE("every dtype, a scalar, views, many elements") {
    const xtgrad::Tensor t = xtgrad::tensor({{1.f, 2.f, 3.f}});
    CHECK(html(mime_bundle_repr(t)) ==
          "<p><code>Tensor f32 (1, 3)</code></p>" + html(mime_bundle_repr(xt::xarray<float>{{1, 2, 3}})));
    CHECK(html(mime_bundle_repr(xtgrad::tensor({1, 2}))).find("Tensor i64 (2,)") != std::string::npos);
    CHECK(html(mime_bundle_repr(xtgrad::tensor({true, false}))).find("true") != std::string::npos);
    CHECK(html(mime_bundle_repr(xtgrad::tensor(2.5))).find("2.5") != std::string::npos);
    CHECK(html(mime_bundle_repr(xtgrad::zeros({100, 100}))).size() < 20000);
    CHECK_THROWS_AS(mime_bundle_repr(xtgrad::Tensor()), xtgrad::Error);
}
