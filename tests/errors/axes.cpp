// An axis that does not exist, of each op that takes one: the name in brackets is the one that the user wrote, and the shape is
// told.
#include <doctest/doctest.h>

#include <limits>

#include "table.hpp"

using namespace errors;

namespace {

struct AxisRow {
    std::string op;
    std::function<void(A, xg::Index)> call;
    std::string shape = "(2, 3)";
};

std::vector<AxisRow> axis_rows() {
    std::vector<AxisRow> rows;
    const auto add = [&](std::string op, std::function<void(A, xg::Index)> call) {
        rows.push_back({std::move(op), std::move(call)});
    };
    add("sum", [](A t, auto k) { xg::sum(t.a, k); });
    add("sum", [](A t, auto k) { xg::sum(t.i, {xg::Index(0), k}); });
    add("prod", [](A t, auto k) { xg::prod(t.a, k); });
    add("mean", [](A t, auto k) { xg::mean(t.a, k); });
    add("average", [](A t, auto k) { xg::average(t.a, t.v, {k}); });
    add("average", [](A t, auto k) { xg::average(t.a, t.a, {k}); });
    add("variance", [](A t, auto k) { xg::variance(t.a, {k}); });
    add("stddev", [](A t, auto k) { xg::stddev(t.a, {k}); });
    add("amax", [](A t, auto k) { xg::amax(t.a, k); });
    add("amin", [](A t, auto k) { xg::amin(t.a, k, xt::keep_dims); });
    add("logsumexp", [](A t, auto k) { xg::logsumexp(t.a, k); });
    add("argmax", [](A t, auto k) { xg::argmax(t.a, k); });
    add("argmin", [](A t, auto k) { xg::argmin(t.i, k); });
    add("any", [](A t, auto k) { xg::any(t.m, k); });
    add("all", [](A t, auto k) { xg::all(t.m, k); });
    add("count_nonzero", [](A t, auto k) { xg::count_nonzero(t.i, k); });
    add("norm_l1", [](A t, auto k) { xg::norm_l1(t.a, k); });
    add("norm_l2", [](A t, auto k) { xg::norm_l2(t.a, k); });
    add("norm_sq", [](A t, auto k) { xg::norm_sq(t.a, k); });
    add("norm_linf", [](A t, auto k) { xg::norm_linf(t.a, k); });
    add("norm", [](A t, auto k) { xg::linalg::norm(t.a, 2., {k}); });
    add("cumsum", [](A t, auto k) { xg::cumsum(t.a, k); });
    add("cumprod", [](A t, auto k) { xg::cumprod(t.a, k); });
    add("diff", [](A t, auto k) { xg::diff(t.a, 1, k); });
    add("sort", [](A t, auto k) { xg::sort(t.a, k); });
    add("sort_with_indices", [](A t, auto k) { xg::sort_with_indices(t.a, k); });
    add("argsort", [](A t, auto k) { xg::argsort(t.a, k); });
    add("topk", [](A t, auto k) { xg::topk(t.a, 1, k); });
    add("softmax", [](A t, auto k) { xg::softmax(t.a, k); });
    add("log_softmax", [](A t, auto k) { xg::log_softmax(t.a, k); });
    add("softmax_vjp", [](A t, auto k) { xg::softmax_vjp(t.a, t.a, k); });
    add("flip", [](A t, auto k) { xg::flip(t.a, k); });
    add("roll", [](A t, auto k) { xg::roll(t.a, 1, k); });
    add("repeat", [](A t, auto k) { xg::repeat(t.a, 2, k); });
    add("repeat", [](A t, auto k) { xg::repeat(t.a, std::vector<std::size_t>{1, 2}, k); });
    add("swapaxes", [](A t, auto k) { xg::swapaxes(t.a, 0, k); });
    add("swapaxes", [](A t, auto k) { xg::swapaxes(t.a, k, 0); });
    add("moveaxis", [](A t, auto k) { xg::moveaxis(t.a, k, 0); });
    add("moveaxis", [](A t, auto k) { xg::moveaxis(t.a, 0, k); });
    add("transpose", [](A t, auto k) { xg::transpose(t.a, {xg::Index(0), k}); });
    add("permute", [](A t, auto k) { xg::permute(t.a, {k, xg::Index(0)}); });
    add("squeeze", [](A t, auto k) { xg::squeeze(t.a, k); });
    add("concatenate", [](A t, auto k) { xg::concatenate({t.a, t.a}, k); });
    add("take", [](A t, auto k) { xg::take(t.a, t.labels, k); });
    add("index_add", [](A t, auto k) { xg::index_add(t.a, t.labels, t.a, k); });
    add("take_along_axis", [](A t, auto k) { xg::take_along_axis(t.a, t.i, k); });
    add("scatter_add", [](A t, auto k) { xg::scatter_add(t.a, t.i, t.a, k); });
    add("diagonal", [](A t, auto k) { xg::diagonal(t.a, 0, 0, k); });
    add("trace", [](A t, auto k) { xg::trace(t.a, 0, k, 0); });
    add("tensordot", [](A t, auto k) { xg::tensordot(t.a, t.a, {k}, {0}); });
    add("tensordot", [](A t, auto k) { xg::tensordot(t.c, t.a, {0}, {k}); });
    return rows;
}

/// In these ops the axis counts those of the result.
std::vector<AxisRow> new_axis_rows() {
    return {
        {"stack",
         [](A t, auto k) {
             xg::stack({t.a, t.a}, k);
         }},
        {"expand_dims", [](A t, auto k) { xg::expand_dims(t.a, k); }},
    };
}

constexpr xg::Index far = std::numeric_limits<xg::Index>::max();

}  // namespace

TEST_CASE("an axis that does not exist is told with the shape, under the name that the user wrote") {
    for (const AxisRow& row : axis_rows())
        for (const xg::Index k : {xg::Index(2), xg::Index(-3), far, -far - 1}) {
            const std::string axis = "axis " + std::to_string(k) + " does not exist in " + row.shape;
            check_call(row.op + ' ' + axis, [&](A t, T) { row.call(t, k); }, shape, {"[" + row.op + "] " + axis, "use -2 to 1"});
        }
    for (const AxisRow& row : new_axis_rows())
        for (const xg::Index k : {xg::Index(3), xg::Index(-4), far, -far - 1})
            check_call(row.op, [&](A t, T) { row.call(t, k); }, shape,
                       {"[" + row.op + "] ", "axis " + std::to_string(k), row.shape, "-3 to 2"});
    check_call("an axis of a scalar", [](A t, T) { xg::sum(t.s, 0); }, shape,
               {"[sum] axis 0 does not exist in ()", "none to choose"});
    check_call("an axis twice",
               [](A t, T) {
                   xg::amax(t.a, {1, -1});
               },
               shape, {"[amax] axis -1 of (2, 3) is given twice in (1, -1)"});
    check_call("shape", [](A t, T) { static_cast<void>(t.a.shape(2)); }, errors::index,
               {"[shape] axis 2 does not exist in (2, 3)", "-2 to 1"});
    check_call("split", [](A t, T) { xg::split(t.a, 1, 2); }, shape, {"[split] axis 2 does not exist in (2, 3)", "-2 to 1"});
}
