// Arrangements that do not exist.
#include "table.hpp"

namespace errors {

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
         {"[expand_dims]", "3", "(2, 3)", "-3 to 2"},
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
         {"[stack]", "3", "(2, 3)", "-3 to 2"},
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

}  // namespace errors
