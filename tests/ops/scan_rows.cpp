// Running sums and products, differences, sorting.
#include <algorithm>
#include <numeric>

#include "table.hpp"

namespace table {
namespace {

using Line = std::vector<double>;

/// f of each line along an axis, which may change its length.
Tensor lines(const Tensor& x, Index axis, const std::function<Line(const Line&)>& f) {
    const Array in(x);
    Shape shape = x.shape();
    const auto at = std::size_t(axis < 0 ? axis + Index(shape.size()) : axis);
    const Index n = shape[at];
    shape[at] = Index(f(Line(std::size_t(n))).size());
    Array out(shape);
    for (Index i = 0; i < out.size(); ++i) {
        Shape p = out.position(i);
        const Index place = p[at];
        Line line;
        for (p[at] = 0; p[at] < n; ++p[at]) line.push_back(in.at(p));
        out[i] = f(line)[std::size_t(place)];
    }
    return out.tensor();
}

Line running_sum(const Line& x) {
    Line y;
    for (std::size_t i = 0; i < x.size(); ++i) y.push_back(std::accumulate(x.begin(), x.begin() + long(i) + 1, 0.));
    return y;
}
Line running_product(const Line& x) {
    Line y;
    for (std::size_t i = 0; i < x.size(); ++i) y.push_back(std::accumulate(x.begin(), x.begin() + long(i) + 1, 1., std::multiplies()));
    return y;
}
/// By insertion: where each element of the sorted line was.
Line places(const Line& x) {
    Line order;
    for (std::size_t i = 0; i < x.size(); ++i) {
        auto p = order.begin();
        while (p != order.end() && x[std::size_t(*p)] <= x[i]) ++p;
        order.insert(p, double(i));
    }
    return order;
}
Line at(const Line& x, const Line& order) {
    Line y;
    for (const double i : order) y.push_back(x[std::size_t(i)]);
    return y;
}
Line largest_places(const Line& x, std::size_t k) {
    Line negative = x;
    for (double& v : negative) v = -v;
    Line order = places(negative);
    order.resize(k);
    return order;
}
Line binomial_differences(const Line& x, std::size_t n) {
    Line y;
    for (std::size_t i = 0; i + n < x.size(); ++i) {
        double sum = 0, binomial = 1;
        for (std::size_t k = 0; k <= n; ++k) {
            sum += ((n - k) % 2 ? -1 : 1) * binomial * x[i + k];
            binomial = binomial * double(n - k) / double(k + 1);
        }
        y.push_back(sum);
    }
    return y;
}

}  // namespace

std::vector<Row> scan_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, std::function<Tensor(const Tensor&)> op, std::function<Tensor(const Tensor&)> reference,
                         std::vector<Tensor> inputs, bool differentiable = true) {
        Row r{.name = std::move(name), .op = [=](const Inputs& v) { return op(v[0]); }, .reference = [=](const Inputs& v) { return reference(v[0]); }, .samples = {}, .differentiable = differentiable};
        for (Tensor& x : inputs) r.samples.push_back({"of shape", {std::move(x)}});
        rows.push_back(std::move(r));
    };
    const auto with_zeros = [](const Shape& shape, Index every) {
        const Tensor x = random(shape);
        Array a(x);
        for (Index i = 1; i < a.size(); i += every) a[i] = 0;
        return a.tensor();
    };
    const Tensor x = random({2, 5, 3}), line = random({9}), zeros = with_zeros({2, 5, 3}, 4), one_zero = with_zeros({2, 5, 3}, 40), wide = random({3, 2, 40}),
                 one = random({1, 1, 1}), empty = random({2, 0, 3}), none = random({0, 4, 2});
    for (const Index axis : {0, 1, -1}) {
        row("cumsum", [=](auto& t) { return xg::cumsum(t, axis); }, [=](auto& t) { return lines(t, axis, running_sum); }, {x, wide, one, empty, none});
        row("cumprod", [=](auto& t) { return xg::cumprod(t, axis); }, [=](auto& t) { return lines(t, axis, running_product); }, {x, zeros, one_zero, wide, one, empty, none});
        row("sort", [=](auto& t) { return xg::sort(t, axis); }, [=](auto& t) { return lines(t, axis, [](auto& l) { return at(l, places(l)); }); }, {x, wide, one, empty, none});
        row("argsort", [=](auto& t) { return xg::argsort(t, axis); }, [=](auto& t) { return lines(t, axis, places); }, {x, zeros, wide, one, empty, none}, false);
        row("sort_with_indices", [=](auto& t) { return xg::sort_with_indices(t, axis).second; }, [=](auto& t) { return lines(t, axis, places); }, {zeros}, false);
        row("sort_with_indices", [=](auto& t) { return xg::sort_with_indices(t, axis).first; }, [=](auto& t) { return lines(t, axis, [](auto& l) { return at(l, places(l)); }); }, {x});
        for (const std::size_t n : {0u, 1u, 2u, 4u})
            row("diff", [=](auto& t) { return xg::diff(t, n, axis); }, [=](auto& t) { return lines(t, axis, [n](auto& l) { return binomial_differences(l, n); }); }, {x, one, empty});
    }
    row("cumsum", [](auto& t) { return xg::cumsum(t); }, [](auto& t) { return lines(xg::reshape(t, {-1}), 0, running_sum); }, {x, line, random({}), random({0})});
    row("cumprod", [](auto& t) { return xg::cumprod(t); }, [](auto& t) { return lines(xg::reshape(t, {-1}), 0, running_product); }, {x, zeros, line, random({}), random({0})});
    row("cumsum", [](auto& t) { return xg::cumsum(t > 0, 1); }, [](auto& t) { return lines(t, 1, [](Line l) { for (double& v : l) v = v > 0; return running_sum(l); }); }, {x}, false);
    row("cumprod", [](auto& t) { return xg::cumprod(xg::astype(t * 3., xg::i64), 1); }, [](auto& t) { return lines(t, 1, [](Line l) { for (double& v : l) v = std::trunc(3 * v); return running_product(l); }); }, {x}, false);
    row("diff", [](auto& t) { return xg::diff(t); }, [](auto& t) { return lines(t, 2, [](auto& l) { return binomial_differences(l, 1); }); }, {x});
    row("diff", [](auto& t) { return xg::diff(t > 0, 1, 1); }, [](auto& t) { return lines(t, 1, [](Line l) { for (double& v : l) v = v > 0; l = binomial_differences(l, 1); for (double& v : l) v = std::fabs(v); return l; }); }, {x}, false);
    row("sort", [](auto& t) { return xg::sort(t); }, [](auto& t) { return lines(t, -1, [](auto& l) { return at(l, places(l)); }); }, {x, line});
    row("sort", [](auto& t) { return xg::sort(t, xt::placeholders::xtuph()); }, [](auto& t) { return lines(xg::reshape(t, {-1}), 0, [](auto& l) { return at(l, places(l)); }); }, {x});
    row("argsort", [](auto& t) { return xg::argsort(t, xt::placeholders::xtuph()); }, [](auto& t) { return lines(xg::reshape(t, {-1}), 0, places); }, {x}, false);
    for (const Index k : {0, 1, 3}) {
        const auto count = std::size_t(k);
        row("topk", [=](auto& t) { return xg::topk(t, k, 1).first; }, [=](auto& t) { return lines(t, 1, [=](auto& l) { return at(l, largest_places(l, count)); }); }, {x});
        row("topk", [=](auto& t) { return xg::topk(t, k, 1).second; }, [=](auto& t) { return lines(t, 1, [=](auto& l) { return largest_places(l, count); }); }, {x, zeros}, false);
        row("topk", [=](auto& t) { return xg::topk(t, k, -1, false).first; }, [=](auto& t) { return lines(t, -1, [=](auto& l) { Line p = places(l); p.resize(count); return at(l, p); }); }, {x, line});
        row("topk", [=](auto& t) { return xg::topk(t, k).first; }, [=](auto& t) { return lines(t, -1, [=](auto& l) { return at(l, largest_places(l, count)); }); }, {wide, random({0, 3})});
    }
    return rows;
}

}  // namespace table
