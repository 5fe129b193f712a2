// Reductions that both libraries have, called without a namespace under two using-directives: that it compiles is most of the
// test.
#include "agree.hpp"

// The ways to name axes, for a reducer that both libraries have.
#define CHECK_REDUCER(f)                                                 \
    agree([](auto&& x) { return f(FORWARD(x)); }, a);                    \
    agree([](auto&& x) { return f(FORWARD(x), keep_dims); }, a);         \
    agree([](auto&& x) { return f(FORWARD(x), 1); }, a);                 \
    agree([](auto&& x) { return f(FORWARD(x), -1, keep_dims); }, a);     \
    agree([](auto&& x) { return f(FORWARD(x), {0, 2}); }, a);            \
    agree([](auto&& x) { return f(FORWARD(x), {0, 2}, keep_dims); }, a); \
    agree([](auto&& x) { return f(FORWARD(x), axes_vector); }, a);       \
    agree([](auto&& x) { return f(FORWARD(x), axes_array, keep_dims); }, a)

TEST_CASE("sum") {
    CHECK_REDUCER(sum);
    agree([](auto&& x) { return sum(FORWARD(x), std::size_t(2)); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), {1}); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), signed_axes); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), axes_vector, keep_dims); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), std::vector<std::size_t>{0, 1}); }, a);
    agree([](auto&& x) { return sum(FORWARD(x), std::array<std::size_t, 1>{1}); }, a);
}
TEST_CASE("mean") { CHECK_REDUCER(mean); }
TEST_CASE("amax") { CHECK_REDUCER(amax); }
TEST_CASE("amin") { CHECK_REDUCER(amin); }

TEST_CASE("any, all and argmax") {
    agree([](auto&& x) { return any(FORWARD(x)); }, p);
    agree([](auto&& x) { return all(FORWARD(x)); }, p);
    agree([](auto&& x) { return argmax(FORWARD(x)); }, a);
    agree([](auto&& x) { return argmax(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return argmax(FORWARD(x), 2); }, a);
}

TEST_CASE("reductions that xtensor has not, or not over axes") {
    const auto each_way = [](const auto& f, const xarray<bool>& expected, const xarray<bool>& from) {
        const Tensor x = from;
        Tensor y = from;
        CHECK(close(f(x), expected));
        CHECK(close(f(y), expected));
        CHECK(close(f(Tensor(from)), expected));
    };
    const xarray<bool> m{{true, false, true}, {false, false, true}};
    each_way([](auto&& x) { return any(FORWARD(x), 0); }, {true, false, true}, m);
    each_way([](auto&& x) { return any(FORWARD(x), {0}, keep_dims); }, {{true, false, true}}, m);
    each_way([](auto&& x) { return all(FORWARD(x), std::vector{0}); }, {false, false, true}, m);
    each_way([](auto&& x) { return all(FORWARD(x), {0, 1}); }, xarray<bool>(false), m);
    each_way([](auto&& x) { return all(FORWARD(x), std::array{1}, keep_dims); }, xarray<bool>(zeros<bool>({2, 1})), m);

    const auto with_keep_dims = [](auto&& x) { return logsumexp(FORWARD(x), {0, 2}, keep_dims); };
    const xarray<double> expected = log(sum(exp(a), {0, 2}, keep_dims));
    const Tensor x = a;
    Tensor y = a;
    CHECK(close(with_keep_dims(x), expected));
    CHECK(close(with_keep_dims(y), expected));
    CHECK(close(with_keep_dims(Tensor(a)), expected));
    CHECK(close(logsumexp(x, 1), xarray<double>(log(sum(exp(a), {1})))));
    CHECK(close(logsumexp(y, axes_vector), xarray<double>(log(sum(exp(a), axes_vector)))));
    CHECK(close(logsumexp(x), xarray<double>(log(sum(exp(a))))));
    CHECK(close(argmax(x, 1, keep_dims), xarray<std::int64_t>(2 * ones<std::int64_t>({2, 1, 4}))));
}
