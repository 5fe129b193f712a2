// What tests of values compare with.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include <xtgrad/xtgrad.hpp>

/// The elements of any dtype, row-major.
inline std::vector<double> list(const xtgrad::Tensor& x) {
    const xtgrad::Tensor dense = xtgrad::copy(xtgrad::astype(x, xtgrad::f64));
    return {dense.data<double>(), dense.data<double>() + dense.size()};
}
/// NaN equals NaN.
inline bool same(const xtgrad::Tensor& x, const std::vector<double>& want) {
    const auto got = list(x);
    return std::equal(got.begin(), got.end(), want.begin(), want.end(),
                      [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); });
}
