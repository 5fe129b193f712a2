#include "table.hpp"

namespace table {
namespace {

struct Options {
    bool causal = false;
    Index offset = 0, window = 1000, heads = 1, group = 1;  // heads of v, and of q for each of them
};

/// Score by score, in long double: q, k, v, then perhaps a scale and a bias.
Tensor by_loops(const Inputs& x, const Options& o) {
    const Array q(x[0]), k(x[1]), v(x[2]);
    Shape shape = q.shape(), key = k.shape(), value = v.shape();
    const std::size_t rank = shape.size();
    const Index heads = o.heads * o.group, keys = key[rank - 2], width = shape[rank - 1] / heads, columns = value[rank - 1] / o.heads;
    shape[rank - 1] = heads * columns;
    Array out(shape);
    const long double scale = x.size() > 3 ? Array(x[3])[0] : 1 / std::sqrt((long double)(width));
    for (Index at = 0; at < out.size(); ++at) {
        Shape p = out.position(at);
        const Index i = p[rank - 2], h = p[rank - 1] / columns, column = p[rank - 1] % columns;
        long double sum = 0, total = 0;
        for (Index j = 0; j < keys; ++j) {
            const Index d = j - i - o.offset;
            if (d <= -o.window || (o.causal && d > 0)) continue;
            long double score = 0;
            for (Index c = 0; c < width; ++c) {
                Shape a = p, b = p;
                a[rank - 1] = h * width + c;
                b[rank - 2] = j;
                b[rank - 1] = h / o.group * width + c;
                score += (long double)(q.at(a)) * k.at(b);
            }
            score *= scale;
            if (x.size() > 4) {
                Shape a = Shape::of(p.data(), int(rank) - 2);
                for (const Index n : {h, i, j}) a.push_back(n);
                score += Array(x[4]).at(a);
            }
            Shape b = p;
            b[rank - 2] = j;
            b[rank - 1] = h / o.group * columns + column;
            sum += std::exp(score);
            total += std::exp(score) * v.at(b);
        }
        out[at] = sum > 0 ? double(total / sum) : 0;
    }
    return out.tensor();
}

/// softmax(lambda X^T A^T B Y) C X, entry by entry.
Tensor block_by_loops(const Inputs& x) {
    const Array X(x[0]), Y(x[1]), A(x[2]), B(x[3]), C(x[4]);
    const Index n = X.shape()[0], p = X.shape()[1], m = Y.shape()[1], r = A.shape()[0];
    Array out(Shape{p, p});
    for (Index i = 0; i < p; ++i) {
        std::vector<long double> s;
        long double sum = 0;
        for (Index j = 0; j < m; ++j) {
            long double w = 0;
            for (Index e = 0; e < r; ++e)
                for (Index c = 0; c < n; ++c)
                    for (Index d = 0; d < n; ++d) w += (long double)(X[c * p + i]) * A[e * n + c] * B[e * n + d] * Y[d * m + j];
            s.push_back(std::exp(w * (long double)(Array(x[5])[0])));
            sum += s.back();
        }
        for (Index l = 0; l < p; ++l) {
            long double f = 0;
            for (Index j = 0; j < m; ++j)
                for (Index c = 0; c < n; ++c) f += s[std::size_t(j)] / sum * C[j * n + c] * X[c * p + l];
            out[i * p + l] = double(f);
        }
    }
    return out.tensor();
}

}  // namespace

std::vector<Row> attention_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, std::vector<Sample> s) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = std::move(s)});
    };
    row("attention", [](const Inputs& v) { return xg::attention(v[0], v[1], v[2]); }, [](const Inputs& v) { return by_loops(v, {}); },
        {{"rows", {random({3, 5}), random({4, 5}), random({4, 2})}},
         {"batch", {random({2, 3, 4}), random({2, 5, 4}), random({2, 5, 3})}},
         {"more than a panel", {random({35, 3}), random({37, 3}), random({37, 2})}},
         {"no queries", {random({0, 4}), random({3, 4}), random({3, 2})}},
         {"no keys", {random({3, 4}), random({0, 4}), random({0, 2})}},
         {"no batch", {random({0, 3, 4}), random({0, 3, 4}), random({0, 3, 2})}}});
    // An empty bias would be none: + 0.
    row("attention", [](const Inputs& v) { return xg::attention(v[0], v[1], v[2], {.scale = v[3], .causal = true, .bias = v[4] + 0., .heads = 2}); },
        [](const Inputs& v) { return by_loops(v, {.causal = true, .heads = 2}); },
        {{"causal, scale, bias", {random({2, 3, 4}), random({2, 4, 4}), random({2, 4, 6}), random({}, 0.5, 1), random({3, 4})}},
         {"causal, scale, bias of heads", {random({3, 4}), random({4, 4}), random({4, 2}), random({}, 0.5, 1), random({2, 1, 4})}}});
    row("attention", [](const Inputs& v) { return xg::attention(v[0], v[1], v[2], {.causal = true, .offset = 1, .window = 2, .heads = 4, .kv_heads = 2}); },
        [](const Inputs& v) { return by_loops(v, {.causal = true, .offset = 1, .window = 2, .heads = 2, .group = 2}); },
        {{"window, grouped heads", {random({2, 4, 8}), random({2, 5, 4}), random({2, 5, 6})}}});
    row("attention_block", [](const Inputs& v) { return xg::attention_block(v[0], v[1], v[2], v[3], v[4], v[5]); }, block_by_loops,
        {{"all extents different", {random({4, 5}, -1, 1), random({4, 6}, -1, 1), random({3, 4}, -1, 1), random({3, 4}, -1, 1), random({6, 4}, -1, 1), random({}, 0.5, 1)}}});
    return rows;
}

}  // namespace table
