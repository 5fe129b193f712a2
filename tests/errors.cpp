// Bad calls: each throws the right class, says which op, which shapes and dtypes and what to do, changes nothing, and
// the tape that was alive goes on.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <sstream>
#include <typeinfo>

#include <xtensor/xarray.hpp>
#include <xtensor/xview.hpp>
#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

// Sanitizers: no memory is an answer.
extern "C" const char* __asan_default_options();
extern "C" const char* __tsan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }

namespace {

using Strings = std::vector<std::string>;

const std::type_info& shape = typeid(xg::ShapeError);
const std::type_info& dtype = typeid(xg::DtypeError);
const std::type_info& index = typeid(xg::IndexError);
const std::type_info& tape_error = typeid(xg::TapeError);
const std::type_info& error = typeid(xg::Error);

/// What the calls are made with.
struct Arguments {
    xg::Tensor a = xg::tensor({{0.5, -1.25, 2.}, {1.5, 0.75, -0.25}});  // (2, 3)
    xg::Tensor b = xg::ones({3, 4}) * 0.5, c = xg::ones({2, 4}) * 1.5, d = xg::ones({5, 3});
    xg::Tensor v = xg::tensor({2., 3., 4.}), s = xg::Tensor(1.5), nothing = xg::zeros({0, 3}), cube = xg::ones({2, 3, 4}),
               thin = xg::ones({2, 1, 3});
    xg::Tensor f = xg::ones({2, 3}, xg::f32), i = xg::tensor({{1, -2, 3}, {4, 0, 6}}), m = a > 0., labels = xg::tensor({2, 0}),
               rows = xg::tensor({1, 0, -1});
    xg::Tensor full = xg::ones(std::vector<int>(16, 1)), none;

