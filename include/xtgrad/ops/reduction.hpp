// Reductions over axes. Each function takes
//   (x)                        all axes
//   (x, axes)                  one axis, {0, 1}, or any list; negative axes count from the end
//   (x, axes, xt::keep_dims)   reduced axes stay, with extent 1
//   (x, xt::keep_dims)
// and throws ShapeError when an axis does not exist or is given twice.
#pragma once
#include <tuple>

#include "operands.hpp"

namespace xt {
struct keep_dims_type;
}

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

Tensor sum(const Tensor&, const Axes*, bool keep_dims);
Tensor mean(const Tensor&, const Axes*, bool keep_dims);
Tensor prod(const Tensor&, const Axes*, bool keep_dims);
Tensor amax(const Tensor&, const Axes*, bool keep_dims);
Tensor amin(const Tensor&, const Axes*, bool keep_dims);
Tensor logsumexp(const Tensor&, const Axes*, bool keep_dims);
Tensor norm_l1(const Tensor&, const Axes*, bool keep_dims);
Tensor norm_l2(const Tensor&, const Axes*, bool keep_dims);
Tensor norm_sq(const Tensor&, const Axes*, bool keep_dims);
Tensor norm_linf(const Tensor&, const Axes*, bool keep_dims);
Tensor any(const Tensor&, const Axes*, bool keep_dims);
Tensor all(const Tensor&, const Axes*, bool keep_dims);
Tensor argmax(const Tensor&, const Index* axis, bool keep_dims);
Tensor argmin(const Tensor&, const Index* axis, bool keep_dims);
Tensor count_nonzero(const Tensor&, const Axes*, bool keep_dims);

template <class X>
concept AxesLike =
    std::integral<std::remove_cvref_t<X>> || std::same_as<std::remove_cvref_t<X>, Axes> || (!AnyTensor<X> && IntegerRange<X>);

/// xtensor's reducer options, a std::tuple; evaluation strategies mean nothing here.
template <class... O>
constexpr bool keeps_dims(const std::tuple<O...>&) {
    return (std::same_as<O, xt::keep_dims_type> || ...);
}

}  // namespace detail

// Overloads for each way to pass a Tensor: a template with xtensor's `E&&` is a better match than `const Tensor&`.
#define XTGRAD_REDUCTION_OF(name, X)                                       \
    inline Tensor name(X x) { return detail::name(x, nullptr, false); }    \
    template <class... O>                                                  \
    Tensor name(X x, const std::tuple<O...>& options) {                    \
        return detail::name(x, nullptr, detail::keeps_dims(options));      \
    }                                                                      \
    template <detail::AxesLike A>                                          \
    Tensor name(X x, A&& axes) {                                           \
        const Axes list(axes);                                             \
        return detail::name(x, &list, false);                              \
    }                                                                      \
    template <detail::AxesLike A, class... O>                              \
    Tensor name(X x, A&& axes, const std::tuple<O...>& options) {          \
        const Axes list(axes);                                             \
        return detail::name(x, &list, detail::keeps_dims(options));        \
    }                                                                      \
    template <std::integral I, std::size_t N>                              \
    Tensor name(X x, const I(&axes)[N]) {                                  \
        const Axes list(axes);                                             \
        return detail::name(x, &list, false);                              \
    }                                                                      \
    template <std::integral I, std::size_t N, class... O>                  \
    Tensor name(X x, const I(&axes)[N], const std::tuple<O...>& options) { \
        const Axes list(axes);                                             \
        return detail::name(x, &list, detail::keeps_dims(options));        \
    }
#define XTGRAD_REDUCTION(name)               \
    XTGRAD_REDUCTION_OF(name, Tensor&)       \
    XTGRAD_REDUCTION_OF(name, const Tensor&) \
    XTGRAD_REDUCTION_OF(name, Tensor&&)

/// The sum; of i64 in i64, of booleans the number of true ones.
XTGRAD_REDUCTION(sum)
/// The mean, of f32 and f64; NaN of nothing.
XTGRAD_REDUCTION(mean)
/// The product, 1 of nothing; derivatives are right whatever is 0. Of i64 and of booleans in i64.
XTGRAD_REDUCTION(prod)
/// The largest element, NaN if there is one; the slope is shared equally among ties, and NaN where the value is. Nothing has no
/// largest: ShapeError.
XTGRAD_REDUCTION(amax)
/// The smallest element, NaN if there is one; the slope is shared equally among ties, and NaN where the value is. Nothing has no
/// smallest: ShapeError.
XTGRAD_REDUCTION(amin)
/// log(sum(exp(x))), without overflow; -inf of nothing.
XTGRAD_REDUCTION(logsumexp)
/// The sum of |x|.
XTGRAD_REDUCTION(norm_l1)
/// The square root of the sum of x^2; its slope at 0 is 0.
XTGRAD_REDUCTION(norm_l2)
/// The sum of x^2.
XTGRAD_REDUCTION(norm_sq)
/// The largest |x|, 0 of nothing; the slope is shared equally among ties.
XTGRAD_REDUCTION(norm_linf)
/// How many elements are not 0, an i64; NaN is not. Not recorded.
XTGRAD_REDUCTION(count_nonzero)
/// Of booleans: is one true? A boolean tensor, not recorded.
XTGRAD_REDUCTION(any)
/// Of booleans: are all true? A boolean tensor, not recorded.
XTGRAD_REDUCTION(all)

#undef XTGRAD_REDUCTION
#undef XTGRAD_REDUCTION_OF

/// The index (i64) of the first largest element, of the flattened tensor or along one axis; NaN counts as largest. Nothing has
/// no largest: ShapeError.
inline Tensor argmax(const Tensor& x) { return detail::argmax(x, nullptr, false); }
inline Tensor argmax(const Tensor& x, Index axis) { return detail::argmax(x, &axis, false); }
template <class... O>
Tensor argmax(const Tensor& x, Index axis, const std::tuple<O...>& options) {
    return detail::argmax(x, &axis, detail::keeps_dims(options));
}

/// The index (i64) of the first smallest element, of the flattened tensor or along one axis; NaN counts as smallest. Nothing
/// has no smallest: ShapeError.
inline Tensor argmin(const Tensor& x) { return detail::argmin(x, nullptr, false); }
inline Tensor argmin(const Tensor& x, Index axis) { return detail::argmin(x, &axis, false); }
template <class... O>
Tensor argmin(const Tensor& x, Index axis, const std::tuple<O...>& options) {
    return detail::argmin(x, &axis, detail::keeps_dims(options));
}

}  // namespace xtgrad
