// What is tried: each public op with random arguments. An op without an entry here fails the test.
#pragma once
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "random.hpp"

namespace views {

using Inputs = std::vector<Tensor>;

/// A tensor that a case takes: random elements in [low, high), or those given.
struct Input {
    Shape shape;
    Dtype dtype = xg::f64;
    double low = -2, high = 2;
    Tensor values = {};
    bool constant = false;  // nobody asks for its gradient
};

/// How far the result of a view may be from that of a dense copy: not at all, or, where the order of a sum follows memory, by
/// rounding.
enum class Agreement { bits, rounding };

struct Case {
    std::vector<Input> inputs;
    std::function<Tensor(const Inputs&)> call;
    std::string arguments = {};
    bool differentiable = true;
    Agreement agreement = Agreement::bits, gradients = Agreement::bits;
};

struct Op {
    std::string name;
    std::function<Case(Random&)> make;
};

std::vector<Op> attention_ops();
std::vector<Op> convolution_ops();
std::vector<Op> elementwise_ops();
std::vector<Op> index_ops();
std::vector<Op> linalg_ops();
std::vector<Op> matrix_ops();
std::vector<Op> reduce_ops();
std::vector<Op> row_ops();
std::vector<Op> shape_ops();

inline std::vector<Op> all_ops() {
    std::vector<Op> all;
    for (const auto family :
         {attention_ops, convolution_ops, elementwise_ops, index_ops, linalg_ops, matrix_ops, reduce_ops, row_ops, shape_ops})
        for (Op& op : family()) all.push_back(std::move(op));
    return all;
}

template <class... T>
std::string text(const T&... parts) {
    std::ostringstream s;
    (s << ... << parts);
    return s.str();
}

/// An op of one tensor.
inline Case of_one(Input x, std::string arguments, std::function<Tensor(const Tensor&)> f) {
    return {.inputs = {std::move(x)}, .call = [f](const Inputs& v) { return f(v[0]); }, .arguments = std::move(arguments)};
}
inline Case unrecorded(Case c) {
    c.differentiable = false;
    return c;
}
inline Case by_rounding(Case c) {
    c.agreement = c.gradients = Agreement::rounding;
    return c;
}

}  // namespace views
