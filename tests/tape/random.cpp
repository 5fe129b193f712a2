// Random programs and random scopes against a naive tape.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "common.hpp"

namespace {

/// A program of scalars, and beside it what a tape should know: for each tensor its parents and the slopes.
struct Program {
    struct Entry {
        xg::Tensor t;
        std::vector<std::pair<std::size_t, double>> parents;
    };
    std::vector<Entry> entries;
    std::uint64_t state;

    explicit Program(std::uint64_t seed) : state(seed * 2654435761u + 12345) {}
    std::size_t random(std::size_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return std::size_t(state >> 33) % n;
    }
    std::size_t some() { return random(entries.size()); }
    double value(std::size_t i) const { return numbers(entries[i].t)[0]; }
    void add(xg::Tensor t, std::vector<std::pair<std::size_t, double>> parents = {}) {
        entries.push_back({std::move(t), std::move(parents)});
    }

    void step() {
        const std::size_t a = some(), b = some();
        const xg::Tensor s = entries[a].t, t = entries[b].t;
        switch (random(9)) {
            case 0: return add(s + t, {{a, 1.}, {b, 1.}});
            case 1: return add(s - t, {{a, 1.}, {b, -1.}});
            case 2: return add(xg::sin(s), {{a, std::cos(value(a))}});
            case 3: return add(s * 0.5 + 0.25, {{a, 0.5}});
            case 4: return add(xg::tanh(s * t), {{a, slope(a, b) * value(b)}, {b, slope(a, b) * value(a)}});
            case 5: return add(xg::stop_gradient(s));
            case 6: {
                const xg::no_record pause;
                return add(xg::cos(s));
            }
            case 7: {
                xg::Tape inner;  // what it records, the outer one does too
                const xg::Tensor u = xg::cos(s);
                add(u, {{a, -std::sin(value(a))}});
                const xg::Tensor g = inner.gradient(u, s);  // -sin s, and its slope is -cos s
                return add(g, {{a, -std::cos(value(a))}});
            }
            default: return add(xg::sum(xg::broadcast_to(s, {2, 3})), {{a, 6.}});
        }
    }
    double slope(std::size_t a, std::size_t b) const {
        const double y = std::tanh(value(a) * value(b));
        return 1 - y * y;
    }
    Numbers adjoints(std::size_t y) const {
        Numbers of(entries.size(), 0.);
        of[y] = 1;
        for (std::size_t i = y + 1; i-- > 0;)
            for (const auto& [parent, by] : entries[i].parents) of[parent] += of[i] * by;
        return of;
    }
    Numbers tangents(const Numbers& seeds) const {
        Numbers of = seeds;
        for (std::size_t i = 0; i < entries.size(); ++i)
            for (const auto& [parent, by] : entries[i].parents) of[i] += of[parent] * by;
        return of;
    }
};

}  // namespace

TEST_CASE("random programs give the gradients and tangents of a naive tape") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        Program p(seed);
        for (int i = 0; i < 3; ++i) p.add(xg::Tensor(0.25 + 0.5 * i));
        xg::Tape tape(xg::persistent);
        for (int round = 0; round < 4; ++round) {
            for (int i = 0; i < 12; ++i) p.step();
            std::size_t y = p.some();
            while (p.entries[y].parents.empty()) y = p.some();
            std::vector<xg::Tensor> targets, dxs;
            std::vector<std::size_t> which;
            Numbers seeds(p.entries.size(), 0.);
            for (std::size_t i = 0, n = 1 + p.random(14); i < n; ++i) {
                which.push_back(p.some());
                targets.push_back(p.entries[which.back()].t);
                dxs.push_back(xg::Tensor(1. + double(i)));
                seeds[which.back()] += 1. + double(i);
            }
            const auto g = tape.gradient(p.entries[y].t, targets, xg::zeros_if_unused);
            const Numbers expected = p.adjoints(y);
            for (std::size_t i = 0; i < g.size(); ++i)
                CHECK(g[i].item<double>() == doctest::Approx(expected[which[i]]).epsilon(1e-10));
            CHECK(tape.jvp(p.entries[y].t, targets, dxs, xg::zeros_if_unused).item<double>() ==
                  doctest::Approx(p.tangents(seeds)[y]).epsilon(1e-10));
        }
    }
}

TEST_CASE("random scopes: each tape holds what was computed while it lived, not paused and not consumed") {
    std::uint64_t state = 1;
    const auto random = [&](std::size_t n) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return std::size_t(state >> 33) % n;
    };
    struct Known {
        std::unique_ptr<xg::Tape> tape;
        std::size_t born;       // scopes that had begun before
        std::size_t nodes = 0;  // that it should hold
        int doublings = 0;      // since `from`, none of them missed
        xg::Tensor from;
        bool persistent;
    };
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        std::vector<Known> tapes;
        struct Pause {
            std::unique_ptr<xg::no_record> scope;
            std::size_t born;
        };
        std::vector<Pause> pauses;
        std::size_t time = 0;
        xg::Tensor x(1.);
        const auto paused = [&](const Known& k) { return !pauses.empty() && pauses.back().born > k.born; };
        for (int step = 0; step < 60; ++step) {
            const std::size_t what = random(14);
            if (what == 0) {
                const bool persistent = random(2);
                tapes.push_back(
                    {std::make_unique<xg::Tape>(persistent ? xg::persistent : xg::TapeOption{0}), ++time, 0, 0, x, persistent});
            } else if (what == 1 && pauses.size() < 3) {
                pauses.push_back({std::make_unique<xg::no_record>(), ++time});
            } else if (what == 2 && !pauses.empty()) {
                pauses.pop_back();
            } else if (what == 3 && !tapes.empty()) {
                tapes.erase(tapes.begin() + std::ptrdiff_t(random(tapes.size())));
            } else if (what == 4 && !tapes.empty()) {
                const std::size_t i = random(tapes.size());
                Known& k = tapes[i];
                if (k.doublings == 0 || paused(k)) continue;
                CHECK(k.tape->gradient(x, k.from).item<double>() == std::ldexp(1., k.doublings));
                for (Known& other : tapes)  // the others have seen the walk
                    if (other.tape != k.tape && !paused(other)) other.nodes = other.tape->nodes();
                if (!k.persistent) tapes.erase(tapes.begin() + std::ptrdiff_t(i));
            } else {
                x = x * 2.;
                for (Known& k : tapes) {
                    if (paused(k)) {
                        k.doublings = 0;
                        k.from = x;
                    } else {
                        ++k.nodes;
                        ++k.doublings;
                    }
                }
            }
            for (const Known& k : tapes)
                if (!paused(k)) CHECK(k.tape->nodes() == k.nodes);
        }
        while (!pauses.empty()) pauses.pop_back();
    }
    CHECK(all_is_well());
}
