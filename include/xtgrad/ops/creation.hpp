// Tensors from nothing. Constants: nothing here is recorded.
#pragma once
#include <initializer_list>
#include <vector>

#include "operands.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

// As in NumPy the elements are f64 unless a dtype is given, last, but those of `full` have the number's own: i64 of an integer,
// boolean of a bool, f32 of a float. A number that an integer dtype cannot hold is a DtypeError.

namespace detail {
Tensor filled(const char* op, const Shape&, Literal value, Dtype);
Tensor filled_like(const char* op, const Tensor&, Literal value);
}  // namespace detail

/// Filled tensors; a negative extent or a size that overflows is a ShapeError.
Tensor zeros(const Shape&, Dtype = Dtype::f64);
Tensor ones(const Shape&, Dtype = Dtype::f64);
template <Arithmetic T>
Tensor full(const Shape& shape, T value, Dtype dtype = dtype_of<T>) {
    return detail::filled("full", shape, value, dtype);
}
Tensor zeros_like(const Tensor&);
Tensor ones_like(const Tensor&);
template <Arithmetic T>
Tensor full_like(const Tensor& x, T value) {
    return detail::filled_like("full_like", x, value);
}

/// start, start + step, ... below stop (above, when step is negative), also of integers in f64 unless a dtype is given. Throws
/// Error when step is 0 or a number not finite, DtypeError when the dtype cannot hold them.
Tensor arange(double start, double stop, double step = 1, Dtype = Dtype::f64);
Tensor arange(double stop, Dtype = Dtype::f64);
/// n evenly spaced numbers from start to stop, which is the last unless endpoint is false. Throws Error when an end is not
/// finite, DtypeError when the dtype cannot hold them.
Tensor linspace(double start, double stop, Index n = 50, bool endpoint = true, Dtype = Dtype::f64);
/// n rows with ones on diagonal k, counted upwards; any k.
Tensor eye(Index n, Index k = 0, Dtype = Dtype::f64);
Tensor eye(const Shape& shape, Index k = 0, Dtype = Dtype::f64);

namespace detail {

/// A nested list as it is parsed: the shape of the first branch at each level, and all elements.
template <class T>
struct NestedList {
    Shape shape;
    std::vector<T> values;
};
[[noreturn]] void fail_ragged(const Shape& expected, std::size_t extent);

template <class T>
void flatten(NestedList<T>& to, const T& value, std::size_t) {
    to.values.push_back(value);
}
template <class T, class L>
void flatten(NestedList<T>& to, std::initializer_list<L> list, std::size_t level) {
    if (to.shape.size() == level)
        to.shape.push_back(Index(list.size()));
    else if (to.shape[level] != Index(list.size()))
        fail_ragged(to.shape, list.size());
    for (const auto& item : list) flatten(to, item, level + 1);
}

Tensor from_elements(Dtype, const Shape&, const void* elements);

template <class T, class L>
Tensor from_list(L list) {
    NestedList<T> nested;
    flatten(nested, list, 0);
    if constexpr (std::same_as<T, bool>) {
        const std::vector<char> bytes(nested.values.begin(), nested.values.end());
        return from_elements(Dtype::boolean, nested.shape, bytes.data());
    } else {
        std::vector<element_of<dtype_of<T>>> values(nested.values.size());
        std::transform(nested.values.begin(), nested.values.end(), values.begin(), [](T v) { return as_element(v); });
        return from_elements(dtype_of<T>, nested.shape, values.data());
    }
}

}  // namespace detail

/// From a nested list, {{1., 2.}, {3., 4.}}: double f64, float f32, integers i64, bool boolean. Rows of different lengths are a
/// ShapeError, an unsigned integer above the range of i64 a DtypeError.
template <Arithmetic T>
Tensor tensor(T value) {
    return Tensor(value);
}
template <Arithmetic T>
Tensor tensor(std::initializer_list<T> list) {
    return detail::from_list<T>(list);
}
template <Arithmetic T>
Tensor tensor(std::initializer_list<std::initializer_list<T>> list) {
    return detail::from_list<T>(list);
}
template <Arithmetic T>
Tensor tensor(std::initializer_list<std::initializer_list<std::initializer_list<T>>> list) {
    return detail::from_list<T>(list);
}
template <Arithmetic T>
Tensor tensor(std::initializer_list<std::initializer_list<std::initializer_list<std::initializer_list<T>>>> list) {
    return detail::from_list<T>(list);
}

}  // namespace xtgrad
