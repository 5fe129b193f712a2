// A product of two tensors whose axes have names, and sums over some of them.
#pragma once
#include <string>

#include <xtgrad/tensor.hpp>

namespace xtgrad::detail {

/// A tensor with a label for each axis, all different.
struct Term {
    Tensor x;
    std::string labels;
};

inline bool has(const std::string& labels, char label) { return labels.find(label) != std::string::npos; }

/// The term without axes that are not in `keep`: summed over them.
Term summed(Term, const std::string& keep);
/// The term with its axes in this order, of the same labels. A view.
Term permuted(Term, const std::string& order);

/// The product, summed over the labels that are not in `keep`; where it can be one, a batch of matrix products that reads its
/// operands where they are. The result has its axes in any order, in that of `keep` if that costs nothing.
Term contract(Term a, Term b, const std::string& keep);

}  // namespace xtgrad::detail
