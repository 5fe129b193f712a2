// A tensor's elements, laid into memory in a random way: a view of a view of a buffer whose other elements are NaN.
#pragma once
#include "cases.hpp"

namespace views {

/// A tensor of that input's shape and dtype, with random elements; perhaps a view.
Tensor laid_out(Random&, const Input&, bool as_view);

/// f(position, where the element lies, counted from the first) for each element in row-major order.
void for_elements(const Tensor&, const std::function<void(Index, Index)>&);

/// The same elements, read one by one.
Tensor dense_copy(const Tensor&);

/// All elements as doubles, row-major.
std::vector<double> elements(const Tensor&);

/// Are all elements of these equal to the last bit, any NaN to any other?
bool same_bits(const Tensor& a, const Tensor& b);

/// What is wrong with how a tensor describes its memory; empty when nothing is.
std::string broken_rule(const Tensor&);

}  // namespace views
