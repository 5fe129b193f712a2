// y[keep] = sum a[i] b[j] over all labels that are not kept. Made of ops, whose adjoints and tangents are its own.
#include "contraction.hpp"

#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>
#include <xtgrad/ops/reduction.hpp>

#include "../tensor/storage.hpp"
#include "arrangement.hpp"

namespace xtgrad::detail {
namespace {

Index extent(const Term& t, char label) { return t.x.shape()[t.labels.find(label)]; }

Index extents(const Term& t, const std::string& labels) {
    Index n = 1;
    for (const char label : labels) n *= extent(t, label);
    return n;
}

/// The axes of batch stay; those of each group become one.
Tensor as_matrices(const Term& t, const std::string& batch, const std::string& rows, const std::string& columns) {
    Tensor x = permuted(t, batch + rows + columns).x;
    if (rows.size() == 1 && columns.size() == 1) return x;
    Shape shape = x.shape();
    while (shape.size() > batch.size()) shape.pop_back();
    shape.push_back(extents(t, rows));
    shape.push_back(extents(t, columns));
    return reshape_in_place(x, shape);
}

/// With axes of extent 1 for the labels that it lacks.
Tensor spread(const Term& t, const std::string& labels) {
    std::string own;
    Shape shape;
    for (const char label : labels) {
        if (has(t.labels, label)) own += label;
        shape.push_back(has(t.labels, label) ? extent(t, label) : 1);
    }
    Tensor x = permuted(t, own).x;
    return shape == x.shape() ? x : reshape_in_place(x, shape);
}

}  // namespace

Term permuted(Term t, const std::string& order) {
    if (t.labels == order) return t;
    Axes axes;
    for (const char label : order) axes.push_back(Index(t.labels.find(label)));
    return {transpose(t.x, &axes), order};
}

Term summed(Term t, const std::string& keep) {
    Axes axes;
    std::string rest;
    for (std::size_t i = 0; i < t.labels.size(); ++i)
        has(keep, t.labels[i]) ? rest.push_back(t.labels[i]) : axes.push_back(Index(i));
    return axes.empty() ? t : Term{sum(t.x, &axes, false), rest};
}

Term contract(Term a, Term b, const std::string& keep) {
    a = summed(std::move(a), keep + b.labels);
    b = summed(std::move(b), keep + a.labels);
    // Columns of the product are its fastest axis.
    if (!keep.empty() && has(a.labels, keep.back()) && !has(b.labels, keep.back())) std::swap(a, b);
    std::string batch, rows, columns, inner;
    for (const char label : keep)
        if (has(a.labels, label) && has(b.labels, label) && !has(batch, label)) batch += label;
    for (const char label : a.labels) {
        if (!has(b.labels, label)) rows += label;
        if (has(b.labels, label) && !has(batch, label)) inner += label;
    }
    for (const char label : b.labels)
        if (!has(a.labels, label)) columns += label;
    const bool plain = batch.empty(), vectors = extents(a, rows) == 1 && extents(b, columns) == 1;
    // Sums of one element, and many short scalar products, are no work for a matrix product.
    const bool elementwise = inner.empty() ? !plain || rows.empty() || columns.empty() : vectors && extents(a, batch) != 1;
    if (elementwise) {
        const std::string all = batch + rows + columns + inner;
        return summed({spread(a, all) * spread(b, all), all}, keep);
    }
    Shape shape;
    for (const char label : batch + rows) shape.push_back(extent(a, label));
    for (const char label : columns) shape.push_back(extent(b, label));
    Tensor y = matmul(as_matrices(a, batch, rows, inner), as_matrices(b, batch, inner, columns));
    if (rows.size() != 1 || columns.size() != 1) y = reshape(y, shape);
    return {std::move(y), batch + rows + columns};
}

}  // namespace xtgrad::detail
