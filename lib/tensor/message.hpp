// Error messages: `[op] what is wrong: the shapes and dtypes; what to do`.
#pragma once
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>

#include <xtgrad/error.hpp>
#include <xtgrad/tensor.hpp>

namespace xtgrad::detail {

/// Something that is streamed into a message. (There are hundreds of messages: the compiler sees a stream once for each type.)
class MessagePart {
public:
    template <class T>
    MessagePart(const T& x) noexcept
        : at_(&x), write_([](std::ostream& os, const void* at) { os << *static_cast<const T*>(at); }) {}
    MessagePart(const char* text) noexcept
        : at_(text), write_([](std::ostream& os, const void* at) { os << static_cast<const char*>(at); }) {}

    friend std::ostream& operator<<(std::ostream& os, const MessagePart& p) { return p.write_(os, p.at_), os; }

private:
    const void* at_;
    void (*write_)(std::ostream&, const void*);
};

/// "[op] " and the parts.
std::string message(std::string_view op, std::initializer_list<MessagePart>);

/// Throws E with that message.
template <class E, class... T>
[[noreturn, gnu::cold, gnu::noinline]] void fail(std::string_view op, const T&... parts) {
    throw E(message(op, {MessagePart(parts)...}));
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

/// The axis of x counted from the front. Throws ShapeError.
int normalized_axis(const char* op, Index axis, const Tensor& x);
/// Distinct axes of x counted from the front, ascending order not required. Throws ShapeError.
Axes normalized_axes(const char* op, const Axes&, const Tensor& x);

/// A tensor of f32 or f64, or DtypeError.
inline void check_floating(const char* op, const Tensor& x) {
    check_defined(op, x);
    if (!is_floating(x.dtype())) [[unlikely]]
        fail<DtypeError>(op, "needs f32 or f64, got ", x.dtype(), ' ', x.shape(), "; convert with astype(x, xg::f32)");
}
/// Throws DtypeError for two dtypes: an integer or a boolean is what to convert, of f32 and f64 either.
[[noreturn]] void fail_mixed(const char* op, const Tensor& a, const Tensor& b);
/// One dtype for both, or DtypeError.
inline void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
    if (a.dtype() != b.dtype()) [[unlikely]]
        fail_mixed(op, a, b);
}

}  // namespace xtgrad::detail
