#include <xtgrad/random.hpp>

#include <cmath>
#include <numbers>
#include <numeric>

#include <xtgrad/ops/elementwise.hpp>

#include "../kernels/parallel.hpp"
#include "../kernels/philox.hpp"
#include "../tape/record.hpp"
#include "../tensor/message.hpp"
#include "../tensor/storage.hpp"
#include "draws.hpp"

namespace xtgrad {

using namespace detail;

std::array<std::uint32_t, 4> Rng::block(std::uint64_t seed, std::uint64_t position) noexcept {
    std::uint32_t words[4][1];
    kernels::philox(
        seed, [&](int) { return position; }, words);
    return {words[0][0], words[1][0], words[2][0], words[3][0]};
}

Rng Rng::split() {
    Rng from = source(*this);
    const Rng other(seed_of_split(from));
    from.set_position(from.position() + 1);
    advance(*this, from);
    return other;
}

namespace {

/// Two uniform 53-bit numbers in [0, 1) of a block.
std::array<double, 2> two_doubles(const std::array<std::uint32_t, 4>& w) {
    const auto one = [](std::uint32_t high, std::uint32_t low) {
        return double((std::uint64_t(high) << 32 | low) >> 11) * 0x1p-53;
    };
    return {one(w[0], w[1]), one(w[2], w[3])};
}

/// Fills x, `per_block` elements from each block of words: f(words, elements).
template <class T, int per_block>
void fill(const Tensor& x, Rng& rng, auto f) {
    const Index n = element_count(x), blocks = (n + per_block - 1) / per_block;
    Rng after = source(rng);
    const std::uint64_t seed = after.seed(), from = after.position();
    T* out = mutable_data<T>(x);
    kernels::parallel_ranges(blocks, 64, [&](Index begin, Index end) {
        for (Index b = begin; b < end; ++b) {
            const std::array<T, per_block> values = f(Rng::block(seed, from + std::uint64_t(b)));
            std::copy_n(values.begin(), std::min<Index>(per_block, n - b * per_block), out + b * per_block);
        }
    });
    after.set_position(from + std::uint64_t(blocks));
    advance(rng, after);
}

void check_dtype(const char* op, Dtype dtype) {
    if (!is_floating(dtype)) fail<DtypeError>(op, "makes f32 or f64, not ", dtype, "; use randint for integers");
}

__extension__ using Wide = unsigned __int128;

/// A uniform integer below n without bias, by rejection (Lemire, arXiv:1805.10941).
std::uint64_t below(std::uint64_t n, Rng& rng) {
    while (true) {
        const auto w = Rng::block(rng.seed(), rng.position());
        rng.set_position(rng.position() + 1);
        for (const std::uint64_t word : {std::uint64_t(w[0]) << 32 | w[1], std::uint64_t(w[2]) << 32 | w[3]}) {
            const Wide product = static_cast<Wide>(word) * n;
            const auto low = std::uint64_t(product);
            if (low >= n || low >= -n % n) return std::uint64_t(product >> 64);
        }
    }
}

}  // namespace

Tensor randn(const Shape& shape, Dtype dtype, Rng& rng) {
    check_dtype("randn", dtype);
    Tensor x = allocate(dtype, shape, "randn");
    with_floating(dtype, [&](auto z) {
        using T = decltype(z);
        fill<T, 2>(x, rng, [](const auto& words) {
            const auto [u, v] = two_doubles(words);
            const double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::numbers::pi * v;
            return std::array{T(radius * std::cos(angle)), T(radius * std::sin(angle))};
        });
    });
    return x;
}

Tensor uniform(const Shape& shape, Dtype dtype, Rng& rng, double low, double high) {
    check_dtype("uniform", dtype);
    if (!(low <= high && std::isfinite(low) && std::isfinite(high)))
        fail<Error>("uniform", "the range [", low, ", ", high, ") is empty or infinite; give finite bounds, the lower one first");
    Tensor x = allocate(dtype, shape, "uniform");
    if (dtype == Dtype::f32) {
        const float a = float(low), b = float(high), last = std::nextafter(b, a);
        if (!std::isfinite(a) || !std::isfinite(b))
            fail<DtypeError>("uniform", "the range [", low, ", ", high, ") is not one of f32; use xg::f64");
        fill<float, 4>(x, rng, [&](const auto& words) {
            std::array<float, 4> values;
            for (std::size_t i = 0; i < 4; ++i) {
                const float u = float(words[i] >> 8) * 0x1p-24f;
                values[i] = std::clamp((1 - u) * a + u * b, a, std::max(a, last));
            }
            return values;
        });
    } else {
        const double last = std::max(low, std::nextafter(high, low));
        fill<double, 2>(x, rng, [&](const auto& words) {
            const auto [u, v] = two_doubles(words);
            const auto at = [&](double t) { return std::clamp((1 - t) * low + t * high, low, last); };
            return std::array{at(u), at(v)};
        });
    }
    return x;
}

Tensor randint(const Shape& shape, std::int64_t low, std::int64_t high, Rng& rng) {
    if (low >= high) fail<Error>("randint", "the range [", low, ", ", high, ") is empty; give the lower bound first");
    Tensor x = allocate(Dtype::i64, shape, "randint");
    auto* p = mutable_data<std::int64_t>(x);
    const std::uint64_t n = std::uint64_t(high) - std::uint64_t(low);
    Rng from = source(rng);
    for (Index i = 0, count = element_count(x); i < count; ++i) p[i] = std::int64_t(std::uint64_t(low) + below(n, from));
    advance(rng, from);
    return x;
}

Tensor permutation(Index n, Rng& rng) {
    Tensor x = allocate(Dtype::i64, Shape{n}, "permutation");
    auto* p = mutable_data<std::int64_t>(x);
    std::iota(p, p + n, std::int64_t(0));
    Rng from = source(rng);
    for (Index i = n - 1; i > 0; --i) std::swap(p[i], p[below(std::uint64_t(i) + 1, from)]);
    advance(rng, from);
    return x;
}

Tensor categorical(const Tensor& weights, Rng& rng) {
    check_floating("categorical", weights);
    if (weights.dimension() == 0)
        fail<ShapeError>("categorical", "needs at least one axis, got a scalar; give a weight for each class");
    const Index n = weights.shape().back();
    Shape shape = weights.shape();
    shape.pop_back();
    const Index rows = size_of(shape);
    const Unrecorded inner;
    Rng after = rng;  // the caller's moves when nothing can fail any more
    const Tensor dense = astype(contiguous(weights), Dtype::f64), u = uniform({rows}, Dtype::f64, after);
    const double* w = mutable_data<double>(dense);
    Tensor out = allocate(Dtype::i64, shape);
    for (Index r = 0; r < rows; ++r, w += n) {
        double sum = 0;
        bool valid = true;
        for (Index i = 0; i < n; ++i) {
            valid &= w[i] >= 0 && std::isfinite(w[i]);
            sum += w[i];
        }
        if (!valid || !(sum > 0) || !std::isfinite(sum)) {
            fail<Error>("categorical", "row ", r, " of ", weights.shape(),
                        " is not a distribution: weights are finite, not negative, and not all 0; for logits use softmax first");
        }
        double rest = mutable_data<double>(u)[r] * sum;
        Index drawn = 0;
        for (Index i = 0; i < n; ++i) {
            if (w[i] == 0) continue;
            drawn = i;
            if ((rest -= w[i]) < 0) break;
        }
        mutable_data<std::int64_t>(out)[r] = drawn;
    }
    rng = after;
    return out;
}

}  // namespace xtgrad
