// Every row of the op table: values, both modes, second order.
#include <doctest/doctest.h>

#include <sstream>

#include "../ops/table.hpp"
#include "failing.hpp"

using namespace memory;

namespace {

/// Everything that a row computes of a sample.
Tensors derivatives(const table::Row& row, const Tensors& x, const Tensor& w, const Tensors& dx) {
    xg::Tape outer;
    Tensors results;
    Tensor inner_product;
    {
        xg::Tape inner(xg::persistent);
        const Tensor y = row.op(x);
        results = inner.vjp(y, w, x, xg::zeros_if_unused);
        for (std::size_t i = 0; i < results.size(); ++i) {
            const Tensor part = xg::sum(results[i] * dx[i]);
            inner_product = inner_product.defined() ? inner_product + part : part;
        }
        results.push_back(inner.jvp(y, x, dx));
    }
    if (inner_product.defined())
        for (Tensor& g : outer.gradient(inner_product, x, xg::zeros_if_unused)) results.push_back(std::move(g));
    return results;
}

}  // namespace

TEST_CASE("ops") {
    for (const table::Family& family : table::families)
        for (const table::Row& row : table::rows_of(family)) {
            std::size_t i = 0;
            for (const table::Sample& sample : row.samples) {
                if (i++ > 0 && !whole()) break;
                std::ostringstream name;
                name << row.name << ", " << sample.what;
                for (const Tensor& x : sample.inputs) name << ' ' << x.shape();
                const Tensors& x = sample.inputs;
                exhaust(
                    name.str(), [&] { return Tensors{row.op(x)}; }, x);
                if (!row.differentiable) continue;
                const Tensor w = table::random(row.op(x).shape());
                Tensors dx;
                for (const Tensor& t : x) dx.push_back(table::random(t.shape()));
                exhaust(
                    "derivatives of " + name.str(), [&] { return derivatives(row, x, w, dx); }, x);
            }
        }
}
