#include "table.hpp"

namespace table {
namespace {

/// Folds the elements of x over the axes, in f(list of values).
Tensor fold(const Tensor& x, std::vector<Index> axes, bool keep, const std::function<double(const std::vector<double>&)>& f) {
    const Array in(x);
    const Shape shape = x.shape();
    const auto reduced = [&](std::size_t d) {
        for (const Index a : axes)
            if (std::size_t(a < 0 ? a + Index(shape.size()) : a) == d) return true;
        return false;
    };
    Shape kept = shape, squeezed;
    for (std::size_t d = 0; d < shape.size(); ++d) {
        if (reduced(d))
            kept[d] = 1;
        else
            squeezed.push_back(shape[d]);
    }
    Array out(kept);
    std::vector<std::vector<double>> lists(std::size_t(out.size()));
    for (Index i = 0; i < in.size(); ++i) {
        const Shape p = in.position(i);
        Index flat = 0;
        for (std::size_t d = 0; d < shape.size(); ++d) flat = flat * kept[d] + (kept[d] == 1 ? 0 : p[d]);
        lists[std::size_t(flat)].push_back(in[i]);
    }
    for (Index i = 0; i < out.size(); ++i) out[i] = f(lists[std::size_t(i)]);
    return keep ? out.tensor() : xg::reshape(out.tensor(), squeezed);
}

double total(const std::vector<double>& v) {
    long double s = 0;
    for (const double x : v) s += x;
    return double(s);
}
double average(const std::vector<double>& v) { return total(v) / double(v.size()); }
double product(const std::vector<double>& v) {
    long double p = 1;
    for (const double x : v) p *= x;
    return double(p);
}
double squares(const std::vector<double>& v) {
    long double s = 0;
    for (const double x : v) s += (long double)x * x;
    return double(s);
}
double length(const std::vector<double>& v) { return std::sqrt(squares(v)); }
double magnitudes(const std::vector<double>& v) {
    long double s = 0;
    for (const double x : v) s += std::fabs(x);
    return double(s);
}
double farthest(const std::vector<double>& v) {
    double m = 0;
    for (const double x : v) m = std::max(m, std::fabs(x));
    return m;
}
/// By the pairs of elements, without a mean: sum over i < j of (x_i - x_j)^2 / (n (n - ddof)).
double variance(const std::vector<double>& v, double ddof) {
    long double s = 0;
    for (std::size_t i = 0; i < v.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) s += ((long double)v[i] - v[j]) * (v[i] - v[j]);
    const auto n = double(v.size());
    return double(s) / (n * std::max(0., n - ddof));
}
double largest(const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }
double smallest(const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }
double log_sum_exp(const std::vector<double>& v) {
    long double s = 0;
    for (const double x : v) s += std::exp((long double)x);
    return double(std::log(s));
}

/// All the ways to call a reduction.
template <class F>
void add(std::vector<Row>& rows, std::string name, F f, double (*reference)(const std::vector<double>&), bool empty = true) {
    const auto row = [&](auto op, std::vector<Index> axes, bool keep, std::vector<Sample> samples) {
        rows.push_back({.name = name,
                        .op = [op](const Inputs& x) { return op(x[0]); },
                        .reference = [=](const Inputs& x) { return fold(x[0], axes, keep, reference); },
                        .samples = std::move(samples)});
    };
    const Tensor x = random({2, 3, 4});
    row([f](auto& t) { return f(t); }, {0, 1, 2}, false, {{"all", {x}}});
    row([f](auto& t) { return f(t, xt::keep_dims); }, {0, 1, 2}, true, {{"all, kept", {x}}});
    row([f](auto& t) { return f(t, 1); }, {1}, false, {{"middle", {x}}});
    row([f](auto& t) { return f(t, -1); }, {2}, false, {{"last", {x}}, {"long rows", {random({3, 2, 50})}}});
    row([f](auto& t) { return f(t, 0, xt::keep_dims); }, {0}, true, {{"first, kept", {x}}, {"wide", {random({7, 3, 17})}}, {"vector", {random({9})}}});
    row([f](auto& t) { return f(t, std::vector<int>{0, -1}); }, {0, 2}, false, {{"outer and inner", {x}}});
    row([f](auto& t) { return f(t, std::array<std::size_t, 2>{2, 1}, xt::keep_dims); }, {1, 2}, true, {{"two, kept", {x}}});
    row([f](auto& t) { return f(t); }, {}, false, {{"scalar", {random({})}}, {"one", {random({})}}});
    if (empty) row([f](auto& t) { return f(t, 1); }, {1}, false, {{"of nothing", {random({0, 3, 2})}}});
}

}  // namespace

std::vector<Row> reduction_rows() {
    std::vector<Row> rows;
    add(rows, "sum", [](auto& x, auto&&... a) { return xg::sum(x, a...); }, total);
    add(rows, "mean", [](auto& x, auto&&... a) { return xg::mean(x, a...); }, average);
    add(rows, "amax", [](auto& x, auto&&... a) { return xg::amax(x, a...); }, largest);
    add(rows, "amin", [](auto& x, auto&&... a) { return xg::amin(x, a...); }, smallest);
    add(rows, "logsumexp", [](auto& x, auto&&... a) { return xg::logsumexp(x, a...); }, log_sum_exp);
    add(rows, "prod", [](auto& x, auto&&... a) { return xg::prod(x, a...); }, product);
    for (const auto& zeros : {xg::tensor({{0., 2., 3.}, {4., 0.5, 6.}, {7., 0., 9.}}), xg::tensor({{0., 0., 3.}, {4., 5., -6.}, {0., 0., 0.}})})
        for (const Index axis : {0, 1})
            rows.push_back({.name = "prod", .op = [=](const Inputs& v) { return xg::prod(v[0], axis); }, .reference = [=](const Inputs& v) { return fold(v[0], {axis}, false, product); }, .samples = {{"with zeros", {zeros}}}});
    add(rows, "norm_l1", [](auto& x, auto&&... a) { return xg::norm_l1(x, a...); }, magnitudes);
    add(rows, "norm_l2", [](auto& x, auto&&... a) { return xg::norm_l2(x, a...); }, length);
    add(rows, "norm_sq", [](auto& x, auto&&... a) { return xg::norm_sq(x, a...); }, squares);
    add(rows, "norm_linf", [](auto& x, auto&&... a) { return xg::norm_linf(x, a...); }, farthest);
    const auto unrecorded = [&](std::string name, auto op, auto reference, Inputs x) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = {{"dense", std::move(x)}}, .differentiable = false});
    };
    const Tensor x = random({4, 3, 5});
    unrecorded("any", [](const Inputs& v) { return xg::any(v[0] > 1.7, {0, 2}); },
               [](const Inputs& v) { return fold(v[0], {0, 2}, false, [](auto& l) { return largest(l) > 1.7; }); }, {x});
    unrecorded("all", [](const Inputs& v) { return xg::all(v[0] > -1.9, 1, xt::keep_dims); },
               [](const Inputs& v) { return fold(v[0], {1}, true, [](auto& l) { return smallest(l) > -1.9; }); }, {x});
    const auto first_largest = [](const std::vector<double>& l) { return double(std::max_element(l.begin(), l.end()) - l.begin()); };
    unrecorded("argmax", [](const Inputs& v) { return xg::argmax(v[0], 1); }, [=](const Inputs& v) { return fold(v[0], {1}, false, first_largest); }, {x});
    unrecorded("argmax", [](const Inputs& v) { return xg::argmax(v[0]); }, [=](const Inputs& v) { return fold(v[0], {0, 1, 2}, false, first_largest); }, {x});
    const auto first_smallest = [](const std::vector<double>& l) { return double(std::min_element(l.begin(), l.end()) - l.begin()); };
    unrecorded("prod", [](const Inputs& v) { return xg::prod(xg::astype(v[0] * 2., xg::i64), 1); },
               [](const Inputs& v) { return fold(v[0], {1}, false, [](auto& l) { double p = 1; for (const double e : l) p *= std::trunc(2 * e); return p; }); }, {x});
    unrecorded("prod", [](const Inputs& v) { return xg::prod(v[0] > -1.5, 2); },
               [](const Inputs& v) { return fold(v[0], {2}, false, [](auto& l) { return smallest(l) > -1.5; }); }, {x});
    const Tensor coarse = xg::astype(xg::astype(random({50, 3, 20}), xg::i64), xg::f64);  // with ties
    for (const Tensor& t : {x, coarse, random({1, 1, 1}), random({3, 2000, 2}), random({2, 3, 0})}) {
        for (const Index axis : {0, 1}) {
            unrecorded("argmax", [=](const Inputs& v) { return xg::argmax(v[0], axis); }, [=](const Inputs& v) { return fold(v[0], {axis}, false, first_largest); }, {t});
            unrecorded("argmin", [=](const Inputs& v) { return xg::argmin(v[0], axis); }, [=](const Inputs& v) { return fold(v[0], {axis}, false, first_smallest); }, {t});
        }
        if (t.size() == 0) continue;
        unrecorded("argmin", [](const Inputs& v) { return xg::argmin(v[0]); }, [=](const Inputs& v) { return fold(v[0], {0, 1, 2}, false, first_smallest); }, {t});
        unrecorded("argmin", [](const Inputs& v) { return xg::argmin(v[0], -1, xt::keep_dims); }, [=](const Inputs& v) { return fold(v[0], {2}, true, first_smallest); }, {t});
    }
    unrecorded("argmin", [](const Inputs& v) { return xg::argmin(v[0]); }, [](const Inputs&) { return xg::zeros({}); }, {random({})});
    const auto nonzero = [](const std::vector<double>& l) { return double(std::count_if(l.begin(), l.end(), [](double v) { return v != 0; })); };
    for (const Tensor& t : {x, coarse, random({0, 3, 2}), random({1, 1, 1})}) {
        unrecorded("count_nonzero", [](const Inputs& v) { return xg::count_nonzero(v[0]); }, [=](const Inputs& v) { return fold(v[0], {0, 1, 2}, false, nonzero); }, {t});
        unrecorded("count_nonzero", [](const Inputs& v) { return xg::count_nonzero(v[0] > 0, {1, 0}); },
                   [](const Inputs& v) { return fold(v[0], {0, 1}, false, [](auto& l) { return double(std::count_if(l.begin(), l.end(), [](double e) { return e > 0; })); }); }, {t});
        unrecorded("count_nonzero", [](const Inputs& v) { return xg::count_nonzero(xg::astype(v[0], xg::i64), 1, xt::keep_dims); },
                   [](const Inputs& v) { return fold(v[0], {1}, true, [](auto& l) { return double(std::count_if(l.begin(), l.end(), [](double e) { return std::trunc(e) != 0; })); }); }, {t});
    }
    return rows;
}

