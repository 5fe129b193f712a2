#include <xtensor/xpad.hpp>

#include "moved.hpp"

namespace table {
namespace {

/// x where inside(p), else 0.
std::function<Tensor(const Inputs&)> kept(std::function<bool(const Shape&)> inside) {
    return [=](const Inputs& x) {
        Array out(x[0]);
        for (Index i = 0; i < out.size(); ++i)
            if (!inside(out.position(i))) out[i] = 0;
        return out.tensor();
    };
}
/// x, written to positions of a tensor of one value.
std::function<Tensor(const Inputs&)> placed(Shape shape, double value, std::function<Shape(const Shape&)> to) {
    return [=](const Inputs& x) {
        const Array in(x[0]);
        Array out(shape);
        for (Index i = 0; i < out.size(); ++i) out[i] = value;
        for (Index i = 0; i < in.size(); ++i) out.place(to(in.position(i))) = in[i];
        return out.tensor();
    };
}

}  // namespace

std::vector<Row> arrangement_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, Inputs x) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = {{"dense", std::move(x)}}});
    };
    const Tensor x = random({2, 3, 4}), m = random({3, 4}), v = random({3}), one = random({1, 1}), scalar = random({}), empty = random({0, 3});
    using xt::pad_mode;

    row("flatten", [](const Inputs& in) { return xg::flatten(in[0]); }, renamed({24}), {x});
    row("flatten", [](const Inputs& in) { return xg::flatten(in[0]); }, renamed({1}), {scalar});
    row("ravel", [](const Inputs& in) { return xg::ravel(in[0]); }, renamed({0}), {empty});
    row("ravel", [](const Inputs& in) { return xg::ravel(xg::transpose(in[0])); }, moved({12}, [](const Shape& p) { return Shape{p[0] % 3, p[0] / 3}; }), {m});
    row("atleast_1d", [](const Inputs& in) { return xg::atleast_1d(in[0]); }, renamed({1}), {scalar});
    row("atleast_2d", [](const Inputs& in) { return xg::atleast_2d(in[0]); }, renamed({1, 3}), {v});
    row("atleast_3d", [](const Inputs& in) { return xg::atleast_3d(in[0]); }, renamed({1, 3, 1}), {v});
    row("atleast_3d", [](const Inputs& in) { return xg::atleast_3d(in[0]); }, renamed({3, 4, 1}), {m});
    row("atleast_3d", [](const Inputs& in) { return xg::atleast_3d(in[0]); }, renamed({2, 3, 4}), {x});
    row("swapaxes", [](const Inputs& in) { return xg::swapaxes(in[0], 0, -1); }, moved({4, 3, 2}, [](const Shape& p) { return Shape{p[2], p[1], p[0]}; }), {x});
    row("moveaxis", [](const Inputs& in) { return xg::moveaxis(in[0], 0, -1); }, moved({3, 4, 2}, [](const Shape& p) { return Shape{p[2], p[0], p[1]}; }), {x});
    row("moveaxis", [](const Inputs& in) { return xg::moveaxis(in[0], {0, 1}, {-1, 0}); }, moved({3, 4, 2}, [](const Shape& p) { return Shape{p[2], p[0], p[1]}; }), {x});
    row("moveaxis", [](const Inputs& in) { return xg::moveaxis(in[0], {2, 0}, {0, 1}); }, moved({4, 2, 3}, [](const Shape& p) { return Shape{p[1], p[2], p[0]}; }), {x});
    row("hsplit", [](const Inputs& in) { return xg::hsplit(in[0], 3)[1]; }, moved({2, 1, 4}, [](const Shape& p) { return Shape{p[0], 1, p[2]}; }), {x});
    row("vsplit", [](const Inputs& in) { return xg::vsplit(in[0], 2)[1]; }, moved({1, 3, 4}, [](const Shape& p) { return Shape{1, p[1], p[2]}; }), {x});
    row("flip", [](const Inputs& in) { return xg::flip(in[0]); }, moved({2, 3, 4}, [](const Shape& p) { return Shape{1 - p[0], 2 - p[1], 3 - p[2]}; }), {x});
    row("flip", [](const Inputs& in) { return xg::flip(in[0], 1); }, moved({2, 3, 4}, [](const Shape& p) { return Shape{p[0], 2 - p[1], p[2]}; }), {x});
    row("flip", [](const Inputs& in) { return xg::flip(in[0], -1); }, renamed({0, 3}), {empty});
    row("flip", [](const Inputs& in) { return xg::flip(in[0]); }, renamed({}), {scalar});
    row("rot90", [](const Inputs& in) { return xg::rot90(in[0]); }, moved({4, 3}, [](const Shape& p) { return Shape{p[1], 3 - p[0]}; }), {m});
    row("rot90", [](const Inputs& in) { return xg::rot90<2>(in[0]); }, moved({3, 4}, [](const Shape& p) { return Shape{2 - p[0], 3 - p[1]}; }), {m});
    row("rot90", [](const Inputs& in) { return xg::rot90<-1>(in[0], {-1, 1}); }, moved({2, 4, 3}, [](const Shape& p) { return Shape{p[0], p[2], 3 - p[1]}; }), {x});
    row("roll", [](const Inputs& in) { return xg::roll(in[0], 1, 0); }, moved({3, 4}, [](const Shape& p) { return Shape{(p[0] + 2) % 3, p[1]}; }), {m});
    row("roll", [](const Inputs& in) { return xg::roll(in[0], -6, 2); }, moved({2, 3, 4}, [](const Shape& p) { return Shape{p[0], p[1], (p[2] + 2) % 4}; }), {x});
    row("roll", [](const Inputs& in) { return xg::roll(in[0], 4, 1); }, moved({2, 3, 4}, [](const Shape& p) { return Shape{p[0], (p[1] + 2) % 3, p[2]}; }), {x});
    row("roll", [](const Inputs& in) { return xg::roll(in[0], 5); }, moved({3, 4}, [](const Shape& p) { const Index i = (p[0] * 4 + p[1] + 7) % 12; return Shape{i / 4, i % 4}; }), {m});
    row("roll", [](const Inputs& in) { return xg::roll(in[0], 3, 0); }, renamed({0, 3}), {empty});
    row("roll", [](const Inputs& in) { return xg::roll(in[0], 3); }, renamed({}), {scalar});
    row("repeat", [](const Inputs& in) { return xg::repeat(in[0], 2, 0); }, moved({6, 4}, [](const Shape& p) { return Shape{p[0] / 2, p[1]}; }), {m});
    row("repeat", [](const Inputs& in) { return xg::repeat(in[0], 3, -1); }, moved({2, 3, 12}, [](const Shape& p) { return Shape{p[0], p[1], p[2] / 3}; }), {x});
    row("repeat", [](const Inputs& in) { return xg::repeat(in[0], {2, 0, 1}, 0); }, moved({3, 4}, [](const Shape& p) { return Shape{p[0] == 2 ? 2 : 0, p[1]}; }), {m});
    row("repeat", [](const Inputs& in) { return xg::repeat(in[0], std::vector<std::size_t>{1, 3}, 1); }, moved({3, 4}, [](const Shape& p) { return Shape{p[0], p[1] > 0 ? 1 : 0}; }), {random({3, 2})});
    row("repeat", [](const Inputs& in) { return xg::repeat(in[0], 0, 1); }, moved({3, 0}, [](const Shape& p) { return p; }), {m});
    row("tile", [](const Inputs& in) { return xg::tile(in[0], {2, 3}); }, moved({6, 12}, [](const Shape& p) { return Shape{p[0] % 3, p[1] % 4}; }), {m});
    row("tile", [](const Inputs& in) { return xg::tile(in[0], 2); }, moved({6, 4}, [](const Shape& p) { return Shape{p[0] % 3, p[1]}; }), {m});
    row("tile", [](const Inputs& in) { return xg::tile(in[0], std::vector<int>{2, 1, 2}); }, moved({2, 1, 6}, [](const Shape& p) { return Shape{p[2] % 3}; }), {v});
    row("tile", [](const Inputs& in) { return xg::tile(in[0], {2}); }, moved({3, 8}, [](const Shape& p) { return Shape{p[0], p[1] % 4}; }), {m});
    row("tile", [](const Inputs& in) { return xg::tile(in[0], {0, 2}); }, moved({0, 8}, [](const Shape& p) { return p; }), {m});
    row("tile", [](const Inputs& in) { return xg::tile(in[0], 3); }, moved({3}, [](const Shape&) { return Shape{}; }), {scalar});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], {{1, 2}, {0, 1}}); }, placed({6, 5}, 0, [](const Shape& p) { return Shape{p[0] + 1, p[1]}; }), {m});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], {1, 2}, pad_mode::constant, 0.5); }, placed({6, 7}, 0.5, [](const Shape& p) { return Shape{p[0] + 1, p[1] + 1}; }), {m});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], 1, pad_mode::constant, -2); }, placed({2, 5}, -2, [](const Shape& p) { return Shape{p[0] + 1, p[1] + 1}; }), {empty});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], 2, pad_mode::symmetric); },
        moved({7}, [](const Shape& p) { constexpr Index at[] = {1, 0, 0, 1, 2, 2, 1}; return Shape{at[p[0]]}; }), {v});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], {{0, 2}, {3, 1}}, pad_mode::reflect); },
        moved({5, 8}, [](const Shape& p) { constexpr Index row_at[] = {0, 1, 2, 1, 0}, at[] = {3, 2, 1, 0, 1, 2, 3, 2}; return Shape{row_at[p[0]], at[p[1]]}; }), {m});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], {{1, 0}, {2, 3}}, pad_mode::wrap); },
        moved({4, 9}, [](const Shape& p) { return Shape{(p[0] + 2) % 3, (p[1] + 2) % 4}; }), {m});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], {{4, 7}}, pad_mode::periodic); }, moved({14}, [](const Shape& p) { return Shape{(p[0] + 2) % 3}; }), {v});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], {{0, 7}}, pad_mode::reflect); },
        moved({10}, [](const Shape& p) { constexpr Index at[] = {0, 1, 2, 1, 0, 1, 2, 1, 0, 1}; return Shape{at[p[0]]}; }), {v});
    row("pad", [](const Inputs& in) { return xg::pad(in[0], 1, pad_mode::reflect); }, moved({3, 3}, [](const Shape&) { return Shape{0, 0}; }), {one});
    row("hstack", [](const Inputs& in) { return xg::hstack(in); }, joined(1), {random({2, 3}), random({2, 1})});
    row("hstack", [](const Inputs& in) { return xg::hstack(xt::xtuple(in[0], in[1])); }, joined(0), {random({3}), random({2})});
    row("vstack", [](const Inputs& in) { return xg::vstack(in); }, joined(0), {random({2, 3, 2}), random({1, 3, 2})});
    row("vstack", [](const Inputs& in) { return xg::vstack(std::array{in[0], in[1]}); },
        [](const Inputs& in) {
            const Array top(in[0]), below(in[1]);
            Array out({3, 3});
            for (Index i = 0; i < 9; ++i) out[i] = i < 3 ? top[i] : below[i - 3];
            return out.tensor();
        },
        {v, random({2, 3})});
    // Each grid in its own way, so that one mistaken for another shows.
    row("meshgrid",
        [](const Inputs& in) {
            const auto [down, across] = xg::meshgrid(in[0], in[1]);
            return down * across * across;
        },
        [](const Inputs& in) {
            const Array down(in[0]), across(in[1]);
            Array out({3, 2});
            for (Index i = 0; i < out.size(); ++i) out[i] = down[i / 2] * across[i % 2] * across[i % 2];
            return out.tensor();
        },
        {v, random({2})});
    row("meshgrid",
        [](const Inputs& in) {
            const auto grids = xg::meshgrid(in);
            return grids[0] * xg::square(grids[1]) + grids[2];
        },
        [](const Inputs& in) {
            const Array a(in[0]), b(in[1]), c(in[2]);
            Array out({3, 2, 4});
            for (Index i = 0; i < out.size(); ++i) out[i] = a[i / 8] * b[i / 4 % 2] * b[i / 4 % 2] + c[i % 4];
            return out.tensor();
        },
        {v, random({2}), random({4})});
    row("meshgrid", [](const Inputs& in) { return xg::meshgrid(in[0])[0]; }, renamed({3}), {v});
    row("tril", [](const Inputs& in) { return xg::tril(in[0]); }, kept([](const Shape& p) { return p[1] <= p[0]; }), {m});
    row("tril", [](const Inputs& in) { return xg::tril(in[0], -1); }, kept([](const Shape& p) { return p[1] < p[0]; }), {random({4, 2})});
    row("tril", [](const Inputs& in) { return xg::tril(in[0], 1); }, kept([](const Shape& p) { return p[1] <= p[0] + 1; }), {x});
    row("triu", [](const Inputs& in) { return xg::triu(in[0]); }, kept([](const Shape& p) { return p[1] >= p[0]; }), {m});
    row("triu", [](const Inputs& in) { return xg::triu(in[0], 2); }, kept([](const Shape& p) { return p[1] >= p[0] + 2; }), {x});
    row("triu", [](const Inputs& in) { return xg::triu(in[0], -1); }, kept([](const Shape& p) { return p[1] + 1 >= p[0]; }), {random({4, 2})});
    row("triu", [](const Inputs& in) { return xg::triu(in[0], 3); }, kept([](const Shape& p) { return p[1] == 3 && p[0] == 0; }), {m});
    row("tril", [](const Inputs& in) { return xg::tril(in[0]); }, renamed({0, 3}), {empty});
    row("tril", [](const Inputs& in) { return xg::tril(in[0]); }, renamed({1, 1}), {one});
    row("diag", [](const Inputs& in) { return xg::diag(in[0]); }, placed({3, 3}, 0, [](const Shape& p) { return Shape{p[0], p[0]}; }), {v});
    row("diag", [](const Inputs& in) { return xg::diag(in[0], 1); }, placed({4, 4}, 0, [](const Shape& p) { return Shape{p[0], p[0] + 1}; }), {v});
    row("diag", [](const Inputs& in) { return xg::diag(in[0], -2); }, placed({5, 5}, 0, [](const Shape& p) { return Shape{p[0] + 2, p[0]}; }), {v});
    row("diag", [](const Inputs& in) { return xg::diag(in[0], -1); }, moved({2}, [](const Shape& p) { return Shape{p[0] + 1, p[0]}; }), {m});
    row("diag", [](const Inputs& in) { return xg::diag(in[0]); }, renamed({0, 0}), {random({0})});
    row("diagonal", [](const Inputs& in) { return xg::diagonal(in[0]); }, moved({4, 2}, [](const Shape& p) { return Shape{p[1], p[1], p[0]}; }), {x});
    row("diagonal", [](const Inputs& in) { return xg::diagonal(in[0], 1, 1, 2); }, moved({2, 3}, [](const Shape& p) { return Shape{p[0], p[1], p[1] + 1}; }), {x});
    row("diagonal", [](const Inputs& in) { return xg::diagonal(in[0], -1, 2, 0); }, moved({3, 2}, [](const Shape& p) { return Shape{p[1], p[0], p[1] + 1}; }), {x});
    row("diagonal", [](const Inputs& in) { return xg::diagonal(in[0], 7); }, moved({0}, [](const Shape& p) { return p; }), {m});
    row("diagonal", [](const Inputs& in) { return xg::diagonal(in[0]); }, moved({1}, [](const Shape&) { return Shape{0, 0}; }), {one});
    const auto traced = [](auto at) {
        return [=](const Inputs& in) {
            const Array array(in[0]);
            Array out(in[0].dimension() == 2 ? Shape{} : Shape{4});
            for (Index i = 0; i < out.size(); ++i)
                for (Index j = 0; j < 2; ++j) out[i] += array.at(at(i, j));
            return out.tensor();
        };
    };
    row("trace", [](const Inputs& in) { return xg::trace(in[0]); }, traced([](Index i, Index j) { return Shape{j, j, i}; }), {x});
    row("trace", [](const Inputs& in) { return xg::trace(in[0], -1); }, traced([](Index, Index j) { return Shape{j + 1, j}; }), {m});
    row("trace", [](const Inputs& in) { return xg::trace(in[0], 1, 0, 1); }, traced([](Index i, Index j) { return Shape{j, j + 1, i}; }), {random({2, 3, 4})});
    return rows;
}

}  // namespace table
