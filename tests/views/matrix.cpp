// Products. An element is a sum along an axis, whose order follows how the operands lie in memory.
#include "cases.hpp"

namespace views {
namespace {

Index extent(Random& r) { return r.chance(12) ? r.between(16, 150) : r.extent(); }

Case matmul(Random& r) {
    const Index m = extent(r), k = extent(r), n = extent(r);
    const Shape batch = r.chance(50) ? Shape() : r.shape(0, 3, 0, m * k + k * n < 400 ? 40 : 3);
    const auto with = [](Shape s, Index rows, Index columns) {
        s.push_back(rows), s.push_back(columns);
        return s;
    };
    Shape a = with(r.part_of(batch), m, k), b = with(r.part_of(batch), k, n);
    if (r.chance(10)) a = {k};
    if (r.chance(10)) b = {k};
    const Dtype dtype = r.floating();
    return by_rounding({.inputs = {{a, dtype}, {b, dtype}}, .call = [](const Inputs& x) { return xg::matmul(x[0], x[1]); }});
}

/// Large enough for tasks, for each of the kernels: few rows, few columns, neither.
Case large(Random& r) {
    const Index m = r.one_of<Index>({1, 2, 4, 9, 31, 64, 150}), n = r.one_of<Index>({1, 2, 4, 9, 31, 64, 150}),
                k = r.between(300, 1200);
    const Dtype dtype = r.floating();
    return by_rounding(
        {.inputs = {{{m, k}, dtype}, {{k, n}, dtype}}, .call = [](const Inputs& x) { return xg::matmul(x[0], x[1]); }});
}

Case linear(Random& r) {
    const Index in = extent(r), out = extent(r);
    Shape x = r.shape(0, 3, 0, 60);
    x.push_back(in);
    const Dtype dtype = r.floating();
    Case c{.inputs = {{x, dtype}, {{out, in}, dtype}},
           .call = [](const Inputs& v) { return xg::linear(v[0], v[1], v.size() > 2 ? v[2] : Tensor()); }};
    if (r.chance(60)) c.inputs.push_back({{out}, dtype});
    return by_rounding(c);
}

/// Of tensors whose axes are paired: the first `pairs` of one with some of the other.
Case tensordot(Random& r) {
    const Shape a = r.shape(0, 4, 0, 300);
    const auto pairs = std::size_t(r.between(0, Index(a.size()) + 1));
    const Axes order = r.permutation(a.size());
    Shape b = r.shape(0, 2, 0, 20);
    Axes of_a, of_b;
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < pairs; ++i) {
        of_a.push_back(order[i]);
        of_b.push_back(Index(b.size()));
        b.push_back(a[std::size_t(order[i])]);
    }
    const Dtype dtype = r.floating();
    return by_rounding({.inputs = {{a, dtype}, {b, dtype}},
                        .call = [=](const Inputs& x) { return xg::detail::tensordot(x[0], x[1], of_a, of_b); },
                        .arguments = text(of_a, of_b)});
}

Case einsum(Random& r) {
    const char* const formulas[] = {"ij,jk->ik", "ij,kj->ki", "bij,bjk->bik", "i,i->",     "ij->ji",  "ii->i",
                                    "ii->",      "ij,i->j",   "abc,cd,db->a", "ij,ij->ij", "i,j->ij", "bhid,bhjd->bhij",
                                    "ij->",      "nij,nj->ni"};
    const std::string formula = formulas[r.between(0, Index(std::size(formulas)))];
    Index extents[128] = {};
    for (Index& n : extents) n = r.between(0, 7);
    const Dtype dtype = r.floating();
    Case c{.inputs = {{Shape(), dtype}}, .call = [=](const Inputs& x) { return xg::einsum(formula, x); }, .arguments = formula};
    for (const char label : formula.substr(0, formula.find('-'))) {
        if (label == ',')
            c.inputs.push_back({Shape(), dtype});
        else
            c.inputs.back().shape.push_back(extents[int(label)]);
    }
    return by_rounding(c);
}

Case pair(Random& r, bool vectors, std::function<Tensor(const Tensor&, const Tensor&)> f) {
    const Dtype dtype = r.floating();
    const Shape a = vectors ? r.shape(1, 1) : r.shape(0, 3, 0, 300), b = vectors ? a : r.shape(0, 3, 0, 60);
    return by_rounding({.inputs = {{a, dtype}, {b, dtype}}, .call = [=](const Inputs& x) { return f(x[0], x[1]); }});
}

/// Both have the same last extent, or the last of the one is the last but one of the other.
Case inner(Random& r, bool last, std::function<Tensor(const Tensor&, const Tensor&)> f) {
    const Dtype dtype = r.floating();
    Shape a = r.shape(0, 2, 0, 60), b = r.shape(0, 2, 0, 60);
    const Index n = r.extent();
    a.push_back(n);
    last || b.empty() ? b.push_back(n) : b.insert(b.size() - 1, n);
    return by_rounding({.inputs = {{a, dtype}, {b, dtype}}, .call = [=](const Inputs& x) { return f(x[0], x[1]); }});
}

}  // namespace

std::vector<Op> matrix_ops() {
    return {
        {"matmul", matmul},
        {"matmul", large},
        {"linear", linear},
        {"tensordot", tensordot},
        {"einsum", einsum},
        {"dot", [](Random& r) { return inner(r, false, [](const Tensor& a, const Tensor& b) { return xg::dot(a, b); }); }},
        {"inner", [](Random& r) { return inner(r, true, [](const Tensor& a, const Tensor& b) { return xg::inner(a, b); }); }},
        {"vdot", [](Random& r) { return pair(r, true, [](const Tensor& a, const Tensor& b) { return xg::vdot(a, b); }); }},
        {"outer", [](Random& r) { return pair(r, false, [](const Tensor& a, const Tensor& b) { return xg::outer(a, b); }); }}};
}

}  // namespace views
