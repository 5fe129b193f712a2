// Products and transpositions of matrices in each instruction set, against naive loops.
#include "kernels/gemm.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "instruction_sets.hpp"

using namespace xtgrad::kernels;

namespace {

/// Numbers of a few bits: sums of them are exact, so that every order of addition gives the same.
template <class T>
std::vector<T> numbers(Index n) {
    std::vector<T> x(std::size_t(n) + 16);
    std::uint32_t state = 12345;
    for (T& v : x) v = T(int((state = state * 1664525 + 1013904223) >> 24) - 128) / 16;
    return x;
}

template <class T>
void check_product(Index m, Index n, Index k, Index a_row, Index a_column, Index b_row, Index b_column) {
    const auto a = numbers<T>(m * a_row + k * a_column), b = numbers<T>(k * b_row + n * b_column);
    const Matrix<T> left{a.data(), a_row, a_column}, right{b.data(), b_row, b_column};
    const Index step = n + 3;
    const auto check = [&](auto multiply) {
        std::vector<T> c(std::size_t(m * step), T(77));
        multiply(m, n, k, left, right, c.data(), step);
        bool good = true;
        for (Index i = 0; i < m; ++i)
            for (Index j = 0; j < step; ++j) {
                T sum = 0;
                for (Index l = 0; l < k; ++l)
                    sum += a[std::size_t(i * a_row + l * a_column)] * (j < n ? b[std::size_t(l * b_row + j * b_column)] : 0);
                good &= c[std::size_t(i * step + j)] == (j < n ? sum : T(77));  // what lies between the rows is not touched
            }
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        CHECK(good);
    };
    if (k <= most_inner) check(matrix_kernels<T>().multiply);
    if (few_readable(left, right)) check(matrix_kernels<T>().multiply_few);
}

/// The same by packed panels, with any k.
template <class T>
void check_packed(Index m, Index n, Index k, Index a_row, Index a_column, Index b_row, Index b_column) {
    const auto a = numbers<T>(m * a_row + k * a_column), b = numbers<T>(k * b_row + n * b_column);
    const auto& kernels = matrix_kernels<T>();
    const Index step = n + 3, panels = (n + kernels.panel - 1) / kernels.panel;
    std::vector<T> c(std::size_t(m * step), T(77)), memory(std::size_t(panels * kernels.panel * k) + 16);
    T* packed = memory.data();
    while (reinterpret_cast<std::uintptr_t>(packed) % 64 != 0) ++packed;
    kernels.pack(n, k, {b.data(), b_row, b_column}, packed);
    kernels.multiply_packed(m, n, k, {a.data(), a_row, a_column}, packed, c.data(), step, false);
    bool right = true;
    for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < step; ++j) {
            T sum = 0;
            for (Index l = 0; l < k && j < n; ++l)
                sum += a[std::size_t(i * a_row + l * a_column)] * b[std::size_t(l * b_row + j * b_column)];
            right &= c[std::size_t(i * step + j)] == (j < n ? sum : T(77));
        }
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    CHECK(right);
}

template <class T>
void check_products() {
    for (const Index m : {1, 2, 5, 6, 7, 11, 12, 13, 23, 25, 130})
        for (const Index n : {1, 3, 4, 8, 15, 16, 17, 31, 32, 33, 65})
            for (const Index k : {0, 1, 7, 40}) {
                check_product<T>(m, n, k, k + 2, 1, n + 1, 1);      // by rows
                check_product<T>(m, n, k, 1, m, 1, k);              // both transposed
                check_product<T>(m, n, k, 2 * k + 1, 2, 1, k + 3);  // every second element
                check_product<T>(m, n, k, k, 1, 2 * n, 2);
            }
    for (const Index m : {1, 5, 13, 100, 131})
        for (const Index n : {1, 9, 33, 70})
            for (const Index k : {1, 65, 400}) {
                check_packed<T>(m, n, k, k + 2, 1, n + 1, 1);
                check_packed<T>(m, n, k, 1, m, 1, k);
                check_packed<T>(m, n, k, 2 * k + 1, 2, 2, 2 * k + 3);
            }
    check_product<T>(9, 21, most_inner, most_inner, 1, 1, most_inner);
    for (const Index n : {1, 15, 37}) {
        check_product<T>(2, n, 1, 1, 1, 1, 2);        // what has one element has any stride
        check_product<T>(3, n, 1201, 1201, 1, n, 1);  // several blocks of k
        check_product<T>(3, n, 1201, 1201, 1, 1, 1203);
    }
}

