// What a query of attention does not see: NaN, infinities and huge numbers there change no bit of anything, in any pass.
#include "attention.hpp"
#include "instruction_sets.hpp"

using namespace attention_problems;

namespace {

/// For rows of heads, [batch, rows, heads columns]: f(batch, head, row) of each element.
Tensor for_rows(Index batch, Index rows, Index heads, Index columns, auto f) {
    std::vector<double> all;
    for (Index b = 0; b < batch; ++b)
        for (Index r = 0; r < rows; ++r)
            for (Index h = 0; h < heads; ++h) all.insert(all.end(), std::size_t(columns), f(b, h, r) ? 1. : 0.);
    return xg::detail::from_elements(xg::f64, {batch, rows, heads * columns}, all.data()) > 0;
}

/// Parts of the inputs q, k, v, scale and bias, and of the cotangent.
struct Parts {
    Tensors x;
    Tensor g;

    /// Rows of queries and of keys, by (batch, head, row).
    Parts(const Sizes& n, auto queries, auto keys)
        : x{for_rows(n.batch, n.queries, n.heads, n.width, queries), for_rows(n.batch, n.keys, n.kv_heads, n.width, keys),
            for_rows(n.batch, n.keys, n.kv_heads, n.value_width, keys), xg::zeros({}) > 0},
          g(for_rows(n.batch, n.queries, n.heads, n.value_width, queries)) {}
};

/// Which scores count, by places.
struct Sight {
    Sizes n;
    std::vector<bool> seen;

    bool operator()(Index b, Index h, Index query, Index key) const {
        return seen[std::size_t(((b * n.heads + h) * n.queries + query) * n.keys + key)];
    }
    bool blind(Index b, Index h, Index query) const {
        for (Index s = 0; s < n.keys; ++s)
            if ((*this)(b, h, query, s)) return false;
        return true;
    }
    /// Does a query that f(batch, head, query) names see the key of a head of keys?
    bool shown(Index b, Index kv, Index key, auto f) const {
        const Index group = n.heads / n.kv_heads;
        for (Index h = kv * group; h < (kv + 1) * group; ++h)
            for (Index t = 0; t < n.queries; ++t)
                if ((*this)(b, h, t, key) && f(b, h, t)) return true;
        return false;
    }
    /// Queries that see nothing, keys that nobody sees, and of the bias what is hidden already without it.
    Parts unseen(const Problem& p) const {
        const auto anybody = [](Index, Index, Index) { return true; };
        Parts parts(
            n, [&](Index b, Index h, Index t) { return blind(b, h, t); },
            [&](Index b, Index kv, Index s) { return !shown(b, kv, s, anybody); });
        if (p.x.size() > 4) {
            Tensors without = p.x;
            without[4] = xg::zeros_like(p.x[4]);
            Sums scores;
            for (const bool sees : p.seen(without)) scores.push_back({sees ? 1. : 0.});
            std::vector<double> counts;
            for (const Sum& s : summed(scores, p.x[4], n)) counts.push_back(s.value);
            parts.x.push_back(xg::equal(xg::detail::from_elements(xg::f64, p.x[4].shape(), counts.data()), 0.));
        }
        return parts;
    }
};

/// NaN, infinities and, if wanted, numbers whose products overflow, by turns.
Tensor junk(const Tensor& like, bool overflowing = true) {
    const double huge = like.dtype() == xg::f32 ? 3e38 : 1e308, kinds[] = {std::nan(""), inf, -inf, huge, -huge};
    std::vector<double> all;
    for (std::size_t i = 0; i < like.size(); ++i) all.push_back(kinds[i % (overflowing ? 5 : 3)]);
    return xg::astype(xg::detail::from_elements(xg::f64, like.shape(), all.data()), like.dtype());
}
Tensors replaced(const Tensors& x, const Tensors& where_true, auto by) {
    Tensors all;
    for (std::size_t i = 0; i < x.size(); ++i) all.push_back(xg::where(where_true[i], by(x[i]), x[i]));
    return all;
}

/// Values without and with a record, and all their derivatives of first and second order: q, k, v, scale, bias for each way that
/// has them, or like the output.
struct Everything {
    Tensors outputs, rows;
    std::vector<Tensors> ways;

