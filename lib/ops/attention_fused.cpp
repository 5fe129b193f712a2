// Attention as nodes with kernels of their own. What they compute is one vector, so that each is one node: the output and the
// log-sum-exp; their tangents; the adjoints of the inputs that are wanted. The formulas stand in kernels/attention.hpp. Beyond
// the second derivative, when an outer tape records one of these rules, it is composed of other ops.
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/tape.hpp>

#include "../tape/algebra.hpp"
#include "attention_passes.hpp"

namespace xtgrad::detail {
namespace {

using Inputs = std::vector<Tensor>;

/// A node keeps its inputs and, last, the rows and the mask.
void keep(Node& n, Inputs saved, const Attending& a) {
    saved.push_back(a.rows);
    saved.push_back(a.mask);
    n.extra->saved = std::move(saved);
    n.extra->extents = {a.heads, a.kv_heads, a.below, a.above, Index(a.dropped.seed), Index(a.dropped.threshold)};
}
Attending attending(const Node& n) {
    const auto& e = n.extra->extents;
    const auto& saved = n.extra->saved;
    return {e[0], e[1], e[2], e[3], saved.back(), {std::uint64_t(e[4]), std::uint32_t(e[5])}, saved[saved.size() - 2]};
}

/// As one vector.
Tensor adjoint_vector(std::span<const Tensor> x, const Attending& a, const Tensor& g, const Tensor& values, Need need,
                      const Directions* second = nullptr) {
    Tensor vector;
    attention_adjoint(x, a, g, values, need, second, &vector);
    return vector;
}

// ---- the adjoints that are wanted, one after the other; inputs x, a cotangent g, and the values

Inputs wanted(std::span<const Tensor> x, Need need) {
    Inputs list;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (included(need, i)) list.push_back(x[i]);
    return list;
}
/// A vector of adjoints taken apart: one for each input, undefined where it is not in there.
Inputs taken_apart(std::span<const Tensor> x, Need need, const Tensor& vector) {
    Inputs parts(x.size());
    Index first = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!included(need, i)) continue;
        parts[i] = part_of(vector, first, x[i].shape());
        first += element_count(x[i]);
    }
    return parts;
}
bool any_defined(std::span<const Tensor> x) {
    for (const Tensor& t : x)
        if (t.defined()) return true;
    return false;
}

/// Fresh variables: a rule's inner tape must not mix them with those of others.
Inputs fresh(std::span<const Tensor> x) {
    Inputs list;
    for (const Tensor& t : x) list.push_back(identity(t));
    return list;
}
Tensor composed_adjoint(std::span<const Tensor> x, const Attending& a, const Tensor& g, Need need) {
    Tape tape;
    Tensor y = composed_attention(x, a);
    if (g.dimension() > 1) y = part_of(y, 0, g.shape());
    return joined(tape.vjp(y, g, wanted(x, need), zeros_if_unused));
}
/// The tangent or, given h, the adjoint of a function of variables, by a tape of its own.
Inputs composed_vjp(std::span<const Tensor> at, const Tensor& h, auto f) {
    const Inputs x = fresh(at);
    Tape tape;
    return tape.vjp(f(x), h, x, zeros_if_unused);
}
Tensor composed_jvp(std::span<const Tensor> at, std::span<const Tensor> dx, auto f) {
    const Inputs x = fresh(at);
    Inputs moving, along;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (dx[i].defined()) moving.push_back(x[i]), along.push_back(dx[i]);
    Tape tape;
    return tape.jvp(f(x), moving, along);
}

/// The saved tensors of a node without the rows and the mask, in order of the inputs.
std::span<const Tensor> inputs_of(const Node& n) { return std::span(n.extra->saved).first(n.extra->saved.size() - 2); }

/// Of the first ones only.
Need of_inputs(Need need, std::size_t count) { return need & ((Need(1) << count) - 1); }