    std::vector<xg::Tensor> all() const { return {a, b, c, d, v, s, nothing, cube, thin, f, i, m, labels, rows, full, none}; }
};

/// One bad call: its name, the call, the class, what the message contains, what it must not contain.
struct Row {
    std::string name;
    std::function<void(const Arguments&, xg::Tape&)> call;
    const std::type_info& type;
    Strings says;
    Strings never = {};
};

using A = const Arguments&;
using T = xg::Tape&;
constexpr auto huge = xg::Index(1) << 40;

/// Compilers warn of a comparison whose result nobody uses.
void drop(const xg::Tensor&) {}

std::vector<Row> broadcasting() {
    const Strings remedy{"broadcast", "equal or 1"};
    const auto with = [&](Strings more) {
        more.insert(more.end(), remedy.begin(), remedy.end());
        return more;
    };
    return {
        {"a + b", [](A t, T) { t.a + t.b; }, shape, with({"[add]", "(2, 3)", "(3, 4)"})},
        {"a - cube", [](A t, T) { t.a - t.cube; }, shape, with({"[subtract]", "(2, 3)", "(2, 3, 4)"})},
        {"a * c", [](A t, T) { drop(t.a * t.c); }, shape, with({"[multiply]", "(2, 3)", "(2, 4)"})},
        {"a / d", [](A t, T) { t.a / t.d; }, shape, with({"[divide]", "(2, 3)", "(5, 3)"})},
        {"pow", [](A t, T) { xg::pow(t.a, t.b); }, shape, with({"[pow]", "(2, 3)", "(3, 4)"})},
        {"maximum", [](A t, T) { xg::maximum(t.a, t.b); }, shape, with({"[maximum]", "(2, 3)", "(3, 4)"})},
        {"minimum", [](A t, T) { xg::minimum(t.nothing, t.b); }, shape, with({"[minimum]", "(0, 3)", "(3, 4)"})},
        {"an empty axis and a longer one", [](A t, T) { t.nothing + t.a; }, shape, with({"[add]", "(0, 3)", "(2, 3)"})},
        {"less", [](A t, T) { drop(t.a < t.b); }, shape, with({"[less]", "(2, 3)", "(3, 4)"})},
        {"less_equal", [](A t, T) { drop(t.a <= t.b); }, shape, with({"[less_equal]"})},
        {"greater", [](A t, T) { drop(t.a > t.b); }, shape, with({"[greater]"})},
        {"greater_equal", [](A t, T) { drop(t.a >= t.b); }, shape, with({"[greater_equal]"})},
        {"equal", [](A t, T) { xg::equal(t.a, t.b); }, shape, with({"[equal]"})},
        {"not_equal", [](A t, T) { xg::not_equal(t.a, t.b); }, shape, with({"[not_equal]"})},
        {"logical_and", [](A t, T) { drop(t.m && (t.b > 0.)); }, shape, with({"[logical_and]", "(2, 3)", "(3, 4)"})},
        {"logical_or", [](A t, T) { drop(t.m || (t.b > 0.)); }, shape, with({"[logical_or]"})},
        {"logical_xor", [](A t, T) { xg::logical_xor(t.m, t.b > 0.); }, shape, with({"[logical_xor]"})},
        {"where, the values", [](A t, T) { xg::where(t.m, t.a, t.b); }, shape, with({"[where]", "(2, 3)", "(3, 4)"})},
        {"where, the mask", [](A t, T) { xg::where(t.m, t.b, t.b); }, shape, with({"[where]", "(2, 3)", "(3, 4)"})},
        {"clip, the lower bound", [](A t, T) { xg::clip(t.a, t.b, 5.); }, shape, with({"[clip]", "(2, 3)", "(3, 4)"})},
        {"clip, the upper bound", [](A t, T) { xg::clip(t.a, -5., t.c); }, shape, with({"[clip]", "(2, 3)", "(2, 4)"})},
        {"an xtensor operand", [](A t, T) { t.a + xt::xarray<double>(xt::ones<double>({4})); }, shape,
         with({"[add]", "(2, 3)", "(4,)"})},
        {"a += b",
         [](A t, T) {
             xg::Tensor x = t.a;
             x += t.b;
         },
         shape, with({"[add]"})},
    };
}

std::vector<Row> products() {
    return {
        {"matmul as in the manual",
         [](A, T) {
             xg::matmul(xg::ones({64, 16}), xg::ones({4, 16}));
         },
         shape,
         {"[matmul] inner dimensions differ: (64, 16) x (4, 16); did you mean matmul(a, transpose(b))?"}},
        {"matmul of a and d",
         [](A t, T) { xg::matmul(t.a, t.d); },
         shape,
         {"[matmul]", "(2, 3)", "(5, 3)", "did you mean matmul(a, transpose(b))?"}},
        {"matmul of a and c",
         [](A t, T) { xg::matmul(t.a, t.c); },
         shape,
         {"[matmul]", "(2, 3)", "(2, 4)", "did you mean matmul(transpose(a), b)?"}},
        {"matmul, no hint fits",
         [](A t, T) {
             xg::matmul(t.a, xg::ones({6, 7}));
         },
         shape,
         {"[matmul]", "(2, 3)", "(6, 7)", "last"},
         {"did you mean"}},
        {"matmul of batches",
         [](A t, T) {
             xg::matmul(t.cube, xg::ones({5, 4, 2}));
         },
         shape,
         {"[matmul]", "(2, 3, 4)", "(5, 4, 2)", "equal or 1"}},
        // transpose(b) of (2, 5, 4) would be (4, 5, 2), which is no better.
        {"matmul of batches, transposed",
         [](A t, T) {
             xg::matmul(t.cube, xg::ones({2, 5, 4}));
         },
         shape,
         {"[matmul]", "(2, 3, 4)", "(2, 5, 4)"},
         {"matmul(a, transpose(b))?"}},
        {"matmul of a scalar", [](A t, T) { xg::matmul(t.s, t.a); }, shape, {"[matmul]", "()", "(2, 3)", "*"}},
        {"matmul by a scalar", [](A t, T) { xg::matmul(t.a, t.s); }, shape, {"[matmul]", "()", "(2, 3)", "*"}},
        {"matmul of a vector and a matrix",
         [](A t, T) { xg::matmul(t.v, t.c); },
         shape,
         {"[matmul]", "(3,)", "(2, 4)"},
         {"transpose(a)"}},
        {"matmul of a matrix and a vector",
         [](A t, T) { xg::matmul(t.c, t.v); },
         shape,
         {"[matmul]", "(2, 4)", "(3,)"},
         {"transpose(b)"}},
        {"matmul of two vectors",
         [](A t, T) { xg::matmul(t.v, xg::ones({4})); },
         shape,
         {"[matmul]", "(3,)", "(4,)"},
         {"transpose"}},
        {"matmul of two dtypes",
         [](A t, T) { xg::matmul(t.f, t.b); },
         dtype,
         {"[matmul]", "f32", "(2, 3)", "f64", "(3, 4)", "astype"}},
        {"matmul of integers", [](A t, T) { xg::matmul(t.i, t.i); }, dtype, {"[matmul]", "i64", "astype"}},
        {"matmul of booleans", [](A t, T) { xg::matmul(t.a, t.m); }, dtype, {"[matmul]", "boolean", "astype"}},
        {"matmul by an xtensor array of floats",
         [](A t, T) {
             xg::matmul(t.a, xt::xarray<float>(xt::ones<float>({3, 2})));
         },
         dtype,
         {"[matmul]", "f64", "f32", "astype"}},
    };
}

std::vector<Row> arrangements() {
    return {
        {"reshape, another size",
         [](A t, T) {
             xg::reshape(t.a, {4, 2});
         },
         shape,
         {"[reshape]", "(2, 3)", "6", "(4, 2)", "8", "-1"}},
        {"reshape to a scalar", [](A t, T) { xg::reshape(t.a, xg::Shape()); }, shape, {"[reshape]", "(2, 3)", "()"}},
        {"reshape, two unknown extents",
         [](A t, T) {
             xg::reshape(t.a, {-1, -1});
         },
         shape,
         {"[reshape]", "(-1, -1)", "one"}},
        {"reshape, two unknown extents of no elements",
         [](A t, T) {
             xg::reshape(t.nothing, {-1, 0, -1});
         },
         shape,
         {"[reshape]", "(-1, 0, -1)", "one"}},
        {"reshape, -1 that does not divide",
         [](A t, T) {
             xg::reshape(t.a, {-1, 4});
         },
         shape,
         {"[reshape]", "(2, 3)", "6", "(-1, 4)", "infer"}},
        {"reshape, -1 beside 0",
         [](A t, T) {
             xg::reshape(t.nothing, {-1, 0});
         },
         shape,
         {"[reshape]", "(0, 3)", "infer"}},
        {"reshape, a negative extent",
         [](A t, T) {
             xg::reshape(t.a, {-2, -3});
         },
         shape,
         {"[reshape]", "negative", "(-2, -3)"}},
        {"reshape, -1 beside negative extents",
         [](A t, T) {
             xg::reshape(t.a, {-1, -2, -3});
         },
         shape,
         {"[reshape]", "negative"}},
        {"reshape, overflow",
         [](A t, T) {
             xg::reshape(t.a, {huge, huge});
         },
         shape,
         {"[reshape]", "overflow"}},
        {"reshape, overflow beside -1",
         [](A t, T) {
             xg::reshape(t.a, {huge, huge, -1});
         },
         shape,
         {"[reshape]"}},
        {"broadcast_to, an extent",
         [](A t, T) {
             xg::broadcast_to(t.a, {4, 3});
         },
         shape,
         {"[broadcast_to]", "(2, 3)", "(4, 3)", "equal or 1"}},
        {"broadcast_to, fewer axes", [](A t, T) { xg::broadcast_to(t.a, {3}); }, shape, {"[broadcast_to]", "(2, 3)", "(3,)"}},
        {"broadcast_to, a negative extent",
         [](A t, T) { xg::broadcast_to(t.s, {-3}); },
         shape,
         {"[broadcast_to]", "negative", "(-3,)"}},
        {"broadcast_to, overflow",
         [](A t, T) {
             xg::broadcast_to(t.s, {huge, huge});
         },
         shape,
         {"[broadcast_to]", "overflow"}},
        {"broadcast",
         [](A t, T) {
             xg::broadcast(t.a, {4, 3});
         },
         shape,
         {"[broadcast", "(2, 3)", "(4, 3)"}},
        {"transpose, too few axes",
         [](A t, T) {
             xg::transpose(t.cube, {1, 0});
         },
         shape,
         {"[transpose]", "(1, 0)", "(2, 3, 4)", "3"}},
        {"transpose, an axis twice",
         [](A t, T) {
             xg::transpose(t.cube, {1, 0, 1});
         },
         shape,
         {"[transpose]", "twice", "(1, 0, 1)"}},
        {"transpose, an axis twice, once negative",
         [](A t, T) {
             xg::transpose(t.cube, {1, 0, -2});
         },
         shape,
         {"[transpose]", "twice", "(1, 0, -2)"}},
        {"transpose, no such axis",
         [](A t, T) {
             xg::transpose(t.cube, {0, 1, 3});
         },
         shape,
         {"[transpose]", "axis 3", "-3 to 2"}},
        {"permute, no such axis",
         [](A t, T) {
             xg::permute(t.a, {0, -3});
         },
         shape,
         {"axis -3", "-2 to 1"}},
        {"squeeze, an extent that is not 1",
         [](A t, T) { xg::squeeze(t.thin, 2); },
         shape,
         {"[squeeze]", "axis 2", "(2, 1, 3)", "3", "1"}},
        {"squeeze, one of two",
         [](A t, T) {
             xg::squeeze(t.thin, {1, 0});
         },
         shape,
         {"[squeeze]", "axis 0", "(2, 1, 3)"}},
        {"squeeze, twice",
         [](A t, T) {
             xg::squeeze(t.thin, {1, -2});
         },
         shape,
         {"[squeeze]", "twice"}},
        {"squeeze, no such axis", [](A t, T) { xg::squeeze(t.thin, 5); }, shape, {"[squeeze]", "axis 5", "-3 to 2"}},
        {"squeeze of a scalar", [](A t, T) { xg::squeeze(t.s, 0); }, shape, {"[squeeze]", "axis 0"}},
        {"expand_dims, no such axis",
         [](A t, T) { xg::expand_dims(t.a, 3); },
         shape,
         {"[expand_dims]", "3", "2 axes", "-3 to 2"},
         {"has 3 axes"}},
        {"expand_dims of sixteen axes", [](A t, T) { xg::expand_dims(t.full, 0); }, shape, {"[expand_dims]", "16"}},
        {"split, unequal parts", [](A t, T) { xg::split(t.a, 2, 1); }, shape, {"[split]", "axis 1", "(2, 3)", "2", "view"}},
        {"split, no parts", [](A t, T) { xg::split(t.a, 0); }, shape, {"[split]", "0"}},
        {"split, no such axis", [](A t, T) { xg::split(t.a, 2, 2); }, shape, {"[split]", "axis 2", "-2 to 1"}},
        {"split of a scalar", [](A t, T) { xg::split(t.s, 1); }, shape, {"[split]", "axis 0"}},
        {"concatenate, nothing", [](A, T) { xg::concatenate(std::vector<xg::Tensor>()); }, shape, {"[concatenate]", "one"}},
        {"concatenate, other extents",
         [](A t, T) {
             xg::concatenate({t.a, t.d, t.c}, 1);
         },
         shape,
         {"[concatenate]", "(2, 3)", "(5, 3)", "axis 1"}},
        {"concatenate, other ranks",
         [](A t, T) {
             xg::concatenate({t.a, t.v});
         },
         shape,
         {"[concatenate]", "(2, 3)", "(3,)", "expand_dims"}},
        {"concatenate, no such axis",
         [](A t, T) {
             xg::concatenate({t.a, t.a}, 2);
         },
         shape,
         {"[concatenate]", "axis 2", "-2 to 1"}},
        {"concatenate of scalars",
         [](A t, T) {
             xg::concatenate({t.s, t.s});
         },
         shape,
         {"[concatenate]"}},
        {"concatenate, other dtypes",
         [](A t, T) {
             xg::concatenate({t.a, t.a, t.f});
         },
         dtype,
         {"[concatenate]", "f64", "f32", "astype"}},
        {"concatenate, one is empty",
         [](A t, T) {
             xg::concatenate({t.a, t.none});
         },
         error,
         {"[concatenate]", "empty tensor"}},
        {"stack, nothing", [](A, T) { xg::stack(std::vector<xg::Tensor>()); }, shape, {"[stack]", "one"}},
        {"stack, other shapes",
         [](A t, T) {
             xg::stack({t.a, t.a, t.c});
         },
         shape,
         {"[stack]", "(2, 3)", "(2, 4)"}},
        {"stack, no such axis",
         [](A t, T) {
             xg::stack({t.a, t.a}, 3);
         },
         shape,
         {"[stack]", "3", "2 axes", "-3 to 2"},
         {"has 3 axes"}},
        {"stack, other dtypes",
         [](A t, T) {
             xg::stack({t.a, t.f});
         },
         dtype,
         {"[stack]", "f64", "f32", "astype"}},
        {"stack of sixteen axes",
         [](A t, T) {
             xg::stack({t.full, t.full});
         },
         shape,
         {"[stack]", "16"}},
        {"a shape of seventeen axes", [](A, T) { xg::ones(std::vector<int>(17, 1)); }, shape, {"16 axes", "reshape"}},
        {"reshape to seventeen axes", [](A t, T) { xg::reshape(t.s, std::vector<int>(17, 1)); }, shape, {"16 axes"}},
    };
}

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

std::vector<Row> reductions() {
    return {
        {"sum, no such axis", [](A t, T) { xg::sum(t.a, 2); }, shape, {"[sum]", "axis 2", "2 axes", "-2 to 1"}},
        {"sum, no such negative axis",
         [](A t, T) {
             xg::sum(t.a, {0, -3});
         },
         shape,
         {"[sum]", "axis -3", "-2 to 1"}},
        {"sum, an axis twice",
         [](A t, T) {
             xg::sum(t.cube, {0, 2, 0});
         },
         shape,
         {"[sum]", "axis 0", "twice", "(0, 2, 0)"}},
        {"sum, an axis twice, once negative",
         [](A t, T) {
             xg::sum(t.cube, {2, -1}, xt::keep_dims);
         },
         shape,
         {"[sum]", "axis -1", "twice"}},
        {"sum of a scalar along an axis", [](A t, T) { xg::sum(t.s, 0); }, shape, {"[sum]", "axis 0", "0 axes"}},
        {"mean, no such axis", [](A t, T) { xg::mean(t.a, 5); }, shape, {"[mean]", "axis 5", "-2 to 1"}},
        {"mean of integers", [](A t, T) { xg::mean(t.i); }, dtype, {"[mean]", "i64", "astype"}},
        {"mean of booleans", [](A t, T) { xg::mean(t.m, 0); }, dtype, {"[mean]", "boolean", "astype"}},
        {"logsumexp of integers", [](A t, T) { xg::logsumexp(t.i); }, dtype, {"[logsumexp]", "i64", "astype"}},
        {"logsumexp, no such axis",
         [](A t, T) {
             xg::logsumexp(t.a, {0, 2});
         },
         shape,
         {"[logsumexp]", "axis 2", "-2 to 1"}},
        {"amax of nothing", [](A t, T) { xg::amax(t.nothing); }, shape, {"[amax]", "(0, 3)"}},
        {"amax of nothing along its axis", [](A t, T) { xg::amax(t.nothing, 0); }, shape, {"[amax]", "(0, 3)"}},
        {"amin of nothing",
         [](A t, T) {
             xg::amin(t.nothing, {0, 1});
         },
         shape,
         {"[amin]", "(0, 3)"}},
        {"amax of booleans", [](A t, T) { xg::amax(t.m); }, dtype, {"[amax]", "boolean", "any"}},
        {"amin, an axis twice",
         [](A t, T) {
             xg::amin(t.a, {1, 1});
         },
         shape,
         {"[amin]", "twice"}},
        {"argmax of nothing", [](A t, T) { xg::argmax(t.nothing); }, shape, {"[argmax]", "(0, 3)"}},
        {"argmax of nothing along its axis", [](A t, T) { xg::argmax(t.nothing, 0); }, shape, {"[argmax]", "(0, 3)"}},
        {"argmax, no such axis", [](A t, T) { xg::argmax(t.a, -3); }, shape, {"[argmax]", "axis -3", "-2 to 1"}},
        {"argmax of a scalar along an axis", [](A t, T) { xg::argmax(t.s, 0); }, shape, {"[argmax]", "axis 0"}},
        {"any of numbers", [](A t, T) { xg::any(t.a); }, dtype, {"[any]", "f64", "(2, 3)", "x > 0"}},
        {"all of integers", [](A t, T) { xg::all(t.i, 0); }, dtype, {"[all]", "i64", "x > 0"}},
        {"any, no such axis", [](A t, T) { xg::any(t.m, 2); }, shape, {"[any]", "axis 2"}},
    };
}

std::vector<Row> of_rows() {
    return {
        {"softmax, no such axis", [](A t, T) { xg::softmax(t.a, 2); }, shape, {"[softmax]", "axis 2", "-2 to 1"}},
        {"softmax of a scalar", [](A t, T) { xg::softmax(t.s); }, shape, {"[softmax]", "scalar", "reshape"}},
        {"softmax of integers", [](A t, T) { xg::softmax(t.i); }, dtype, {"[softmax]", "i64", "astype"}},
        {"log_softmax, no such axis", [](A t, T) { xg::log_softmax(t.a, -3); }, shape, {"[log_softmax]", "axis -3"}},
        {"log_softmax of booleans", [](A t, T) { xg::log_softmax(t.m); }, dtype, {"[log_softmax]", "boolean"}},
        {"softmax_vjp, other shapes", [](A t, T) { xg::softmax_vjp(t.a, t.v); }, shape, {"[softmax_vjp]", "(2, 3)", "(3,)"}},
        {"softmax_vjp, other dtypes",
         [](A t, T) { xg::softmax_vjp(t.a, t.f); },
         dtype,
         {"[softmax_vjp]", "f64", "f32", "astype"}},
        {"layer_norm of a scalar", [](A t, T) { xg::layer_norm(t.s); }, shape, {"[layer_norm]", "scalar"}},
        {"layer_norm of integers", [](A t, T) { xg::layer_norm(t.i); }, dtype, {"[layer_norm]", "i64", "astype"}},
        {"layer_norm, a weight of integers", [](A t, T) { xg::layer_norm(t.a, t.rows); }, dtype, {"[layer_norm]", "i64"}},
        {"layer_norm, a weight of another shape",
         [](A t, T) { xg::layer_norm(t.c, t.v); },
         shape,
         {"[layer_norm]", "weight", "(3,)", "(2, 4)", "(4,)"}},
        {"layer_norm, a weight of another dtype",
         [](A t, T) { xg::layer_norm(t.f, t.v); },
         dtype,
         {"[layer_norm]", "f32", "f64", "astype"}},
        {"layer_norm, a bias of another shape",
         [](A t, T) { xg::layer_norm(t.a, t.v, t.s); },
         shape,
         {"[layer_norm]", "bias", "()", "(3,)"}},
        {"cross_entropy, a label too large",
         [](A t, T) {
             xg::cross_entropy(t.a, xg::tensor({0, 3}));
         },
         index,
         {"[cross_entropy]", "label 3", "3 classes", "labels are 0"}},
        {"cross_entropy, a negative label",
         [](A t, T) {
             xg::cross_entropy(t.a, xg::tensor({-1, 2}));
         },
         index,
         {"[cross_entropy]", "label -1", "3 classes", "labels are 0"}},
        {"cross_entropy, labels that are numbers",
         [](A t, T) { xg::cross_entropy(t.a, xg::ones({2})); },
         dtype,
         {"[cross_entropy]", "f64", "(2,)", "i64", "astype"}},
        {"cross_entropy, smoothing beyond 1",
         [](A t, T) { xg::cross_entropy(t.a, t.labels, {.label_smoothing = 1.5}); },
         error,
         {"[cross_entropy]", "label_smoothing", "1.5", "[0, 1]"}},
        {"cross_entropy, a weight of another shape",
         [](A t, T) { xg::cross_entropy(t.a, t.labels, {.weight = t.s}); },
         shape,
         {"[cross_entropy]", "weight", "(2, 3)", "(3,)"}},
        {"cross_entropy, a weight of another dtype",
         [](A t, T) { xg::cross_entropy(t.a, t.labels, {.weight = xg::ones({3}, xg::f32)}); },
         dtype,
         {"[cross_entropy]", "f32", "f64", "astype"}},
        {"rms_norm of a scalar", [](A t, T) { xg::rms_norm(t.s); }, shape, {"[rms_norm]", "scalar"}},
        {"rms_norm, a weight of another shape", [](A t, T) { xg::rms_norm(t.a, t.s); }, shape, {"[rms_norm]", "weight", "(3,)"}},
        {"cross_entropy, too many labels",
         [](A t, T) { xg::cross_entropy(t.a, t.rows); },
         shape,
         {"[cross_entropy]", "(3,)", "(2, 3)", "(2,)"}},
        {"cross_entropy of integers", [](A t, T) { xg::cross_entropy(t.i, t.labels); }, dtype, {"[cross_entropy]", "i64"}},
        {"cross_entropy of a scalar", [](A t, T) { xg::cross_entropy(t.s, t.labels); }, shape, {"[cross_entropy]", "scalar"}},
        {"cross_entropy, no classes",
         [](A t, T) {
             xg::cross_entropy(xg::ones({2, 0}), t.labels);
         },
         index,
         {"[cross_entropy]", "0 classes"}},
    };
}

std::vector<Row> dtypes() {
    return {
        {"f64 + f32", [](A t, T) { t.a + t.f; }, dtype, {"[add]", "f64", "f32", "(2, 3)", "astype"}},
        {"f32 * i64", [](A t, T) { drop(t.f * t.i); }, dtype, {"[multiply]", "f32", "i64", "astype"}},
        {"f64 - boolean", [](A t, T) { t.a - t.m; }, dtype, {"[subtract]", "boolean", "astype"}},
        {"pow of two dtypes", [](A t, T) { xg::pow(t.a, t.f); }, dtype, {"[pow]", "f64", "f32", "astype"}},
        {"maximum of two dtypes", [](A t, T) { xg::maximum(t.a, t.i); }, dtype, {"[maximum]", "f64", "i64", "astype"}},
        {"f64 < i64", [](A t, T) { drop(t.a < t.i); }, dtype, {"[less]", "f64", "i64", "astype"}},
        {"equal of f32 and f64", [](A t, T) { xg::equal(t.f, t.a); }, dtype, {"[equal]", "f64", "f32", "astype"}},
        {"where, two dtypes", [](A t, T) { xg::where(t.m, t.a, t.f); }, dtype, {"[where]", "f64", "f32", "astype"}},
        {"where, a mask of numbers", [](A t, T) { xg::where(t.a, t.a, t.a); }, dtype, {"[where]", "f64", "boolean", "x > 0"}},
        {"where, an integer where floats are", [](A t, T) { xg::where(t.m, t.i, t.a); }, dtype, {"[where]", "i64", "f64"}},
        {"not of numbers", [](A t, T) { drop(!t.a); }, dtype, {"[logical_not]", "f64", "boolean"}},
        {"and of numbers", [](A t, T) { drop(t.m && t.i); }, dtype, {"[logical_and]", "i64", "boolean"}},
        {"i64 / i64", [](A t, T) { t.i / t.i; }, dtype, {"[divide]", "i64", "astype"}},
        {"i64 / 2", [](A t, T) { t.i / 2; }, dtype, {"[divide]", "i64", "astype"}, {"affine"}},
        {"1 / i64", [](A t, T) { 1 / t.i; }, dtype, {"[divide]", "i64", "astype"}, {"reciprocal"}},
        {"i64 * 2.5", [](A t, T) { t.i * 2.5; }, dtype, {"[multiply]", "2.5", "i64", "astype"}},
        {"0.5 + i64", [](A t, T) { 0.5 + t.i; }, dtype, {"[add]", "0.5", "i64", "astype"}},
        {"0.5 - i64", [](A t, T) { 0.5 - t.i; }, dtype, {"[subtract]", "0.5", "i64", "astype"}},
        {"boolean + 1", [](A t, T) { t.m + 1; }, dtype, {"[add]", "boolean", "astype"}},
        {"boolean * 2", [](A t, T) { t.m * 2; }, dtype, {"[multiply]", "boolean", "astype"}},
        {"2 - boolean", [](A t, T) { 2 - t.m; }, dtype, {"[subtract]", "boolean", "astype"}},
        {"boolean / 2", [](A t, T) { t.m / 2.; }, dtype, {"[divide]", "boolean", "astype"}},
        {"-boolean", [](A t, T) { -t.m; }, dtype, {"[negative]", "boolean", "astype"}},
        {"abs of booleans", [](A t, T) { xg::abs(t.m); }, dtype, {"[abs]", "boolean"}},
        {"square of booleans", [](A t, T) { xg::square(t.m); }, dtype, {"[square]", "boolean"}},
        {"exp of integers", [](A t, T) { xg::exp(t.i); }, dtype, {"[exp]", "i64", "(2, 3)", "astype"}},
        {"log of integers", [](A t, T) { xg::log(t.i); }, dtype, {"[log]", "i64", "astype"}},
        {"sqrt of integers", [](A t, T) { xg::sqrt(t.i); }, dtype, {"[sqrt]", "i64", "astype"}},
        {"erf of integers", [](A t, T) { xg::erf(t.i); }, dtype, {"[erf]", "i64", "astype"}},
        {"sin of integers", [](A t, T) { xg::sin(t.i); }, dtype, {"[sin]", "i64", "astype"}},
        {"cos of booleans", [](A t, T) { xg::cos(t.m); }, dtype, {"[cos]", "boolean", "astype"}},
        {"tanh of integers", [](A t, T) { xg::tanh(t.i); }, dtype, {"[tanh]", "i64", "astype"}},
        {"sigmoid of integers", [](A t, T) { xg::sigmoid(t.i); }, dtype, {"[sigmoid]", "i64", "astype"}},
        {"relu of integers", [](A t, T) { xg::relu(t.i); }, dtype, {"[relu]", "i64", "astype"}},
        {"gelu of integers", [](A t, T) { xg::gelu(t.i); }, dtype, {"[gelu]", "i64", "astype"}},
        {"gelu_tanh of integers", [](A t, T) { xg::gelu_tanh(t.i); }, dtype, {"[gelu_tanh]", "i64", "astype"}},
        {"pow of integers", [](A t, T) { xg::pow(t.i, 3); }, dtype, {"[pow]", "i64", "astype"}},
        {"isfinite of integers", [](A t, T) { xg::isfinite(t.i); }, dtype, {"[isfinite]", "i64", "astype"}},
        {"i64 < 0.5", [](A t, T) { drop(t.i < 0.5); }, dtype, {"[less]", "0.5", "i64", "astype"}},
        {"maximum of integers and 2.5", [](A t, T) { xg::maximum(t.i, 2.5); }, dtype, {"[maximum]", "2.5", "i64", "astype"}},
        {"where, half an integer", [](A t, T) { xg::where(t.m, t.i, 0.5); }, dtype, {"[where]", "0.5", "i64", "astype"}},
        {"clip of integers at a half", [](A t, T) { xg::clip(t.i, 0.5, 2.5); }, dtype, {"[clip]", ".5", "i64", "astype"}},
        {"clip of booleans", [](A t, T) { xg::clip(t.m, 0, 1); }, dtype, {"[clip]", "boolean", "astype"}},
        {"clip, the bounds the wrong way round", [](A t, T) { xg::clip(t.a, 2., 1.); }, error, {"[clip]", "2 > 1", "lower"}},
        {"clip, a bound that is no number", [](A t, T) { xg::clip(t.a, NAN, 1.); }, error, {"[clip]", "nan"}},
    };
}

std::vector<Row> creation() {
    return {
        {"zeros, a negative extent",
         [](A, T) {
             xg::zeros({2, -1});
         },
         shape,
         {"[zeros]", "negative", "(2, -1)", "0 or more"}},
        {"ones, a negative extent", [](A, T) { xg::ones({-5}, xg::f32); }, shape, {"[ones]", "negative", "(-5,)"}},
        {"full, overflow",
         [](A, T) {
             xg::full({huge, huge}, 1.);
         },
         shape,
         {"[full]", "overflow", "1099511627776"}},
        {"zeros, overflow behind an empty axis",
         [](A, T) {
             xg::zeros({0, huge, huge});
         },
         shape,
         {"[zeros]", "overflow"}},
        {"zeros, an unsigned extent beyond all",
         [](A, T) {
             xg::zeros({std::numeric_limits<std::uint64_t>::max(), std::uint64_t(2)});
         },
         shape,
         {"[zeros]", "overflow"}},
        {"full of half an integer", [](A, T) { xg::full({2}, 0.5, xg::i64); }, dtype, {"[full]", "0.5", "i64"}},
        {"full_like of half an integer", [](A t, T) { xg::full_like(t.i, 0.5); }, dtype, {"[full_like]", "0.5", "i64"}},
        {"zeros, more than there is",
         [](A, T) { xg::zeros({xg::Index(1) << 50}); },
         error,
         {"[zeros]", "(1125899906842624,)", "no memory"}},
        {"exp, more than there is",
         [](A t, T) { xg::exp(xg::broadcast_to(t.s, {xg::Index(1) << 50})); },
         error,
         {"[exp]", "(1125899906842624,)", "no memory"}},
        {"copy, more than there is",
         [](A t, T) {
             xg::copy(xg::broadcast_to(t.s, {xg::Index(1) << 50, 3}));
         },
         error,
         {"[copy]", "no memory"}},
        {"matmul, more than there is",
         [](A t, T) {
             xg::matmul(xg::broadcast_to(t.s, {xg::Index(1) << 30, 1}), xg::broadcast_to(t.s, {1, xg::Index(1) << 28}));
         },
         error,
         {"[matmul]", "no memory"}},
        {"arange, step 0", [](A, T) { xg::arange(0., 1., 0.); }, error, {"[arange]", "step", "0"}},
        {"arange, no end", [](A, T) { xg::arange(0., INFINITY); }, error, {"[arange]", "inf"}},
        {"arange, too much", [](A, T) { xg::arange(0., 1e17); }, error, {"[arange]"}},
        {"linspace, a negative number", [](A, T) { xg::linspace(0, 1, -3); }, shape, {"[linspace]", "negative", "-3"}},
        {"eye, a negative extent", [](A, T) { xg::eye(-2); }, shape, {"[eye]", "negative"}},
        {"eye, three extents",
         [](A, T) {
             xg::eye({2, 3, 4});
         },
         shape,
         {"[eye]", "(2, 3, 4)", "two"}},
        {"tensor, ragged rows",
         [](A, T) {
             xg::tensor({{1., 2.}, {3.}});
         },
         shape,
         {"[tensor]", "2", "1"}},
        {"tensor, ragged deeper down",
         [](A, T) {
             xg::tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8, 9}}});
         },
         shape,
         {"[tensor]", "2", "3"}},
        {"tensor, an empty row first",
         [](A, T) {
             xg::tensor({{}, {1., 2.}});
         },
         shape,
         {"[tensor]", "0", "2"}},
        {"randn of integers",
         [](A, T) {
             xg::Rng rng(1);
             xg::randn({2}, xg::i64, rng);
         },
         dtype,
         {"[randn]", "i64", "randint"}},
        {"randn, a negative extent",
         [](A, T) {
             xg::Rng rng(1);
             xg::randn({-2}, xg::f64, rng);
         },
         shape,
         {"[randn]", "negative"}},
        {"uniform, no range",
         [](A, T) {
             xg::Rng rng(1);
             xg::uniform({2}, xg::f64, rng, 1, 0);
         },
         error,
         {"[uniform]", "1", "0", "lower"}},
        {"uniform of booleans",
         [](A, T) {
             xg::Rng rng(1);
             xg::uniform({2}, xg::boolean, rng);
         },
         dtype,
         {"[uniform]", "boolean"}},
        {"randint, no range",
         [](A, T) {
             xg::Rng rng(1);
             xg::randint({2}, 3, 3, rng);
         },
         error,
         {"[randint]", "3", "lower"}},
        {"permutation of a negative number",
         [](A, T) {
             xg::Rng rng(1);
             xg::permutation(-4, rng);
         },
         shape,
         {"[permutation]", "-4"}},
        {"categorical, a negative weight",
         [](A t, T) {
             xg::Rng rng(1);
             xg::categorical(t.a, rng);
         },
         error,
         {"[categorical]", "row 0", "(2, 3)", "softmax"}},
        {"categorical, no weight at all",
         [](A, T) {
             xg::Rng rng(1);
             xg::categorical(xg::zeros({2, 3}), rng);
         },
         error,
         {"[categorical]", "row 0"}},
        {"categorical, no classes",
         [](A, T) {
             xg::Rng rng(1);
             xg::categorical(xg::zeros({2, 0}), rng);
         },
         error,
         {"[categorical]"}},
        {"categorical of integers",
         [](A t, T) {
             xg::Rng rng(1);
             xg::categorical(t.i, rng);
         },
         dtype,
         {"[categorical]", "i64", "astype"}},
        {"categorical of a scalar",
         [](A t, T) {
             xg::Rng rng(1);
             xg::categorical(t.s, rng);
         },
         shape,
         {"[categorical]", "scalar"}},
        {"set_num_threads(0)", [](A, T) { xg::set_num_threads(0); }, error, {"[set_num_threads]", "0", "1 or more"}},
        {"set_num_threads(-2)", [](A, T) { xg::set_num_threads(-2); }, error, {"[set_num_threads]", "-2", "1 or more"}},
    };
}

