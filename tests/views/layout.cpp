#include "layout.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/storage.hpp"

namespace views {
namespace {

using xg::detail::Slice;

/// Not in any result, unless somebody reads beside a view.
void poison(const Tensor& x) {
    xg::detail::with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T bad = std::is_same_v<T, bool>       ? T(true)
                      : std::is_floating_point_v<T> ? std::numeric_limits<T>::quiet_NaN()
                                                    : std::numeric_limits<T>::min();
        std::fill_n(xg::detail::mutable_data<T>(x), xg::detail::element_count(x), bad);
    });
}

double count(const Shape& s) {
    double n = 1;
    for (const Index d : s) n *= double(d > 0 ? d : 1);
    return n;
}

/// How many views are put upon one another, and whether one may repeat elements.
struct Steps {
    int number;
    bool repeats;

    Steps less() const { return {number - 1, repeats}; }
};

Tensor lay(Random& r, const Shape& shape, Dtype dtype, Steps steps);

Tensor permuted(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    const Axes order = r.permutation(shape.size());  // axis i of the result is axis order[i] of what is below
    Shape below = shape;
    for (std::size_t i = 0; i < shape.size(); ++i) below[std::size_t(order[i])] = shape[i];
    return xg::permute(lay(r, below, dtype, steps), order);
}

Tensor sliced(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    Shape below = shape;
    std::vector<Slice> slices;
    for (Index& n : below) {
        const Index step = r.one_of<Index>({1, 1, 1, 2, 3, 7}), lead = r.between(0, 4), tail = r.between(0, 4);
        const Index whole = lead + (n > 0 ? (n - 1) * step + 1 : 0) + tail;
        Slice s = Slice::range(lead, whole - tail);
        s.step = step;
        if (n > 0 && r.chance(30)) {  // from the back
            s.start = lead + (n - 1) * step;
            s.stop = lead - 1;
            s.has_stop = lead > 0;
            s.step = -step;
        }
        slices.push_back(s);
        n = whole;
    }
    return xg::detail::sliced(lay(r, below, dtype, steps), slices);
}

Tensor flipped(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    const Index axis = r.between(0, Index(shape.size()));
    return xg::detail::flip(lay(r, shape, dtype, steps), &axis);
}

Tensor diagonal(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    const Index n = shape.back(), k = r.between(-2, 3), more = r.between(0, 3);
    const bool tall = r.chance(50);
    const Index rows = n + std::max<Index>(-k, 0) + (tall ? more : 0), columns = n + std::max<Index>(k, 0) + (tall ? 0 : more);
    Shape below = shape;
    below.pop_back();
    const auto first = std::size_t(r.between(0, Index(below.size()) + 1));
    below.insert(first, rows);
    const auto second = std::size_t(r.between(0, Index(below.size()) + 1));
    below.insert(second, columns);
    return xg::detail::diagonal(lay(r, below, dtype, steps), k, Index(second <= first ? first + 1 : first), Index(second));
}

Tensor repeated(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    return xg::broadcast_to(lay(r, r.part_of(shape), dtype, steps), shape);
}

/// With an axis of extent 1 more or less than what is below.
Tensor with_axes(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    Shape below = shape;
    const auto at = std::size_t(r.between(0, Index(shape.size()) + 1));
    if (at < shape.size() && shape[at] == 1) {
        below.erase(at);
        return xg::detail::expand_dims(lay(r, below, dtype, steps), Index(at));
    }
    below.insert(at, 1);
    const Axes axis{Index(at)};
    return xg::detail::squeeze(lay(r, below, dtype, steps), &axis);
}

/// One of several slices.
Tensor indexed(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    Shape below = shape;
    const auto at = std::size_t(r.between(0, Index(shape.size()) + 1));
    const Index n = r.between(1, 4);
    below.insert(at, n);
    std::vector<Slice> slices(at, Slice::all());
    slices.push_back(Slice::index(r.between(-n, n)));
    return xg::detail::sliced(lay(r, below, dtype, steps), slices);
}

Tensor reshaped(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    Shape below = shape;
    const auto at = std::size_t(r.between(0, Index(shape.size())));
    if (at + 1 < shape.size() && r.chance(50)) {
        below[at] *= below[at + 1];
        below.erase(at + 1);
    } else if (below[at] % 2 == 0) {
        below[at] /= 2;
        below.insert(at, 2);
    }
    return xg::reshape(lay(r, below, dtype, steps), shape);
}

