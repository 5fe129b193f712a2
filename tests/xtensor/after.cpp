// xtgrad after xtensor's headers, before xtensor is used.
#include "headers.hpp"

#include <xtgrad/xtgrad.hpp>

#include "expressions.hpp"

TEST_CASE("xtensor computes the same with xtgrad included after it, and tensors are made of it") {
    expressions::check_printing();
    expressions::each([](const char* name, const auto& e, const expressions::Extents& shape, const expressions::Numbers& values) {
        CAPTURE(name);
        expressions::Check()(name, e, shape, values);
        const xtgrad::Tensor x = xtgrad::astype(xtgrad::Tensor(e), xtgrad::f64);
        expressions::check_elements(x.values<double>(), shape, values);
    });
}
