// Functions of shape that both libraries have, called without a namespace under two using-directives: that it compiles is most of
// the test.
#include "agree.hpp"

TEST_CASE("other arrangements") {
    agree([](auto&& x) { return transpose(FORWARD(x)); }, a);
    agree([](auto&& x) { return transpose(FORWARD(x), {1, 2, 0}); }, a);
    agree([](auto&& x) { return transpose(FORWARD(x), std::vector<std::size_t>{2, 0, 1}); }, a);
    agree([](auto&& x) { return transpose(FORWARD(x), std::array<std::size_t, 3>{2, 0, 1}); }, a);
    agree([](auto&& x) { return squeeze(FORWARD(x)); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), 2); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), std::size_t(2)); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), {0, 2}); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), axes_vector); }, thin);
    agree([](auto&& x) { return squeeze(FORWARD(x), axes_array); }, thin);
    agree([](auto&& x) { return expand_dims(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return expand_dims(FORWARD(x), std::size_t(3)); }, a);
    agree([](auto&& x) { return broadcast(FORWARD(x), {5, 2, 3, 4}); }, a);
    agree([](auto&& x) { return broadcast(FORWARD(x), std::vector<std::size_t>{5, 2, 3, 4}); }, a);
    agree([](auto&& x) { return broadcast(FORWARD(x), std::array<std::size_t, 4>{5, 2, 3, 4}); }, a);
    agree([](auto&& x) { return view(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return view(FORWARD(x), 1, 2, 3); }, a);
    agree([](auto&& x) { return view(FORWARD(x), all(), 2); }, a);
    agree([](auto&& x) { return view(FORWARD(x), all(), range(1, 3), newaxis(), range(0, 4, 2)); }, a);
    agree([](auto&& x) { return view(FORWARD(x), std::size_t(1), range(placeholders::_, 2)); }, a);
    agree([](auto&& x) { return view(FORWARD(x), all(), range(placeholders::_, placeholders::_, -1)); }, a);
    const Tensor x = a;
    Tensor y = a;
    const xarray<double> last = strided_view(a, {ellipsis(), 3});
    CHECK(close(view(x, ellipsis(), 3), last));
    CHECK(close(view(y, ellipsis(), 3), last));
    CHECK(close(view(Tensor(a), ellipsis(), 3), last));
}

TEST_CASE("splitting and joining") {
    xarray<double> array = a;
    const Tensor x = a;
    Tensor y = a;
    CHECK(close(split(x, 2), evaluated(split(array, 2))));
    CHECK(close(split(y, 2), evaluated(split(a, 2))));
    CHECK(close(split(Tensor(a), std::size_t(4), 2), evaluated(split(array, 4, 2))));
    CHECK(close(split(x, 3, std::size_t(1)), evaluated(split(array, 3, 1))));
    CHECK(close(split(y, std::size_t(3), std::size_t(1)), evaluated(split(array, std::size_t(3), std::size_t(1)))));
    CHECK(close(split(y, 2, -1), evaluated(split(array, 2, 2))));
    slopes_agree([](const auto& v) { return split(v, 2, 2)[1]; }, a);
    agree([](auto&& v, auto&& w) { return concatenate(xtuple(FORWARD(v), FORWARD(w))); }, a, a);
    agree([](auto&& v, auto&& w) { return concatenate(xtuple(FORWARD(v), FORWARD(w)), 2); }, a, a);
    agree([](auto&& v, auto&& w) { return stack(xtuple(FORWARD(v), FORWARD(w))); }, a, a);
    agree([](auto&& v, auto&& w) { return stack(xtuple(FORWARD(v), FORWARD(w)), 1); }, a, a);
    CHECK(close(concatenate(std::vector{x, y}, 1), xarray<double>(concatenate(xtuple(a, a), 1))));
    CHECK(close(concatenate(std::array{x, y, x}), xarray<double>(concatenate(xtuple(a, a, a)))));
    CHECK(close(stack(std::array{x, y}, 3), xarray<double>(stack(xtuple(a, a), 3))));
    CHECK(close(stack(split(x, 2), 1), xarray<double>(stack(xtuple(view(a, range(0, 1)), view(a, range(1, 2))), 1))));
}
