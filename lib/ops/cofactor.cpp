#include "cofactor.hpp"

#include <xtgrad/ops/elementwise.hpp>

#include "elementwise.hpp"

namespace xtgrad::detail {
namespace {

/// The same of what has this tag; `steps` products and sums are looked through.
Tensor cofactor(Tag g, const Node& y, int steps) {
    Record& record = *this_record;
    if (steps == 0 || !record.holds(g)) return {};
    const Node& n = record[g];
    const auto is_y = [&](Tag tag) { return record.holds(tag) && &record[tag] == &y; };
    if (n.op == &op_of<rules::Multiply>() && n.in[0].defined() && n.in[1].defined()) {
        for (const int k : {0, 1})
            if (is_y(n.tags[k])) return n.in[1 - k];
        for (const int k : {0, 1})
            if (const Tensor c = cofactor(n.tags[k], y, steps - 1); c.defined()) return c * n.in[1 - k];
    }
    if (n.op == &op_of<rules::Affine>() && n.attr.q == 0) {
        if (is_y(n.tags[0])) return scalar(n.attr.p, n.dtype());
        if (const Tensor c = cofactor(n.tags[0], y, steps - 1); c.defined()) return affine(c, n.attr.p, 0);
    }
    if (n.op == &op_of<rules::Add>())
        if (const Tensor c = cofactor(n.tags[0], y, steps - 1); c.defined())
            if (const Tensor d = cofactor(n.tags[1], y, steps - 1); d.defined()) return c + d;
    return {};
}

}  // namespace

Tensor cofactor(const Tensor& g, const Node& y) { return recording() ? cofactor(g.block()->tag, y, 8) : Tensor(); }

}  // namespace xtgrad::detail
