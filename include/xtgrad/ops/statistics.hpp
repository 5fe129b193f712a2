// Averages and the deviation from them. Axes as for the other reductions.
#pragma once
#include "reduction.hpp"

namespace [[gnu::visibility("default")]] xtgrad {

namespace detail {

Tensor average(const Tensor&, const Axes*, bool keep_dims);
Tensor weighted_average(const Tensor&, const Tensor& weights, const Axes*, bool keep_dims);
Tensor variance(const Tensor&, const Axes*, bool keep_dims, Index ddof);
Tensor stddev(const Tensor&, const Axes*, bool keep_dims, Index ddof);

template <class X>
concept ListOfAxes = AxesLike<X> && !std::integral<std::remove_cvref_t<X>>;

template <class W>
concept Weights = AnyTensor<W> || XtensorExpression<W>;

template <class W>
Tensor weighted_average(const Tensor& x, const W& weights, const Axes* axes, bool keep_dims) {
    return weighted_average(x, static_cast<const Tensor&>(Tensor(weights)), axes, keep_dims);
}

}  // namespace detail

// Overloads for each way to pass a Tensor, as for the other reductions. xtensor's rule: an integer alone is ddof and no axis;
// axis 1 is variance(x, {1}), or variance(x, 1, 0).
#define XTGRAD_DEVIATION(name, X)                                                               \
    inline Tensor name(X x) { return detail::name(x, nullptr, false, 0); }                      \
    template <class... O>                                                                       \
    Tensor name(X x, const std::tuple<O...>& options) {                                         \
        return detail::name(x, nullptr, detail::keeps_dims(options), 0);                        \
    }                                                                                           \
    template <std::integral D, class... O>                                                      \
    Tensor name(X x, const D& ddof, const std::tuple<O...>& options = {}) {                     \
        return detail::name(x, nullptr, detail::keeps_dims(options), static_cast<Index>(ddof)); \
    }                                                                                           \
    template <detail::ListOfAxes A, class... O>                                                 \
    Tensor name(X x, A&& axes, const std::tuple<O...>& options = {}) {                          \
        const Axes list(axes);                                                                  \
        return detail::name(x, &list, detail::keeps_dims(options), 0);                          \
    }                                                                                           \
    template <detail::AxesLike A, std::integral D, class... O>                                  \
    Tensor name(X x, A&& axes, const D& ddof, const std::tuple<O...>& options = {}) {           \
        const Axes list(axes);                                                                  \
        return detail::name(x, &list, detail::keeps_dims(options), static_cast<Index>(ddof));   \
    }                                                                                           \
    template <std::integral I, std::size_t N, class... O>                                       \
    Tensor name(X x, const I(&axes)[N], const std::tuple<O...>& options = {}) {                 \
        const Axes list(axes);                                                                  \
        return detail::name(x, &list, detail::keeps_dims(options), 0);                          \
    }                                                                                           \
    template <std::integral I, std::size_t N, std::integral D, class... O>                      \
    Tensor name(X x, const I(&axes)[N], const D& ddof, const std::tuple<O...>& options = {}) {  \
        const Axes list(axes);                                                                  \
        return detail::name(x, &list, detail::keeps_dims(options), static_cast<Index>(ddof));   \
    }
#define XTGRAD_STATISTICS(X)                                                                                               \
    /** The sum of (x - mean)^2 over n - ddof, ddof 0 unless given; of f32 and f64, in one walk, without cancellation. NaN \
        of nothing. Throws ShapeError. */                                                                                  \
    XTGRAD_DEVIATION(variance, X)                                                                                          \
    /** The square root of the variance; its slope is 0 where that is 0. */                                                \
    XTGRAD_DEVIATION(stddev, X)                                                                                            \
    /** sum(w x) / sum(w), the mean without weights. Weights have x's shape, or the extent of the one axis that is given.  \
        Throws ShapeError. */                                                                                              \
    inline Tensor average(X x) { return detail::average(x, nullptr, false); }                                              \
    template <class... O>                                                                                                  \
    Tensor average(X x, const std::tuple<O...>& options) {                                                                 \
        return detail::average(x, nullptr, detail::keeps_dims(options));                                                   \
    }                                                                                                                      \
    template <detail::Weights W, class... O>                                                                               \
    Tensor average(X x, W&& weights, const std::tuple<O...>& options = {}) {                                               \
        return detail::weighted_average(x, weights, nullptr, detail::keeps_dims(options));                                 \
    }                                                                                                                      \
    template <detail::Weights W, detail::AxesLike A, class... O>                                                           \
    Tensor average(X x, W&& weights, A&& axes, const std::tuple<O...>& options = {}) {                                     \
        const Axes list(axes);                                                                                             \
        return detail::weighted_average(x, weights, &list, detail::keeps_dims(options));                                   \
    }                                                                                                                      \
    template <detail::Weights W, std::integral I, std::size_t N, class... O>                                               \
    Tensor average(X x, W&& weights, const I(&axes)[N], const std::tuple<O...>& options = {}) {                            \
        const Axes list(axes);                                                                                             \
        return detail::weighted_average(x, weights, &list, detail::keeps_dims(options));                                   \
    }
XTGRAD_STATISTICS(Tensor&)
XTGRAD_STATISTICS(const Tensor&)
XTGRAD_STATISTICS(Tensor&&)
#undef XTGRAD_STATISTICS
#undef XTGRAD_DEVIATION

}  // namespace xtgrad
