// Matrices in long double by the textbook, for the references of linear algebra.
#pragma once
#include <vector>

namespace table::naive {

using Number = long double;

struct Matrix {
    std::size_t rows, columns;
    std::vector<Number> values;

    Matrix(std::size_t m, std::size_t n) : rows(m), columns(n), values(m * n) {}
    static Matrix identity(std::size_t n) {
        Matrix x(n, n);
        for (std::size_t i = 0; i < n; ++i) x(i, i) = 1;
        return x;
    }
    Number& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
    Number operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

Matrix operator*(const Matrix&, const Matrix&);
Matrix operator*(Number, Matrix);
Matrix operator+(Matrix, const Matrix&);
Matrix transposed(const Matrix&);
/// (a + a^T) / 2
Matrix symmetric(const Matrix&);
/// By Gauss and Jordan, with the largest pivot of each column.
Matrix solve(Matrix a, Matrix b);
/// The product of those pivots.
Number det(Matrix a);
Matrix cholesky(const Matrix&);
/// By Gram and Schmidt, twice; r has a positive diagonal.
void gram_schmidt(const Matrix& a, Matrix& q, Matrix& r);
/// By Jacobi's rotations: eigenvalues ascending, the largest component of each column of v positive.
void jacobi(Matrix a, std::vector<Number>& w, Matrix& v);
/// By the eigenvalues of a^T a, m >= n, of full rank: s descending, the largest component of each column of u positive.
void singular(const Matrix& a, Matrix& u, std::vector<Number>& s, Matrix& v);
Matrix pseudo_inverse(const Matrix& a);
/// By Taylor's series of a / 64.
Matrix exponential(const Matrix& a);

}  // namespace table::naive
