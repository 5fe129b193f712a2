// Slices and indices out of range.
#include <doctest/doctest.h>

#include <limits>

#include <xtensor/xview.hpp>

#include "table.hpp"

namespace errors {

std::vector<Row> slices() {
    using namespace xt::placeholders;
    return {
        {"view, an index too large",
         [](A t, T) { xg::view(t.a, 2); },
         index,
         {"[view]", "index 2", "axis 0", "(2, 3)", "-2 to 1"}},
        {"view, an index too small",
         [](A t, T) { xg::view(t.a, xt::all(), -4); },
         index,
         {"[view]", "index -4", "axis 1", "(2, 3)", "-3 to 2"}},
        {"view, an index into nothing", [](A t, T) { xg::view(t.nothing, 0); }, index, {"[view]", "index 0", "(0, 3)"}},
        {"view, too many slices",
         [](A t, T) { xg::view(t.a, 0, xt::all(), 0); },
         index,
         {"[view]", "3 slices", "2 axes", "(2, 3)"}},
        {"view, too many slices beside an ellipsis",
         [](A t, T) { xg::view(t.a, 0, xt::ellipsis(), 1, 1); },
         index,
         {"[view]", "3 slices", "(2, 3)"}},
        {"view of a scalar", [](A t, T) { xg::view(t.s, 0); }, index, {"[view]", "()"}},
        {"view, step 0", [](A t, T) { xg::view(t.a, xt::all(), xt::range(0, 3, 0)); }, index, {"[view]", "step 0", "positive"}},
        {"view, two ellipses",
         [](A t, T) { xg::view(t.cube, xt::ellipsis(), 0, xt::ellipsis()); },
         index,
         {"[view]", "ellipsis", "one"}},
        {"view, a seventeenth axis", [](A t, T) { xg::view(t.full, xt::newaxis()); }, shape, {"[view]", "16"}},
        {"set_view, a value that does not fit",
         [](A t, T) { static_cast<void>(xg::set_view(t.a, t.c, xt::all(), xt::range(0, 2))); },
         shape,
         {"[set_view]", "(2, 4)", "(2, 2)"}},
        {"set_view, a value that is larger",
         [](A t, T) { static_cast<void>(xg::set_view(t.a, t.a, 0)); },
         shape,
         {"[set_view]", "(2, 3)", "(3,)"}},
        {"set_view, another dtype",
         [](A t, T) { static_cast<void>(xg::set_view(t.a, t.f, xt::all())); },
         dtype,
         {"[set_view]", "f64", "f32", "astype"}},
        {"set_view, an index too large",
         [](A t, T) { static_cast<void>(xg::set_view(t.a, 1., 2)); },
         index,
         {"[set_view]", "index 2", "-2 to 1"}},
        {"set_view, too many slices",
         [](A t, T) { static_cast<void>(xg::set_view(t.a, 1., 0, 0, 0)); },
         index,
         {"[set_view]", "3 slices", "(2, 3)"}},
        {"set_view, half an integer",
         [](A t, T) { static_cast<void>(xg::set_view(t.i, 0.5, 0)); },
         dtype,
         {"[set_view]", "0.5", "i64", "astype"}},
        {"take, an index too large",
         [](A t, T) { xg::take(t.a, t.labels); },
         index,
         {"[take]", "index 2", "axis 0", "(2, 3)", "-2 to 1"}},
        {"take, an index too small",
         [](A t, T) {
             xg::take(t.a, xg::tensor({0, -4}), 1);
         },
         index,
         {"[take]", "index -4", "axis 1", "-3 to 2"}},
        {"take from nothing", [](A t, T) { xg::take(t.nothing, t.rows); }, index, {"[take]", "(0, 3)"}},
        {"take, indices that are numbers", [](A t, T) { xg::take(t.a, t.v); }, dtype, {"[take]", "f64", "(3,)", "i64", "astype"}},
        {"take, a mask", [](A t, T) { xg::take(t.a, t.m); }, dtype, {"[take]", "boolean", "i64"}},
        {"take, no such axis", [](A t, T) { xg::take(t.a, t.labels, 2); }, shape, {"[take]", "axis 2", "-2 to 1"}},
        {"take from a scalar", [](A t, T) { xg::take(t.s, t.labels); }, shape, {"[take]", "axis 0"}},
        {"take, too many axes",
         [](A t, T) {
             xg::take(t.full, xg::tensor({{0}, {0}}));
         },
         shape,
         {"[take]", "16"}},
        {"index_add, values of another shape",
         [](A t, T) { xg::index_add(t.a, t.rows, t.d); },
         shape,
         {"[index_add]", "(5, 3)", "(3, 3)"}},
        {"index_add, other dtypes",
         [](A t, T) {
             xg::index_add(t.a, xg::tensor({1, 0}), t.f);
         },
         dtype,
         {"[index_add]", "f64", "f32", "astype"}},
        {"index_add, indices that are numbers",
         [](A t, T) {
             xg::index_add(t.a, t.v, xg::ones({3, 3}));
         },
         dtype,
         {"[index_add]", "f64", "i64", "astype"}},
        {"index_add, an index too large",
         [](A t, T) {
             xg::index_add(t.a, xg::tensor({0, 5, 1}), xg::ones({3, 3}));
         },
         index,
         {"[index_add]", "index 5", "(2, 3)", "-2 to 1"}},
        {"index_add of booleans",
         [](A t, T) {
             xg::index_add(t.m, xg::tensor({0, 1}), t.m);
         },
         dtype,
         {"[index_add]", "boolean", "astype"}},
        {"index_add, no such axis",
         [](A t, T) { xg::index_add(t.a, t.rows, t.a, -3); },
         shape,
         {"[index_add]", "axis -3", "-2 to 1"}},
        {"one_hot, a label too large",
         [](A t, T) { xg::one_hot(t.labels, 2); },
         index,
         {"[one_hot]", "label 2", "2 classes", "labels are 0"}},
        {"one_hot, a negative label",
         [](A t, T) { xg::one_hot(t.rows, 3); },
         index,
         {"[one_hot]", "label -1", "3 classes", "labels are 0"}},
        {"one_hot, no classes", [](A t, T) { xg::one_hot(t.labels, 0); }, index, {"[one_hot]", "label 2", "0 classes"}},
        {"one_hot, a negative number of classes", [](A t, T) { xg::one_hot(t.labels, -3); }, shape, {"[one_hot]", "-3"}},
        {"one_hot of numbers", [](A t, T) { xg::one_hot(t.v, 5); }, dtype, {"[one_hot]", "f64", "(3,)", "i64", "astype"}},
        {"one_hot of sixteen axes", [](A t, T) { xg::one_hot(xg::astype(t.full, xg::i64), 3); }, shape, {"[one_hot]", "16"}},
    };
}

}  // namespace errors

namespace xg = xtgrad;

TEST_CASE("ranges of slices are cut at the ends like Python's, however far beyond they lie") {
    const xg::Tensor x = xg::tensor({0., 1., 2., 3., 4.});
    constexpr auto far = std::numeric_limits<std::ptrdiff_t>::max();
    using namespace xt::placeholders;
    const auto is = [](const xg::Tensor& y, std::vector<double> expected) {
        const auto v = y.values<double>();
        return std::vector<double>(v.begin(), v.end()) == expected;
    };
    CHECK(is(xg::view(x, xt::range(3, far)), {3, 4}));
    CHECK(is(xg::view(x, xt::range(-far, 2)), {0, 1}));
    CHECK(is(xg::view(x, xt::range(7, 9)), {}));
    CHECK(is(xg::view(x, xt::range(3, 1)), {}));
    CHECK(is(xg::view(x, xt::range(1, 5, far)), {1}));
    CHECK(is(xg::view(x, xt::range(4, 0, -far)), {4}));
    CHECK(is(xg::view(x, xt::range(_, _, -far)), {4}));
    CHECK(is(xg::view(x, xt::range(_, _, std::numeric_limits<std::ptrdiff_t>::min())), {4}));
}
