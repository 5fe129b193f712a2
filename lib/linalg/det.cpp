// Determinants, by LU with pivots (Giles, An extended collection of matrix derivative results, 2008), and their derivatives where
// a matrix is singular, or nearly.
#include <xtgrad/linalg.hpp>

#include <cmath>
#include <limits>
#include <map>

#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/tape.hpp>

#include "factors.hpp"

namespace xtgrad {
namespace detail {
namespace {

/// A number for each matrix, of the diagonal of its factors and the number of its exchanges.
template <class F>
Tensor of_factors(const Tensor& a, const Factors& f, F number) {
    const Matrices m("det", a);
    Tensor out = allocate(a.dtype(), m.batch);
    with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        const Index n = m.rows;
        for (Index i = 0; i < m.count; ++i) {
            const T* lu = mutable_data<T>(f.lu) + i * n * n;
            const auto* pivots = mutable_data<std::int64_t>(f.pivots) + i * n;
            T sign = 1;
            for (Index k = 0; k < n; ++k) sign = pivots[k] == k ? sign : -sign;
            mutable_data<T>(out)[i] = number(sign, n, lu);
        }
    });
    return out;
}

/// a^-T, recorded as a function of a.
Tensor inverse_transposed(const Tensor& a, const Factors& f) { return solved(a, f, identity_like(a), true); }
/// A number for each matrix, to multiply matrices.
Tensor as_factor(const Tensor& x) { return as_column(as_column(x)); }

/// The number of a matrix.
Attr numbered(Index matrix) {
    Attr attr;
    attr.i = matrix;
    return attr;
}

// ---- y = log |det a|:  a' = g a^-T,  y. = tr(a^-1 a.)

/// The number is that of the first singular matrix, or -1.
Tensor logdet_slope(const Node& n) {
    if (n.attr.i >= 0)
        fail<Error>("slogdet", Which{Matrices("slogdet", n.in[0]).batch, n.attr.i},
                    " is singular: -inf has no derivative; det has one");
    return inverse_transposed(n.in[0], Factors(n));
}
void logdet_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = as_factor(g) * logdet_slope(n); }
Tensor logdet_jvp(const Node& n, const Tensor* tangents) { return sum_last(sum_last(logdet_slope(n) * tangents[0])); }
constexpr Op logdet_op{"slogdet", logdet_vjp, logdet_jvp};

// ---- y = det a:  a' = g C,  y. = sum C a.  with the cofactors C = y a^-T.
//
// The cofactors are polynomials of a, but this formula of theirs divides: of a singular matrix it is 0 times infinity, and its
// own derivative, y (a^-T <a^-T, a.> - a^-T a.^T a^-T), is a difference of terms that exceed it by the condition of a. There det
// is differentiated as another formula for the same function. Complete pivoting puts those pivots first that are not small beside
// the largest; with a11 their block and its Schur complement s = a22 - a21 a11^-1 a12,
//      det a = +-det a11 det s
// divides by nothing small. s is small as a whole, but det s is a determinant, with cofactors for which all this is said again.
// Where it vanishes, it is the polynomial, and so are the cofactors of up to three rows, of all such matrices. So all orders are
// as accurate as solves with a11.

Tensor indices(const std::vector<std::int64_t>& values, const Shape& shape) {
    Tensor i = allocate(Dtype::i64, shape);
    std::copy(values.begin(), values.end(), mutable_data<std::int64_t>(i));
    return i;
}

/// The cofactors of one to three rows: a11 a22 - a12 a21 with rows and columns that are counted round.
Tensor polynomial_cofactors(const Tensor& a) {
    const Index n = a.shape(-1);
    if (n == 1) return ones_like(a);
    Shape flat = a.shape();
    flat.pop_back();
    flat.back() = n * n;
    const Tensor elements = reshape(a, flat);
    const auto element = [&](Index down, Index right) {
        std::vector<std::int64_t> from;
        for (Index i = 0; i < n; ++i)
            for (Index j = 0; j < n; ++j) from.push_back((i + down) % n * n + (j + right) % n);
        return take(elements, indices(from, {n * n}), -1);
    };
    if (n == 2) return reshape(element(1, 1), a.shape()) * (2 * identity_like(a) - 1);
    return reshape(element(1, 1) * element(2, 2) - element(1, 2) * element(2, 1), a.shape());
}

