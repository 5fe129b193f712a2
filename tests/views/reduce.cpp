// Reductions over any axes, statistics, running sums, sorting.
#include "cases.hpp"

namespace views {
namespace {

using Reduction = Tensor (*)(const Tensor&, const Axes*, bool);

Shape any_shape(Random& r, Index least = 0) { return r.shape(0, 6, least, r.chance(3) ? 1 << 17 : 3000); }

Case reduced(Random& r, Reduction f, Dtype dtype, Index least = 0) {
    const Shape shape = any_shape(r, least);
    const bool all = r.chance(20), keep = r.chance(40);
    const Axes axes = r.axes(shape.size());
    const Case c = of_one({shape, dtype, dtype == xg::boolean ? 0. : -2., 2}, all ? "over all" : text("over ", axes),
                          [=](const Tensor& x) { return f(x, all ? nullptr : &axes, keep); });
    return is_floating(dtype) ? by_rounding(c) : c;
}
/// Of positive numbers: prod, and norms away from 0.
Case positive(Case c) {
    c.inputs[0].low = 0.5;
    return c;
}

Case extremum(Random& r, Tensor (*f)(const Tensor&, const Index*, bool)) {
    const Shape shape = r.shape(1, 6, 1, r.chance(3) ? 1 << 17 : 3000);
    const Index axis = r.axis(shape.size());
    const bool all = r.chance(20), keep = r.chance(40);
    return of_one({shape, r.number_dtype()}, text("along ", axis),
                  [=](const Tensor& x) { return f(x, all ? nullptr : &axis, keep); });
}

Case deviation(Random& r, Tensor (*f)(const Tensor&, const Axes*, bool, Index)) {
    const Shape shape = any_shape(r);
    const Axes axes = r.axes(shape.size());
    const bool all = r.chance(20), keep = r.chance(40);
    const Index ddof = r.between(0, 2);
    return by_rounding(of_one({shape, r.floating()}, text("over ", axes, ", ddof ", ddof),
                              [=](const Tensor& x) { return f(x, all ? nullptr : &axes, keep, ddof); }));
}

Case average(Random& r) {
    const Shape shape = r.shape(1, 5);
    const Dtype dtype = r.floating();
    const Index axis = r.axis(shape.size());
    const bool whole = r.chance(50), keep = r.chance(40);
    const Axes axes{axis};
    const Shape weights = whole ? shape : Shape{shape[std::size_t(axis < 0 ? axis + Index(shape.size()) : axis)]};
    return by_rounding({.inputs = {{shape, dtype}, {weights, dtype, 0.5, 2}},
                        .call = [=](const Inputs& x) { return xg::detail::weighted_average(x[0], x[1], &axes, keep); },
                        .arguments = text("along ", axis)});
}

Case along(Random& r, Tensor (*f)(const Tensor&, const Index*)) {
    const Shape shape = any_shape(r);
    const bool all = shape.empty() || r.chance(20);
    const Index axis = all ? 0 : r.axis(shape.size());
    return of_one({shape, r.number_dtype(), -1, 2}, text("along ", axis),
                  [=](const Tensor& x) { return f(x, all ? nullptr : &axis); });
}

Shape with_axis(Random& r) { return r.shape(1, 5, 0, r.chance(3) ? 1 << 16 : 3000); }

Case sorted(Random& r, Dtype dtype, std::function<Tensor(const Tensor&, Index)> f) {
    const Shape shape = with_axis(r);
    const Index axis = r.axis(shape.size());
    return of_one({shape, dtype, -9, 9}, text("along ", axis), [=](const Tensor& x) { return f(x, axis); });
}

Case topk(Random& r) {
    const Shape shape = with_axis(r);
    const Index axis = r.axis(shape.size()), n = shape[std::size_t(axis < 0 ? axis + Index(shape.size()) : axis)],
                k = r.between(0, n + 1);
    const bool largest = r.chance(50), values = r.chance(70);
    return of_one({shape, r.floating(), -9, 9}, text(k, " along ", axis), [=](const Tensor& x) {
        const auto both = xg::topk(x, k, axis, largest);
        return values ? both.first : both.second;
    });
}

Case diff(Random& r) {
    const Shape shape = with_axis(r);
    const Index axis = r.axis(shape.size());
    const auto n = std::size_t(r.between(0, 4));
    return of_one({shape, r.dtype(), -9, 9}, text(n, " along ", axis), [=](const Tensor& x) { return xg::diff(x, n, axis); });
}

}  // namespace

std::vector<Op> reduce_ops() {
    namespace d = xg::detail;
    std::vector<Op> ops;
    const auto add = [&](const char* name, std::function<Case(Random&)> make) { ops.push_back({name, std::move(make)}); };
    add("sum", [](Random& r) { return reduced(r, d::sum, r.dtype()); });
    add("mean", [](Random& r) { return reduced(r, d::mean, r.floating()); });
    add("prod", [](Random& r) { return positive(reduced(r, d::prod, r.number_dtype())); });
    add("amax", [](Random& r) { return reduced(r, d::amax, r.number_dtype(), 1); });
    add("amin", [](Random& r) { return reduced(r, d::amin, r.number_dtype(), 1); });
    add("logsumexp", [](Random& r) { return reduced(r, d::logsumexp, r.floating()); });
    add("norm_l1", [](Random& r) { return positive(reduced(r, d::norm_l1, r.floating())); });
    add("norm_l2", [](Random& r) { return positive(reduced(r, d::norm_l2, r.floating(), 1)); });
    add("norm_sq", [](Random& r) { return reduced(r, d::norm_sq, r.floating()); });
    add("norm_linf", [](Random& r) { return positive(reduced(r, d::norm_linf, r.floating(), 1)); });
    add("count_nonzero", [](Random& r) { return reduced(r, d::count_nonzero, r.dtype()); });
    add("any", [](Random& r) { return reduced(r, d::any, xg::boolean); });
    add("all", [](Random& r) { return reduced(r, d::all, xg::boolean); });
    add("argmax", [](Random& r) { return extremum(r, d::argmax); });
    add("argmin", [](Random& r) { return extremum(r, d::argmin); });
    add("variance", [](Random& r) { return deviation(r, d::variance); });
    add("stddev", [](Random& r) { return deviation(r, d::stddev); });
    add("average", average);
    add("average", [](Random& r) { return reduced(r, d::average, r.floating()); });
    add("cumsum", [](Random& r) { return along(r, d::cumsum); });
    add("cumprod", [](Random& r) { return along(r, d::cumprod); });
    add("diff", diff);
    add("sort", [](Random& r) { return sorted(r, r.dtype(), [](const Tensor& x, Index axis) { return xg::sort(x, axis); }); });
    add("argsort",
        [](Random& r) { return sorted(r, r.dtype(), [](const Tensor& x, Index axis) { return xg::argsort(x, axis); }); });
    add("sort_with_indices", [](Random& r) {
        return sorted(r, r.floating(), [](const Tensor& x, Index axis) { return xg::sort_with_indices(x, axis).first; });
    });
    add("topk", topk);
    return ops;
}

}  // namespace views
