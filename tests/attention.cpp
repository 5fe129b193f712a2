#include <doctest/doctest.h>
#include <xtgrad/xtgrad.hpp>
namespace xg = xtgrad;
TEST_CASE("x") {
    xg::Rng rng(1);
    auto q = xg::randn({2, 7, 10}, xg::f64, rng), k = xg::randn({2, 11, 10}, xg::f64, rng),
         v = xg::randn({2, 11, 6}, xg::f64, rng);
    auto o = xg::attention(q, k, v, {.causal = true, .offset = -1, .heads = 2});
    CHECK(o.shape() == xg::Shape{2, 7, 6});
    xg::gradcheck([](auto& a, auto& b, auto& c) { return xg::attention(a, b, c, {.scale = 0.5, .causal = true, .heads = 2}); }, q,
                  k, v);
}
