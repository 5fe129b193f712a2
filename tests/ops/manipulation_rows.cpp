#include "moved.hpp"

namespace table {

std::vector<Row> manipulation_rows() {
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, Inputs x) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = {{"dense", std::move(x)}}});
    };
    const Tensor x = random({2, 3, 4});
    row("reshape", [](const Inputs& v) { return xg::reshape(v[0], {-1, 6}); }, renamed({4, 6}), {x});
    row("reshape", [](const Inputs& v) { return xg::reshape(v[0], std::vector<int>{4, 3, 1, 2}); }, renamed({4, 3, 1, 2}), {x});
    row("reshape", [](const Inputs& v) { return xg::reshape(v[0], {3, 0}); }, renamed({3, 0}), {random({0, 2})});
    row("reshape", [](const Inputs& v) { return xg::reshape(v[0], {}); }, renamed({}), {random({1, 1})});
    row("squeeze", [](const Inputs& v) { return xg::squeeze(v[0]); }, renamed({3, 2}), {random({1, 3, 1, 2})});
    row("squeeze", [](const Inputs& v) { return xg::squeeze(v[0], {-2}); }, renamed({1, 3, 2}), {random({1, 3, 1, 2})});
    row("squeeze", [](const Inputs& v) { return xg::squeeze(v[0], 0); }, renamed({3, 1, 2}), {random({1, 3, 1, 2})});
    row("expand_dims", [](const Inputs& v) { return xg::expand_dims(v[0], 1); }, renamed({2, 1, 3, 4}), {x});
    row("expand_dims", [](const Inputs& v) { return xg::expand_dims(v[0], -1); }, renamed({2, 3, 4, 1}), {x});
    row("transpose", [](const Inputs& v) { return xg::transpose(v[0]); }, moved({4, 3, 2}, [](const Shape& p) { return Shape{p[2], p[1], p[0]}; }), {x});
    row("transpose", [](const Inputs& v) { return xg::transpose(v[0], {2, 0, 1}); }, moved({4, 2, 3}, [](const Shape& p) { return Shape{p[1], p[2], p[0]}; }), {x});
    row("permute", [](const Inputs& v) { return xg::permute(v[0], {1, -1, 0}); }, moved({3, 4, 2}, [](const Shape& p) { return Shape{p[2], p[0], p[1]}; }), {x});
    row("broadcast_to", [](const Inputs& v) { return xg::broadcast_to(v[0], {5, 3, 4}); }, moved({5, 3, 4}, [](const Shape& p) { return Shape{p[1], 0}; }), {random({3, 1})});
    row("broadcast", [](const Inputs& v) { return xg::broadcast(v[0], {2, 3}); }, moved({2, 3}, [](const Shape&) { return Shape{}; }), {random({})});
    row("copy", [](const Inputs& v) { return xg::copy(v[0]); }, renamed({2, 3, 4}), {x});
    row("split", [](const Inputs& v) { return xg::split(v[0], 2, 2)[1]; }, moved({2, 3, 2}, [](const Shape& p) { return Shape{p[0], p[1], p[2] + 2}; }), {x});
    row("concatenate", [](const Inputs& v) { return xg::concatenate(v, 1); }, joined(1), {random({2, 3}), random({2, 1}), random({2, 4})});
    row("concatenate", [](const Inputs& v) { return xg::concatenate(v); }, joined(0), {random({3}), random({5})});
    row("concatenate", [](const Inputs& v) { return xg::concatenate(xt::xtuple(v[0], v[1]), 1); }, joined(1), {random({2, 3}), random({2, 2})});
    row("stack", [](const Inputs& v) { return xg::stack(v, -1); },
        [](const Inputs& v) {
            Array out({2, 3, 2});
            for (Index i = 0; i < out.size(); ++i) {
                const Shape p = out.position(i);
                out[i] = Array(v[std::size_t(p[2])]).at(Shape{p[0], p[1]});
            }
            return out.tensor();
        },
        {random({2, 3}), random({2, 3})});
    row("stop_gradient", [](const Inputs& v) { return xg::stop_gradient(v[0]); }, renamed({2, 3, 4}), {x});
    rows.back().differentiable = false;
    return rows;
}

