// What the op table cannot see: that views copy nothing, that large gathers are right and have the same bits for any number of
// threads, and that einsum multiplies in a cheap order without copies.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "ops/arrangement.hpp"

namespace xg = xtgrad;
using xg::Index, xg::Shape, xg::Tensor;

namespace {

/// Does the view begin within x's memory?
bool lies_in(const Tensor& view, const Tensor& x) {
    const auto *p = view.data<double>(), *begin = x.data<double>();
    return p >= begin && p < begin + x.size();
}

template <class T>
std::vector<T> elements(const Tensor& x) {
    const Tensor dense = xg::copy(x);
    return std::vector<T>(dense.data<T>(), dense.data<T>() + dense.size());
}

template <class T>
bool same_bits(const Tensor& x, const std::vector<T>& expected) {
    const std::vector<T> got = elements<T>(x);
    return got.size() == expected.size() && std::memcmp(got.data(), expected.data(), got.size() * sizeof(T)) == 0;
}

struct Threads {
    int before = xg::num_threads();
    explicit Threads(int n) { xg::set_num_threads(n); }
    ~Threads() { xg::set_num_threads(before); }
};

/// start + values at the indices along axis 1 of [outer, extent, inner].
std::vector<double> added(const Tensor& start, const Tensor& indices, const Tensor& values, Index outer, Index extent,
                          Index inner, bool elementwise) {
    std::vector<double> sum = elements<double>(xg::astype(start, xg::f64));
    const std::vector<double> from = elements<double>(xg::astype(values, xg::f64));
    const std::vector<std::int64_t> at = elements<std::int64_t>(indices);
    const Index count = Index(from.size()) / (outer * inner);
    for (Index o = 0; o < outer; ++o)
        for (Index i = 0; i < count; ++i)
            for (Index j = 0; j < inner; ++j) {
                const Index k = (o * count + i) * inner + j, index = at[std::size_t(elementwise ? k : i)];
                sum[std::size_t((o * extent + (index < 0 ? index + extent : index)) * inner + j)] += from[std::size_t(k)];
            }
    return sum;
}

}  // namespace

TEST_CASE("views copy nothing") {
    const Tensor x = xg::reshape(xg::arange(24), {2, 3, 4}), m = xg::reshape(xg::arange(12), {3, 4});
    for (const Tensor& view : {xg::flip(x), xg::flip(x, 1), xg::swapaxes(x, 0, 2), xg::moveaxis(x, 0, 2), xg::diagonal(x),
                               xg::diagonal(x, 1, 2, 0), xg::rot90(x), xg::rot90<2>(x), xg::rot90<3>(x), xg::hsplit(x, 3)[2],
                               xg::vsplit(x, 2)[1], xg::flatten(x), xg::ravel(x), xg::atleast_3d(x)})
        CHECK(lies_in(view, x));
    CHECK(lies_in(xg::diag(m, 1), m));
    CHECK(lies_in(xg::atleast_3d(m), m));
    const Tensor v = xg::arange(5);
    const auto grids = xg::meshgrid(v, v);
    CHECK((lies_in(grids[0], v) && lies_in(grids[1], v)));
    CHECK(xg::rot90<4>(x).data<double>() == x.data<double>());
}

