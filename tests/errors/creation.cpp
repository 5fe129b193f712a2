// Tensors that cannot be made, and reading what is not there.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "table.hpp"

namespace errors {

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
        {"matmul, sums of 2^31 terms",
         [](A t, T) {
             const xg::Index many = xg::Index(1) << 31;
             const auto [row, column] = [&] {
                 const xg::no_record outside;
                 return std::pair(xg::broadcast_to(t.s, {1, many}), xg::broadcast_to(t.s, {many, 1}));
             }();
             xg::matmul(row, column);
         },
         shape,
         {"[matmul]", "(1, 2147483648) x (2147483648, 1)", "split"}},
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
        {"item of a fraction as an integer",
         [](A, T) { static_cast<void>(xg::Tensor(2.5).item<int>()); },
         dtype,
         {"[item]", "2.5", "not an integer", "round"}},
        {"item out of the integer's range",
         [](A, T) { static_cast<void>(xg::Tensor(std::int64_t(1) << 40).item<int>()); },
         dtype,
         {"[item]", "1099511627776", "-2147483648 to 2147483647", "std::int64_t"}},
        {"an unsigned integer above i64",
         [](A, T) { static_cast<void>(xg::Tensor(~std::uint64_t(0))); },
         dtype,
         {"[Tensor]", "18446744073709551615", "i64", "double"}},
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

}  // namespace errors

namespace xg = xtgrad;

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
