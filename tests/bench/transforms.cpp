// A jacobian from one tape beside one vjp for each row, and scalar formulas as one op beside the same in separate ops: forward
// and backward on 10^6 elements, Hessian-vector products, and what tracing costs where there are 4 elements.
#include <xtgrad/vectorize.hpp>
#include <xtgrad/xtgrad.hpp>

#include "by_hand.hpp"
#include "harness.hpp"

namespace xg = xtgrad;
using Results = std::vector<xg::Tensor>;

double magnitude(const xg::Tensor& x) { return xg::sum(xg::abs(x)).item<double>(); }

/// The distortion of a lens, 13 small ops.
const auto lens = [](auto x, auto y) {
    const auto r = x * x + y * y;
    return x * (1. + r * (0.1 + r * (0.02 + r * 0.003))) + 0.01 * x * y;
};

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    xg::Rng rng(1);
    const auto add = [](const std::string& name, auto f) { add_case(name, f, magnitude); };

    const xg::Tensor w = xg::randn({64, 64}, xg::f64, rng) * 0.1, v = xg::randn({64}, xg::f64, rng);
    const auto layers = [w](const xg::Tensor& x) {
        xg::Tensor y = x;
        for (int i = 0; i < 20; ++i) y = xg::tanh(xg::matmul(w, y) + x);
        return y;
    };
    add("jacobian 64 x 64", [=] { return Results{xg::jacobian(layers, xg::JacobianMode::reverse)(v)}; });
    add("jacobian 64 x 64, vjp anew", [=] {
        Results rows;
        const xg::Tensor unit = xg::eye(64);
        for (int i = 0; i < 64; ++i) rows.push_back(xg::vjp(layers, v).second(xg::view(unit, i)));
        return Results{xg::stack(rows)};
    });
    add("jacobian 64 x 64, forward alone", [=] {
        xg::Tape tape;
        return Results{layers(v)};
    });
    add("jacobian 64 x 64, forward + one walk", [=] { return Results{xg::vjp(layers, v).second(v)}; });

    const auto bell = [](const auto& a, const auto& b) {
        using std::exp;
        return a * exp(-b * b);
    };
    const auto both = [&](const std::string& name, auto formula, auto walk) {
        add(name + ", vectorized", [=] { return walk(xg::vectorize(formula)); });
        add(name + ", separate ops", [=] { return walk([=](const auto& a, const auto& b) { return formula(a, b); }); });
    };
    for (const xg::Dtype dtype : {xg::f32, xg::f64})
        for (const xg::Index n : {1000000, 4}) {
            const xg::Tensor x = xg::randn({n}, dtype, rng), y = xg::randn({n}, dtype, rng), g = xg::ones({n}, dtype);
            const auto gradients = [=](const auto& f) {
                xg::Tape tape;
                const auto [dx, dy] = tape.vjp(f(x, y), g, {x, y});
                return Results{dx, dy};
            };
            const auto second = [=](const auto& f) {
                return Results{xg::hvp([&](const xg::Tensor& t) { return xg::sum(f(t, y)); })(x, g)};
            };
            const std::string rest = (n == 4 ? " of 4" : "") + std::string(dtype == xg::f32 ? ", f32" : ", f64");
            both("lens" + rest, lens, gradients);
            both("bell" + rest, bell, gradients);
            if (n == 4) continue;
            both("lens HVP" + rest, lens, second);
            const xg::Tensor z = xg::copy(x), dx = xg::copy(x), dy = xg::copy(x);
            add("bell" + rest + ", by hand", [=] {
                bell_by_hand(x, y, g, z, dx, dy);
                return Results{dx, dy};
            });
        }
    return run_cases(argc, argv);
}