TEST_CASE("the gradient of many parts of one tensor is added up in place, where nobody else sees it") {
    xg::Rng rng(3);
    const Tensor x = xg::randn({7, 5, 4}, xg::f64, rng), w = xg::randn({7, 5, 4}, xg::f64, rng);
    const auto parts = [](const Tensor& v) {
        Tensor sum = xg::sum(xg::square(xg::view(v, 2)));
        for (const Index i : {0, 3, 6, 3}) sum = sum + xg::sum(xg::cube(xg::view(v, i, xt::range(1, 4))));
        sum = sum + xg::sum(xg::exp(xg::view(v, xt::all(), xt::newaxis(), -1, xt::range(3, xt::placeholders::_, -2))));
        sum = sum + xg::sum(xg::view(v, xt::range(2, 2))) + xg::view(v, 0, 0, 0) * xg::view(v, 6, 4, 3);
        return sum + xg::sum(xg::square(xg::view(xg::view(v, xt::range(1, 6)), xt::ellipsis(), 1)));
    };
    const auto gradients = [&](bool twice) {
        std::optional<xg::Tape> outer;  // when the walk is recorded nothing is added in place
        if (twice) outer.emplace();
        xg::Tape inner;
        // The cotangent of x + w goes to both; then parts of x come in addition.
        const Tensor y = parts(x) + xg::sum((x + w) * w);
        return inner.gradient(y, std::vector{x, w});
    };
    const auto plain = gradients(false), recorded = gradients(true);
    CHECK(elements<double>(plain[0]) == elements<double>(recorded[0]));
    CHECK(elements<double>(plain[1]) == elements<double>(recorded[1]));
    xg::gradcheck(parts, x);

    xg::Tape tape;  // a cotangent of the caller's stays as it is
    const Tensor g = xg::ones({3, 4}), z = xg::ones({3, 4});
    const Tensor total = z + xg::broadcast_to(xg::sum(xg::view(z, 1)), {3, 4});
    const Tensor of = tape.vjp(total, g, z);
    CHECK(elements<double>(g) == std::vector<double>(12, 1.));
    CHECK(of.data<double>()[0] == 1);
    CHECK(of.data<double>()[4] == 13);
}
TEST_CASE("a reshape in place is a view where strides allow it, and right where they do not") {
    using xg::detail::reshape_in_place;
    const Tensor x = xg::reshape(xg::arange(120), {2, 3, 4, 5});
    const std::vector<xg::Axes> permutations{{0, 1, 2, 3}, {2, 3, 0, 1}, {1, 0, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {2, 0, 1, 3}};
    const std::vector<Shape> shapes{{120},      {2, 60},       {6, 20},   {20, 6},      {4, 30},          {1, 24, 5}, {8, 15},
                                    {5, 24, 1}, {2, 3, 20},    {4, 5, 6}, {3, 1, 8, 5}, {2, 3, 2, 2, 5},  {40, 3},    {4, 6, 5},
                                    {12, 2, 5}, {2, 1, 2, 30}, {24, 5},   {30, 4},      {3, 2, 1, 10, 2}, {2, 12, 5}};
    int views = 0, copies = 0;
    for (const xg::Axes& permutation : permutations)
        for (const Tensor& y : {xg::permute(x, permutation), xg::flip(xg::permute(x, permutation)),
                                xg::flip(xg::permute(x, permutation), 1), xg::broadcast_to(xg::view(x, 0, 0), {2, 3, 4, 5})})
            for (const Shape& shape : shapes) {
                const Tensor z = reshape_in_place(y, shape);
                CHECK(z.shape() == shape);
                CHECK((elements<double>(z) == elements<double>(y)));
                (lies_in(z, x) ? views : copies) += 1;
            }
    CHECK(views > 50);
    CHECK(copies > 100);
    const Tensor merged = xg::permute(x, {2, 0, 1, 3});
    CHECK(lies_in(reshape_in_place(merged, {4, 6, 5}), x));
    CHECK(lies_in(reshape_in_place(merged, {4, 1, 6, 5, 1}), x));
    CHECK(lies_in(reshape_in_place(merged, {2, 2, 2, 3, 5}), x));
    CHECK_FALSE(lies_in(reshape_in_place(merged, {4, 30}), x));
    CHECK(reshape_in_place(xg::permute(xg::zeros({0, 3}), {1, 0}), {5, 0, 2}).shape() == Shape{5, 0, 2});
}

TEST_CASE("an axis of extent 1 has a dense stride, whatever view it comes from") {
    const Tensor x = xg::reshape(xg::arange(60), {3, 4, 5});
    CHECK(xg::view(x, 1, xt::range(2, 3), xt::range(0, 5, 2)).strides() == xg::Strides{3, 2});
    CHECK(xg::transpose(xg::view(x, xt::all(), xt::range(0, 1), 0)).strides() == xg::Strides{3, 20});
    CHECK(xg::flip(xg::zeros({4, 1}), 1).strides() == xg::Strides{1, 1});
    CHECK(xg::view(x, xt::range(2, 2)).strides() == xg::Strides{20, 5, 1});
    CHECK(xg::broadcast_to(Tensor(1.), {1, 2, 1}).strides() == xg::Strides{2, 0, 1});
    const Tensor column = xg::reshape(xg::arange(4), {4, 1});
    CHECK(elements<double>(xg::roll(xg::diagonal(column), 2, 0)) == std::vector{0.});
    xg::Tape tape;
    const Tensor y = xg::roll(xg::diagonal(column), 2, 0);
    CHECK(elements<double>(tape.gradient(xg::sum(y * 3.), column)) == std::vector{3., 0., 0., 0.});
}

TEST_CASE("what repeats along rows is what lies there, also left of where a view begins") {
    for (const Index columns : {128, 160, 256, 512, 130})
        for (const xg::Dtype dtype : {xg::f32, xg::f64, xg::i64}) {
            const Tensor zeros = xg::zeros({3, columns}, dtype), one = xg::astype(xg::arange(3), dtype);
            const Tensor y = xg::astype(xg::detail::expand_dims(xg::flip(one), 1) + zeros, xg::f64);
            std::vector<double> want;
            for (const double row : {2., 1., 0.}) want.insert(want.end(), std::size_t(columns), row);
            CHECK(elements<double>(y) == want);
        }
}

TEST_CASE("what has no elements is sorted, multiplied and split") {
    const Tensor x = xg::zeros({64, 16, 0});
    xg::Tape tape(xg::persistent);
    const Tensor sorted = xg::sort(x, 1), top = xg::topk(x, 3, 1).first;
    CHECK(sorted.shape() == Shape{64, 16, 0});
    CHECK(top.shape() == Shape{64, 3, 0});
    CHECK(tape.vjp(sorted, sorted, x).shape() == x.shape());
    CHECK(tape.vjp(top, top, x).shape() == x.shape());
    const Tensor a = xg::ones({2, 3, 4}), b = xg::zeros({4, 0}), product = xg::matmul(a, b);
    const auto [da, db] = tape.vjp(product, product, {a, b});
    CHECK(elements<double>(da) == std::vector<double>(24, 0.));
    CHECK(db.shape() == b.shape());
    const Tensor empty = xg::zeros({0, 3});
    CHECK(xg::split(empty, 7).size() == 7);
    CHECK_THROWS_WITH_AS(xg::split(empty, std::size_t(1) << 40),
                         "[split] axis 0 of (0, 3) into 1099511627776 empty parts; use at most 65536", xg::ShapeError);
    CHECK_THROWS_AS(xg::repeat(xg::ones({2}), {std::size_t(1), std::size_t(-1)}, 0), xg::ShapeError);
    CHECK_THROWS_AS(xg::repeat(xg::ones({2}), {std::size_t(1) << 62, std::size_t(1) << 62}, 0), xg::ShapeError);
    CHECK_THROWS_AS(xg::repeat(xg::ones({2}), {std::size_t(1) << 40, std::size_t(0)}, 0), xg::Error);
}

TEST_CASE("second derivatives of a layer without inputs are zeros") {
    const Tensor x = xg::ones({5, 2, 0}), w = xg::ones({1, 0});
    xg::Tape outer;
    const auto g = [&] {
        xg::Tape inner;
        return inner.gradient(xg::sum(xg::square(xg::linear(x, w))), std::vector{x, w});
    }();
    const auto h = outer.gradient(xg::sum(g[0]) + xg::sum(g[1]), std::vector{x, w});
    CHECK(h[0].shape() == x.shape());
    CHECK(h[1].shape() == w.shape());
}

TEST_CASE("large gathers take the right elements") {
    xg::Rng rng(5);
    const Tensor x = xg::randn({300, 7, 90}, xg::f32, rng);
    const std::vector<float> from = elements<float>(x);
    const Threads three(3);
    for (const Index axis : {0, 1, 2}) {
        const Index extent = x.shape(axis),
                    inner = axis == 0   ? 630
                            : axis == 1 ? 90
                                        : 1,
                    outer = 189000 / (extent * inner), n = 211;
        const Tensor indices = xg::randint({n}, -extent, extent, rng);
        const std::vector<std::int64_t> at = elements<std::int64_t>(indices);
        std::vector<float> expected;
        for (Index o = 0; o < outer; ++o)
            for (const Index i : at)
                for (Index j = 0; j < inner; ++j)
                    expected.push_back(from[std::size_t((o * extent + (i < 0 ? i + extent : i)) * inner + j)]);
        CHECK((elements<float>(xg::take(x, indices, axis)) == expected));
        Shape shape = x.shape();
        shape[std::size_t(axis)] = n;
        Shape along{1, 1, 1};
        along[std::size_t(axis)] = n;
        CHECK((elements<float>(xg::take_along_axis(x, xg::reshape(indices, along), axis)) == expected));
        CHECK((elements<float>(xg::take_along_axis(x, xg::broadcast_to(xg::reshape(indices, along), shape), axis)) == expected));
    }
    const Tensor mask = xg::tensor({{true, false}, {false, false}, {true, true}});
    CHECK((elements<bool>(xg::take(mask, xg::tensor({2, -3}))) == std::vector<bool>{true, true, true, false}));
    CHECK((elements<bool>(xg::take_along_axis(mask, xg::tensor({{1, 0}, {0, 1}, {1, 1}}), 1)) ==
           std::vector<bool>{false, true, false, false, true, true}));
}

TEST_CASE("sums at repeated indices have the same bits for any number of threads") {
    xg::Rng rng(7);
    for (const auto& [outer, extent, inner, count] : std::vector<std::array<Index, 4>>{
             {1, 9, 2500, 40}, {3, 50, 700, 200}, {40, 11, 16, 300}, {200, 30, 3, 100}, {1, 5, 1, 70000}, {2000, 40, 1, 60}}) {
        CAPTURE(inner);
        const Tensor start = xg::randn({outer, extent, inner}, xg::f32, rng),
                     values = xg::randn({outer, count, inner}, xg::f32, rng);
        const Tensor zero = xg::broadcast_to(Tensor(0.f), start.shape()), one = xg::broadcast_to(Tensor(1.f), start.shape());
        const Tensor slices = xg::randint({count}, -extent, extent, rng),
                     along = xg::randint(values.shape(), -extent, extent, rng);
        const auto distance = [&](const Tensor& got, const Tensor& s, const Tensor& at, bool elementwise) {
            const std::vector<float> sums = elements<float>(got);
            const std::vector<double> want = added(s, at, values, outer, extent, inner, elementwise);
            double most = 0;
            for (std::size_t i = 0; i < want.size(); ++i)
                most = std::max(most, std::fabs(sums[i] - want[i]) / (10 + std::fabs(want[i])));
            return most;
        };
        for (const Tensor& s : {start, zero, one}) {
            const Threads alone(1);
            const Tensor sums = xg::index_add(s, slices, values, 1), scattered = xg::scatter_add(s, along, values, 1);
            CHECK(distance(sums, s, slices, false) < 3e-7);
            CHECK(distance(scattered, s, along, true) < 3e-7);
            for (const int threads : {2, 5}) {
                const Threads some(threads);
                CHECK(same_bits(xg::index_add(s, slices, values, 1), elements<float>(sums)));
                CHECK(same_bits(xg::scatter_add(s, along, values, 1), elements<float>(scattered)));
            }
        }
    }
    const Tensor whole = xg::index_add(xg::zeros({3, 20}, xg::i64), xg::tensor({1, 1, -1}), xg::ones({3, 20}, xg::i64));
    CHECK((xg::sum(whole, 1).shape() == Shape{3}));
    CHECK((elements<std::int64_t>(xg::sum(whole, 1)) == std::vector<std::int64_t>{0, 40, 20}));
}

TEST_CASE("results beyond the caches are written past them, whole") {
    const Index rows = 1700, columns = 4103;  // 28 MB, rows that begin off every line
    const Tensor x = xg::reshape(xg::astype(xg::arange(0, double(rows * columns)), xg::f32), {rows, columns});
    xg::Rng rng(11);
    const Tensor order = xg::permutation(rows, rng), twice = xg::concatenate(std::array{order, xg::tensor({3, 3, -1})});
    const Tensor y = xg::take(x, order);
    CHECK((elements<float>(xg::index_add(xg::broadcast_to(Tensor(0.f), x.shape()), order, y)) == elements<float>(x)));
    const Tensor sums = xg::index_add(xg::broadcast_to(Tensor(0.f), x.shape()), twice, xg::take(x, twice));
    Tensor expected = xg::set_view(x, xg::view(x, 3) + xg::view(x, 3) + xg::view(x, 3), 3);
    expected = xg::set_view(expected, xg::view(x, -1) + xg::view(x, -1), -1);
    CHECK((elements<float>(sums) == elements<float>(expected)));
}

TEST_CASE("einsum multiplies in a cheap order, and holds no more than matmul does") {
    const Tensor tall = xg::ones({2000, 2}) * 0.5, flat = xg::ones({2, 2000}) * 0.25;
    {
        xg::Tape tape;
        const Tensor y = xg::einsum("ij,jk,kl->il", tall, flat, tall);
        CHECK(y.shape() == Shape{2000, 2});
        CHECK(xg::view(y, 7, 1).item<double>() == 0.5 * 0.25 * 0.5 * 4000);
        CHECK(tape.bytes() < 1 << 20);  // the other order makes a matrix of 32 MB
    }
    {
        xg::Tape tape;
        const Tensor y = xg::einsum("ij,jk,kl,lm,mn->in", tall, flat, tall, flat, tall);
        CHECK(xg::view(y, 7, 1).item<double>() == 0.5 * 0.25 * 0.5 * 4000 * 0.25 * 0.5 * 4000);
        CHECK(tape.bytes() < 1 << 20);
    }
    const Tensor v = xg::ones({1000});
    CHECK(xg::einsum("a,b,c,d,e,f->", v, v, v, v, v, v).item<double>() == 1e18);  // no outer product
    const Tensor q = xg::ones({2, 3, 40, 16}), k = xg::ones({2, 3, 50, 16}), rows = xg::ones({2, 40, 3, 16}),
                 other = xg::ones({2, 50, 3, 16});
    const auto held = [](auto f) {
        xg::Tape tape;
        const Tensor y = f();
        return std::pair(tape.bytes(), tape.nodes());
    };
    const auto want = held([&] { return xg::matmul(q, xg::permute(k, {0, 1, 3, 2})); });
    CHECK(held([&] { return xg::einsum("bhid,bhjd->bhij", q, k); }) == want);
    const auto strided = held([&] { return xg::matmul(xg::permute(rows, {0, 2, 1, 3}), xg::permute(other, {0, 2, 3, 1})); });
    CHECK(held([&] { return xg::einsum("bihd,bjhd->bhij", rows, other); }) == strided);
}