std::vector<Row> reading() {
    return {
        {"item of many", [](A t, T) { static_cast<void>(t.a.item<double>()); }, shape, {"[item]", "(2, 3)", "sum"}},
        {"item of none", [](A t, T) { static_cast<void>(t.nothing.item<double>()); }, shape, {"[item]", "(0, 3)"}},
        {"item as an integer", [](A t, T) { static_cast<void>(t.i.item<int>()); }, shape, {"[item]", "(2, 3)"}},
        {"a conversion of many", [](A t, T) { static_cast<void>(static_cast<double>(t.v)); }, shape, {"[item]", "(3,)"}},
        {"data of another dtype",
         [](A t, T) { static_cast<void>(t.a.data<float>()); },
         dtype,
         {"[data]", "f64", "f32", "astype"}},
        {"values of another dtype", [](A t, T) { static_cast<void>(t.i.values<double>()); }, dtype, {"i64", "f64", "astype"}},
        {"shape of no such axis", [](A t, T) { static_cast<void>(t.a.shape(2)); }, index, {"[shape]", "axis 2", "-2 to 1"}},
        {"shape of no such axis of a scalar", [](A t, T) { static_cast<void>(t.s.shape(-1)); }, index, {"[shape]", "axis -1"}},
    };
}

std::vector<Row> of_tapes() {
    return {
        {"gradient of many",
         [](A t, T tape) { tape.gradient(t.a * t.a, t.a); },
         tape_error,
         {"[gradient]", "(2, 3)", "sum", "vjp"}},
        {"gradient, made elsewhere",
         [](A t, T tape) { tape.gradient(t.s, t.a); },
         tape_error,
         {"[gradient]", "()", "under this tape"}},
        {"gradient, never seen",
         [](A t, T tape) { tape.gradient(xg::sum(t.a), t.cube); },
         tape_error,
         {"[gradient]", "(2, 3, 4)", "never seen", "reshape", "zeros_if_unused"}},
        {"gradient of an integer", [](A t, T tape) { tape.gradient(xg::sum(t.i), t.a); }, dtype, {"[gradient]", "i64", "astype"}},
        {"gradient with respect to a mask",
         [](A t, T tape) { tape.gradient(xg::sum(t.a), t.m); },
         dtype,
         {"[gradient]", "boolean", "(2, 3)", "astype"}},
        {"gradient of an empty tensor", [](A t, T tape) { tape.gradient(t.none, t.a); }, error, {"[gradient]", "empty tensor"}},
        {"gradient with respect to an empty tensor",
         [](A t, T tape) {
             tape.gradient(xg::sum(t.a), {t.a, t.none});
         },
         error,
         {"[gradient]", "empty tensor"}},
        {"vjp, a cotangent of another shape",
         [](A t, T tape) { tape.vjp(t.a * 2., t.v, t.a); },
         shape,
         {"[vjp]", "(3,)", "(2, 3)", "broadcast_to"}},
        {"vjp, a cotangent of another dtype",
         [](A t, T tape) { tape.vjp(t.a * 2., t.f, t.a); },
         dtype,
         {"[vjp]", "f32", "f64", "astype"}},
        {"vjp, an empty cotangent",
         [](A t, T tape) { tape.vjp(t.a * 2., t.none, t.a); },
         error,
         {"[vjp]", "cotangent", "empty tensor"}},
        {"jvp, a tangent of another shape",
         [](A t, T tape) { tape.jvp(t.a * 2., t.a, t.v); },
         shape,
         {"[jvp]", "(3,)", "(2, 3)", "broadcast_to"}},
        {"jvp, a tangent of another dtype",
         [](A t, T tape) { tape.jvp(t.a * 2., t.a, t.f); },
         dtype,
         {"[jvp]", "f32", "f64", "astype"}},
        {"jvp, an integer tangent", [](A t, T tape) { tape.jvp(t.a * 2., t.a, t.i); }, dtype, {"[jvp]", "i64", "astype"}},
        {"jvp, too few tangents",
         [](A t, T tape) {
             tape.jvp(t.a * t.v, std::vector{t.a, t.v}, std::vector{t.a});
         },
         tape_error,
         {"[jvp]", "2 targets", "1 tangents"}},
        {"jvp, never seen",
         [](A t, T tape) { tape.jvp(t.a * 2., t.cube, t.cube); },
         tape_error,
         {"[jvp]", "(2, 3, 4)", "never seen"},
         {"zeros_if_unused"}},
        {"stop_gradient of an empty tensor",
         [](A t, T) { xg::stop_gradient(t.none); },
         error,
         {"[stop_gradient]", "empty tensor"}},
        {"check_finite",
         [](A t, T) {
             xg::Tape strict(xg::check_finite);
             xg::log(t.a);
         },
         tape_error,
         {"[log]", "NaN", "f64", "(2, 3)"}},
    };
}

