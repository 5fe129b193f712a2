// The elementwise op list, as the engine and the tests see it.
#pragma once
#include <span>

#include <xtgrad/ops/operands.hpp>

#include "../kernels/elementwise_table.hpp"
#include "../tape/record.hpp"

namespace xtgrad::rules {
struct Affine;
struct Reciprocal;
struct Clip;
struct Power;
struct Polygamma;
struct LeakyRelu;
struct Elu;
}  // namespace xtgrad::rules

namespace xtgrad::detail {

/// One slope of a rule, as the engine needs it.
struct Slope {
    Reads reads;
    std::optional<double> constant;
    /// g * slope as recorded ops; null when the slope is constant.
    Tensor (*recorded)(const Tensor& g, const Tensor& a, const Tensor& b, const Tensor& y, Numbers);
};

/// A row of the op list.
struct Elementwise : Op {
    int inputs;
    Place place;  // of its kernels
    Slope slope[2];
    Interval points[2];       // where tests take their points
    kernels::Kernel integer;  // for i64; null when there is none
    Reads saves;              // what one slope or the other looks at
    bool divides;             // its slopes are operands over the value
};

/// Every elementwise op.
std::span<const Elementwise* const> elementwise_ops();

/// The op's value; unary ops have no b.
Tensor apply(const Elementwise&, const Tensor& a, const Tensor& b, Numbers = {});
/// The value of a rule with numbers, instantiated in elementwise.cpp.
template <class Rule>
Tensor apply(const Tensor& x, Numbers);

/// The op of some rules.
template <class Rule>
const Op& op_of();

/// p x + q, recorded; of f32 and f64.
Tensor affine(const Tensor& x, double p, double q);

/// Throws DtypeError naming `op` when an i64 or boolean tensor cannot hold the number.
void check_fits(const char* op, Dtype, Literal);

/// The shape that two broadcast to. Throws ShapeError naming `op`.
Shape broadcast_shapes(const char* op, const Shape&, const Shape&);

}  // namespace xtgrad::detail
