#include "table.hpp"

namespace table {
namespace {

/// NumPy's matmul by three loops.
Tensor product(const Inputs& v) {
    Array a(v[0]), b(v[1]);
    const bool row = a.shape().size() == 1, column = b.shape().size() == 1;
    if (row) a = Array(xg::reshape(a.tensor(), {1, -1}));
    if (column) b = Array(xg::reshape(b.tensor(), {-1, 1}));
    const Shape p = a.shape(), q = b.shape();
    const std::size_t rank = std::max(p.size(), q.size());
    Shape shape;
    for (std::size_t d = 0; d + 2 < rank; ++d) {
        const Index m = d + p.size() < rank ? 1 : p[d + p.size() - rank], n = d + q.size() < rank ? 1 : q[d + q.size() - rank];
        shape.push_back(m == 1 ? n : m);
    }
    shape.push_back(p[p.size() - 2]);
    shape.push_back(q.back());
    Array out(shape);
    for (Index i = 0; i < out.size(); ++i) {
        Shape left = out.position(i), right = left;
        long double sum = 0;
        for (Index k = 0; k < p.back(); ++k) {
            left.back() = k;
            right[rank - 2] = k;
            sum += (long double)(a.at(left)) * b.at(right);
        }
        out[i] = double(sum);
    }
    Shape result = shape;
    if (column) result.pop_back();
    if (row) result.erase(column ? result.size() - 1 : result.size() - 2);
    return xg::reshape(out.tensor(), result);
}

Tensor with_transpose(const Inputs& v, bool left, bool right) {
    return product({left ? xg::copy(xg::transpose(v[0])) : v[0], right ? xg::copy(xg::transpose(v[1])) : v[1]});
}

}  // namespace

std::vector<Row> linear_rows() {
    const auto pair = [](const Shape& a, const Shape& b) { return Inputs{random(a), random(b)}; };
    std::vector<Row> rows{{.name = "matmul",
                           .op = [](const Inputs& v) { return xg::matmul(v[0], v[1]); },
                           .reference = product,
                           .samples = {{"matrices", pair({3, 4}, {4, 5})},
                                       {"larger", pair({37, 19}, {19, 23})},
                                       {"few rows and long sums", pair({3, 600}, {600, 5})},
                                       {"vectors", pair({6}, {6})},
                                       {"vector matrix", pair({4}, {4, 3})},
                                       {"matrix vector", pair({3, 4}, {4})},
                                       {"batch", pair({2, 3, 4}, {2, 4, 5})},
                                       {"batch by matrix", pair({2, 3, 4}, {4, 5})},
                                       {"matrix by batch", pair({3, 4}, {2, 4, 5})},
                                       {"broadcast batch", pair({2, 1, 3, 4}, {5, 4, 2})},
                                       {"vector by batch", pair({4}, {2, 4, 3})},
                                       {"batch by vector", pair({2, 3, 4}, {4})},
                                       {"one", pair({1, 1}, {1, 1})},
                                       {"row", pair({1, 7}, {7, 3})},
                                       {"column", pair({3, 1}, {1, 4})},
                                       {"empty rows", pair({0, 4}, {4, 5})},
                                       {"empty sum", pair({3, 0}, {0, 5})},
                                       {"empty batch", pair({0, 3, 4}, {0, 4, 5})}}}};
    const auto transposed = [&](bool left, bool right, Inputs x) {
        rows.push_back({.name = "matmul",
                        .op = [=](const Inputs& v) { return xg::matmul(left ? xg::transpose(v[0]) : v[0], right ? xg::transpose(v[1]) : v[1]); },
                        .reference = [=](const Inputs& v) { return with_transpose(v, left, right); },
                        .samples = {{"transposed", std::move(x)}}});
    };
    transposed(true, false, pair({4, 3}, {4, 5}));
    transposed(false, true, pair({3, 4}, {5, 4}));
    transposed(true, true, pair({4, 3}, {5, 4}));
    rows.push_back({.name = "matmul",
                    .op = [](const Inputs& v) { return xg::matmul(v[0], xg::transpose(v[0])); },
                    .reference = [](const Inputs& v) { return product({v[0], xg::copy(xg::transpose(v[0]))}); },
                    .samples = {{"with itself", {random({3, 5})}}}});
    return rows;
}

}  // namespace table
