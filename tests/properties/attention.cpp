// What attention does not depend on, for any extents and options.
#include <doctest/doctest.h>

#include "arrangement.hpp"

namespace properties {
namespace {

struct Case {
    Index batch, queries, keys, width, value_width, heads, kv_heads;
    Inputs x;  // q, k, v and a bias
    Tensor cotangent;
    xg::AttentionOptions options;

    Case() {
        const auto any = [](Index low, Index high) { return *rc::gen::inRange<Index>(low, high); };
        batch = any(1, 3), queries = any(1, 40), keys = any(1, 40), width = any(1, 7), value_width = any(1, 7);
        kv_heads = any(1, 3), heads = kv_heads * any(1, 3);
        if (any(0, 4) == 0) keys += 120;  // more than a block
        const auto seed = *rc::gen::arbitrary<std::uint32_t>();
        const auto tensor = [&](const Shape& shape, std::uint32_t k) {
            return arranged(any_values(shape, -2, 2, seed + k), any_arrangement(shape.size()), xg::f64);
        };
        x = {tensor({batch, queries, heads * width}, 1), tensor({batch, keys, kv_heads * width}, 2),
             tensor({batch, keys, kv_heads * value_width}, 3), tensor({batch, heads, queries, keys}, 4)};
        cotangent = tensor({batch, queries, heads * value_width}, 5);
        options.heads = heads;
        options.kv_heads = kv_heads;
        RC_LOG() << "batch " << batch << ", queries " << queries << ", keys " << keys << ", width " << width << ", values "
                 << value_width << ", heads " << heads << " of " << kv_heads << '\n';
    }

    Tensor operator()(const Inputs& v) const {
        xg::AttentionOptions o = options;
        o.bias = v[3];
        return xg::attention(v[0], v[1], v[2], o);
    }
    /// The value, then the gradients.
    Inputs all(const Inputs& v) const {
        xg::Tape tape;
        const Tensor y = (*this)(v);
        Inputs result = tape.vjp(y, cotangent, v);
        result.insert(result.begin(), y);
        return result;
    }
};

void check(const char* name, const std::function<void()>& property) {
    const std::string found = counterexample(name, property);
    CHECK_MESSAGE(found.empty(), found);
}

}  // namespace

TEST_CASE("attention does not know the order of the keys") {
    check("attention", [] {
        const Case c;
        xg::Rng rng(*rc::gen::arbitrary<std::uint32_t>());
        const Tensor order = xg::permutation(c.keys, rng);
        const auto moved = [&](const Inputs& x) {
            return Inputs{x[0], xg::take(x[1], order, 1), xg::take(x[2], order, 1), xg::take(x[3], order, 3)};
        };
        const Inputs got = c.all(moved(c.x)), all = c.all(c.x);
        const Inputs want = moved({all.begin() + 1, all.end()});
        RC_ASSERT(distance(got[0], all[0]) < 1e-12);
        for (std::size_t i = 0; i < want.size(); ++i) RC_ASSERT(distance(got[i + 1], want[i]) < 1e-11);
    });
}

TEST_CASE("attention does not know a constant that is added to the bias of a query") {
    check("attention", [] {
        const Case c;
        xg::Rng rng(*rc::gen::arbitrary<std::uint32_t>());
        const Tensor constants = xg::randn({c.heads, c.queries, 1}, xg::f64, rng) * 10.;
        const Inputs got = c.all({c.x[0], c.x[1], c.x[2], c.x[3] + constants}), want = c.all(c.x);
        for (std::size_t i = 0; i < want.size(); ++i) RC_ASSERT(distance(got[i], want[i]) < 1e-11);
        RC_ASSERT(xg::amax(xg::abs(xg::sum(got[4], -1))).item<double>() < 1e-11);
    });
}

TEST_CASE("causal attention does not see later keys, nor do its gradients") {
    check("attention", [] {
        Case c;
        c.options.causal = true;
        c.options.offset = *rc::gen::inRange<Index>(-3, 20);
        const Index seen = *rc::gen::inRange<Index>(0, c.queries);  // the last query that is looked at
        const Index known = std::clamp<Index>(seen + c.options.offset + 1, 0, c.keys);
        RC_LOG() << "offset " << c.options.offset << ", query " << seen << '\n';
        const auto late = [&](Index n, Index first) {
            return xg::reshape(xg::astype(xg::arange(double(n)) > double(first) - 0.5, xg::f64), {n, 1});
        };
        const Tensor new_keys = late(c.keys, known), old_queries = 1. - late(c.queries, seen + 1);
        const Tensor y = c(c.x), z = c({c.x[0], c.x[1] + new_keys * 3., c.x[2] - new_keys, c.x[3]});
        RC_ASSERT(xg::amax(xg::abs((y - z) * old_queries)).item<double>() == 0);
        c.cotangent = c.cotangent * old_queries;
        const Inputs g = c.all(c.x);
        for (const Tensor& of_keys : {g[2], g[3]}) RC_ASSERT(xg::amax(xg::abs(of_keys * new_keys)).item<double>() == 0);
    });
}

}  // namespace properties
