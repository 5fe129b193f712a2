#include "table.hpp"

namespace table {
namespace {

/// f over each line of an axis: f(in, out) of vectors.
template <class F>
auto lines(std::size_t from_end, F f) {
    return [=](const Inputs& v) {
        std::vector<Array> in;
        for (const Tensor& t : v) in.emplace_back(t);
        Array out(v[0].shape());
        const Shape shape = out.shape();
        const std::size_t axis = shape.size() - from_end;
        for (Index i = 0; i < out.size(); ++i) {
            Shape p = out.position(i);
            if (p[axis] != 0) continue;
            std::vector<std::vector<long double>> rows(in.size());
            for (Index k = 0; k < shape[axis]; ++k) {
                p[axis] = k;
                for (std::size_t j = 0; j < in.size(); ++j) rows[j].push_back(in[j].at(p));
            }
            const std::vector<long double> y = f(rows);
            for (Index k = 0; k < shape[axis]; ++k) {
                p[axis] = k;
                out.place(p) = double(y[std::size_t(k)]);
            }
        }
        return out.tensor();
    };
}

using Row1 = std::vector<long double>;
using RowsOf = std::vector<Row1>;

Row1 probabilities(const RowsOf& x) {
    Row1 y;
    long double sum = 0;
    for (const auto v : x[0]) sum += std::exp(v);
    for (const auto v : x[0]) y.push_back(std::exp(v) / sum);
    return y;
}
Row1 log_probabilities(const RowsOf& x) {
    Row1 y = probabilities(x);
    for (auto& v : y) v = std::log(v);
    return y;
}
/// (diag(s) - s s^T) g, with the matrix written out.
Row1 softmax_adjoint(const RowsOf& x) {
    const Row1 &s = x[0], &g = x[1];
    Row1 y(s.size(), 0);
    for (std::size_t i = 0; i < s.size(); ++i)
        for (std::size_t j = 0; j < s.size(); ++j) y[i] += (i == j ? s[i] - s[i] * s[j] : -s[i] * s[j]) * g[j];
    return y;
}
Row1 normalized(const RowsOf& x, long double eps) {
    long double mean = 0, variance = 0;
    for (const auto v : x[0]) mean += v / x[0].size();
    for (const auto v : x[0]) variance += (v - mean) * (v - mean) / x[0].size();
    Row1 y;
    for (const auto v : x[0]) y.push_back((v - mean) / std::sqrt(variance + eps));
    return y;
}

/// x w / sqrt(mean x^2 + eps), w all ones when absent
Row1 root_mean_square(const RowsOf& x, long double eps) {
    long double squares = 0;
    for (const auto v : x[0]) squares += v * v / x[0].size();
    Row1 y;
    for (std::size_t i = 0; i < x[0].size(); ++i) y.push_back((x.size() > 1 ? x[1][i] : 1) * x[0][i] / std::sqrt(squares + eps));
    return y;
}

/// -sum over rows and classes of target log p over the sum of the labels' weights, with each target distribution written out.
Tensor smoothed_loss(const Tensor& logits, const std::vector<Index>& labels, double smoothing, Index ignore, std::vector<double> w) {
    const Array x(logits);
    const Index n = logits.shape().back();
    long double loss = 0, total = 0;
    for (Index r = 0; r < x.size() / n; ++r) {
        const Index label = labels[std::size_t(r)];
        if (label == ignore) continue;
        total += w[std::size_t(label)];
        long double sum = 0;
        for (Index k = 0; k < n; ++k) sum += std::exp((long double)(x[r * n + k]));
        for (Index k = 0; k < n; ++k)
            loss -= w[std::size_t(k)] * (smoothing / n + (k == label ? 1 - smoothing : 0)) * (x[r * n + k] - std::log(sum));
    }
    return Tensor(double(loss / total));
}

Tensor mean_loss(const Tensor& logits, const std::vector<Index>& labels) {
    const Array x(logits);
    const Index n = logits.shape().back(), rows = x.size() / n;
    long double loss = 0;
    for (Index r = 0; r < rows; ++r) {
        long double sum = 0;
        for (Index k = 0; k < n; ++k) sum += std::exp((long double)(x[r * n + k]));
        loss += std::log(sum) - x[r * n + labels[std::size_t(r)]];
    }
    return Tensor(double(loss / rows));
}

}  // namespace

std::vector<Row> row_rows() {
    const std::vector<Sample> samples{{"rows", {random({3, 5})}},         {"batch", {random({2, 3, 4})}}, {"vector", {random({7})}},
                                      {"long rows", {random({2, 133})}},  {"short rows", {random({9, 2})}}, {"many", {random({300, 7})}},
                                      {"no rows", {random({0, 4})}}};
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, std::vector<Sample> s) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = std::move(s)});
    };
    row("softmax", [](const Inputs& v) { return xg::softmax(v[0]); }, lines(1, probabilities), samples);
    row("softmax", [](const Inputs& v) { return xg::softmax(v[0], 0); }, lines(2, probabilities), {{"columns", {random({4, 3})}}});
    row("softmax", [](const Inputs& v) { return xg::softmax(v[0], 1); }, lines(2, probabilities), {{"middle", {random({2, 4, 3})}}});
    row("log_softmax", [](const Inputs& v) { return xg::log_softmax(v[0]); }, lines(1, log_probabilities), samples);
    row("log_softmax", [](const Inputs& v) { return xg::log_softmax(v[0], -2); }, lines(2, log_probabilities), {{"columns", {random({4, 3})}}});
    row("softmax_vjp", [](const Inputs& v) { return xg::softmax_vjp(v[0], v[1]); }, lines(1, softmax_adjoint),
        {{"rows", {random({3, 5}, 0, 1), random({3, 5})}}, {"columns of long rows", {random({2, 40}, 0, 1), random({2, 40})}}});
    std::vector<Sample> spread = samples;
    for (Sample& s : spread) s.inputs[0] = s.inputs[0] * 2.;
    row("layer_norm", [](const Inputs& v) { return xg::layer_norm(v[0]); }, lines(1, [](const RowsOf& x) { return normalized(x, 1e-5L); }), spread);
    row("layer_norm", [](const Inputs& v) { return xg::layer_norm(v[0], {.eps = 0.5}); }, lines(1, [](const RowsOf& x) { return normalized(x, 0.5L); }), spread);
    row("layer_norm", [](const Inputs& v) { return xg::layer_norm(v[0], v[1], v[2], {.eps = 1e-3}); },
        lines(1, [](const RowsOf& x) {
            Row1 y = normalized({x[0]}, 1e-3L);
            for (std::size_t i = 0; i < y.size(); ++i) y[i] = y[i] * x[1][i] + x[2][i];
            return y;
        }),
        {{"affine", {random({2, 3, 5}), random({5}), random({5})}}});
    row("layer_norm", [](const Inputs& v) { return xg::layer_norm(v[0], v[1]); },
        lines(1, [](const RowsOf& x) {
            Row1 y = normalized({x[0]}, 1e-5L);
            for (std::size_t i = 0; i < y.size(); ++i) y[i] *= x[1][i];
            return y;
        }),
        {{"scaled", {random({3, 4}), random({4})}}, {"scaled, many", {random({200, 35}), random({35})}}, {"scaled, no rows", {random({0, 4}), random({4})}}});
    row("rms_norm", [](const Inputs& v) { return xg::rms_norm(v[0]); }, lines(1, [](const RowsOf& x) { return root_mean_square(x, 0); }), spread);
    row("rms_norm", [](const Inputs& v) { return xg::rms_norm(v[0], {.eps = 0.5}); }, lines(1, [](const RowsOf& x) { return root_mean_square(x, 0.5L); }), spread);
    row("rms_norm", [](const Inputs& v) { return xg::rms_norm(v[0], v[1], {.eps = 0.1}); }, lines(1, [](const RowsOf& x) { return root_mean_square(x, 0.1L); }),
        {{"scaled", {random({3, 4}), random({4})}}, {"long rows", {random({3, 70}), random({70})}}});
    row("cross_entropy", [](const Inputs& v) { return xg::cross_entropy(v[0], xg::tensor({2, 0, 4})); }, [](const Inputs& v) { return mean_loss(v[0], {2, 0, 4}); },
        {{"rows", {random({3, 5})}}});
    row("cross_entropy", [](const Inputs& v) { return xg::cross_entropy(v[0], xg::tensor({{1, 0, 2}, {2, 2, 1}})); },
        [](const Inputs& v) { return mean_loss(v[0], {1, 0, 2, 2, 2, 1}); }, {{"batch", {random({2, 3, 19})}}});
    row("cross_entropy", [](const Inputs& v) { return xg::cross_entropy(v[0], xg::tensor({2, -100, 4, 0}), {.label_smoothing = 0.1}); },
        [](const Inputs& v) { return smoothed_loss(v[0], {2, -100, 4, 0}, 0.1, -100, std::vector<double>(5, 1.)); }, {{"smoothed", {random({4, 5})}}});
    row("cross_entropy",
        [](const Inputs& v) {
            const Tensor w = xg::astype(xg::tensor({0.5, 2., 1.5}), v[0].dtype());
            return xg::cross_entropy(v[0], xg::tensor({2, 1, 0, 1}), {.label_smoothing = 0.3, .ignore_index = 0, .weight = w});
        },
        [](const Inputs& v) { return smoothed_loss(v[0], {2, 1, 0, 1}, 0.3, 0, {0.5, 2., 1.5}); }, {{"weighted, smoothed", {random({4, 3})}}});
    row("cross_entropy",
        [](const Inputs& v) {
            return xg::cross_entropy(v[0], xg::tensor({2, 1, 0}), {.weight = xg::astype(xg::tensor({0.5, 2., 1.5}), v[0].dtype())});
        },
        [](const Inputs& v) { return smoothed_loss(v[0], {2, 1, 0}, 0, -100, {0.5, 2., 1.5}); }, {{"weighted", {random({3, 3})}}});
    return rows;
}