/// The determinant without divisions: in x(1) = a, x(k + 1) = mu(x(k)) a, where mu(x) is x above its diagonal, minus the sum of
/// the later diagonal elements on it, and 0 below, it is +-x(n)_11 (Bird, A simple division-free algorithm for computing
/// determinants, Inf. Process. Lett. 111, 2011).
Tensor det_by_products(const Tensor& a) {
    const Index n = a.shape(-1);
    const Tensor below = lower_part(ones({n, n}, a.dtype()), false), above = transposed(below);
    Tensor x = a;
    for (Index k = 1; k < n; ++k) x = matmul(x * above - identity_like(a) * matmul(as_row(diagonal_of(x)), below), a);
    const Tensor corner = sliced(x, {Slice::ellipsis(), Slice::index(0), Slice::index(0)});
    return n % 2 == 0 ? -corner : corner;
}

/// Matrices of a batch whose cofactors have the same formula, and for each how its rows and columns are ordered for it.
struct Alike {
    std::vector<Index> matrices;
    std::vector<kernels::Pivot> rows, columns;
    std::vector<double> signs;
};

/// The determinants of matrices x with so many pivots that are not small.
Tensor det_by_blocks(const Tensor& x, Index pivots, const Alike& order) {
    constexpr Index products = 8;  // beyond, a zero matrix has derivatives of 0 up to an order that nobody asks for
    const Index count = x.shape(0), n = x.shape(-1);
    if (pivots == 0) return n <= products ? det_by_products(x) : sum_last(sum_last(x * 0.));
    const Tensor by_rows = take_along_axis(x, indices(order.rows, {count, n, 1}), -2);
    const Tensor ordered = take_along_axis(by_rows, indices(order.columns, {count, 1, n}), -1);
    const auto block = [&](bool lower, bool right) {
        const auto part = [&](bool second) { return Slice::range(second ? pivots : 0, second ? n : pivots); };
        return sliced(ordered, {Slice::all(), part(lower), part(right)});
    };
    const Tensor first = block(false, false);
    const Tensor rest = block(true, true) - matmul(block(true, false), linalg::solve(first, block(false, true)));
    Tensor signs = allocate(x.dtype(), {count});
    with_floating(x.dtype(),
                  [&](auto z) { std::copy(order.signs.begin(), order.signs.end(), mutable_data<decltype(z)>(signs)); });
    return signs * linalg::det(first) * linalg::det(rest);
}

/// Zero, or so small that digits are lost.
template <class T>
bool vanishes(T y) {
    return std::abs(y) < std::numeric_limits<T>::min();
}

/// A batch by the number of pivots that the formula puts first; all of them for y a^-T. That is for determinants that do not
/// vanish, and where it will be differentiated, `inverse` given, for conditions that leave the derivatives accurate.
std::map<Index, Alike> formulas(const Node& node, const Tensor& inverse) {
    std::map<Index, Alike> groups;
    const Unrecorded looking;
    const Matrices m("det", node.in[0]);
    const Index n = m.rows;
    const Tensor a = contiguous(node.in[0]);
    with_floating(a.dtype(), [&](auto z) {
        using T = decltype(z);
        const T least = std::cbrt(std::numeric_limits<T>::epsilon());
        std::vector<T> work(static_cast<std::size_t>(n * n));
        std::vector<kernels::Pivot> rows(static_cast<std::size_t>(n)), columns(rows);
        const double tiny = std::pow(std::numeric_limits<T>::min(), 0.25);  // third powers of 1 / tiny are no infinities yet
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const auto largest = [&](const Tensor& x, Index i) {
            double most = 0;
            for (const T e : std::span(mutable_data<T>(x) + i * n * n, std::size_t(n * n)))
                most = std::isnan(e) ? infinity : std::max(most, std::abs(double(e)));
            return most;
        };
        for (Index i = 0; i < m.count; ++i) {
            const bool zero = vanishes(mutable_data<T>(node.out)[i]);
            const double size = largest(a, i);
            const bool accurate = !inverse.defined() || size * largest(inverse, i) * double(least) <= 1;
            if (std::isinf(size) || (!zero && accurate)) {
                groups[n].matrices.push_back(i);
                continue;
            }
            double sign = 1;
            std::copy_n(mutable_data<T>(a) + i * n * n, n * n, work.data());
            Index pivots = kernels::large_pivots(n, work.data(), least, rows.data(), columns.data(), sign);
            if (zero) pivots = size < tiny ? 0 : std::min(pivots, n - 1);
            Alike& group = groups[pivots];
            group.matrices.push_back(i);
            group.rows.insert(group.rows.end(), rows.begin(), rows.end());
            group.columns.insert(group.columns.end(), columns.begin(), columns.end());
            group.signs.push_back(sign);
        }
    });
    return groups;
}

