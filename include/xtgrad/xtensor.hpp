// From xtensor and back.
#pragma once
#include <memory>
#include <vector>

#include "detail/xtensor_headers.hpp"
#include "tensor.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

/// Writable elements of a tensor that was just made.
template <class T>
T* fresh_data(const Tensor& x) {
    return reinterpret_cast<T*>(x.block()->data);
}

}  // namespace detail

template <XtensorExpression E>
Tensor::Tensor(const E& expression) {
    using Value = std::remove_cvref_t<typename E::value_type>;
    static_assert(Arithmetic<Value>, "a tensor's elements are float, double, integers or bool");
    using Stored = element_of<dtype_of<Value>>;
    Tensor made = detail::uninitialized(dtype_of<Value>, Shape(expression.shape()));  // freed when an element does not fit
    Stored* to = detail::fresh_data<Stored>(made);
    // Lazy expressions, views and other layouts are evaluated by xtensor, into row-major memory, then copied once.
    const auto copy = [&](const auto& array) {
        std::transform(array.data(), array.data() + array.size(), to, [](Value v) { return detail::as_element(v); });
    };
    if constexpr (std::derived_from<E, xt::xcontainer<E>> && E::static_layout == xt::layout_type::row_major)
        copy(expression);
    else if (made.size() != 0)
        copy(xt::xarray<Value, xt::layout_type::row_major>(expression));
    std::swap(block_, made.block_);
}

template <Element T>
auto Tensor::values() const {
    const T* p = data<T>();
    const Shape extents = shape();
    const Strides steps = strides();
    const std::vector<std::size_t> shape(extents.begin(), extents.end());
    std::vector<std::ptrdiff_t> strides(steps.begin(), steps.end());
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] == 1) strides[i] = 0;  // as xtensor keeps them
    using Owner = std::shared_ptr<const Tensor>;
    using Buffer = xt::xbuffer_adaptor<const T*, xt::smart_ownership, Owner>;
    return xt::xarray_adaptor<Buffer, xt::layout_type::dynamic, std::vector<std::size_t>>(
        Buffer(p, size(), std::make_shared<const Tensor>(*this)), shape, strides);
}

}  // namespace xtgrad