std::vector<Row> creation_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, Tensor value, std::vector<double> expected) {
        const Shape shape = value.shape();
        rows.push_back({.name = std::move(name),
                        .op = [=](const Inputs&) { return value; },
                        .reference =
                            [=](const Inputs&) {
                                Array out(shape);
                                for (Index i = 0; i < out.size(); ++i) out[i] = expected[std::size_t(i)];
                                return out.tensor();
                            },
                        .samples = {{"made", {}}},
                        .differentiable = false});
    };
    row("zeros", xg::zeros({2, 1}), {0, 0});
    row("ones", xg::ones({1, 2}), {1, 1});
    row("full", xg::full({2}, 2.5), {2.5, 2.5});
    row("zeros_like", xg::zeros_like(xg::tensor({3., 4.})), {0, 0});
    row("ones_like", xg::ones_like(xg::tensor({3., 4.})), {1, 1});
    row("full_like", xg::full_like(xg::tensor({3., 4.}), 7), {7, 7});
    row("arange", xg::arange(1, 2.5, 0.5), {1, 1.5, 2});
    row("linspace", xg::linspace(0, 1, 3), {0, 0.5, 1});
    row("eye", xg::eye(2), {1, 0, 0, 1});
    row("tensor", xg::tensor({{1., 2.}, {3., 4.}}), {1, 2, 3, 4});
    return rows;
}

}  // namespace table