/// A default-constructed tensor as each argument of each op; the name in brackets is the one that the user wrote.
struct EmptyRow {
    std::string op;
    std::function<void(const Arguments&)> call;
};

std::vector<EmptyRow> empty_rows() {
    std::vector<EmptyRow> rows;
    const auto add = [&](std::string op, std::function<void(A)> call) { rows.push_back({std::move(op), std::move(call)}); };
    add("add", [](A t) { t.a + t.none; });
    add("add", [](A t) { t.none + t.a; });
    add("add", [](A t) { t.none + 1.5; });
    add("add", [](A t) { 2 + t.none; });
    add("subtract", [](A t) { t.none - t.none; });
    add("subtract", [](A t) { t.none - 1.5; });
    add("subtract", [](A t) { 1.5 - t.none; });
    add("subtract", [](A t) { 2 - t.none; });
    add("multiply", [](A t) { drop(t.a * t.none); });
    add("multiply", [](A t) { t.none * 1.5; });
    add("multiply", [](A t) { 2 * t.none; });
    add("divide", [](A t) { t.none / t.a; });
    add("divide", [](A t) { t.none / 2.; });
    add("divide", [](A t) { t.none / 3.; });
    add("divide", [](A t) { 1. / t.none; });
    add("pow", [](A t) { xg::pow(t.none, t.a); });
    for (const double p : {0., 1., 2., 2.5}) add("pow", [p](A t) { xg::pow(t.none, p); });
    add("pow", [](A t) { xg::pow(2., t.none); });
    add("maximum", [](A t) { xg::maximum(t.a, t.none); });
    add("maximum", [](A t) { xg::maximum(t.none, 1.); });
    add("minimum", [](A t) { xg::minimum(t.none, t.a); });
    add("minimum", [](A t) { xg::minimum(1., t.none); });
    add("less", [](A t) { drop(t.none < t.a); });
    add("less", [](A t) { drop(t.none < 1.); });
    add("less_equal", [](A t) { drop(t.a <= t.none); });
    add("greater", [](A t) { drop(t.none > t.a); });
    add("greater_equal", [](A t) { drop(t.none >= t.a); });
    add("equal", [](A t) { xg::equal(t.none, t.none); });
    add("not_equal", [](A t) { xg::not_equal(t.none, 1.); });
    add("logical_and", [](A t) { drop(t.m && t.none); });
    add("logical_or", [](A t) { drop(t.none || t.m); });
    add("logical_xor", [](A t) { xg::logical_xor(t.none, t.m); });
    add("logical_not", [](A t) { drop(!t.none); });
    add("where", [](A t) { xg::where(t.none, t.a, t.a); });
    add("where", [](A t) { xg::where(t.m, t.none, t.a); });
    add("where", [](A t) { xg::where(t.m, t.a, t.none); });
    add("where", [](A t) { xg::where(t.m, t.none, 1.); });
    add("clip", [](A t) { xg::clip(t.none, 0., 1.); });
    add("clip", [](A t) { xg::clip(t.a, t.none, 1.); });
    add("clip", [](A t) { xg::clip(t.none, t.a, t.a); });
    add("negative", [](A t) { -t.none; });
    add("abs", [](A t) { xg::abs(t.none); });
    add("square", [](A t) { xg::square(t.none); });
    add("exp", [](A t) { xg::exp(t.none); });
    add("log", [](A t) { xg::log(t.none); });
    add("sqrt", [](A t) { xg::sqrt(t.none); });
    add("erf", [](A t) { xg::erf(t.none); });
    add("sin", [](A t) { xg::sin(t.none); });
    add("cos", [](A t) { xg::cos(t.none); });
    add("tanh", [](A t) { xg::tanh(t.none); });
    add("sigmoid", [](A t) { xg::sigmoid(t.none); });
    add("relu", [](A t) { xg::relu(t.none); });
    add("gelu", [](A t) { xg::gelu(t.none); });
    add("gelu_tanh", [](A t) { xg::gelu_tanh(t.none); });
    add("isfinite", [](A t) { xg::isfinite(t.none); });
    add("astype", [](A t) { xg::astype(t.none, xg::f32); });
    add("matmul", [](A t) { xg::matmul(t.a, t.none); });
    add("matmul", [](A t) { xg::matmul(t.none, t.a); });
    add("sum", [](A t) { xg::sum(t.none); });
    add("mean", [](A t) { xg::mean(t.none, 0); });
    add("amax", [](A t) { xg::amax(t.none); });
    add("amin", [](A t) { xg::amin(t.none, {0, 1}); });
    add("logsumexp", [](A t) { xg::logsumexp(t.none, 0, xt::keep_dims); });
    add("any", [](A t) { xg::any(t.none); });
    add("all", [](A t) { xg::all(t.none); });
    add("argmax", [](A t) { xg::argmax(t.none); });
    add("argmax", [](A t) { xg::argmax(t.none, 0); });
    add("softmax", [](A t) { xg::softmax(t.none); });
    add("softmax_vjp", [](A t) { xg::softmax_vjp(t.none, t.a); });
    add("softmax_vjp", [](A t) { xg::softmax_vjp(t.a, t.none); });
    add("log_softmax", [](A t) { xg::log_softmax(t.none, 0); });
    add("layer_norm", [](A t) { xg::layer_norm(t.none); });
    add("layer_norm", [](A t) { xg::layer_norm(t.none, t.v, t.v); });
    add("layer_norm", [](A t) { xg::layer_norm(t.a, t.none); });
    add("layer_norm", [](A t) { xg::layer_norm(t.a, t.v, t.none); });
    add("cross_entropy", [](A t) { xg::cross_entropy(t.none, t.labels); });
    add("cross_entropy", [](A t) { xg::cross_entropy(t.a, t.none); });
    add("reshape", [](A t) { xg::reshape(t.none, {1}); });
    add("broadcast_to", [](A t) { xg::broadcast_to(t.none, {1}); });
    add("copy", [](A t) { xg::copy(t.none); });
    add("transpose", [](A t) { xg::transpose(t.none); });
    add("squeeze", [](A t) { xg::squeeze(t.none); });
    add("expand_dims", [](A t) { xg::expand_dims(t.none, 0); });
    add("split", [](A t) { xg::split(t.none, 2); });
    add("concatenate", [](A t) { xg::concatenate({t.none, t.a}); });
    add("concatenate", [](A t) { xg::concatenate({t.a, t.none}); });
    add("stack", [](A t) { xg::stack({t.none, t.a}); });
    add("stack", [](A t) { xg::stack({t.a, t.none}); });
    add("view", [](A t) { xg::view(t.none, 0); });
    add("set_view", [](A t) { static_cast<void>(xg::set_view(t.none, t.a, 0)); });
    add("set_view", [](A t) { static_cast<void>(xg::set_view(t.none, 1., 0)); });
    add("set_view", [](A t) { static_cast<void>(xg::set_view(t.a, t.none, 0)); });
    add("take", [](A t) { xg::take(t.none, t.rows); });
    add("take", [](A t) { xg::take(t.a, t.none); });
    add("index_add", [](A t) { xg::index_add(t.none, t.rows, t.a); });
    add("index_add", [](A t) { xg::index_add(t.a, t.none, t.a); });
    add("index_add", [](A t) { xg::index_add(t.a, t.rows, t.none); });
    add("one_hot", [](A t) { xg::one_hot(t.none, 3); });
    add("zeros_like", [](A t) { xg::zeros_like(t.none); });
    add("ones_like", [](A t) { xg::ones_like(t.none); });
    add("full_like", [](A t) { xg::full_like(t.none, 2.); });
    add("categorical", [](A t) {
        xg::Rng rng(1);
        xg::categorical(t.none, rng);
    });
    add("stop_gradient", [](A t) { xg::stop_gradient(t.none); });
    add("item", [](A t) { static_cast<void>(t.none.item<double>()); });
    add("data", [](A t) { static_cast<void>(t.none.data<double>()); });
    add("dtype", [](A t) { static_cast<void>(t.none.dtype()); });
    add("shape", [](A t) { static_cast<void>(t.none.shape()); });
    add("shape", [](A t) { static_cast<void>(t.none.shape(0)); });
    add("strides", [](A t) { static_cast<void>(t.none.strides()); });
    add("dimension", [](A t) { static_cast<void>(t.none.dimension()); });
    add("size", [](A t) { static_cast<void>(t.none.size()); });
    add("gradient", [](A t) {
        xg::Tape tape;
        tape.gradient(t.none, t.a);
    });
    add("jvp", [](A t) {
        xg::Tape tape;
        tape.jvp(xg::sum(t.a), t.a, t.none);
    });
    return rows;
}

