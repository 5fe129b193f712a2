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

TEST_CASE("prod") { CHECK_REDUCER(prod); }

// The ways that xtensor's norms compile with: a vector of axes alone is ambiguous there.
#define CHECK_NORM(f)                                                    \
    agree([](auto&& x) { return f(FORWARD(x)); }, a);                    \
    agree([](auto&& x) { return f(FORWARD(x), keep_dims); }, a);         \
    agree([](auto&& x) { return f(FORWARD(x), {0, 2}); }, a);            \
    agree([](auto&& x) { return f(FORWARD(x), {0, 2}, keep_dims); }, a); \
    agree([](auto&& x) { return f(FORWARD(x), axes_array, keep_dims); }, a)

TEST_CASE("norms") {
    CHECK_NORM(norm_l1);
    CHECK_NORM(norm_l2);
    CHECK_NORM(norm_sq);
    CHECK_NORM(norm_linf);
    const Tensor x = a;
    CHECK(close(norm_l2(x, 1), xarray<double>(sqrt(sum(a * a, {1})))));
    CHECK(close(norm_l1(Tensor(a), -1, keep_dims), xarray<double>(sum(a, {2}, keep_dims))));
}

// xtensor's variance and average along axes go through its immediate reduction, which writes out of bounds (0.24.3, g++ 12), so
// that what is expected is written out here.
const std::vector<std::size_t> middle{1};

xarray<double> average_along(const std::vector<std::size_t>& axes, const xarray<double>& weights) {
    const xarray<double> above = sum(a * weights, axes), below = sum(weights, axes);
    return above / below;
}
xarray<double> variance_along(const std::vector<std::size_t>& axes, double ddof = 0) {
    const xarray<double> center = mean(a, axes, keep_dims), squares = sum(square(a - center), axes);
    const double count = double(a.size()) / double(center.size());
    return squares / (count - ddof);
}
xarray<double> stddev_along(const std::vector<std::size_t>& axes, double ddof = 0) { return sqrt(variance_along(axes, ddof)); }
xarray<double> kept(const xarray<double>& x, const std::vector<std::size_t>& axes) {
    xarray<double> y = x;
    for (const std::size_t axis : axes) y = xarray<double>(expand_dims(y, axis));
    return y;
}

TEST_CASE("variance and stddev, with xtensor's ddof: an integer alone is no axis") {
    agree([](auto&& x) { return variance(FORWARD(x)); }, a);
    agree([](auto&& x) { return variance(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return variance(FORWARD(x), 2u); }, a);
    agree([](auto&& x) { return stddev(FORWARD(x)); }, a);
    gives([](auto&& x) { return variance(FORWARD(x), {1}); }, a, variance_along(middle));
    gives([](auto&& x) { return variance(FORWARD(x), {0, 2}); }, a, variance_along(axes_vector));
    gives([](auto&& x) { return variance(FORWARD(x), {0, 2}, 1); }, a, variance_along(axes_vector, 1));
    gives([](auto&& x) { return variance(FORWARD(x), axes_vector); }, a, variance_along(axes_vector));
    gives([](auto&& x) { return variance(FORWARD(x), axes_vector, 1); }, a, variance_along(axes_vector, 1));
    gives([](auto&& x) { return variance(FORWARD(x), axes_array, 1, keep_dims); }, a,
          kept(variance_along(axes_vector, 1), axes_vector));
    gives([](auto&& x) { return variance(FORWARD(x), axes_array, keep_dims); }, a,
          kept(variance_along(axes_vector), axes_vector));
    gives([](auto&& x) { return stddev(FORWARD(x), {1}); }, a, stddev_along(middle));
    gives([](auto&& x) { return stddev(FORWARD(x), {0, 2}, keep_dims); }, a, kept(stddev_along(axes_vector), axes_vector));
    gives([](auto&& x) { return stddev(FORWARD(x), axes_vector); }, a, stddev_along(axes_vector));
    const Tensor x = a;
    CHECK(close(variance(x, keep_dims), xarray<double>(variance(a)() * ones<double>({1, 1, 1}))));
    CHECK(close(variance(x, 1, 0), variance_along(middle)));
    CHECK(close(stddev(x, 1, 1, keep_dims), kept(stddev_along(middle, 1), middle)));
    CHECK(close(stddev(x, {0, 2}, 1), stddev_along(axes_vector, 1)));
}

TEST_CASE("average") {
    const xarray<double> weights = 1 + a * a, per_column = b * ones<double>(a.shape());
    agree([](auto&& x) { return average(FORWARD(x)); }, a);
    const auto weighted = [&](const auto& f, const xarray<double>& expected, int line = __builtin_LINE()) {
        CAPTURE(line);
        static_assert(NotTensor<decltype(f(a, weights))>);
        const Tensor x = a, w = weights;
        Tensor y = a, u = weights;
        for (const Tensor& result :
             {f(x, w), f(y, u), f(x, u), f(Tensor(a), Tensor(weights)), f(y, weights), f(x, Tensor(weights))})
            CHECK(close(result, expected));
    };
    weighted([](auto&& x, auto&& w) { return average(FORWARD(x), FORWARD(w)); }, average_along({0, 1, 2}, weights));
    weighted([](auto&& x, auto&& w) { return average(FORWARD(x), FORWARD(w), {1}); }, average_along(middle, weights));
    weighted([](auto&& x, auto&& w) { return average(FORWARD(x), FORWARD(w), {0, 2}); }, average_along(axes_vector, weights));
    weighted([](auto&& x, auto&& w) { return average(FORWARD(x), FORWARD(w), 1); }, average_along(middle, weights));
    const Tensor x = a, w = b;
    CHECK(close(average(x, w, 2), average_along({2}, per_column)));
    CHECK(close(average(x, b, {-1}), average_along({2}, per_column)));
    CHECK(close(average(x, weights, 1, keep_dims), kept(average_along(middle, weights), middle)));
}

TEST_CASE("count_nonzero, argmin") {
    agree([](auto&& x) { return count_nonzero(FORWARD(x)); }, xarray<double>(floor(a)));
    agree([](auto&& x) { return count_nonzero(FORWARD(x), {0, 2}); }, xarray<double>(floor(a)));
    agree([](auto&& x) { return count_nonzero(FORWARD(x), axes_vector); }, xarray<double>(floor(a)));
    agree([](auto&& x) { return count_nonzero(FORWARD(x), {1}, keep_dims); }, xarray<double>(floor(a)));
    agree([](auto&& x) { return count_nonzero(FORWARD(x)); }, p);
    agree([](auto&& x) { return argmin(FORWARD(x)); }, a);
    agree([](auto&& x) { return argmin(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return argmin(FORWARD(x), 2); }, a);
}

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
