#include "ops/attention.hpp"
#include <doctest/doctest.h>
#include <xtgrad/xtgrad.hpp>
#include "kernels/isa.hpp"
namespace xg = xtgrad;
TEST_CASE("x") {
    xg::Rng rng(1);
    for (int isa = 0; isa < 3; ++isa) {
        if (!xtgrad::kernels::has(xtgrad::kernels::Isa(isa))) continue;
        xtgrad::kernels::use(xtgrad::kernels::Isa(isa));
        CAPTURE(isa);
        auto q = xg::randn({2, 7, 10}, xg::f64, rng), k = xg::randn({2, 11, 10}, xg::f64, rng),
             v = xg::randn({2, 11, 6}, xg::f64, rng);
        auto o = xg::attention(q, k, v, {.causal = true, .offset = -1, .heads = 2});
        CHECK(o.shape() == xg::Shape{2, 7, 6});
        xg::gradcheck(
            [](auto& a, auto& b2, auto& c) { return xg::attention(a, b2, c, {.scale = 0.5, .causal = true, .heads = 2}); }, q, k,
            v);
        auto s = xg::Tensor(0.4), b = xg::randn({2, 7, 11}, xg::f64, rng);
        xg::gradcheck(
            [](auto& a, auto& b2, auto& c, auto& s2, auto& z) {
                return xg::attention(a, b2, c, {.scale = s2, .causal = true, .offset = -1, .window = 4, .bias = z, .heads = 2});
            },
            q, k, v, s, b);
    }
}