std::vector<Row> statistics_rows() {
    std::vector<Row> rows;
    const Tensor x = random({2, 3, 4}), wide = random({9, 2, 17}), far = random({4, 5, 3}) + 10.;
    const auto both = [&](auto op, std::vector<Index> axes, bool keep, double ddof, std::vector<Tensor> inputs, bool differentiable = true) {
        std::vector<Sample> samples;
        for (const Tensor& t : inputs) samples.push_back({"of shape", {t}});
        rows.push_back({.name = "variance",
                        .op = [op](const Inputs& v) { return op(v[0], [](auto&&... a) { return xg::variance(a...); }); },
                        .reference = [=](const Inputs& v) { return fold(v[0], axes, keep, [=](auto& l) { return variance(l, ddof); }); },
                        .samples = samples,
                        .differentiable = differentiable});
        rows.push_back({.name = "stddev",
                        .op = [op](const Inputs& v) { return op(v[0], [](auto&&... a) { return xg::stddev(a...); }); },
                        .reference = [=](const Inputs& v) { return fold(v[0], axes, keep, [=](auto& l) { return std::sqrt(variance(l, ddof)); }); },
                        .samples = samples,
                        .differentiable = differentiable});
    };
    using Two = std::vector<int>;
    both([](auto& t, auto f) { return f(t); }, {0, 1, 2}, false, 0, {x, far});
    both([](auto& t, auto f) { return f(t); }, {0, 1, 2}, false, 0, {random({1, 1, 1})}, false);  // 0 everywhere: nothing to compare
    both([](auto& t, auto f) { return f(t, xt::keep_dims); }, {0, 1, 2}, true, 0, {x});
    both([](auto& t, auto f) { return f(t, 1); }, {0, 1, 2}, false, 1, {x, far});
    both([](auto& t, auto f) { return f(t, 2u, xt::keep_dims); }, {0, 1, 2}, true, 2, {x});
    both([](auto& t, auto f) { return f(t, Two{1}); }, {1}, false, 0, {x, random({0, 3, 2})});
    both([](auto& t, auto f) { return f(t, Two{-1}, xt::keep_dims); }, {2}, true, 0, {x, wide});
    both([](auto& t, auto f) { return f(t, Two{0, 2}); }, {0, 2}, false, 0, {x, wide});
    both([](auto& t, auto f) { return f(t, Two{0}, 1); }, {0}, false, 1, {x, wide, random({130, 1, 9}), far});
    both([](auto& t, auto f) { return f(t, 1, 2, xt::keep_dims); }, {1}, true, 2, {x});
    both([](auto& t, auto f) { return f(t, std::array{2, 1}, 1); }, {1, 2}, false, 1, {x, far});
    both([](auto& t, auto f) { return f(t); }, {}, false, 0, {random({})}, false);

    const auto weighted = [](std::vector<Index> axes, bool keep, auto spread) {
        return [=](const Inputs& v) {
            const Tensor w = spread(v[1]);
            Array product(v[0]), weight(v[0].shape());
            for (Index i = 0; i < product.size(); ++i) {
                weight[i] = Array(w).at(weight.position(i));
                product[i] *= weight[i];
            }
            Array top(fold(product.tensor(), axes, keep, total)), bottom(fold(weight.tensor(), axes, keep, total));
            for (Index i = 0; i < top.size(); ++i) top[i] /= bottom[i];
            return top.tensor();
        };
    };
    const auto average_row = [&](auto op, auto reference, Inputs inputs) {
        rows.push_back({.name = "average", .op = op, .reference = reference, .samples = {{"weighted", std::move(inputs)}}});
    };
    const auto same = [](const Tensor& w) { return w; };
    const Tensor w = random({2, 3, 4}, 0.5, 2);
    average_row([](const Inputs& v) { return xg::average(v[0]); }, [](const Inputs& v) { return fold(v[0], {0, 1, 2}, false, average); }, {x});
    average_row([](const Inputs& v) { return xg::average(v[0], xt::keep_dims); }, [](const Inputs& v) { return fold(v[0], {0, 1, 2}, true, average); }, {x});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1]); }, weighted({0, 1, 2}, false, same), {x, w});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1], xt::keep_dims); }, weighted({0, 1, 2}, true, same), {x, w});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1], 1); }, weighted({1}, false, same), {x, w});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1], {0, -1}, xt::keep_dims); }, weighted({0, 2}, true, same), {x, w});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1], {1}); }, weighted({1}, false, [](const Tensor& t) { return xg::reshape(t, {3, 1}); }), {x, random({3}, 0.5, 2)});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1], std::vector<int>{-1}, xt::keep_dims); }, weighted({2}, true, same), {x, random({4}, 0.5, 2)});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1]); }, [](const Inputs& v) { return v[0]; }, {random({}), random({}, 0.5, 2)});
    average_row([](const Inputs& v) { return xg::average(v[0], v[1], 1); }, [](const Inputs&) { return xg::zeros({0, 2}); }, {random({0, 3, 2}), random({3})});
    return rows;
}

}  // namespace table