std::vector<Row> indexing_rows() {
    using xt::all, xt::ellipsis, xt::newaxis, xt::range;
    using namespace xt::placeholders;
    std::vector<Row> rows;
    const auto row = [&](std::string name, auto op, auto reference, Inputs x, bool differentiable = true) {
        rows.push_back({.name = std::move(name), .op = op, .reference = reference, .samples = {{"dense", std::move(x)}}, .differentiable = differentiable});
    };
    const Tensor x = random({5, 4, 3});
    row("view", [](const Inputs& v) { return xg::view(v[0], range(1, 4), all(), 2); }, moved({3, 4}, [](const Shape& p) { return Shape{p[0] + 1, p[1], 2}; }), {x});
    row("view", [](const Inputs& v) { return xg::view(v[0], -1, newaxis()); }, moved({1, 4, 3}, [](const Shape& p) { return Shape{4, p[1], p[2]}; }), {x});
    row("view", [](const Inputs& v) { return xg::view(v[0], ellipsis(), range(_, _, 2)); }, moved({5, 4, 2}, [](const Shape& p) { return Shape{p[0], p[1], 2 * p[2]}; }), {x});
    row("view", [](const Inputs& v) { return xg::view(v[0], range(4, 0, -2), range(-3, _)); }, moved({2, 3, 3}, [](const Shape& p) { return Shape{4 - 2 * p[0], p[1] + 1, p[2]}; }), {x});
    row("view", [](const Inputs& v) { return xg::view(v[0], range(_, _, -1), 0, ellipsis()); }, moved({5, 3}, [](const Shape& p) { return Shape{4 - p[0], 0, p[1]}; }), {x});
    row("view", [](const Inputs& v) { return xg::view(v[0], range(3, 100), range(2, 2)); }, moved({2, 0, 3}, [](const Shape& p) { return p; }), {x});
    rows.back().differentiable = false;
    const auto replaced = [](Shape low, Shape high) {
        return [=](const Inputs& v) {
            const Array base(v[0]), value(v[1]);
            Array out(v[0].shape());
            for (Index i = 0; i < out.size(); ++i) {
                const Shape p = out.position(i);
                bool inside = true;
                Shape q = p;
                for (std::size_t d = 0; d < p.size(); ++d) {
                    inside &= p[d] >= low[d] && p[d] < high[d];
                    q[d] = p[d] - low[d];
                }
                out[i] = inside ? value.at(q) : base[i];
            }
            return out.tensor();
        };
    };
    row("set_view", [](const Inputs& v) { return xg::set_view(v[0], v[1], range(1, 3), all()); }, replaced({1, 0}, {3, 4}), {random({5, 4}), random({2, 4})});
    row("set_view", [](const Inputs& v) { return xg::set_view(v[0], v[1], range(1, 3), range(2, _)); }, replaced({1, 2}, {3, 4}), {random({5, 4}), random({2, 1})});
    row("set_view", [](const Inputs& v) { return xg::set_view(v[0], v[1]); }, replaced({0, 0}, {5, 4}), {random({5, 4}), random({4})}, false);
    const Tensor rows_of = xg::tensor({{1, -1, 1}, {0, 2, 4}});
    row("take", [=](const Inputs& v) { return xg::take(v[0], rows_of); },
        moved({2, 3, 4, 3}, [](const Shape& p) { constexpr Index at[2][3] = {{1, 4, 1}, {0, 2, 4}}; return Shape{at[p[0]][p[1]], p[2], p[3]}; }), {x}, true);
    row("take", [=](const Inputs& v) { return xg::take(v[0], xg::tensor({2, 0, 2, 1}), -1); },
        moved({5, 4, 4}, [](const Shape& p) { constexpr Index at[] = {2, 0, 2, 1}; return Shape{p[0], p[1], at[p[2]]}; }), {x});
    row("take", [=](const Inputs& v) { return xg::take(v[0], xg::Tensor(3), 1); }, moved({5, 3}, [](const Shape& p) { return Shape{p[0], 3, p[1]}; }), {x});
    row("index_add", [](const Inputs& v) { return xg::index_add(v[0], xg::tensor({2, 0, -2}), v[1], 1); },
        [](const Inputs& v) {
            Array out(v[0]);
            const Array values(v[1]);
            constexpr Index at[] = {2, 0, 2};
            for (Index i = 0; i < values.size(); ++i) {
                const Shape p = values.position(i);
                out.place(Shape{p[0], at[p[1]], p[2]}) += values[i];
            }
            return out.tensor();
        },
        {random({2, 4, 3}), random({2, 3, 3})});
    row("take", [](const Inputs& v) { return xg::take(v[0], xg::reshape(xg::tensor({1}), {1, 1})); }, moved({1, 1, 3}, [](const Shape& p) { return Shape{1, p[2]}; }), {random({2, 3})});
    row("take", [](const Inputs& v) { return xg::take(v[0], xg::zeros({0, 2}, xg::i64), 1); }, moved({2, 0, 2}, [](const Shape& p) { return p; }), {random({2, 3})});
    row("embedding", [=](const Inputs& v) { return xg::embedding(v[0], rows_of); },
        moved({2, 3, 4}, [](const Shape& p) { constexpr Index at[2][3] = {{1, 4, 1}, {0, 2, 4}}; return Shape{at[p[0]][p[1]], p[2]}; }), {random({5, 4})});
    const Tensor along = xg::tensor({{1, -1, 1}, {0, 3, 0}});
    row("take_along_axis", [=](const Inputs& v) { return xg::take_along_axis(v[0], along, 0); },
        moved({2, 3}, [](const Shape& p) { constexpr Index at[2][3] = {{1, 4, 1}, {0, 3, 0}}; return Shape{at[p[0]][p[1]], p[1]}; }), {random({5, 3})});
    row("take_along_axis", [=](const Inputs& v) { return xg::take_along_axis(v[0], along, -1); },
        moved({2, 3}, [](const Shape& p) { constexpr Index at[2][3] = {{1, 3, 1}, {0, 3, 0}}; return Shape{p[0], at[p[0]][p[1]]}; }), {random({2, 4})});
    row("take_along_axis", [](const Inputs& v) { return xg::take_along_axis(v[0], xg::reshape(xg::tensor({2, 0, 2, -1}), {1, 4, 1}), 1); },
        moved({2, 4, 3}, [](const Shape& p) { constexpr Index at[] = {2, 0, 2, 3}; return Shape{p[0], at[p[1]], p[2]}; }), {random({2, 4, 3})});
    row("take_along_axis", [=](const Inputs& v) { return xg::take_along_axis(v[0], along, 1); },
        moved({2, 3}, [](const Shape& p) { constexpr Index at[2][3] = {{1, 3, 1}, {0, 3, 0}}; return Shape{0, at[p[0]][p[1]]}; }), {random({1, 4})});
    row("take_along_axis", [](const Inputs& v) { return xg::take_along_axis(v[0], xg::zeros({0, 3}, xg::i64), 0); }, moved({0, 3}, [](const Shape& p) { return p; }), {random({5, 3})});
    row("take_along_axis", [](const Inputs& v) { return xg::take_along_axis(v[0], xg::tensor({-1}), 0); }, moved({1}, [](const Shape& p) { return p; }), {random({1})});
    const auto added = [](auto to) {  // out[to(p)] += value[p]
        return [=](const Inputs& v) {
            Array out(v[0]);
            const Array values(v[1]);
            for (Index i = 0; i < values.size(); ++i) out.place(to(values.position(i))) += values[i];
            return out.tensor();
        };
    };
    row("scatter_add", [=](const Inputs& v) { return xg::scatter_add(v[0], along, v[1], 0); },
        added([](const Shape& p) { constexpr Index at[2][3] = {{1, 4, 1}, {0, 3, 0}}; return Shape{at[p[0]][p[1]], p[1]}; }), {random({5, 3}), random({2, 3})});
    row("scatter_add", [=](const Inputs& v) { return xg::scatter_add(v[0], along, v[1], 1); },
        added([](const Shape& p) { constexpr Index at[2][3] = {{1, 3, 1}, {0, 3, 0}}; return Shape{p[0], at[p[0]][p[1]]}; }), {random({2, 4}), random({2, 3})});
    row("scatter_add", [](const Inputs& v) { return xg::scatter_add(v[0], xg::reshape(xg::tensor({2, 0, 2}), {1, 3, 1}), v[1], 1); },
        added([](const Shape& p) { constexpr Index at[] = {2, 0, 2}; return Shape{p[0], at[p[1]], p[2]}; }), {random({2, 4, 3}), random({2, 3, 3})});
    row("scatter_add", [](const Inputs& v) { return xg::scatter_add(v[0], xg::zeros({0}, xg::i64), v[1], 0); }, added([](const Shape& p) { return p; }), {random({3}), random({0})});
    row("index_add", [](const Inputs& v) { return xg::index_add(v[0], xg::tensor({{1, 1}, {-1, 0}}), v[1]); },
        added([](const Shape& p) { constexpr Index at[2][2] = {{1, 1}, {2, 0}}; return Shape{at[p[0]][p[1]]}; }), {random({3}), random({2, 2})});
    row("one_hot", [](const Inputs&) { return xg::one_hot(xg::tensor({{2, 0}, {1, 3}, {3, 3}}), 4, xg::f64); },
        [](const Inputs&) {
            constexpr Index label[3][2] = {{2, 0}, {1, 3}, {3, 3}};
            Array out({3, 2, 4});
            for (Index i = 0; i < out.size(); ++i) {
                const Shape p = out.position(i);
                out[i] = p[2] == label[p[0]][p[1]];
            }
            return out.tensor();
        },
        {x}, false);
    return rows;
}

}  // namespace table
