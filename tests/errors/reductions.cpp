// Bad calls of reductions, scans and sorting: the right class, a message that says what to do, and the tape goes on.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <typeinfo>
#include <vector>

#include <xtensor/xarray.hpp>
#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

namespace {

const xg::Tensor a = xg::tensor({{0.5, -1.25, 2.}, {1.5, 0.75, -0.25}}), s = xg::Tensor(1.5), nothing = xg::zeros({0, 3}), none,
                 i = xg::tensor({{1, -2, 3}, {4, 0, 6}}), m = a > 0., v = xg::tensor({2., 3., 4.});

struct Row {
    std::string name;
    std::function<void()> call;
    const std::type_info& type;
    std::vector<std::string> says;
};

const std::type_info &shape = typeid(xg::ShapeError), &dtype = typeid(xg::DtypeError), &error = typeid(xg::Error);

const std::vector<Row> rows{
    {"prod, no such axis", [] { xg::prod(a, 2); }, shape, {"[prod]", "axis 2", "-2 to 1"}},
    {"prod, an axis twice",
     [] {
         xg::prod(a, {0, -2});
     },
     shape,
     {"[prod]", "twice"}},
    {"prod of an empty tensor", [] { xg::prod(none); }, error, {"[prod]", "empty tensor"}},
    {"argmin of nothing", [] { xg::argmin(nothing); }, shape, {"[argmin]", "(0, 3)"}},
    {"argmin of nothing along its axis", [] { xg::argmin(nothing, 0); }, shape, {"[argmin]", "(0, 3)"}},
    {"argmin, no such axis", [] { xg::argmin(a, -3); }, shape, {"[argmin]", "axis -3", "-2 to 1"}},
    {"argmin of an empty tensor", [] { xg::argmin(none); }, error, {"[argmin]", "empty tensor"}},
    {"count_nonzero, no such axis", [] { xg::count_nonzero(i, 4); }, shape, {"[count_nonzero]", "axis 4"}},
    {"count_nonzero of an empty tensor", [] { xg::count_nonzero(none); }, error, {"[count_nonzero]", "empty tensor"}},
    {"norm_l1 of integers", [] { xg::norm_l1(i); }, dtype, {"[norm_l1]", "i64", "astype"}},
    {"norm_l2 of booleans", [] { xg::norm_l2(m); }, dtype, {"[norm_l2]", "boolean", "astype"}},
    {"norm_sq of integers", [] { xg::norm_sq(i, 0); }, dtype, {"[norm_sq]", "i64", "astype"}},
    {"norm_linf of integers", [] { xg::norm_linf(i); }, dtype, {"[norm_linf]", "i64", "astype"}},
    {"norm_l1, no such axis", [] { xg::norm_l1(a, 3); }, shape, {"[norm_l1]", "axis 3"}},
    {"norm_l2, no such axis", [] { xg::norm_l2(a, 3); }, shape, {"[norm_l2]", "axis 3"}},
    {"norm_sq, no such axis", [] { xg::norm_sq(a, 3); }, shape, {"[norm_sq]", "axis 3"}},
    {"norm_linf, no such axis", [] { xg::norm_linf(a, 3); }, shape, {"[norm_linf]", "axis 3"}},
    {"norm_l2 of an empty tensor", [] { xg::norm_l2(none); }, error, {"[norm_l2]", "empty tensor"}},
    {"variance of integers", [] { xg::variance(i); }, dtype, {"[variance]", "i64", "astype"}},
    {"variance, a negative axis taken for ddof", [] { xg::variance(a, -1); }, shape, {"[variance]", "ddof is -1", "{-1}"}},
    {"variance, no such axis", [] { xg::variance(a, {2}); }, shape, {"[variance]", "axis 2", "-2 to 1"}},
    {"stddev, no such axis", [] { xg::stddev(a, 5, 1); }, shape, {"[stddev]", "axis 5"}},
    {"stddev, negative ddof", [] { xg::stddev(a, {1}, -2); }, shape, {"[stddev]", "ddof is -2"}},
    {"stddev of booleans", [] { xg::stddev(m); }, dtype, {"[stddev]", "boolean"}},
    {"stddev of an empty tensor", [] { xg::stddev(none); }, error, {"[stddev]", "empty tensor"}},
    {"average of integers", [] { xg::average(i); }, dtype, {"[average]", "i64"}},
    {"average, weights of another shape", [] { xg::average(a, v); }, shape, {"[average]", "(3,)", "(2, 3)", "one axis"}},
    {"average, weights of another axis", [] { xg::average(a, v, 0); }, shape, {"[average]", "(3,)", "(2, 3)"}},
    {"average, one line of weights for two axes",
     [] {
         xg::average(a, v, {0, 1});
     },
     shape,
     {"[average]", "(3,)", "(2, 3)"}},
    {"average, weights of another dtype",
     [] {
         xg::average(a, xg::ones({2, 3}, xg::f32));
     },
     dtype,
     {"[average]", "f32", "f64"}},
    {"average, weights of floats from xtensor",
     [] {
         xg::average(a, xt::xarray<float>(xt::ones<float>({2, 3})));
     },
     dtype,
     {"[average]", "f32", "f64"}},
    {"average, no such axis", [] { xg::average(a, v, 2); }, shape, {"[average]", "axis 2"}},
    {"average, empty weights", [] { xg::average(a, none); }, error, {"[average]", "empty tensor"}},
    {"average of an empty tensor", [] { xg::average(none); }, error, {"[average]", "empty tensor"}},
    {"cumsum, no such axis", [] { xg::cumsum(a, 2); }, shape, {"[cumsum]", "axis 2", "-2 to 1"}},
    {"cumsum of a scalar along an axis", [] { xg::cumsum(s, 0); }, shape, {"[cumsum]", "axis 0"}},
    {"cumsum of an empty tensor", [] { xg::cumsum(none); }, error, {"[cumsum]", "empty tensor"}},
    {"cumprod, no such axis", [] { xg::cumprod(a, -3); }, shape, {"[cumprod]", "axis -3"}},
    {"cumprod of an empty tensor", [] { xg::cumprod(none, 0); }, error, {"[cumprod]", "empty tensor"}},
    {"diff, no such axis", [] { xg::diff(a, 1, 2); }, shape, {"[diff]", "axis 2"}},
    {"diff of a scalar", [] { xg::diff(s); }, shape, {"[diff]", "axis -1"}},
    {"diff of an empty tensor", [] { xg::diff(none); }, error, {"[diff]", "empty tensor"}},
    {"sort, no such axis", [] { xg::sort(a, 2); }, shape, {"[sort]", "axis 2", "-2 to 1"}},
    {"sort of a scalar", [] { xg::sort(s); }, shape, {"[sort]", "axis -1"}},
    {"sort of an empty tensor", [] { xg::sort(none); }, error, {"[sort]", "empty tensor"}},
    {"sort_with_indices, no such axis", [] { xg::sort_with_indices(a, 2); }, shape, {"[sort_with_indices]", "axis 2"}},
    {"argsort, no such axis", [] { xg::argsort(a, -3); }, shape, {"[argsort]", "axis -3"}},
    {"argsort of an empty tensor", [] { xg::argsort(none); }, error, {"[argsort]", "empty tensor"}},
    {"topk, more than there are", [] { xg::topk(a, 4); }, shape, {"[topk]", "k is 4", "(2, 3)", "axis 1", "use 0 to 3"}},
    {"topk, a negative number", [] { xg::topk(a, -1); }, shape, {"[topk]", "k is -1"}},
    {"topk, no such axis", [] { xg::topk(a, 1, 2); }, shape, {"[topk]", "axis 2"}},
    {"topk of an empty tensor", [] { xg::topk(none, 1); }, error, {"[topk]", "empty tensor"}},
};

}  // namespace

TEST_CASE("bad calls of reductions, scans and sorting") {
    for (const Row& row : rows) {
        CAPTURE(row.name);
        xg::Tape tape;
        const xg::Tensor h = a * a;
        const auto nodes = tape.nodes();
        std::string text;
        try {
            row.call();
        } catch (const std::exception& e) {
            text = e.what();
            CHECK(std::string(typeid(e).name()) == row.type.name());
        }
        CAPTURE(text);
        for (const std::string& part : row.says) CHECK((text.find(part) != std::string::npos));
        CHECK((text.find("; ") != std::string::npos));
        CHECK(text.size() < 400);
        CHECK(tape.nodes() == nodes);
        CHECK(xg::sum(tape.gradient(xg::sum(h), a) - a * 2.).item<double>() == 0);
    }
}
