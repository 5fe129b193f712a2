// Generated problems: their shapes, their meaning, the same ones for the same seed.
#include <xtgrad/data/generated.hpp>

#include <algorithm>
#include <cmath>
#include <set>

#include "../io/files.hpp"

namespace xg = xtgrad;
using Integers = std::vector<std::int64_t>;

TEST_CASE("moons lie on their half circles") {
    xg::Rng rng(1);
    const auto [points, labels] = xg::data::moons(41, 0, rng);
    CHECK(points.shape() == xg::Shape{41, 2});
    CHECK(points.dtype() == xg::f32);
    const auto xy = elements<float>(points);
    const auto label = elements<std::int64_t>(labels);
    CHECK(std::ranges::count(label, 0) == 21);
    CHECK_FALSE(std::ranges::is_sorted(label));
    float rightmost = 0;
    for (std::size_t i = 0; i < label.size(); ++i) {
        const float x = xy[2 * i], y = xy[2 * i + 1];
        const bool upper = label[i] == 0;
        CHECK(std::hypot(upper ? x : 1 - x, upper ? y : 0.5f - y) == doctest::Approx(1).epsilon(1e-5));
        CHECK((upper ? y : 0.5f - y) >= -1e-6f);
        rightmost = std::max(rightmost, x);
    }
    CHECK(rightmost == doctest::Approx(2));

    // Noise moves each coordinate by that much, in the mean square.
    xg::Rng clean(7), noisy(7);
    const auto still = elements<float>(xg::data::moons(5000, 0, clean).inputs),
               moved = elements<float>(xg::data::moons(5000, 0.1, noisy).inputs);
    double squares = 0;
    for (std::size_t i = 0; i < still.size(); ++i) squares += std::pow(double(moved[i] - still[i]), 2);
    CHECK(std::sqrt(squares / 10000) == doctest::Approx(0.1).epsilon(0.03));
    xg::Rng again(7);
    CHECK(elements<float>(xg::data::moons(5000, 0.1, again).inputs) == moved);
    CHECK(xg::data::size(xg::data::moons(0, 0.1, rng)) == 0);
    CHECK(contains(message<xg::Error>([&] { xg::data::moons(3, -1, rng); }), "[moons] a noise of -1"));
    CHECK(contains(message<xg::Error>([&] { xg::data::moons(-3, 1, rng); }), "-3 examples"));
}

TEST_CASE("spirals: the angle says the class") {
    xg::Rng rng(1);
    const auto [points, labels] = xg::data::spirals(100, 3, 0, rng);
    const auto xy = elements<float>(points);
    const auto label = elements<std::int64_t>(labels);
    for (std::size_t i = 0; i < label.size(); ++i) {
        const double r = std::hypot(xy[2 * i], xy[2 * i + 1]);
        CHECK(r <= 1 + 1e-6);
        if (r < 0.05) continue;
        const double arm = (std::atan2(xy[2 * i + 1], xy[2 * i]) - 1.75 * M_PI * r) / (2 * M_PI / 3);
        CHECK(std::abs(std::remainder(arm - double(label[i]), 3)) < 1e-4);
    }
    CHECK(std::ranges::count(label, 0) == 34);
    CHECK(contains(message<xg::Error>([&] { xg::data::spirals(3, 0, 0, rng); }), "0 classes"));
}

TEST_CASE("addition: right sums, each once") {
    xg::Rng rng(4);
    for (const auto& [n, digits] : {std::pair<xg::Index, xg::Index>{60, 1}, {30, 1}, {500, 3}, {10000, 2}}) {
        const auto [inputs, targets] = xg::data::addition(n, digits, rng);
        const xg::Index length = 3 * digits + 2;
        REQUIRE(inputs.shape() == xg::Shape{n, length});
        REQUIRE(targets.shape() == xg::Shape{n, length});
        const auto in = elements<std::int64_t>(inputs), out = elements<std::int64_t>(targets);
        std::set<std::pair<int, int>> seen;
        bool right = true;
        for (xg::Index i = 0; i < n; ++i) {
            const auto* row = in.data() + i * length;
            const auto* next = out.data() + i * length;
            int a = 0, b = 0, sum = 0;
            for (xg::Index d = 0; d < digits; ++d) a = 10 * a + int(row[d]), b = 10 * b + int(row[digits + 1 + d]);
            for (xg::Index d = digits; d >= 0; --d) sum = 10 * sum + int(next[2 * digits + 1 + d]);
            right = right && sum == a + b && row[digits] == 10 && row[2 * digits + 1] == 11;
            right = right && std::equal(row + 2 * digits + 2, row + length, next + 2 * digits + 1);
            right = right && std::all_of(next, next + 2 * digits + 1, [](auto t) { return t == xg::data::ignored; });
            seen.emplace(a, b);
        }
        CHECK(right);
        CHECK(xg::Index(seen.size()) == n);
    }
    CHECK(contains(message<xg::Error>([&] { xg::data::addition(101, 1, rng); }), "101 sums of 100"));
    CHECK(contains(message<xg::Error>([&] { xg::data::addition(1, 10, rng); }), "10 digits"));
}

TEST_CASE("sorting") {
    xg::Rng rng(4);
    const auto [inputs, targets] = xg::data::sorting(200, 6, 5, rng);
    REQUIRE(inputs.shape() == xg::Shape{200, 11});
    const auto in = elements<std::int64_t>(inputs), out = elements<std::int64_t>(targets);
    for (std::size_t i = 0; i < in.size(); i += 11) {
        Integers list(in.data() + i, in.data() + i + 6);
        std::ranges::sort(list);
        CHECK(std::equal(list.begin(), list.end(), out.data() + i + 5));
        CHECK(std::equal(list.begin(), list.end() - 1, in.data() + i + 6));
        CHECK(std::all_of(out.data() + i, out.data() + i + 5, [](auto t) { return t == xg::data::ignored; }));
    }
    CHECK(contains(message<xg::Error>([&] { xg::data::sorting(1, 0, 5, rng); }), "lists of 0"));
}
