// Error messages: `[op] what is wrong: the shapes and dtypes; what to do`.
#pragma once
#include <sstream>
#include <string_view>

#include <xtgrad/error.hpp>
#include <xtgrad/tensor.hpp>

namespace xtgrad::detail {

/// Throws E with "[op] " and the parts, streamed.
template <class E, class... Part>
[[noreturn, gnu::cold, gnu::noinline]] void fail(std::string_view op, const Part&... parts) {
    std::ostringstream text;
    text << '[' << op << "] ";
    (text << ... << parts);
    throw E(text.str());
}

inline void check_defined(const char* op, const Tensor& x) {
    if (!x.defined()) [[unlikely]]
        fail_undefined(op);
}

/// The axis counted from the front. Throws ShapeError.
int normalized_axis(const char* op, Index axis, int rank);
/// Distinct axes counted from the front, ascending order not required. Throws ShapeError.
Axes normalized_axes(const char* op, const Axes&, int rank);

/// A tensor of f32 or f64, or DtypeError.
inline void check_floating(const char* op, const Tensor& x) {
    check_defined(op, x);
    if (!is_floating(x.dtype())) [[unlikely]]
        fail<DtypeError>(op, "needs f32 or f64, got ", x.dtype(), "; convert with astype(x, xg::f32)");
}
/// One dtype for both, or DtypeError.
inline void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
    if (a.dtype() != b.dtype()) [[unlikely]]
        fail<DtypeError>(op, "mixes ", a.dtype(), ' ', a.shape(), " and ", b.dtype(), ' ', b.shape(),
                         "; convert one, as in astype(a, xg::", b.dtype(), ")");
}

}  // namespace xtgrad::detail
