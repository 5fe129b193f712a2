// Sums that keep what rounding loses.
#pragma once

namespace xtgrad::kernels {

/// A sum with its rounding errors beside it (Neumaier, ZAMM 54, 1974).
struct Compensated {
    double value = 0, lost = 0;

    void add(double x) {
        const double sum = value + x;
        lost += (value < 0 ? -value : value) >= (x < 0 ? -x : x) ? (value - sum) + x : (x - sum) + value;
        value = sum;
    }
    double get() const { return lost - lost == 0 ? value + lost : value; }  // inf + NaN is inf
};

}  // namespace xtgrad::kernels
