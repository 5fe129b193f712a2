// Scans and sorting under two using-directives.
#include "agree.hpp"

const xarray<double> mixed = sin(37 * a);

TEST_CASE("cumsum, cumprod and diff") {
    agree([](auto&& x) { return cumsum(FORWARD(x)); }, a);
    agree([](auto&& x) { return cumsum(FORWARD(x), 1); }, a);
    agree([](auto&& x) { return cumsum(FORWARD(x), -1); }, a);
    agree([](auto&& x) { return cumprod(FORWARD(x)); }, a);
    agree([](auto&& x) { return cumprod(FORWARD(x), 0); }, a);
    agree([](auto&& x) { return cumprod(FORWARD(x), std::ptrdiff_t(2)); }, a);
    agree([](auto&& x) { return diff(FORWARD(x)); }, mixed);
    agree([](auto&& x) { return diff(FORWARD(x), 2); }, mixed);
    agree([](auto&& x) { return diff(FORWARD(x), 1, 0); }, mixed);
    agree([](auto&& x) { return diff(FORWARD(x)); }, p);
}

TEST_CASE("sort and argsort") {
    agree([](auto&& x) { return sort(FORWARD(x)); }, mixed);
    agree([](auto&& x) { return sort(FORWARD(x), 0); }, mixed);
    agree([](auto&& x) { return sort(FORWARD(x), 1); }, mixed);
    agree([](auto&& x) { return sort(FORWARD(x), xnone()); }, mixed);
    agree([](auto&& x) { return argsort(FORWARD(x)); }, mixed);
    agree([](auto&& x) { return argsort(FORWARD(x), 1); }, mixed);
    const Tensor x = mixed;
    CHECK(close(topk(x, 2).first, xarray<double>(view(flip(sort(mixed), 2), all(), all(), range(0, 2)))));
    CHECK(close(sort_with_indices(x, 1).first, xarray<double>(sort(mixed, 1))));
}