/// A product of numbers that round, with the memory that a thread keeps and with the least.
template <class T>
void check_memory(Index m, Index n, Index k, Index a_row, Index a_column) {
    auto a = numbers<T>(m * k);
    const auto b = numbers<T>(k * n), bias = numbers<T>(n);
    for (T& x : a) x /= 3;
    std::vector<T> plenty(std::size_t(m * n)), little(plenty.size()), memory(std::size_t(least_memory) + 16);
    T* aligned = memory.data();
    while (reinterpret_cast<std::uintptr_t>(aligned) % 64 != 0) ++aligned;
    Product<T> p{{a.data(), a_row, a_column}, {b.data(), n, 1}, plenty.data(), bias.data()};
    gemm<T>(1, m, n, k, [&](Index) { return p; });
    p.c = little.data();
    multiply_large(m, n, k, p, aligned, least_memory);
    CHECK(plenty == little);
    double worst = 0;
    for (Index i = 0; i < m; ++i)
        for (Index j = 0; j < n; ++j) {
            double sum = double(bias[std::size_t(j)]), size = std::abs(sum);
            for (Index l = 0; l < k; ++l) {
                const double term = double(a[std::size_t(i * a_row + l * a_column)]) * double(b[std::size_t(l * n + j)]);
                sum += term, size += std::abs(term);
            }
            worst = std::max(worst, std::abs(sum - double(little[std::size_t(i * n + j)])) / size);
        }
    CHECK(worst < 32 * double(std::numeric_limits<T>::epsilon()));
}

/// Products with a bias, of exact sums.
template <class T>
void check_bias(Index count, Index m, Index n, Index k, bool a_transposed = false, bool b_transposed = false) {
    const auto a = numbers<T>(count * m * k), b = numbers<T>(k * n), bias = numbers<T>(n);
    const Index a_row = a_transposed ? 1 : k, a_column = a_transposed ? m : 1, b_row = b_transposed ? 1 : n,
                b_column = b_transposed ? k : 1;
    std::vector<T> c(std::size_t(count * m * n), T(77));
    gemm<T>(count, m, n, k, [&](Index i) {
        return Product<T>{
            {a.data() + i * m * k, a_row, a_column}, {b.data(), b_row, b_column}, c.data() + i * m * n, bias.data()};
    });
    bool right = true;
    for (Index i = 0; i < count * m; ++i)
        for (Index j = 0; j < n; ++j) {
            T sum = bias[std::size_t(j)];
            for (Index l = 0; l < k; ++l)
                sum += a[std::size_t(i / m * m * k + i % m * a_row + l * a_column)] * b[std::size_t(l * b_row + j * b_column)];
            right &= c[std::size_t(i * n + j)] == sum;
        }
    CAPTURE(a_transposed);
    CAPTURE(b_transposed);
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    CHECK(right);
}

template <class T>
void check_transpositions() {
    for (Index rows = 0; rows < 37; rows += 1 + rows / 9)
        for (Index columns = 0; columns < 37; ++columns) {
            const Index from_step = columns + 2, to_step = rows + 1;
            const auto from = numbers<T>(rows * from_step);
            std::vector<T> to(std::size_t(columns * to_step), T(77));
            matrix_kernels<T>().transpose(rows, columns, from.data(), from_step, to.data(), to_step);
            bool right = true;
            for (Index j = 0; j < columns; ++j)
                for (Index i = 0; i < to_step; ++i)
                    right &= to[std::size_t(j * to_step + i)] == (i < rows ? from[std::size_t(i * from_step + j)] : T(77));
            CAPTURE(rows);
            CAPTURE(columns);
            CHECK(right);
        }
}

}  // namespace

TEST_CASE("products of small matrices") {
    in_each_set([] { check_products<float>(), check_products<double>(); });
}
TEST_CASE("large products do with little memory, to the same bits") {
    in_each_set([] {
        for (const Index k : {600, 1500}) {
            check_memory<float>(101, 203, k, k, 1), check_memory<float>(101, 203, k, 1, 101);
            check_memory<double>(101, 203, k, k, 1), check_memory<double>(101, 203, k, 1, 101);
        }
    });
}
TEST_CASE("products with a bias: small ones, many, large ones in parts of n and of k, BLAS's, and without terms") {
    in_each_set([] {
        const auto check = [](Index count, Index m, Index n, Index k) {
            check_bias<float>(count, m, n, k), check_bias<double>(count, m, n, k);
        };
        check(1, 5, 7, 3), check(4, 5, 7, 3), check(1, 3, 5, 0);
        check(1200, 3, 5, 4);  // several in a task

        // In parts of n.
        check(1, 97, 85, 71), check(2, 83, 77, 59), check(3, 65, 70, 43);

        check(1, 70, 301, 517);   // more columns than read a row in place
        check(1, 33, 500, 2100);  // more than the kept memory holds
        check(2, 9, 310, 1001);
    });
}
TEST_CASE("products with few rows or one column, of many and in parts") {
    in_each_set([] {
        for (const bool a_transposed : {false, true})
            for (const bool b_transposed : {false, true})
                for (const auto& [count, m, n, k] : {std::array<Index, 4>{1, 1, 301, 700},
                                                     {3, 4, 75, 40},
                                                     {1, 333, 1, 1100},
                                                     {5, 21, 1, 9},
                                                     {2, 1, 1, 517},
                                                     {1, 5, 70, 31},
                                                     {40, 1, 6, 3}}) {
                    check_bias<float>(count, m, n, k, a_transposed, b_transposed);
                    check_bias<double>(count, m, n, k, a_transposed, b_transposed);
                }
    });
}
TEST_CASE("transpositions") {
    in_each_set([] { check_transpositions<float>(), check_transpositions<double>(); });
}
