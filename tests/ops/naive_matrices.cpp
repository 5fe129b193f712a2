#include "naive_matrices.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace table::naive {

Matrix operator*(const Matrix& a, const Matrix& b) {
    Matrix c(a.rows, b.columns);
    for (std::size_t i = 0; i < a.rows; ++i)
        for (std::size_t j = 0; j < b.columns; ++j)
            for (std::size_t k = 0; k < a.columns; ++k) c(i, j) += a(i, k) * b(k, j);
    return c;
}

Matrix operator*(Number x, Matrix a) {
    for (Number& value : a.values) value *= x;
    return a;
}

Matrix operator+(Matrix a, const Matrix& b) {
    for (std::size_t i = 0; i < a.values.size(); ++i) a.values[i] += b.values[i];
    return a;
}

Matrix transposed(const Matrix& a) {
    Matrix t(a.columns, a.rows);
    for (std::size_t i = 0; i < a.rows; ++i)
        for (std::size_t j = 0; j < a.columns; ++j) t(j, i) = a(i, j);
    return t;
}

Matrix symmetric(const Matrix& a) { return 0.5L * (a + transposed(a)); }

namespace {

/// The determinant; b becomes the solution.
Number eliminate(Matrix a, Matrix& b) {
    Number product = 1;
    for (std::size_t k = 0; k < a.rows; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k; i < a.rows; ++i)
            if (std::fabs(a(i, k)) > std::fabs(a(pivot, k))) pivot = i;
        if (pivot != k) product = -product;
        for (std::size_t j = 0; j < a.columns; ++j) std::swap(a(k, j), a(pivot, j));
        for (std::size_t j = 0; j < b.columns; ++j) std::swap(b(k, j), b(pivot, j));
        product *= a(k, k);
        if (a(k, k) == 0) return 0;
        for (std::size_t i = 0; i < a.rows; ++i) {
            if (i == k) continue;
            const Number factor = a(i, k) / a(k, k);
            for (std::size_t j = 0; j < a.columns; ++j) a(i, j) -= factor * a(k, j);
            for (std::size_t j = 0; j < b.columns; ++j) b(i, j) -= factor * b(k, j);
        }
    }
    for (std::size_t i = 0; i < b.rows; ++i)
        for (std::size_t j = 0; j < b.columns; ++j) b(i, j) /= a(i, i);
    return product;
}

/// Changes the signs of column j of u, and of v, so that its largest component is positive.
void fix_sign(Matrix& u, Matrix& v, std::size_t j) {
    Number largest = 0;
    for (std::size_t i = 0; i < u.rows; ++i)
        if (std::fabs(u(i, j)) > std::fabs(largest)) largest = u(i, j);
    if (largest >= 0) return;
    for (std::size_t i = 0; i < u.rows; ++i) u(i, j) = -u(i, j);
    if (&u == &v) return;
    for (std::size_t i = 0; i < v.rows; ++i) v(i, j) = -v(i, j);
}

}  // namespace

Matrix solve(Matrix a, Matrix b) {
    eliminate(std::move(a), b);
    return b;
}

Number det(Matrix a) {
    Matrix none(a.rows, 0);
    return eliminate(std::move(a), none);
}

Matrix cholesky(const Matrix& a) {
    Matrix l(a.rows, a.rows);
    for (std::size_t i = 0; i < a.rows; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            Number rest = a(i, j);
            for (std::size_t k = 0; k < j; ++k) rest -= l(i, k) * l(j, k);
            l(i, j) = i == j ? std::sqrt(rest) : rest / l(j, j);
        }
    return l;
}

void gram_schmidt(const Matrix& a, Matrix& q, Matrix& r) {
    q = a;
    r = Matrix(a.columns, a.columns);
    for (std::size_t j = 0; j < a.columns; ++j) {
        for (int pass = 0; pass < 2; ++pass)
            for (std::size_t k = 0; k < j; ++k) {
                Number along = 0;
                for (std::size_t i = 0; i < a.rows; ++i) along += q(i, k) * q(i, j);
                r(k, j) += along;
                for (std::size_t i = 0; i < a.rows; ++i) q(i, j) -= along * q(i, k);
            }
        for (std::size_t i = 0; i < a.rows; ++i) r(j, j) += q(i, j) * q(i, j);
        r(j, j) = std::sqrt(r(j, j));
        for (std::size_t i = 0; i < a.rows; ++i) q(i, j) /= r(j, j);
    }
}

void jacobi(Matrix a, std::vector<Number>& w, Matrix& v) {
    const std::size_t n = a.rows;
    Matrix turned = Matrix::identity(n);
    for (int sweep = 0; sweep < 30; ++sweep)
        for (std::size_t p = 0; p < n; ++p)
            for (std::size_t q = p + 1; q < n; ++q) {
                if (a(p, q) == 0) continue;
                const Number angle = 0.5L * std::atan2(2 * a(p, q), a(q, q) - a(p, p));
                Matrix rotation = Matrix::identity(n);
                rotation(p, p) = rotation(q, q) = std::cos(angle);
                rotation(p, q) = std::sin(angle);
                rotation(q, p) = -std::sin(angle);
                a = transposed(rotation) * a * rotation;
                turned = turned * rotation;
            }
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a(i, i) < a(j, j); });
    w.clear();
    v = Matrix(n, n);
    for (std::size_t j = 0; j < n; ++j) {
        w.push_back(a(order[j], order[j]));
        for (std::size_t i = 0; i < n; ++i) v(i, j) = turned(i, order[j]);
        fix_sign(v, v, j);
    }
}

void singular(const Matrix& a, Matrix& u, std::vector<Number>& s, Matrix& v) {
    const std::size_t n = a.columns;
    std::vector<Number> w;
    Matrix ascending(n, n);
    jacobi(transposed(a) * a, w, ascending);
    v = Matrix(n, n);
    s.clear();
    for (std::size_t j = 0; j < n; ++j) {
        s.push_back(std::sqrt(std::max<Number>(0, w[n - 1 - j])));
        for (std::size_t i = 0; i < n; ++i) v(i, j) = ascending(i, n - 1 - j);
    }
    u = a * v;
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = 0; i < a.rows; ++i) u(i, j) /= s[j];
        fix_sign(u, v, j);
    }
}

Matrix pseudo_inverse(const Matrix& a) {
    if (a.rows < a.columns) return transposed(pseudo_inverse(transposed(a)));
    const Matrix t = transposed(a);
    return solve(t * a, t);
}

Matrix exponential(const Matrix& a) {
    Matrix y = Matrix::identity(a.rows), term = y;
    for (int k = 1; k < 40; ++k) {
        term = (1 / (64 * Number(k))) * (term * a);
        y = y + term;
    }
    for (int k = 0; k < 6; ++k) y = y * y;
    return y;
}

}  // namespace table::naive
