// The passes of the kernels over an attention: its values, their tangents, the adjoints of its inputs. Nothing is recorded.
#pragma once
#include "../tape/record.hpp"
#include "attention.hpp"

namespace xtgrad::detail {

/// Output and log-sum-exp as a vector, of inputs x: q, k, v, scale and perhaps a bias. Given rows, it fills them for the other
/// passes.
Tensor attention_values(std::span<const Tensor> x, const Attending&);
/// For the rows of this attention.
Tensor attention_rows(std::span<const Tensor> x, const Attending&);

/// The tangents of the values, given those; undefined tangents of the inputs are zero.
Tensor attention_tangent(std::span<const Tensor> x, const Attending&, std::span<const Tensor> dx, const Tensor& values);

/// The tangent of that tangent, `first_values` along `first`, for tangents of the inputs, of the values, and of `first`.
Tensor attention_second_tangent(std::span<const Tensor> x, const Attending&, std::span<const Tensor> first,
                                std::span<const Tensor> second, std::span<const Tensor> both, const Tensor& values,
                                const Tensor& first_values, const Tensor& second_values);

/// What the second derivative needs beside the adjoint: tangents of the inputs, of the cotangent, of the values.
struct Directions {
    std::span<const Tensor> inputs;
    Tensor cotangent, values;
};

/// Which of the inputs have adjoints: q, k and v always.
constexpr bool included(Need need, std::size_t i) { return i < 3 || need >> i & 1; }

/// The adjoints of the inputs for a cotangent of the values, or of the output alone; or their tangents. Given a vector, it
/// becomes all of them, and they its parts.
std::vector<Tensor> attention_adjoint(std::span<const Tensor> x, const Attending&, const Tensor& g, const Tensor& values, Need,
                                      const Directions* second = nullptr, Tensor* vector = nullptr);

}  // namespace xtgrad::detail