void adjoint_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 2);
    const Tensor &g = all[x.size()], &values = all.back();
    const Attending a = attending(n);
    const Need parts = Need(n.attr.i);
    const std::size_t count = x.size();
    if (recording()) {
        const Inputs found = composed_vjp(all.first(count + 1), h, [&](std::span<const Tensor> v) {
            return composed_adjoint(v.first(count), a, v[count], parts);
        });
        std::copy(found.begin(), found.end(), cotangents);
        return;
    }
    const Inputs hats = taken_apart(x, parts, h);
    const Tensor moved = attention_tangent(x, a, hats, values);
    if (wants(need, count)) cotangents[count] = g.dimension() > 1 ? part_of(moved, 0, g.shape()) : moved;
    const Need own = of_inputs(need, count);
    if (!own) return;
    const Directions directions{hats, {}, moved};
    const Inputs found = attention_adjoint(x, a, g, values, own, &directions);
    for (std::size_t i = 0, at = 0; i < count; ++i)
        if (included(own, i)) cotangents[i] = found[at++];
}
Tensor adjoint_jvp(const Node& n, const Tensor* tangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 2);
    const Tensor &g = all[x.size()], &values = all.back();
    const Attending a = attending(n);
    const Need parts = Need(n.attr.i);
    const std::size_t count = x.size();
    const std::span<const Tensor> dx(tangents, count);
    const Tensor &dg = tangents[count], &moved = tangents[count + 1];
    if (recording())
        return composed_jvp(all.first(count + 1), {tangents, count + 1},
                            [&](std::span<const Tensor> v) { return composed_adjoint(v.first(count), a, v[count], parts); });
    if (!any_defined(dx)) return dg.defined() ? adjoint_vector(x, a, dg, values, parts) : Tensor();
    const Directions directions{dx, dg, moved.defined() ? moved : attention_tangent(x, a, dx, values)};
    return adjoint_vector(x, a, g, values, parts, &directions);
}
constexpr Op adjoint_op{"attention_vjp", adjoint_vjp, adjoint_jvp};

// ---- the tangents of the values; inputs x, those of their tangents that are not zero, and the values

Tensor composed_tangent(std::span<const Tensor> x, const Attending& a, std::span<const Tensor> dx) {
    const Inputs given(dx.begin(), dx.end());
    return composed_jvp(x, given, [&](std::span<const Tensor> v) { return composed_attention(v, a); });
}
/// One for each input, undefined where it is zero.
Inputs spread_out(std::size_t count, Need present, std::span<const Tensor> given) {
    Inputs dx(count);
    for (std::size_t i = 0, at = 0; i < count; ++i)
        if (present >> i & 1) dx[i] = given[at++];
    return dx;
}

void tangent_vjp(const Node& n, Tensor h, Need need, Tensor* cotangents) {
    const auto all = inputs_of(n);
    const Need present = Need(n.attr.i);
    const auto count = std::size_t(n.attr.j);
    const auto x = all.first(count), given = all.subspan(count, all.size() - count - 1);
    const Attending a = attending(n);
    if (recording()) {
        const Inputs found = composed_vjp(all.first(all.size() - 1), h, [&](std::span<const Tensor> v) {
            return composed_tangent(v.first(count), a, spread_out(count, present, v.subspan(count)));
        });
        std::copy(found.begin(), found.end(), cotangents);
        return;
    }
    const Tensor& values = all.back();
    const Inputs dx = spread_out(count, present, given);
    if (const Need own = of_inputs(need, count)) {
        const Directions directions{dx, {}, n.out};
        const Inputs found = attention_adjoint(x, a, h, values, own, &directions);
        for (std::size_t i = 0, at = 0; i < count; ++i)
            if (included(own, i)) cotangents[i] = found[at++];
    }
    Need linear = 0;
    for (std::size_t i = 0, at = count; i < count; ++i)
        if (present >> i & 1) linear |= Need(wants(need, at++)) << i;
    if (!linear) return;
    const Inputs found = attention_adjoint(x, a, h, values, linear);
    for (std::size_t i = 0, at = 0, to = count; i < count; ++i) {
        const bool in_there = included(linear, i);
        if (present >> i & 1) {
            if (in_there) cotangents[to] = found[at];
            ++to;
        }
        at += in_there;
    }
}
Tensor tangent_jvp(const Node& n, const Tensor* tangents) {
    const auto all = inputs_of(n);
    const Need present = Need(n.attr.i);
    const auto count = std::size_t(n.attr.j), more = all.size() - count - 1;
    const std::span<const Tensor> moving(tangents, count + more), dx = moving.first(count);
    const auto x = all.first(count);
    const Attending a = attending(n);
    if (!recording()) {
        if (!any_defined(moving)) return {};
        const Tensor &values = all.back(), &moved = tangents[count + more];
        const Inputs both = spread_out(count, present, moving.subspan(count));
        if (!any_defined(dx)) return attention_tangent(x, a, both, values);
        const Inputs along = spread_out(count, present, all.subspan(count, more));
        return attention_second_tangent(x, a, along, dx, both, values, n.out,
                                        moved.defined() ? moved : attention_tangent(x, a, dx, values));
    }
    return composed_jvp(all.first(count + more), moving, [&](std::span<const Tensor> v) {
        return composed_tangent(v.first(count), a, spread_out(count, present, v.subspan(count)));
    });
}
constexpr Op tangent_op{"attention_jvp", tangent_vjp, tangent_jvp};

