#include <xtgrad/ops/creation.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../kernels/parallel.hpp"
#include "../tape/algebra.hpp"
#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"
#include "elementwise.hpp"

namespace xtgrad {

using namespace detail;

namespace detail {

Tensor filled(const char* op, const Shape& shape, Literal value, Dtype dtype) {
    check_fits(op, dtype, value);
    Tensor x = allocate(dtype, shape, op);
    with_element(dtype, [&](auto z) {
        using T = decltype(z);
        T* p = mutable_data<T>(x);
        const T v = value.is_whole ? static_cast<T>(value.whole) : static_cast<T>(value.real);
        kernels::parallel_ranges(element_count(x), 4096, [&](Index begin, Index end) { std::fill(p + begin, p + end, v); });
    });
    return x;
}

Tensor filled_like(const char* op, const Tensor& x, Literal value) {
    check_defined(op, x);
    return filled(op, x.shape(), value, x.dtype());
}

}  // namespace detail

namespace {

/// x[i] = f(i), computed in double and rising or falling from the first to the last.
Tensor generated(const char* op, Index n, Dtype dtype, auto f) {
    if (n > 0)
        for (const double end : {f(0), f(n - 1)}) check_fits(op, dtype, is_floating(dtype) ? end : std::trunc(end));
    Tensor x = allocate(dtype, Shape{n}, op);
    with_element(dtype, [&](auto z) {
        using T = decltype(z);
        for (Index i = 0; i < n; ++i) mutable_data<T>(x)[i] = static_cast<T>(f(i));
    });
    return x;
}

}  // namespace

Tensor zeros(const Shape& shape, Dtype dtype) { return filled("zeros", shape, 0, dtype); }
Tensor ones(const Shape& shape, Dtype dtype) { return filled("ones", shape, 1, dtype); }

Tensor zeros_like(const Tensor& x) { return filled_like("zeros_like", x, 0); }
Tensor ones_like(const Tensor& x) { return filled_like("ones_like", x, 1); }

Tensor arange(double start, double stop, double step, Dtype dtype) {
    const double n = std::ceil((stop - start) / step);
    if (step == 0 || !std::isfinite(n) || n > 1e18)
        fail<Error>("arange", "from ", start, " to ", stop, " by ", step,
                    " does not end; use a finite range and a step other than 0");
    return generated("arange", Index(std::max(n, 0.)), dtype, [&](Index i) { return start + double(i) * step; });
}
Tensor arange(double stop, Dtype dtype) { return arange(0, stop, 1, dtype); }

Tensor linspace(double start, double stop, Index n, bool endpoint, Dtype dtype) {
    if (!std::isfinite(start) || !std::isfinite(stop))
        fail<Error>("linspace", "from ", start, " to ", stop, " has no even steps; give finite ends");
    const double parts = std::max(1., double(n) - (endpoint ? 1 : 0)), range = stop - start;
    const double step = std::isfinite(range) ? range / parts : stop / parts - start / parts;
    return generated("linspace", n, dtype,
                     [&](Index i) { return endpoint && i == n - 1 && n > 1 ? stop : start + double(i) * step; });
}

Tensor eye(Index n, Index k, Dtype dtype) { return eye(Shape{n, n}, k, dtype); }
Tensor eye(const Shape& shape, Index k, Dtype dtype) {
    if (shape.size() != 2) fail<ShapeError>("eye", "needs two extents, got ", shape, "; use {rows, columns}");
    Tensor x = filled("eye", shape, 0, dtype);
    const Index at = std::clamp(k, -shape[0], shape[1]);  // farther is outside as well
    with_element(dtype, [&](auto z) {
        using T = decltype(z);
        for (Index i = std::max<Index>(0, -at); i < shape[0] && i + at < shape[1]; ++i)
            mutable_data<T>(x)[i * shape[1] + i + at] = T(1);
    });
    return x;
}

namespace detail {

void fail_ragged(const Shape& expected, std::size_t extent) {
    fail<ShapeError>("tensor", "rows of different lengths: ", expected.back(), " and ", extent,
                     "; give all the same number of elements");
}

Tensor from_elements(Dtype dtype, const Shape& shape, const void* elements) {
    Tensor x = allocate(dtype, shape, "tensor");
    if (const Index n = element_count(x)) std::memcpy(x.block()->data, elements, std::size_t(n) * xtgrad::size_of(dtype));
    return x;
}

Tensor constant_like(const Tensor& x, double value) { return full_like(x, value); }

}  // namespace detail
}  // namespace xtgrad