Tensor cofactors(const Node& node) {
    const Tensor& a = node.in[0];
    const Index n = a.shape(-1);
    if (n > 0 && n <= 3) return polynomial_cofactors(a);
    const Factors f(node);
    const auto by_inverse = [](const Tensor& y, const Tensor& inverse) { return as_factor(y) * inverse; };
    const bool regular = node.attr.i < 0, differentiated = recording();
    const Tensor inverse = regular || differentiated ? inverse_transposed(a, f) : Tensor();
    if (regular && !differentiated) return by_inverse(node.out, inverse);
    const auto groups = formulas(node, inverse);
    if (regular && (groups.empty() || groups.begin()->first == n)) return by_inverse(node.out, inverse);

    const Tensor matrices = reshape(a, {-1, n, n}), y = reshape(node.out, {-1});
    std::vector<Tensor> parts;
    std::vector<std::int64_t> places(y.size());
    std::int64_t next = 0;
    for (const auto& [pivots, group] : groups) {
        const Tensor which = indices(group.matrices, {Index(group.matrices.size())}), x = take(matrices, which);
        if (pivots == n) {
            Factors some = f;
            {
                const Unrecorded choosing;
                some.lu = take(reshape(f.lu, {-1, n, n}), which);
                some.pivots = take(reshape(f.pivots, {-1, n}), which);
            }
            parts.push_back(by_inverse(take(y, which), inverse_transposed(x, some)));
        } else {
            Tape tape;
            const Tensor variable = identity(x);
            parts.push_back(tape.gradient(sum_last(det_by_blocks(variable, pivots, group)), variable));
        }
        for (const Index i : group.matrices) places[std::size_t(i)] = next++;
    }
    return reshape(take(concatenate(parts, 0), indices(places, {Index(places.size())})), a.shape());
}
void det_vjp(const Node& n, Tensor g, Need, Tensor* cotangents) { cotangents[0] = as_factor(g) * cofactors(n); }
Tensor det_jvp(const Node& n, const Tensor* tangents) { return sum_last(sum_last(cofactors(n) * tangents[0])); }
constexpr Op det_op{"det", det_vjp, det_jvp};

/// The first determinant that vanishes, or -1.
Index first_vanishing(const Tensor& y) {
    return with_floating(y.dtype(), [&](auto z) -> Index {
        using T = decltype(z);
        const std::span all(mutable_data<T>(y), y.size());
        const auto at = std::find_if(all.begin(), all.end(), vanishes<T>);
        return at == all.end() ? -1 : at - all.begin();
    });
}

}  // namespace
}  // namespace detail

namespace linalg {

using namespace detail;

Tensor det(const Tensor& a) {
    const Factors f("det", a);
    Tensor out = of_factors(a, f, [](auto y, Index n, const auto* lu) {
        for (Index k = 0; k < n; ++k) y *= lu[k * n + k];
        return y;
    });
    if (recording()) f.keep(record(det_op, out, a, {.in0 = a, .out = out}, numbered(first_vanishing(out))));
    return out;
}

SignAndLog slogdet(const Tensor& a) {
    const Factors f("slogdet", a);
    const Tensor sign = of_factors(a, f, [](auto y, Index n, const auto* lu) {
        for (Index k = 0; k < n; ++k) y *= lu[k * n + k] > 0 ? 1 : lu[k * n + k] < 0 ? -1 : lu[k * n + k];
        return y;
    });
    const Tensor logdet = of_factors(a, f, [](auto y, Index n, const auto* lu) {
        y = 0;
        for (Index k = 0; k < n; ++k) y += std::log(std::abs(lu[k * n + k]));
        return y;
    });
    if (recording()) f.keep(record(logdet_op, logdet, a, {.in0 = a}, numbered(f.singular.matrix)));
    return {sign, logdet};
}

}  // namespace linalg
}  // namespace xtgrad