    Everything(const Problem& p, const Tensors& x, const Tensor& g, Tensors along) {
        rows.push_back(p.logsumexp(x));
        outputs.push_back(p(x));
        {
            xg::Tape tape(xg::persistent);
            rows.push_back(p.logsumexp(x));
            outputs.push_back(p(x));
            ways.push_back(tape.vjp(outputs[1], g, x));
            outputs.push_back(tape.jvp(outputs[1], x, along));
            rows.push_back(tape.jvp(rows[1], x, along));
            ways.push_back(tape.vjp(rows[1], xg::ones_like(rows[1]), x));
        }
        along.push_back(g);
        for (Tensors& way : second_order(p, x, g, along))
            if (way.size() == 1)
                outputs.push_back(way[0]);
            else
                ways.push_back(std::move(way));
    }
};

std::vector<Problem> hiding(const Sizes& n, xg::Rng& rng) {
    const Tensor query = xg::reshape(xg::arange(double(n.queries)), {n.queries, 1}), key = xg::arange(double(n.keys));
    const Tensor few = xg::fmod(query, 4.) > 0.5,
                 some = xg::fmod(key, 3.) > 0.5;  // every fourth query, every third key is hidden
    const Tensor early = key < double(n.keys / 2);
    const auto biased = [&](const Tensor& where_seen) {
        return xg::where(where_seen, xg::randn(where_seen.shape(), xg::f64, rng), -inf);
    };
    std::vector<Problem> all;
    const auto add = [&](std::vector<Option> chosen, Tensor mask, Tensor bias = {}) {
        Problem p = make(n, chosen, rng);
        if (mask.defined()) p.options.mask = mask;
        if (bias.defined()) p.x.push_back(bias);
        all.push_back(std::move(p));
    };
    add({}, some);
    add({}, few);
    add({dropout}, few && some);
    add({causal, grouped}, early);
    add({bias}, xg::broadcast_to(some, {n.batch, 1, 1, n.keys}));
    add({}, {}, biased(some));
    add({}, {}, biased(few));
    add({causal}, early, biased(few && some));
    add({causal, offset_back}, {});
    add({window, offset_back}, {});
    add({causal, window, offset_back, grouped, dropout}, some);
    return all;
}

const Sizes sizes[] = {{}, {.queries = 1}, {1, 3, 600, 9, 20, 1, 1}, {1, 70, 150, 17, 35, 1, 1}};

}  // namespace

TEST_CASE("what no query sees, and queries that see nothing, change no bit and have no gradient") {
    in_each_set([] {
        xg::Rng rng(21);
        for (const Sizes& size : sizes) {
            std::size_t number = 0;
            for (const Problem& p : hiding(size, rng)) {
                CAPTURE(size.queries);
                CAPTURE(number);
                ++number;
                for (const xg::Dtype dtype : {xg::f64, xg::f32}) {
                    Tensors x;
                    for (const Tensor& t : p.x) x.push_back(xg::astype(t, dtype));
                    const Sizes& n = p.n;
                    const Sight sight{n, p.seen(x)};
                    const Parts unseen = sight.unseen(p);
                    const Tensor g = xg::randn({n.batch, n.queries, n.heads * n.value_width}, dtype, rng);
                    const Tensors along = directions(x, rng);
                    const auto zero = [](const Tensor& t) { return xg::zeros_like(t); };
                    const auto any_junk = [](const Tensor& t) { return junk(t); };
                    const Tensors spoilt = replaced(x, unseen.x, any_junk);
                    const Everything got(p, spoilt, xg::where(unseen.g, junk(g), g), replaced(along, unseen.x, any_junk)),
                        want(p, replaced(x, unseen.x, zero), xg::where(unseen.g, 0, g), replaced(along, unseen.x, zero));
                    for (std::size_t i = 0; i < got.outputs.size(); ++i) {
                        CAPTURE(i);
                        CHECK(error(got.outputs[i], want.outputs[i]) == 0);
                        CHECK(error(xg::where(unseen.g, got.outputs[i], 0), zero(g)) == 0);
                    }
                    for (std::size_t i = 0; i < got.rows.size(); ++i) CHECK(error(got.rows[i], want.rows[i]) == 0);
                    for (std::size_t way = 0; way < got.ways.size(); ++way)
                        for (std::size_t i = 0; i < got.ways[way].size(); ++i) {
                            CAPTURE(way);
                            CAPTURE(i);
                            CHECK(error(got.ways[way][i], want.ways[way][i]) == 0);
                            const Tensor gradient = got.ways[way][i];
                            if (i < x.size()) CHECK(error(xg::where(unseen.x[i], gradient, 0), zero(gradient)) == 0);
                        }
                    const Naive loops(p, spoilt, xg::where(unseen.g, 0, g));
                    CHECK(error(got.outputs[0], loops.out) < (dtype == xg::f32 ? 2e-5 : 1e-12));
                    CHECK(error(got.rows[0], loops.lse, 1) < (dtype == xg::f32 ? 2e-4 : 1e-11));
                    CHECK(error(got.ways[0][1], loops.k) < (dtype == xg::f32 ? 2e-5 : 1e-12));
                    CHECK(error(got.ways[0][3], loops.scale) < (dtype == xg::f32 ? 2e-5 : 1e-12));
                }
            }
        }
    });
}

