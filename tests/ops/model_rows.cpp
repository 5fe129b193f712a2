// Ops that models are made of.
#include "table.hpp"

namespace table {
namespace {

/// The words of the generator, one for each element.
Tensor dropped(const Tensor& input, double p) {
    const Array x(input);
    Array out(x.shape());
    for (Index i = 0; i < x.size(); ++i) {
        const std::uint32_t word = xg::Rng::block(5, std::uint64_t(3 + i / 4))[std::size_t(i % 4)];
        out[i] = word < p * 0x1p32 ? 0 : x[i] / (1 - p);
    }
    return out.tensor();
}

/// The product with e^(i t theta) in complex numbers.
Tensor turned(const Tensor& input, Index heads, Index offset, double base) {
    const Array x(input);
    Array out(x.shape());
    const Shape shape = x.shape();
    const Index width = shape.back() / heads, half = width / 2;
    for (Index i = 0; i < x.size(); ++i) {
        const Index column = i % width, pair = column % half, row = i / shape.back() % shape[shape.size() - 2];
        const double theta = double(row + offset) / std::pow(base, 2. * double(pair) / double(width));
        const Index first = i - column + pair;
        out[i] = column < half ? x[first] * std::cos(theta) - x[first + half] * std::sin(theta)
                               : x[first] * std::sin(theta) + x[first + half] * std::cos(theta);
    }
    return out.tensor();
}

/// x w^T + b by loops; b may be left out.
Tensor affine(const Inputs& v) {
    const Array x(v[0]), w(v[1]);
    Shape shape = v[0].shape();
    const Index in = shape.back(), n = v[1].shape()[0];
    shape.back() = n;
    Array out(shape);
    for (Index i = 0; i < out.size(); ++i) {
        long double sum = v.size() > 2 ? Array(v[2])[i % n] : 0;
        for (Index k = 0; k < in; ++k) sum += (long double)(x[i / n * in + k]) * w[i % n * in + k];
        out[i] = double(sum);
    }
    return out.tensor();
}

}  // namespace

std::vector<Row> model_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, std::vector<Sample> s) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = std::move(s)});
    };
    const auto dropout = [](double p) {
        return [=](const Inputs& v) {
            xg::Rng rng(5);
            rng.set_position(3);
            return xg::dropout(v[0], p, rng);
        };
    };
    row("dropout", dropout(0.3), [](const Inputs& v) { return dropped(v[0], 0.3); },
        {{"matrix", {random({3, 5})}}, {"more than a step", {random({2, 67})}}, {"nothing", {random({0, 2})}}});
    row("dropout", dropout(0), [](const Inputs& v) { return v[0]; }, {{"none", {random({7})}}});
    row("rotary", [](const Inputs& v) { return xg::rotary(v[0]); }, [](const Inputs& v) { return turned(v[0], 1, 0, 10000); },
        {{"one head", {random({3, 4})}}, {"batch", {random({2, 3, 6})}}, {"no rows", {random({0, 4})}}});
    row("rotary", [](const Inputs& v) { return xg::rotary(v[0], {.heads = 3, .offset = 7, .base = 50}); },
        [](const Inputs& v) { return turned(v[0], 3, 7, 50); }, {{"heads, offset, base", {random({2, 5, 12})}}});
    row("linear", [](const Inputs& v) { return xg::linear(v[0], v[1]); }, affine,
        {{"rows", {random({3, 4}), random({5, 4})}}, {"vector", {random({4}), random({3, 4})}}, {"no rows", {random({0, 2}), random({3, 2})}}});
    // An empty bias would be none: + 0.
    row("linear", [](const Inputs& v) { return xg::linear(v[0], v[1], v[2] + 0.); }, affine,
        {{"bias", {random({2, 3, 4}), random({5, 4}), random({5})}},
         {"vector, bias", {random({4}), random({3, 4}), random({3})}},
         {"many", {random({350, 3}), random({97, 3}), random({97})}},
         {"no inputs", {random({2, 0}), random({3, 0}), random({3})}}});
    return rows;
}

}  // namespace table
