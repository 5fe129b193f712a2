// Arrangements that both libraries have, called without a namespace under two using-directives: that it compiles is most of the
// test.
#include "agree.hpp"

namespace {
const xarray<double> matrix = 0.5 + arange<double>(12).reshape({3, 4}) / 8;
}

TEST_CASE("flattened, flipped, rolled") {
    agree([](auto&& x) { return flatten(FORWARD(x)); }, a);
    agree([](auto&& x) { return ravel(FORWARD(x)); }, a);
    agree([](auto&& x) { return atleast_1d(FORWARD(x)); }, b);
    agree([](auto&& x) { return atleast_2d(FORWARD(x)); }, b);
    agree([](auto&& x) { return atleast_3d(FORWARD(x)); }, b);
    agree([](auto&& x) { return atleast_3d(FORWARD(x)); }, matrix);
    agree([](auto&& x) { return flip(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return flip(FORWARD(x), std::size_t(2)); }, a);
    agree([](auto&& x) { return rot90(FORWARD(x)); }, matrix);
    agree([](auto&& x) { return rot90<2>(FORWARD(x)); }, matrix);
    agree([](auto&& x) { return rot90<-1>(FORWARD(x), {1, 2}); }, a);
    agree([](auto&& x) { return roll(FORWARD(x), 5); }, matrix);
    agree([](auto&& x) { return roll(FORWARD(x), -1); }, a);
    agree([](auto&& x) { return roll(FORWARD(x), 2, 1); }, a);
    agree([](auto&& x) { return roll(FORWARD(x), -3, 2); }, a);
}

TEST_CASE("repeated") {
    agree([](auto&& x) { return repeat(FORWARD(x), 2, 1); }, a);
    agree([](auto&& x) { return repeat(FORWARD(x), std::size_t(3), std::size_t(0)); }, a);
    agree([](auto&& x) { return repeat(FORWARD(x), {2, 0, 1}, 1); }, a);
    agree([](auto&& x) { return repeat(FORWARD(x), std::vector<std::size_t>{1, 3}, 0); }, a);
    const std::vector<std::size_t> times{1, 0, 2, 1};
    agree([&](auto&& x) { return repeat(FORWARD(x), times, 2); }, a);
}

// xtensor 0.24's own tile and pad ask for absurd memory when they are compiled as C++20: they are only looked up, and what
// they give as C++17 stands here.
void looked_up(auto f, const xarray<double>& expected, int line = __builtin_LINE()) {
    CAPTURE(line);
    static_assert(NotTensor<decltype(f(std::declval<xarray<double>&>()))>);
    const Tensor x = matrix;
    Tensor y = matrix;
    CHECK(close(f(x), expected));
    CHECK(close(f(y), expected));
    CHECK(close(f(Tensor(matrix)), expected));
}

TEST_CASE("tiled") {
    const xarray<double> down = concatenate(xtuple(matrix, matrix));
    looked_up([](auto&& x) { return tile(FORWARD(x), 2); }, down);
    looked_up([](auto&& x) { return tile(FORWARD(x), std::size_t(2)); }, down);
    looked_up([](auto&& x) { return tile(FORWARD(x), {2, 1}); }, down);
    looked_up([](auto&& x) { return tile(FORWARD(x), std::vector<std::size_t>{1, 2}); }, concatenate(xtuple(matrix, matrix), 1));
    looked_up([](auto&& x) { return tile(FORWARD(x), std::array<std::size_t, 2>{2, 2}); }, concatenate(xtuple(down, down), 1));
}

TEST_CASE("padded") {
    // matrix(i, j) is (4 i + j + 4) / 8.
    const auto padded = [](const std::vector<int>& rows, const std::vector<int>& columns, double value = 0) {
        xarray<double> out = value * ones<double>({rows.size(), columns.size()});
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (std::size_t j = 0; j < columns.size(); ++j)
                if (rows[i] >= 0 && columns[j] >= 0) out(i, j) = (4 * rows[i] + columns[j] + 4) / 8.;
        return out;
    };
    looked_up([](auto&& x) { return pad(FORWARD(x), 1); }, padded({-1, 0, 1, 2, -1}, {-1, 0, 1, 2, 3, -1}));
    looked_up([](auto&& x) { return pad(FORWARD(x), {1, 2}); }, padded({-1, 0, 1, 2, -1, -1}, {-1, 0, 1, 2, 3, -1, -1}));
    looked_up([](auto&& x) { return pad(FORWARD(x), {{1, 2}, {0, 1}}); }, padded({-1, 0, 1, 2, -1, -1}, {0, 1, 2, 3, -1}));
    looked_up(
        [](auto&& x) {
            return pad(FORWARD(x), {{1, 0}, {0, 1}}, pad_mode::constant, 0.5);
        },
        padded({-1, 0, 1, 2}, {0, 1, 2, 3, -1}, 0.5));
    looked_up([](auto&& x) { return pad(FORWARD(x), 1, pad_mode::constant, 0.5); },
              padded({-1, 0, 1, 2, -1}, {-1, 0, 1, 2, 3, -1}, 0.5));
    looked_up(
        [](auto&& x) {
            return pad(FORWARD(x), {2, 1}, pad_mode::symmetric);
        },
        padded({1, 0, 0, 1, 2, 2}, {1, 0, 0, 1, 2, 3, 3}));
    looked_up(
        [](auto&& x) {
            return pad(FORWARD(x), std::vector<int>{1, 2}, pad_mode::reflect);
        },
        padded({1, 0, 1, 2, 1, 0}, {1, 0, 1, 2, 3, 2, 1}));
    looked_up(
        [](auto&& x) {
            return pad(FORWARD(x), std::vector<std::vector<int>>{{3, 2}, {1, 4}}, pad_mode::wrap);
        },
        padded({0, 1, 2, 0, 1, 2, 0, 1}, {3, 0, 1, 2, 3, 0, 1, 2, 3}));
    looked_up([](auto&& x) { return pad(FORWARD(x), 2, pad_mode::periodic); },
              padded({1, 2, 0, 1, 2, 0, 1}, {2, 3, 0, 1, 2, 3, 0, 1}));
}

TEST_CASE("stacked, split, spread") {
    xarray<double> array = a;
    const Tensor x = a;
    Tensor y = a;
    slopes_agree([](const auto& v) { return hsplit(v, 3)[1]; }, a);
    slopes_agree([](const auto& v) { return vsplit(v, 2)[0]; }, a);
    CHECK(close(hsplit(x, 3), evaluated(hsplit(array, 3))));
    CHECK(close(hsplit(Tensor(a), std::size_t(3)), evaluated(hsplit(array, 3))));
    CHECK(close(vsplit(y, 2), evaluated(vsplit(array, 2))));
    agree([](auto&& v, auto&& w) { return hstack(xtuple(FORWARD(v), FORWARD(w))); }, a, a);
    agree([](auto&& v, auto&& w) { return hstack(xtuple(FORWARD(v), FORWARD(w))); }, b, b);
    agree([](auto&& v, auto&& w) { return vstack(xtuple(FORWARD(v), FORWARD(w))); }, a, a);
    agree([](auto&& v, auto&& w) { return vstack(xtuple(FORWARD(v), FORWARD(w))); }, b, b);
    const xarray<double> c{1.5, -0.5, 2};
    agree([](auto&& v, auto&& w) { return std::get<0>(meshgrid(FORWARD(v), FORWARD(w))); }, b, c);
    agree([](auto&& v, auto&& w) { return std::get<1>(meshgrid(FORWARD(v), FORWARD(w))); }, b, c);
}

TEST_CASE("triangles and diagonals") {
    agree([](auto&& x) { return tril(FORWARD(x)); }, matrix);
    agree([](auto&& x) { return tril(FORWARD(x), -1); }, matrix);
    agree([](auto&& x) { return tril(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return triu(FORWARD(x)); }, matrix);
    agree([](auto&& x) { return triu(FORWARD(x), 2); }, a);
    agree([](auto&& x) { return diag(FORWARD(x)); }, b);
    agree([](auto&& x) { return diag(FORWARD(x), 2); }, b);
    agree([](auto&& x) { return diag(FORWARD(x), -1); }, b);
    agree([](auto&& x) { return diagonal(FORWARD(x)); }, matrix);
    agree([](auto&& x) { return diagonal(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return diagonal(FORWARD(x), -1, 1, 2); }, a);
    agree([](auto&& x) { return diagonal(FORWARD(x), 1, 2, std::size_t(0)); }, a);
}