TEST_CASE("a NaN or an infinity shows to those that see it, and changes no bit for the others") {
    in_each_set([] {
        xg::Rng rng(22);
        for (const Sizes& size : sizes)
            for (const auto& chosen :
                 std::vector<std::vector<Option>>{{causal}, {window}, {causal, window, grouped}, {causal, mask}})
                for (const double bad : {std::nan(""), inf})
                    for (std::size_t place = 0; place < 3; ++place) {  // in q, k or v
                        const Problem p = make(size, chosen, rng);
                        const Sizes& n = p.n;
                        const Sight sight{n, p.seen(p.x)};
                        CAPTURE(n.queries);
                        CAPTURE(place);
                        CAPTURE(bad);
                        const Index at = std::min<Index>(n.queries, n.keys) / 2;
                        const Parts here(
                            n, [&](Index b, Index h, Index t) { return b == 0 && h == 0 && t == at; },
                            [&](Index b, Index kv, Index s) { return b == 0 && kv == 0 && s == at; });
                        const auto queries = [&](Index b, Index h, Index t) {
                            const Index kv = h * n.kv_heads / n.heads;
                            return place == 0 ? b == 0 && h == 0 && t == at && !sight.blind(b, h, t)
                                              : b == 0 && kv == 0 && sight(b, h, t, at);
                        };
                        const Parts touched(n, queries, [&](Index b, Index kv, Index s) {
                            return (place != 0 && b == 0 && kv == 0 && s == at) || sight.shown(b, kv, s, queries);
                        });
                        Tensors spoilt = p.x, clean = p.x;
                        spoilt[place] = xg::where(here.x[place], bad, p.x[place]);
                        clean[place] = xg::where(here.x[place], 0, p.x[place]);
                        const Tensor g = xg::randn({n.batch, n.queries, n.heads * n.value_width}, xg::f64, rng);
                        const Tensors along = directions(p.x, rng);
                        const Everything got(p, spoilt, g, along), want(p, clean, g, along);
                        for (std::size_t i = 0; i < got.outputs.size(); ++i) {
                            const auto of_others = [&](const Tensor& x) { return xg::where(touched.g, 0, x); };
                            CHECK(error(of_others(got.outputs[i]), of_others(want.outputs[i])) == 0);
                            const Tensor fine = touched.g && xg::isfinite(got.outputs[i]);
                            if (std::isnan(bad)) CHECK(!xg::any(fine).item<bool>());
                        }
                        for (std::size_t way = 0; way < got.ways.size(); ++way)
                            for (std::size_t i = 0; i < 3; ++i) {
                                CAPTURE(way);
                                CAPTURE(i);
                                const auto of_others = [&](const Tensor& x) { return xg::where(touched.x[i], 0, x); };
                                CHECK(error(of_others(got.ways[way][i]), of_others(want.ways[way][i])) == 0);
                            }
                    }
    });
}

TEST_CASE("third derivatives are those of what is seen") {
    xg::Rng rng(23);
    for (const Problem& p : hiding({2, 9, 11, 3, 2, 2, 2}, rng)) {
        const Tensors unseen = Sight{p.n, p.seen(p.x)}.unseen(p).x, d = directions(p.x, rng);
        const auto third = [&](const Tensors& x) {
            xg::Tape outer;
            const Tensor two = [&] {
                xg::Tape middle;
                const Tensor one = [&] {
                    xg::Tape inner;
                    return inner.jvp(p.vector(x, true), x, d);
                }();
                return middle.gradient(xg::sum(xg::square(one)), x[0]);
            }();
            return outer.gradient(xg::sum(two * xg::cos(two)), x);
        };
        const Tensors got = third(replaced(p.x, unseen, [](const Tensor& t) { return junk(t, false); })),
                      want = third(replaced(p.x, unseen, [](const Tensor& t) { return xg::zeros_like(t); }));
        for (std::size_t i = 0; i < got.size(); ++i) {
            CHECK(error(got[i], want[i], 1) < 1e-11);
            CHECK(error(xg::where(unseen[i], got[i], 0), xg::zeros_like(got[i])) == 0);
        }
    }
}

