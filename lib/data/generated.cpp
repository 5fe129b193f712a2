#include <xtgrad/data/generated.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_set>
#include <vector>

#include <xtgrad/ops/elementwise.hpp>

#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::data {

using namespace xtgrad::detail;

namespace {

void check_count(const char* op, Index n) {
    if (n < 0) fail<Error>(op, n, " examples; use at least 0");
}
void check_noise(const char* op, double noise) {
    if (!(noise >= 0)) fail<Error>(op, "a noise of ", noise, "; use at least 0");
}

/// Points that `at(i, x, y)` gives with their class, in random order.
Dataset points(const char* op, Index n, Rng& rng, auto at) {
    const Tensor inputs = allocate(f32, {n, 2}, op), targets = allocate(i64, {n}, op), order = permutation(n, rng);
    const auto* places = order.data<std::int64_t>();
    for (Index i = 0; i < n; ++i) {
        const auto [x, y, label] = at(i);
        mutable_data<float>(inputs)[2 * places[i]] = float(x);
        mutable_data<float>(inputs)[2 * places[i] + 1] = float(y);
        mutable_data<std::int64_t>(targets)[places[i]] = label;
    }
    return {inputs, targets};
}

struct Point {
    double x, y;
    Index label;
};

/// Sequences of tokens, next tokens as targets; those before `first` are ignored.
Dataset continuations(const char* op, Index n, Index length, Index first, auto write) {
    const Tensor inputs = allocate(i64, {n, length - 1}, op), targets = allocate(i64, {n, length - 1}, op);
    std::vector<std::int64_t> tokens(std::size_t(length), 0);
    for (Index i = 0; i < n; ++i) {
        write(i, tokens);
        std::copy_n(tokens.begin(), length - 1, mutable_data<std::int64_t>(inputs) + i * (length - 1));
        auto* to = mutable_data<std::int64_t>(targets) + i * (length - 1);
        std::copy_n(tokens.begin() + 1, length - 1, to);
        std::fill_n(to, std::max<Index>(first - 1, 0), ignored);
    }
    return {inputs, targets};
}

/// Different numbers below `limit`.
std::vector<std::int64_t> distinct(Index n, Index limit, Rng& rng) {
    if (2 * n > limit) {
        const Tensor order = permutation(limit, rng);
        return {order.data<std::int64_t>(), order.data<std::int64_t>() + n};
    }
    std::unordered_set<std::int64_t> seen;
    std::vector<std::int64_t> result;
    while (Index(result.size()) < n) {
        const Tensor drawn = randint({n}, 0, limit, rng);
        for (const auto* p = drawn.data<std::int64_t>(); p != drawn.data<std::int64_t>() + n && Index(result.size()) < n; ++p)
            if (seen.insert(*p).second) result.push_back(*p);
    }
    return result;
}

}  // namespace

Dataset moons(Index n, double noise, Rng& rng) {
    check_count("moons", n);
    check_noise("moons", noise);
    const Tensor shifts = randn({n, 2}, f64, rng);
    const Index upper = n - n / 2;
    return points("moons", n, rng, [&](Index i) {
        const bool below = i >= upper;
        const Index place = below ? i - upper : i, count = below ? n - upper : upper;
        const double angle = count > 1 ? std::numbers::pi * double(place) / double(count - 1) : 0;
        const double *shift = shifts.data<double>() + 2 * i, x = std::cos(angle), y = std::sin(angle);
        return below ? Point{1 - x + noise * shift[0], 0.5 - y + noise * shift[1], 1}
                     : Point{x + noise * shift[0], y + noise * shift[1], 0};
    });
}

Dataset spirals(Index n, Index classes, double noise, Rng& rng) {
    check_count("spirals", n);
    check_noise("spirals", noise);
    if (classes < 1) fail<Error>("spirals", classes, " classes; use at least 1");
    const Tensor shifts = randn({n}, f64, rng);
    return points("spirals", n, rng, [&](Index i) {
        const Index label = i % classes, place = i / classes, count = (n - label + classes - 1) / classes;
        const double radius = count > 1 ? double(place) / double(count - 1) : 0;
        const double angle = 2 * std::numbers::pi * double(label) / double(classes) + 1.75 * std::numbers::pi * radius +
                             noise * shifts.data<double>()[i];
        return Point{radius * std::cos(angle), radius * std::sin(angle), label};
    });
}

Dataset addition(Index n, Index digits, Rng& rng) {
    check_count("addition", n);
    if (digits < 1 || digits > 9) fail<Error>("addition", digits, " digits; use 1 to 9");
    Index power = 1;
    for (Index d = 0; d < digits; ++d) power *= 10;
    if (n > power * power) fail<Error>("addition", n, " sums of ", power * power, "; use fewer, or more digits");
    const auto problems = distinct(n, power * power, rng);
    const auto length = 3 * digits + 3;
    return continuations("addition", n, length, 2 * digits + 2, [&](Index i, std::vector<std::int64_t>& tokens) {
        const Index a = problems[std::size_t(i)] / power, b = problems[std::size_t(i)] % power;
        auto at = tokens.begin();
        const auto write_number = [&](Index value, Index count, bool last_first) {
            for (Index d = 0; d < count; ++d, value /= 10) at[last_first ? d : count - 1 - d] = value % 10;
            at += count;
        };
        write_number(a, digits, false);
        *at++ = 10;
        write_number(b, digits, false);
        *at++ = 11;
        write_number(a + b, digits + 1, true);
    });
}

Dataset sorting(Index n, Index length, Index symbols, Rng& rng) {
    check_count("sorting", n);
    if (length < 1 || symbols < 1) fail<Error>("sorting", "lists of ", length, " of ", symbols, " symbols; use at least 1");
    const Tensor lists = randint({n, length}, 0, symbols, rng);
    return continuations("sorting", n, 2 * length, length, [&](Index i, std::vector<std::int64_t>& tokens) {
        std::copy_n(lists.data<std::int64_t>() + i * length, length, tokens.begin());
        std::copy_n(tokens.begin(), length, tokens.begin() + length);
        std::sort(tokens.begin() + length, tokens.end());
    });
}

}  // namespace xtgrad::data