/// What can be seen of a tensor from outside.
struct Snapshot {
    bool defined;
    xg::Shape extents, strides;
    xg::Dtype type = xg::f64;
    const void* memory = nullptr;
    std::string bytes;

    explicit Snapshot(const xg::Tensor& x) : defined(x.defined()) {
        if (!defined) return;
        extents = x.shape();
        strides = x.strides();
        type = x.dtype();
        const auto take = [&](const auto* p) {
            memory = p;
            bytes.resize(x.size() * sizeof *p);
            if (!bytes.empty()) std::memcpy(bytes.data(), p, bytes.size());
        };
        switch (type) {
            case xg::f32: take(x.data<float>()); break;
            case xg::f64: take(x.data<double>()); break;
            case xg::i64: take(x.data<std::int64_t>()); break;
            case xg::boolean: take(x.data<bool>()); break;
        }
    }
    bool operator==(const Snapshot&) const = default;
};

/// Everything that is true of every error.
void check_call(const std::string& name, const std::function<void(A, T)>& call, const std::type_info& type, const Strings& says,
                const Strings& never) {
    CAPTURE(name);
    const Arguments t;
    std::vector<Snapshot> before;
    for (const xg::Tensor& x : t.all()) before.emplace_back(x);

    xg::Tape tape(xg::persistent);
    const xg::Tensor h = t.a * t.a;
    std::string text;
    try {
        call(t, tape);
    } catch (const std::exception& e) {
        text = e.what();
        const std::string thrown = typeid(e).name(), expected = type.name();
        CHECK(thrown == expected);
    }
    CAPTURE(text);
    CHECK_FALSE(text.empty());
    if (text.empty()) return;
    for (const std::string& part : says) {
        CAPTURE(part);
        CHECK((text.find(part) != std::string::npos));
    }
    for (const std::string& part : never) {
        CAPTURE(part);
        CHECK((text.find(part) == std::string::npos));
    }
    CHECK(text[0] == '[');
    CHECK(text.find("] ") < 24);
    CHECK((text.find("; ") != std::string::npos));           // what to do
    CHECK((text.find("use 0 to -1") == std::string::npos));  // that helps nobody
    CHECK((text.find("are 0 to -1") == std::string::npos));
    CHECK((text.find('\n') == std::string::npos));
    CHECK(text.size() < 400);

    const auto all = t.all();
    for (std::size_t i = 0; i < all.size(); ++i) CHECK((Snapshot(all[i]) == before[i]));

    const xg::Tensor y = xg::sum(h * t.v);
    const auto [da, dh] = tape.gradient(y, {t.a, h});
    const double *a = t.a.data<double>(), *v = t.v.data<double>();
    REQUIRE(da.shape() == t.a.shape());
    for (std::int64_t r = 0; r < 2; ++r)
        for (std::int64_t k = 0; k < 3; ++k) {
            CHECK(xg::view(da, r, k).item<double>() == 2 * a[r * 3 + k] * v[k]);
            CHECK(xg::view(dh, r, k).item<double>() == v[k]);
        }
}

