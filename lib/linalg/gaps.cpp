#include "gaps.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <span>

namespace xtgrad::detail {
namespace {

/// One matrix's values and which of them are the same.
template <class T>
class Values {
public:
    Values(const T* x, Index n) : n_(n), first_(static_cast<std::size_t>(n)) {
        T largest = 0;
        for (Index i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
        rounding = T(n + 8) * std::numeric_limits<T>::epsilon() * largest;
        for (Index i = 0; i < n; ++i)
            first_[std::size_t(i)] = i > 0 && std::abs(x[i] - x[i - 1]) <= rounding ? first_[std::size_t(i - 1)] : i;
        zeros_ = n > 0 && std::abs(x[n - 1]) <= rounding ? first_.back() : n;
    }
    Index first(Index i) const { return first_[std::size_t(i)]; }
    bool alone(Index i) const { return first(i) == i && (i + 1 == n_ || first(i + 1) == i + 1); }
    /// Singular values descend: the last are 0.
    bool zero(Index i) const { return i >= zeros_; }
    bool gapless(Index i, Index j, Gap gap) const {
        return gap == Gap::difference ? i != j && first(i) == first(j) : zero(i) && zero(j);
    }

    T rounding;

private:
    Index n_;
    std::vector<Index> first_;
    Index zeros_;
};

/// f(values, x, number of the matrix, n, T) for each matrix.
void for_values(const Tensor& x, auto f) {
    const Tensor dense = contiguous(x);
    const Index n = x.shape(-1);
    with_floating(x.dtype(), [&](auto z) {
        using T = decltype(z);
        const T* at = mutable_data<T>(dense);
        for (Index k = 0, count = n == 0 ? 0 : Index(x.size()) / n; k < count; ++k)
            f(Values<T>(at + k * n, n), at + k * n, k, n, z);
    });
}

Tensor pairs_like(const Tensor& x) {
    Shape shape = x.shape();
    shape.push_back(shape.back());
    return allocate(x.dtype(), shape);
}

/// g_j - g_i, or g_i + g_j.
Tensor paired(const Tensor& g, Gap gap) { return gap == Gap::sum ? as_row(g) + as_column(g) : as_row(g) - as_column(g); }

// ---- y_ij = 1 / (x_j -+ x_i):  y. = -y^2 (x._j -+ x._i)

Gap gap_of(const Node& n) { return Gap(n.attr.i); }
void inverse_gaps_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) {
    const Tensor h = -square(n.out) * g, rows = sum_last(h), columns = sum_last(transposed(h));
    cotangents[0] = gap_of(n) == Gap::sum ? columns + rows : columns - rows;
}
Tensor inverse_gaps_jvp(const Node& n, const Tensor* tangents) { return -square(n.out) * paired(tangents[0], gap_of(n)); }
constexpr Op inverse_gaps_op{"inverse_gaps", inverse_gaps_vjp, inverse_gaps_jvp};

/// limit(i, j) where there is no gap and the numerator is rounding, else the infinity that it divided by nothing is; 0 elsewhere.
Tensor without_gap(const Tensor& given, const Tensor& x, Gap gap, auto limit) {
    const Unrecorded looking;
    const Tensor g = contiguous(given), y = pairs_like(x);
    for_values(x, [&](const auto& values, const auto*, Index k, Index n, auto z) {
        using T = decltype(z);
        const T* of = mutable_data<T>(g) + k * n;
        T* to = mutable_data<T>(y) + k * n * n;
        for (Index i = 0; i < n; ++i)
            for (Index j = 0; j < n; ++j, ++to) {
                *to = 0;
                if (!values.gapless(i, j, gap)) continue;
                const T numerator = gap == Gap::sum ? of[j] + of[i] : of[j] - of[i], value = limit(values, k, n, i, j, z);
                const T noise = 4 * T(n + 8) * std::numeric_limits<T>::epsilon() * std::max(std::abs(of[i]), std::abs(of[j]));
                const bool vanishes =
                    std::abs(numerator) <= noise + 4 * (std::isnan(value) ? T(0) : std::abs(value)) * values.rounding;
                *to = vanishes ? value : numerator * std::numeric_limits<T>::infinity();
            }
    });
    return y;
}

}  // namespace

Tensor inverse_gaps(const Tensor& x, Gap gap) {
    const Tensor y = pairs_like(x);
    for_values(x, [&](const auto& values, const auto* at, Index k, Index n, auto z) {
        using T = decltype(z);
        T* to = mutable_data<T>(y) + k * n * n;
        for (Index i = 0; i < n; ++i)
            for (Index j = 0; j < n; ++j, ++to) {
                const T width = gap == Gap::sum ? at[j] + at[i] : at[j] - at[i];
                *to = values.gapless(i, j, gap) || (gap == Gap::difference && i == j) ? T(0) : 1 / width;
            }
    });
    if (recording()) {
        Attr attr;
        attr.i = Index(gap);
        record(inverse_gaps_op, y, x, {.out = y}, attr);
    }
    return y;
}

bool has_gapless(const Tensor& x, Gap gap) {
    bool any = false;
    for_values(x, [&](const auto& values, const auto*, Index, Index n, auto) {
        for (Index i = 0; i < n && !any; ++i) any = !values.alone(i) || (gap == Gap::sum && values.zero(i));
    });
    return any;
}

Tensor same_values(const Tensor& x, Gap gap, bool singular) {
    const Tensor y = pairs_like(x);
    for_values(x, [&](const auto& values, const auto*, Index k, Index n, auto z) {
        using T = decltype(z);
        for (Index i = 0; i < n; ++i)
            for (Index j = 0; j < n; ++j) {
                const bool zero = singular && values.zero(i) && values.zero(j);
                mutable_data<T>(y)[(k * n + i) * n + j] = values.gapless(i, j, Gap::difference) && zero == (gap == Gap::sum);
            }
    });
    return y;
}

Tensor chosen_basis(const Tensor& x, const Tensor& turn) {
    const Unrecorded looking;
    const Tensor dense = contiguous(turn), y = pairs_like(x);
    for_values(x, [&](const auto& values, const auto*, Index k, Index n, auto z) {
        using T = decltype(z);
        const T *from = mutable_data<T>(dense) + k * n * n, *end = from + n * n;
        const T largest = std::accumulate(from, end, T(0), [](T most, T e) { return std::max(most, std::abs(e)); });
        const T noise = 4 * T(n + 8) * std::numeric_limits<T>::epsilon() * largest;
        for (Index i = 0; i < n; ++i)
            for (Index j = 0; j < n; ++j) {
                const T turned = from[i * n + j] - from[j * n + i];
                const bool chosen = values.gapless(i, j, Gap::difference) && std::abs(turned) > noise;
                mutable_data<T>(y)[(k * n + i) * n + j] = chosen ? turned * std::numeric_limits<T>::infinity() : T(0);
            }
    });
    return y;
}

Tensor divided_differences(const Tensor& g, const Tensor& x, Gap gap, const Tensor& limits) {
    const Tensor y = paired(g, gap) * inverse_gaps(x, gap);
    return limits.defined() ? y + limits : y;
}

Tensor probe(const Tensor& x, bool signless) {
    const Tensor y = allocate(x.dtype(), x.shape());
    for_values(x, [&](const auto& values, const auto*, Index k, Index n, auto z) {
        using T = decltype(z);
        for (Index i = 0; i < n; ++i) {
            const Index place = i - values.first(i);
            const bool lone = values.alone(i);
            mutable_data<T>(y)[k * n + i] = lone ? T(signless && values.zero(i)) : place == 0 ? T(1) : place == 1 ? T(-1) : T(0);
        }
    });
    return y;
}

Tensor limits(const Tensor& g, const Tensor& x, Gap gap, const Tensor& slopes) {
    const Tensor dense = contiguous(slopes);
    return without_gap(g, x, gap, [&](const auto& values, Index k, Index n, Index i, Index, auto z) {
        using T = decltype(z);
        const T* slope = mutable_data<T>(dense) + k * n + values.first(i);
        return values.alone(i) ? *slope : (slope[0] - slope[1]) / 2;
    });
}

Tensor unknown_limits(const Tensor& g, const Tensor& x, Gap gap, const Tensor& factor) {
    const Unrecorded looking;
    const Tensor dense = contiguous(factor);
    double largest = 0;
    Index of = -1;  // that matrix
    return without_gap(g, x, gap, [&](const auto&, Index k, Index n, Index i, Index j, auto z) {
        using T = decltype(z);
        const std::span all(mutable_data<T>(dense) + k * n * n, std::size_t(n * n));
        if (std::exchange(of, k) != k) {
            largest = 0;
            for (const T e : all) largest = std::max(largest, std::abs(double(e)));
        }
        const double noise = double(n + 8) * double(std::numeric_limits<T>::epsilon()) * largest;
        return std::abs(double(all[std::size_t(i * n + j)])) <= noise ? T(0) : std::numeric_limits<T>::quiet_NaN();
    });
}

}  // namespace xtgrad::detail