TEST_CASE("a scale that is not finite is an error as a number, and shows as a Tensor to queries that see a key") {
    const Tensor x = xg::ones({9, 2}, xg::f32);
    for (const double scale : {std::nan(""), inf, -inf, 1e300})
        CHECK_THROWS_AS(xg::attention(x, x, x, {.scale = scale}), xg::Error);
    CHECK_THROWS_WITH_AS(xg::attention(x, x, x, {.scale = inf}),
                         "[attention] the scale inf is not finite in f32; give a finite number", xg::Error);
    in_each_set([&] {
        for (const double number : {std::nan(""), inf})
            for (const Index queries : {9, 1}) {
                const Tensor scale(number), q = xg::zeros({queries, 2}), k = xg::ones({9, 2});
                CHECK(xg::all(xg::isnan(xg::attention(q, k, k, {.scale = scale}))).item<bool>());
                xg::Tape tape;
                const Tensor y = xg::attention(q, k, k, {.scale = scale, .mask = xg::zeros({9}) > 0});
                CHECK(error(y, xg::zeros_like(y)) == 0);
                for (const Tensor& g : tape.vjp(y, xg::ones_like(y), Tensors{q, k, scale}))
                    CHECK(error(g, xg::zeros_like(g)) == 0);
            }
    });
}

TEST_CASE("offsets and windows of any size hide what they say") {
    constexpr Index most = std::numeric_limits<Index>::max(), least = std::numeric_limits<Index>::min();
    xg::Rng rng(24);
    for (const Index rows : {0, 1, 3, 9})
        for (const Index keys : {0, 1, 7}) {
            const Tensor q = xg::randn({rows, 3}, xg::f64, rng), k = xg::randn({keys, 3}, xg::f64, rng);
            for (const bool causal : {false, true})
                for (const Index offset : {Index(0), Index(2), most, most - 3, most / 4 + 5, least, least + 2, -most / 4 - 3})
                    for (const std::optional<Index> window :
                         {std::optional<Index>(), std::optional<Index>(0), std::optional<Index>(2), std::optional<Index>(most),
                          std::optional<Index>(most - 2), std::optional<Index>(most / 4 + 4)}) {
                        CAPTURE(offset);
                        std::vector<double> seen;
                        for (Index i = 0; i < rows; ++i)
                            for (Index j = 0; j < keys; ++j) {
                                const long double from = static_cast<long double>(j - i) - offset;  // 64 bits and a sign
                                const bool near = !window || (causal ? from > -static_cast<long double>(*window)
                                                                     : std::fabs(from) <= static_cast<long double>(*window));
                                seen.push_back(near && (!causal || from <= 0));
                            }
                        const Tensor mask = xg::detail::from_elements(xg::f64, {rows, keys}, seen.data()) > 0;
                        const Tensor got = xg::attention(q, k, k, {.causal = causal, .offset = offset, .window = window});
                        CHECK(error(got, xg::attention(q, k, k, {.mask = mask})) < 1e-14);
                    }
        }
}

TEST_CASE("numbers of heads of any size are errors, or fit") {
    constexpr Index most = std::numeric_limits<Index>::max(), many = Index(1) << 40;
    const Tensor q = xg::zeros({3, 8}), none = xg::zeros({0, 8}), wide = xg::zeros({0, many}), narrow = xg::zeros({0, 1});
    const auto message = [](const Tensor& a, const Tensor& b, const Tensor& c, const xg::AttentionOptions& o) -> std::string {
        try {
            xg::attention(a, b, c, o);
        } catch (const xg::ShapeError& e) {
            return e.what();
        }
        return "nothing thrown";
    };
    const auto has = [](const std::string& text, const char* part) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    };
    for (const Tensor& x : {q, none}) {
        has(message(x, x, x, {.heads = most}), "9223372036854775807 heads");
        has(message(x, x, x, {.heads = 8, .kv_heads = most}), "9223372036854775807 kv_heads");
        has(message(x, x, x, {.heads = std::numeric_limits<Index>::min()}), "heads is -9223372036854775808");
    }
    has(message(xg::zeros({3, 0}), xg::zeros({0, 0}), xg::zeros({0, 0}), {.heads = most}), "no columns");
    has(message(wide, narrow, wide, {.heads = many, .kv_heads = 1}), "1099511627776 heads");
    has(message(wide, narrow, xg::zeros({0, Index(1) << 22}), {.heads = many, .kv_heads = 1}), "overflows");
    const xg::AttentionOptions shared{.heads = many, .kv_heads = 1};
    CHECK(message(wide, narrow, narrow, shared) == "nothing thrown");
    xg::Tape tape;
    const Tensor y = xg::attention(wide, narrow, narrow, shared);
    CHECK(y.shape() == Shape{0, many});
    CHECK(tape.vjp(y, y, narrow).shape() == narrow.shape());
}
