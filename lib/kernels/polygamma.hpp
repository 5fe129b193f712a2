// The derivatives of log Gamma.
#pragma once

namespace xtgrad::kernels {

/// The derivative of order n + 1 of log |Gamma| at x: n = 0 is digamma, 1 trigamma. NaN for n < 0 and n > 30, and at the poles of
/// even n, where the limits from both sides differ (at +-0 one side is known, and its infinity the value).
double polygamma(double n, double x) noexcept;

}  // namespace xtgrad::kernels
