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

/// The indices that an extent allows, for the end of a message.
struct Choices {
    Index extent;
    friend std::ostream& operator<<(std::ostream& os, const Choices& c) {
        if (c.extent == 0) return os << "there is none to choose";
        return os << "use " << -c.extent << " to " << c.extent - 1;
    }
};

/// The labels that so many classes allow.
struct Labels {
    Index classes;
    friend std::ostream& operator<<(std::ostream& os, const Labels& l) {
        if (l.classes == 0) return os << "there is no class to name";
        return os << "labels are 0 to " << l.classes - 1;
    }
};

inline void check_defined(const char* op, const Tensor& x) {
    if (!x.defined()) [[unlikely]]
        fail_undefined(op);
}

/// Throws ShapeError naming `op` when a tensor cannot have so many axes.
inline void check_rank(const char* op, std::size_t rank) {
    if (rank > std::size_t(max_rank))
        fail<ShapeError>(op, "the result would have ", rank, " axes, of at most ", max_rank, "; join some with reshape first");
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
