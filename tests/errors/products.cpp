// Products, reductions and functions of rows.
#include <xtensor/xarray.hpp>
#include <xtensor/xview.hpp>

#include "table.hpp"

namespace errors {

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

std::vector<Row> reductions() {
    return {
        {"sum, no such axis", [](A t, T) { xg::sum(t.a, 2); }, shape, {"[sum]", "axis 2", "(2, 3)", "-2 to 1"}},
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
        {"sum of a scalar along an axis", [](A t, T) { xg::sum(t.s, 0); }, shape, {"[sum]", "axis 0", "()"}},
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

}  // namespace errors
