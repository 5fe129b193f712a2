// Products of tensors, made of matrix products.
#include <xtgrad/ops/elementwise.hpp>
#include <xtgrad/ops/linear.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"
#include "contraction.hpp"

namespace xtgrad::detail {
namespace {

void check_operands(const char* op, const Tensor& a, const Tensor& b) {
    check_floating(op, a);
    check_floating(op, b);
    check_same_dtype(op, a, b);
}

/// The sum over pairs of axes, counted from the front; first a's other axes, then b's.
Tensor summed_over(const char* op, const Tensor& a, const Tensor& b, const Axes& of_a, const Axes& of_b) {
    std::string left(a.dimension(), '\0'), right(b.dimension(), '\0'), output;
    for (std::size_t i = 0; i < of_a.size(); ++i) {
        const auto p = std::size_t(of_a[i]), q = std::size_t(of_b[i]);
        if (a.shape()[p] != b.shape()[q])
            fail<ShapeError>(op, "extents differ: axis ", p, " of ", a.shape(), " has ", a.shape()[p], ", axis ", q, " of ",
                             b.shape(), " has ", b.shape()[q], "; name axes of one extent");
        left[p] = right[q] = char(1 + i);
    }
    char next = char(1 + of_a.size());
    for (std::string* labels : {&left, &right})
        for (char& label : *labels)
            if (label == '\0') output += label = next++;
    check_rank(op, output.size());
    return permuted(contract({a, left}, {b, right}, output), output).x;
}

Axes range(std::size_t begin, std::size_t end) {
    Axes axes;
    for (; begin < end; ++begin) axes.push_back(Index(begin));
    return axes;
}

Tensor flat(const Tensor& x) { return x.dimension() == 1 ? x : reshape(x, {element_count(x)}); }

}  // namespace

Tensor dot(const Tensor& a, const Tensor& b) {
    check_operands("dot", a, b);
    if (a.dimension() == 0 || b.dimension() == 0) return a * b;
    return summed_over("dot", a, b, {a.dimension() - 1}, {b.dimension() == 1 ? 0 : b.dimension() - 2});
}

Tensor vdot(const Tensor& a, const Tensor& b) {
    check_operands("vdot", a, b);
    if (a.size() != b.size())
        fail<ShapeError>("vdot", "sizes differ: ", a.shape(), " has ", a.size(), " elements, ", b.shape(), " has ", b.size(),
                         "; for matrices use matmul");
    return matmul(flat(a), flat(b));
}

Tensor outer(const Tensor& a, const Tensor& b) {
    check_operands("outer", a, b);
    return summed_over("outer", flat(a), flat(b), {}, {});
}

Tensor inner(const Tensor& a, const Tensor& b) {
    check_operands("inner", a, b);
    if (a.dimension() == 0 || b.dimension() == 0) return a * b;
    return summed_over("inner", a, b, {a.dimension() - 1}, {b.dimension() - 1});
}

Tensor tensordot(const Tensor& a, const Tensor& b, Index axes) {
    check_operands("tensordot", a, b);
    const std::size_t p = a.dimension(), q = b.dimension();
    if (axes < 0 || axes > Index(std::min(p, q)))
        fail<ShapeError>("tensordot", "cannot sum over the last ", axes, " axes of ", a.shape(), " and the first of ", b.shape(),
                         "; use 0 to ", std::min(p, q));
    return summed_over("tensordot", a, b, range(p - std::size_t(axes), p), range(0, std::size_t(axes)));
}

Tensor tensordot(const Tensor& a, const Tensor& b, const Axes& of_a, const Axes& of_b) {
    check_operands("tensordot", a, b);
    if (of_a.size() != of_b.size())
        fail<ShapeError>("tensordot", "axes ", of_a, " of ", a.shape(), " and ", of_b, " of ", b.shape(),
                         " are no pairs; name as many of each");
    return summed_over("tensordot", a, b, normalized_axes("tensordot", of_a, a), normalized_axes("tensordot", of_b, b));
}

}  // namespace xtgrad::detail
