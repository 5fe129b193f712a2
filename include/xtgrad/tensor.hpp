// The tensor: a value that shares an immutable buffer.
#pragma once
#include <atomic>
#include <cstddef>
#include <iosfwd>
#include <utility>

#include "dtype.hpp"
#include "error.hpp"
#include "shape.hpp"

namespace xt {
template <class D>
class xexpression;
}

namespace [[gnu::visibility("default")]] xtgrad {

class Tensor;

namespace detail {

/// What a tensor points at: this header, shape[rank], strides[rank], and for an owner its elements. A view has a base,
/// which owns; it is never a view itself.
struct Block {
    std::atomic<std::uint32_t> references;
    Dtype dtype;
    std::uint8_t rank;
    bool dense;               // row-major without gaps: the strides are those of dense_strides(shape), and only then
    std::uint8_t size_class;  // of the pool
    std::uint64_t tag;        // identity on the tapes; never used twice
    std::byte* data;          // the first element; null: only the shape matters
    Block* base;              // null: an owner

    Index* shape() noexcept { return reinterpret_cast<Index*>(this + 1); }
    Index* strides() noexcept { return shape() + rank; }
};

void destroy(Block*) noexcept;

inline void retain(Block* b) noexcept { b->references.fetch_add(1, std::memory_order_relaxed); }
inline void release(Block* b) noexcept {
    // The last reference needs no locked decrement: nobody else is there to see it.
    if (b->references.load(std::memory_order_acquire) == 1 || b->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
        destroy(b);
}

[[noreturn]] void fail_undefined(const char* op);
void print(std::ostream&, const Tensor&);
template <class E>
const E& as_expression(const xt::xexpression<E>&);

/// What a deleted assignment returns, to be read in the compiler's message.
struct a_temporary_is_not_assigned_to_use_set_view;

}  // namespace detail

/// An xtensor container, view or lazy expression.
template <class E>
concept XtensorExpression = requires(const std::remove_cvref_t<E>& e) { detail::as_expression(e); };

/// Is this a Tensor, however qualified?
template <class X>
concept AnyTensor = std::same_as<std::remove_cvref_t<X>, Tensor>;

/// An n-dimensional array of f32, f64, i64 or booleans. A value: copies share one immutable buffer and are the same variable
/// to a tape; no operation changes a tensor that somebody else can see. Default-constructed it is empty, and every op on it
/// is an error. A result that nobody takes is a warning: nothing was changed.
class [[nodiscard]] Tensor {
public:
    Tensor() = default;
    Tensor(const Tensor& other) noexcept : block_(other.block_) {
        if (block_) detail::retain(block_);
    }
    Tensor(Tensor&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
    Tensor& operator=(const Tensor& other) & noexcept {
        Tensor copy(other);
        std::swap(block_, copy.block_);
        return *this;
    }
    Tensor& operator=(Tensor&& other) & noexcept {
        std::swap(block_, other.block_);
        if (other.block_) detail::release(std::exchange(other.block_, nullptr));
        return *this;
    }
    /// `view(x, 0) = y` would change nothing but the view: `x = set_view(x, y, 0)`.
    detail::a_temporary_is_not_assigned_to_use_set_view operator=(const Tensor&) && = delete;
    ~Tensor() {
        if (block_) detail::release(block_);
    }

    /// A copy of an xtensor expression: double becomes f64, float f32, integers i64, bool boolean. Throws DtypeError for an
    /// unsigned integer above the range of i64. Include <xtgrad/xtensor.hpp>.
    template <XtensorExpression E>
    Tensor(const E& expression);

    /// A 0-d tensor. Throws DtypeError for an unsigned integer above the range of i64.
    template <Arithmetic T>
    explicit Tensor(T value);

    /// False for a default-constructed tensor.
    bool defined() const noexcept { return block_ != nullptr; }

    Dtype dtype() const { return checked("dtype").dtype; }
    /// The number of axes.
    std::size_t dimension() const { return checked("dimension").rank; }
    Shape shape() const {
        detail::Block& b = checked("shape");
        return Shape::of(b.shape(), b.rank);
    }
    /// One extent; a negative axis counts from the end. Throws IndexError.
    Index shape(Index axis) const;
    /// In elements; 0 along a broadcast axis. An axis of extent 1, and each of a tensor without elements, has the stride that a
    /// dense tensor of this shape has.
    Strides strides() const {
        detail::Block& b = checked("strides");
        return Strides::of(b.strides(), b.rank);
    }
    /// The number of elements.
    std::size_t size() const;

    /// The value of a tensor of one element, converted to T. Throws ShapeError when there are more or none, DtypeError when T is
    /// an integer that does not hold the value: a fraction, a NaN, a number out of its range.
    template <Arithmetic T>
    T item() const;
    template <Arithmetic T>
    explicit operator T() const {
        return item<T>();
    }

    /// A read-only xtensor expression over this tensor's memory, which it keeps alive; nothing is copied. T is the element
    /// type of dtype(): float, double, std::int64_t or bool; else DtypeError. Include <xtgrad/xtensor.hpp>.
    template <Element T>
    auto values() const;

    /// The first element; neighbours are strides() apart. Throws DtypeError when T is not the element type.
    template <Element T>
    const T* data() const;

    /// Rebind this variable to a new tensor; other copies keep the old one.
    template <class B>
    Tensor& operator+=(const B& b) & {
        return *this = *this + b;
    }
    template <class B>
    Tensor& operator-=(const B& b) & {
        return *this = *this - b;
    }
    template <class B>
    Tensor& operator*=(const B& b) & {
        return *this = *this * b;
    }
    template <class B>
    Tensor& operator/=(const B& b) & {
        return *this = *this / b;
    }
    template <class B>
    detail::a_temporary_is_not_assigned_to_use_set_view operator+=(const B&) && = delete;
    template <class B>
    detail::a_temporary_is_not_assigned_to_use_set_view operator-=(const B&) && = delete;
    template <class B>
    detail::a_temporary_is_not_assigned_to_use_set_view operator*=(const B&) && = delete;
    template <class B>
    detail::a_temporary_is_not_assigned_to_use_set_view operator/=(const B&) && = delete;

    /// For the library: adopts a reference.
    explicit Tensor(detail::Block* adopted) noexcept : block_(adopted) {}
    detail::Block* block() const noexcept { return block_; }

private:
    detail::Block& checked(const char* what) const {
        if (!block_) detail::fail_undefined(what);
        return *block_;
    }

    detail::Block* block_ = nullptr;
};

/// The values, elided as xtensor does, then dtype and shape. A template, so that no xtensor expression is converted to print it.
template <std::same_as<Tensor> T>
std::ostream& operator<<(std::ostream& os, const T& x) {
    detail::print(os, x);
    return os;
}

namespace detail {

/// The one element as a double, whatever the dtype.
double scalar_value(const Tensor&);
/// The one element as an integer, modulo 2^64. Throws DtypeError unless it is one, in [lowest, highest].
std::uint64_t integer_value(const Tensor&, std::int64_t lowest, std::uint64_t highest);
Tensor scalar(double, Dtype);
Tensor integer_scalar(std::int64_t, Dtype);
const std::byte* checked_data(const Tensor&, Dtype wanted);
[[noreturn]] void fail_too_large(std::uint64_t);
/// A dense tensor, not initialized.
Tensor uninitialized(Dtype, const Shape&);

/// A number as the element that stores it.
template <Arithmetic T>
element_of<dtype_of<T>> as_element(T value) {
    if constexpr (std::unsigned_integral<T> && sizeof(T) >= sizeof(std::int64_t))
        if (value > T(std::numeric_limits<std::int64_t>::max())) [[unlikely]]
            fail_too_large(value);
    return static_cast<element_of<dtype_of<T>>>(value);
}

}  // namespace detail

template <Arithmetic T>
Tensor::Tensor(T value)
    : Tensor(std::integral<T> ? detail::integer_scalar(static_cast<std::int64_t>(detail::as_element(value)), dtype_of<T>)
                              : detail::scalar(static_cast<double>(value), dtype_of<T>)) {}

template <Arithmetic T>
T Tensor::item() const {
    if constexpr (std::same_as<T, bool>)
        return detail::scalar_value(*this) != 0;
    else if constexpr (std::integral<T>)
        return static_cast<T>(detail::integer_value(*this, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    else
        return static_cast<T>(detail::scalar_value(*this));
}

template <Element T>
const T* Tensor::data() const {
    return reinterpret_cast<const T*>(detail::checked_data(*this, dtype_of<T>));
}

}  // namespace xtgrad