void check_rows(const std::vector<Row>& rows) {
    for (const Row& row : rows) check_call(row.name, row.call, row.type, row.says, row.never);
}

}  // namespace

TEST_CASE("the table has at least sixty bad calls, each under a name of its own") {
    std::vector<std::string> names;
    for (auto* family : {broadcasting, products, arrangements, slices, reductions, of_rows, dtypes, creation, reading, of_tapes})
        for (const Row& row : family()) {
            CHECK(std::find(names.begin(), names.end(), row.name) == names.end());
            names.push_back(row.name);
        }
    CHECK(names.size() >= 60);
}

TEST_CASE("shapes that do not broadcast") { check_rows(broadcasting()); }
TEST_CASE("products that do not fit") { check_rows(products()); }
TEST_CASE("arrangements that do not exist") { check_rows(arrangements()); }
TEST_CASE("slices and indices out of range") { check_rows(slices()); }
TEST_CASE("reductions of what is not there") { check_rows(reductions()); }
TEST_CASE("functions of rows") { check_rows(of_rows()); }
TEST_CASE("dtypes that an op does not take") { check_rows(dtypes()); }
TEST_CASE("tensors that cannot be made") { check_rows(creation()); }
TEST_CASE("reading what is not there") { check_rows(reading()); }
TEST_CASE("calls of the tape") { check_rows(of_tapes()); }