// ---- the values; inputs x

void values_vjp(const Node& n, Tensor g, Need need, Tensor* cotangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 1);
    const Tensor& values = all.back();
    const Attending a = attending(n);
    if (recording()) {
        const Tensor vector = adjoint_vector(x, a, g, values, need);
        Inputs inputs(x.begin(), x.end());
        inputs.push_back(g);
        inputs.push_back(values);
        Attr attr;
        attr.i = Index(need);
        keep(record(adjoint_op, vector, inputs, attr), inputs, a);
        const Inputs found = taken_apart(x, need, vector);
        std::copy(found.begin(), found.end(), cotangents);
        return;
    }
    Inputs found = attention_adjoint(x, a, g, values, need);
    for (std::size_t i = 0, at = 0; i < x.size(); ++i)
        if (included(need, i)) cotangents[i] = std::move(found[at++]);
}
Tensor values_jvp(const Node& n, const Tensor* tangents) {
    const auto all = inputs_of(n), x = all.first(all.size() - 1);
    const Attending a = attending(n);
    const std::span<const Tensor> dx(tangents, x.size());
    Tensor out = attention_tangent(x, a, dx, all.back());
    if (!recording()) return out;
    Inputs inputs(x.begin(), x.end());
    Attr attr;
    attr.i = 0;
    attr.j = Index(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!dx[i].defined()) continue;
        attr.i |= Index(1) << i;
        inputs.push_back(dx[i]);
    }
    inputs.push_back(all.back());
    Node& node = record(tangent_op, out, inputs, attr);
    keep(node, inputs, a);
    node.out = out;
    return out;
}
constexpr Op values_op{"attention", values_vjp, values_jvp};

// ---- the output, the first part of the values. Its cotangent goes on as it is: nobody sees the rest.

void output_vjp(const Node&, Tensor g, Need, Tensor* cotangents) { cotangents[0] = std::move(g); }
Tensor output_jvp(const Node& n, const Tensor* tangents) { return part_of(tangents[0], 0, n.shape()); }
constexpr Op output_op{"attention_output", output_vjp, output_jvp};

}  // namespace

Tensor fused_attention(std::span<const Tensor> x, const Attending& given) {
    if (!recording()) return attention_values(x, given);
    Attending a = given;
    a.rows = attention_rows(x, a);
    Tensor vector = attention_values(x, a);
    Inputs saved(x.begin(), x.end());
    saved.push_back(vector);
    keep(record(values_op, vector, x), std::move(saved), a);
    return vector;
}

Tensor output_of(const Tensor& vector, const Shape& shape) {
    Tensor out = make_view(vector, shape, dense_strides(shape));
    if (recording()) record(output_op, out, vector, {});
    return out;
}

}  // namespace xtgrad::detail
