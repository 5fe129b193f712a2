// Every row of the op table with inputs that lie in memory in any way, and of any shape where the row does not fix it: against
// the row's naive reference, and gradients against those of dense inputs.
#include <doctest/doctest.h>

#include "arrangement.hpp"

namespace properties {
namespace {

/// What the row's k-th input may lie between: its reference need not hold elsewhere.
std::pair<double, double> range(const Row& row, std::size_t k) {
    for (const Sample& sample : row.samples)
        if (k < sample.inputs.size() && sample.inputs[k].size() != 0)
            return {xg::amin(sample.inputs[k]).item<double>(), xg::amax(sample.inputs[k]).item<double>()};
    return {0, 1};
}

void check(const Family& family) {
    for (const Row& row : rows_of(family)) {
        if (row.samples.empty() || row.samples[0].inputs.empty()) continue;
        const auto property = [&] {
            const Sample& sample = *rc::gen::elementOf(row.samples);
            const bool small = *rc::gen::inRange(0, 4) == 0;
            const xg::Dtype dtype = small ? xg::f32 : xg::f64;
            const auto seed = *rc::gen::arbitrary<std::uint32_t>();
            const bool free_shape = family.free == Free::shape && row.name != "where" && row.name != "clip";
            const Shape common = free_shape ? any_shape(0, 4) : Shape();
            Inputs dense, inputs, directions;
            std::string shapes;
            for (std::size_t k = 0; k < sample.inputs.size(); ++k) {
                const Tensor& like = sample.inputs[k];
                Shape shape = like.shape();
                if (free_shape) shape = k == 0 ? common : any_partner(common);
                if (family.free == Free::extents && sample.inputs.size() == 1)
                    for (Index& extent : shape) extent = *rc::gen::inRange<Index>(1, 8);
                const auto [low, high] = range(row, k);
                const Array values =
                    free_shape || shape != like.shape() ? any_values(shape, low, high, seed + std::uint32_t(k)) : Array(like);
                inputs.push_back(arranged(values, any_arrangement(shape.size()), dtype));
                dense.push_back(xg::astype(values.tensor(), dtype));
                shapes += text(' ', shape);
            }
            RC_LOG() << sample.what << shapes << ' ' << dtype << '\n';
            const auto wide = [](const Tensor& x) { return xg::astype(x, xg::f64); };
            Inputs exact;
            for (const Tensor& x : dense) exact.push_back(wide(x));
            const Tensor y = row.op(inputs);
            if (!small || row.differentiable) RC_ASSERT(distance(y, row.reference(exact)) < (small ? 1e-4 : 1e-11));
            if (!row.differentiable || row.name == "astype") return;
            const Array g = any_values(y.shape(), -1, 1, seed + 77);
            const auto vjp = [&](const Inputs& x, const Tensor& cotangent) {
                xg::Tape tape;
                const Tensor z = row.op(x);
                return tape.vjp(z, cotangent, x, xg::zeros_if_unused);
            };
            const auto got = vjp(inputs, arranged(g, any_arrangement(y.dimension()), y.dtype()));
            const auto want = vjp(exact, g.tensor());
            for (std::size_t k = 0; k < got.size(); ++k) RC_ASSERT(distance(got[k], want[k]) < (small ? 2e-2 : 1e-10));
        };
        const std::string found = counterexample(row.name, property);
        CHECK_MESSAGE(found.empty(), found);
    }
}

}  // namespace

TEST_CASE("every row of every family") {
    for (const Family& family : families) {
        CAPTURE(family.name);
        check(family);
    }
}

}  // namespace properties