TEST_CASE("an empty tensor is an error of every op, under the name that the user wrote") {
    for (const EmptyRow& row : empty_rows())
        check_call(row.op + " of an empty tensor", [&](A t, T) { row.call(t); }, error,
                   {"[" + row.op + "]", "empty tensor", "default-constructed", "assign"}, {});
}

TEST_CASE("a call that fails leaves no node on the tape") {
    const Arguments t;
    for (auto* family : {broadcasting, products, arrangements, slices, reductions, of_rows, dtypes, creation, reading})
        for (const Row& row : family()) {
            CAPTURE(row.name);
            if (row.name.find("more than there is") != std::string::npos) continue;  // these calls make a view first
            xg::Tape tape;
            CHECK_THROWS_AS(row.call(t, tape), xg::Error);
            CHECK(tape.nodes() == 0);
        }
}

TEST_CASE("a variable keeps its value when the operation that should rebind it fails") {
    xg::Tensor x = xg::tensor({1., 2., 3.});
    const xg::Tensor y = x;
    CHECK_THROWS_AS(x += xg::ones({2}), xg::ShapeError);
    CHECK_THROWS_AS(x *= xg::ones({3}, xg::f32), xg::DtypeError);
    CHECK_THROWS_AS(x -= xg::Tensor(), xg::Error);
    CHECK_THROWS_AS(x /= xg::tensor({true, false, true}), xg::DtypeError);
    REQUIRE(x.defined());
    CHECK(x.data<double>() == y.data<double>());
    CHECK(xg::sum(x).item<double>() == 6);
    std::ostringstream os;
    os << xg::Tensor();
    CHECK_FALSE(os.str().empty());
}

TEST_CASE("a generator keeps its place when drawing fails") {
    xg::Rng rng(3);
    xg::randn({5}, xg::f64, rng);
    const auto position = rng.position();
    CHECK_THROWS_AS(xg::randn({-1}, xg::f64, rng), xg::Error);
    CHECK_THROWS_AS(xg::uniform({3}, xg::f64, rng, 1, 0), xg::Error);
    CHECK_THROWS_AS(xg::randint({3}, 1, 0, rng), xg::Error);
    CHECK_THROWS_AS(xg::permutation(-1, rng), xg::Error);
    CHECK_THROWS_AS(xg::categorical(xg::tensor({{1., 2.}, {0., -1.}}), rng), xg::Error);
    CHECK_THROWS_AS(xg::randn({xg::Index(1) << 50}, xg::f64, rng), xg::Error);
    CHECK(rng.position() == position);
}

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