Tensor lay(Random& r, const Shape& shape, Dtype dtype, Steps steps) {
    if (steps.number == 0 || count(shape) > 1 << 17 || shape.size() > 7) {
        Tensor x = xg::detail::allocate(dtype, shape);
        poison(x);
        return x;
    }
    const bool scalar = shape.empty();
    switch (r.between(0, 8)) {
        case 0: return permuted(r, shape, dtype, steps.less());
        case 1: return sliced(r, shape, dtype, steps.less());
        case 2: return scalar ? lay(r, shape, dtype, {0, false}) : flipped(r, shape, dtype, steps.less());
        case 3:
            return scalar || shape.back() > 256 ? indexed(r, shape, dtype, steps.less())
                                                : diagonal(r, shape, dtype, steps.less());
        case 4: return steps.repeats ? repeated(r, shape, dtype, steps.less()) : sliced(r, shape, dtype, steps.less());
        case 5: return with_axes(r, shape, dtype, steps.less());
        case 6: return indexed(r, shape, dtype, steps.less());
        default: return scalar ? lay(r, shape, dtype, {0, false}) : reshaped(r, shape, dtype, steps.less());
    }
}

}  // namespace

void for_elements(const Tensor& x, const std::function<void(Index, Index)>& f) {
    const Shape shape = x.shape();
    const xg::Strides strides = x.strides();
    const Index n = xg::detail::element_count(x);
    for (Index i = 0; i < n; ++i) {
        Index offset = 0, rest = i;
        for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) offset += rest % shape[d] * strides[d];
        f(i, offset);
    }
}

Tensor laid_out(Random& r, const Input& in, bool as_view) {
    // Where elements are given none is repeated, or they would not all be there.
    const Tensor x = lay(r, in.shape, in.dtype, {as_view ? int(r.between(1, 5)) : 0, !in.values.defined()});
    xg::detail::with_element(in.dtype, [&](auto z) {
        using T = decltype(z);
        T* to = xg::detail::mutable_data<T>(x);
        const T* given = in.values.defined() ? in.values.data<T>() : nullptr;
        for_elements(x, [&](Index i, Index at) {
            to[at] =
                given ? given[i] : T(std::is_integral_v<T> ? std::floor(r.number(in.low, in.high)) : r.number(in.low, in.high));
        });
    });
    return x;
}

Tensor dense_copy(const Tensor& x) {
    const Tensor y = xg::detail::allocate(x.dtype(), x.shape());
    xg::detail::with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* from = xg::detail::mutable_data<T>(x);
        T* to = xg::detail::mutable_data<T>(y);
        for_elements(x, [&](Index i, Index at) { to[i] = from[at]; });
    });
    return y;
}

std::vector<double> elements(const Tensor& x) {
    std::vector<double> list(x.size());
    xg::detail::with_element(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* from = xg::detail::mutable_data<T>(x);
        for_elements(x, [&](Index i, Index at) { list[std::size_t(i)] = double(from[at]); });
    });
    return list;
}

bool same_bits(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
    const Tensor p = dense_copy(a), q = dense_copy(b);
    return xg::detail::with_element(a.dtype(), [&](auto z) {
        using T = decltype(z);
        const T *x = xg::detail::mutable_data<T>(p), *y = xg::detail::mutable_data<T>(q);
        for (Index i = 0, n = xg::detail::element_count(p); i < n; ++i)
            if (std::memcmp(x + i, y + i, sizeof(T)) != 0 && !(x[i] != x[i] && y[i] != y[i])) return false;
        return true;
    });
}

std::string broken_rule(const Tensor& x) {
    xg::detail::Block& b = *x.block();
    const xg::Strides own = x.strides(), dense = xg::detail::dense_strides(x.shape());
    const Index n = xg::detail::element_count(x);
    if (b.dense != (own == dense)) return "dense is not whether the strides are dense";
    for (std::size_t i = 0; i < own.size(); ++i)
        if ((n == 0 || x.shape()[i] == 1) && own[i] != dense[i]) return "an axis of extent 1 has another stride";
    if (b.base && b.base->base) return "a view of a view";
    if (!b.base) return {};
    const auto item = Index(xg::size_of(b.dtype));
    const std::byte *begin = b.base->data,
                    *end = begin + xg::detail::element_count(Tensor((xg::detail::retain(b.base), b.base))) * item;
    bool inside = true;
    for_elements(x, [&](Index, Index at) { inside &= b.data + at * item >= begin && b.data + (at + 1) * item <= end; });
    return inside ? "" : "elements lie outside the buffer";
}

}  // namespace views
