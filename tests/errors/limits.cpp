// Every integer that a public function takes, at the limits of its type and far beyond any extent: a result or an xg::Error, at
// once. What overflows on the way is found by the undefined-behaviour sanitizer, what is read beside a tensor by the other.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include <xtensor/xpad.hpp>
#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

namespace {

using xg::Index, xg::Tensor;
namespace d = xg::detail;
namespace la = xg::linalg;

constexpr Index limits[] = {
    INT64_MIN,      INT64_MIN + 1,  -(Index(1) << 62), -(Index(1) << 40), -2,       -1, 0, 1, 2, Index(1) << 40,
    Index(1) << 59, Index(1) << 60, Index(1) << 62,    INT64_MAX - 1,     INT64_MAX};

/// What takes an integer, of tensors with elements and of tensors without.
struct Call {
    const char* name;
    std::function<void(const Tensor&, Index)> f;
};

Tensor ones_of(const Tensor& like, const xg::Shape& shape) { return xg::ones(shape, like.dtype()); }
Tensor number(Index k) { return xg::full({1}, 0, xg::i64) + k; }

const std::vector<Call> of_axes{
    {"sum", [](auto& x, Index k) { (void)xg::sum(x, k); }},
    {"sum of two",
     [](auto& x, Index k) {
         (void)xg::sum(x, {k, Index(0)});
     }},
    {"argmax", [](auto& x, Index k) { (void)xg::argmax(x, k); }},
    {"variance", [](auto& x, Index k) { (void)d::variance(x, nullptr, false, k); }},
    {"variance along", [](auto& x, Index k) { (void)xg::variance(x, {k}); }},
    {"cumsum", [](auto& x, Index k) { (void)xg::cumsum(x, k); }},
    {"diff", [](auto& x, Index k) { (void)xg::diff(x, std::size_t(k), 0); }},
    {"diff along", [](auto& x, Index k) { (void)xg::diff(x, 1, k); }},
    {"sort", [](auto& x, Index k) { (void)xg::sort(x, k); }},
    {"topk", [](auto& x, Index k) { (void)xg::topk(x, k, 0); }},
    {"topk along", [](auto& x, Index k) { (void)xg::topk(x, 1, k); }},
    {"softmax", [](auto& x, Index k) { (void)xg::softmax(x, k); }},
    {"norm", [](auto& x, Index k) { (void)la::norm(x, 2., {k}); }},
};
const std::vector<Call> of_shapes{
    {"shape", [](auto& x, Index k) { (void)x.shape(k); }},
    {"reshape", [](auto& x, Index k) { (void)xg::reshape(x, {k}); }},
    {"reshape to two",
     [](auto& x, Index k) {
         (void)xg::reshape(x, {k, k});
     }},
    {"reshape beside -1",
     [](auto& x, Index k) {
         (void)xg::reshape(x, {k, Index(-1)});
     }},
    {"broadcast_to",
     [](auto& x, Index k) {
         (void)xg::broadcast_to(x, {k, x.shape(0), x.shape(1)});
     }},
    {"expand_dims", [](auto& x, Index k) { (void)d::expand_dims(x, k); }},
    {"squeeze",
     [](auto& x, Index k) {
         const xg::Axes a{k};
         (void)d::squeeze(x, &a);
     }},
    {"swapaxes", [](auto& x, Index k) { (void)xg::swapaxes(x, k, 0); }},
    {"moveaxis", [](auto& x, Index k) { (void)xg::moveaxis(x, {k}, {0}); }},
    {"permute",
     [](auto& x, Index k) {
         (void)xg::permute(x, {k, Index(0)});
     }},
    {"flip", [](auto& x, Index k) { (void)d::flip(x, &k); }},
    {"rot90", [](auto& x, Index k) { (void)d::rot90(x, k, 0, 1); }},
    {"roll", [](auto& x, Index k) { (void)xg::roll(x, k); }},
    {"roll along", [](auto& x, Index k) { (void)xg::roll(x, k, 0); }},
    {"split", [](auto& x, Index k) { (void)d::split(x, k, 0); }},
    {"split along", [](auto& x, Index k) { (void)d::split(x, 1, k); }},
    {"concatenate",
     [](auto& x, Index k) {
         (void)xg::concatenate(std::vector{x, x}, k);
     }},
    {"stack",
     [](auto& x, Index k) {
         (void)xg::stack(std::vector{x, x}, k);
     }},
    {"repeat", [](auto& x, Index k) { (void)d::repeat(x, k, 0); }},
    {"repeat each",
     [](auto& x, Index k) { (void)d::repeat(x, std::vector<std::size_t>(std::size_t(x.shape(0)), std::size_t(k)), 0); }},
    {"tile",
     [](auto& x, Index k) {
         (void)d::tile(x, {k, k});
     }},
    {"tile the first", [](auto& x, Index k) { (void)d::tile_first(x, k); }},
    {"pad",
     [](auto& x, Index k) {
         (void)d::pad(x, {{k, k}}, true, 0, 0.);
     }},
    {"pad by reflection",
     [](auto& x, Index k) {
         (void)d::pad(x, {{k, Index(1)}}, true, 2, 0.);
     }},
    {"diagonal", [](auto& x, Index k) { (void)d::diagonal(x, k, 0, 1); }},
    {"trace", [](auto& x, Index k) { (void)xg::trace(x, k); }},
    {"tril", [](auto& x, Index k) { (void)d::triangle(d::Triangle::lower, x, k); }},
    {"triu", [](auto& x, Index k) { (void)d::triangle(d::Triangle::upper, x, k); }},
    {"diag", [](auto& x, Index k) { (void)d::diag(ones_of(x, {3}), k); }},
    {"eye", [](auto&, Index k) { (void)xg::eye(3, k); }},
    {"eye of many", [](auto&, Index k) { (void)xg::eye(k, 0); }},
    {"eye, tall",
     [](auto&, Index k) {
         (void)xg::eye({std::size_t(1000), std::size_t(1)}, k);
     }},
    {"zeros", [](auto&, Index k) { (void)xg::zeros({k}); }},
    {"zeros of two",
     [](auto&, Index k) {
         (void)xg::zeros({k, Index(0), k});
     }},
    {"full",
     [](auto&, Index k) {
         (void)xg::full({k, Index(2)}, 1.);
     }},
    {"linspace", [](auto&, Index k) { (void)xg::linspace(0, 1, k); }},
    {"arange", [](auto&, Index k) { (void)xg::arange(double(k)); }},
    {"view, index", [](auto& x, Index k) { (void)d::sliced(x, {d::Slice::index(k)}); }},
    {"view, from", [](auto& x, Index k) { (void)d::sliced(x, {d::Slice::range(k, 3)}); }},
    {"view, to", [](auto& x, Index k) { (void)d::sliced(x, {d::Slice::range(0, k)}); }},
    {"view, step", [](auto& x, Index k) { (void)d::sliced(x, {{.kind = d::Slice::Kind::range, .step = k}}); }},
    {"one_hot", [](auto&, Index k) { (void)xg::one_hot(number(0), k); }},
    {"one_hot, label", [](auto&, Index k) { (void)xg::one_hot(number(k), 3); }},
    {"take", [](auto& x, Index k) { (void)xg::take(x, number(k)); }},
    {"take along", [](auto& x, Index k) { (void)xg::take(x, number(0), k); }},
    {"index_add",
     [](auto& x, Index k) {
         (void)xg::index_add(x, number(k), ones_of(x, {1, x.shape(1)}));
     }},
    {"take_along_axis",
     [](auto& x, Index k) {
         (void)xg::take_along_axis(x, xg::reshape(number(k), {1, 1}), 0);
     }},
};
const std::vector<Call> of_models{
    {"tensordot", [](auto& x, Index k) { (void)xg::tensordot(x, x, k); }},
    {"matrix_power",
     [](auto& x, Index k) {
         (void)la::matrix_power(ones_of(x, {2, 2}) + xg::eye(2, 0, x.dtype()), k);
     }},
    {"conv2d, stride",
     [](auto& x, Index k) {
         (void)xg::conv2d(ones_of(x, {1, 1, 4, 4}), ones_of(x, {1, 1, 2, 2}), {.stride = k, .padding = 2});
     }},
    {"conv2d, padding",
     [](auto& x, Index k) {
         (void)xg::conv2d(ones_of(x, {1, 1, 4, 4}), ones_of(x, {1, 1, 2, 2}), {.padding = k});
     }},
    {"conv2d, padding and stride",
     [](auto& x, Index k) {
         (void)xg::conv2d(ones_of(x, {1, 1, 4, 4}), ones_of(x, {1, 1, 2, 2}), {.stride = k, .padding = k});
     }},
    {"conv2d, dilation",
     [](auto& x, Index k) {
         (void)xg::conv2d(ones_of(x, {1, 1, 4, 4}), ones_of(x, {1, 1, 2, 2}), {.padding = 2, .dilation = k});
     }},
    {"conv2d, dilation of 1",
     [](auto& x, Index k) {
         (void)xg::conv2d(ones_of(x, {1, 1, 4, 4}), ones_of(x, {1, 1, 1, 1}), {.dilation = k});
     }},
    {"conv2d, groups",
     [](auto& x, Index k) {
         (void)xg::conv2d(ones_of(x, {1, 1, 4, 4}), ones_of(x, {1, 1, 2, 2}), {.groups = k});
     }},
    {"conv2d, groups of nothing",
     [](auto& x, Index k) {
         (void)xg::conv2d(ones_of(x, {1, 0, 4, 4}), ones_of(x, {0, 0, 2, 2}), {.groups = k});
     }},
    {"conv1d, stride",
     [](auto& x, Index k) {
         (void)xg::conv1d(ones_of(x, {1, 1, 4}), ones_of(x, {1, 1, 2}), {.stride = k, .padding = 2});
     }},
    {"conv1d, padding",
     [](auto& x, Index k) {
         (void)xg::conv1d(ones_of(x, {1, 1, 4}), ones_of(x, {1, 1, 2}), {.stride = k, .padding = k});
     }},
    {"max_pool2d, window",
     [](auto& x, Index k) {
         (void)xg::max_pool2d(ones_of(x, {1, 1, 1, 6}), {k, 1}, {.padding = {k / 2, 0}});
     }},
    {"max_pool2d, stride",
     [](auto& x, Index k) {
         (void)xg::max_pool2d(ones_of(x, {1, 1, 3, 6}), 2, {.stride = k});
     }},
    {"max_pool2d, padding",
     [](auto& x, Index k) {
         (void)xg::max_pool2d(ones_of(x, {1, 1, 1, 6}), {3, 1}, {.padding = {k, 0}});
     }},
    {"avg_pool2d, window",
     [](auto& x, Index k) {
         (void)xg::avg_pool2d(ones_of(x, {1, 1, 3, 6}), k, {.padding = k / 2});
     }},
    {"avg_pool2d of nothing",
     [](auto& x, Index k) {
         (void)xg::avg_pool2d(ones_of(x, {1, 0, 3, 6}), k, {.stride = 1, .padding = k / 2});
     }},
    {"rotary, heads",
     [](auto& x, Index k) {
         (void)xg::rotary(ones_of(x, {3, 4}), {.heads = k});
     }},
    {"rotary, heads of nothing",
     [](auto& x, Index k) {
         (void)xg::rotary(ones_of(x, {3, 0}), {.heads = k});
     }},
    {"rotary, offset",
     [](auto& x, Index k) {
         (void)xg::rotary(ones_of(x, {3, 4}), {.offset = k});
     }},
    {"attention, heads",
     [](auto& x, Index k) {
         const Tensor q = ones_of(x, {3, 4});
         (void)xg::attention(q, q, q, {.heads = k});
     }},
    {"attention, kv_heads",
     [](auto& x, Index k) {
         const Tensor q = ones_of(x, {3, 4});
         (void)xg::attention(q, q, q, {.heads = 2, .kv_heads = k});
     }},
    {"attention, offset",
     [](auto& x, Index k) {
         const Tensor q = ones_of(x, {3, 4});
         (void)xg::attention(q, q, q, {.causal = true, .offset = k});
     }},
    {"attention, window",
     [](auto& x, Index k) {
         const Tensor q = ones_of(x, {3, 4});
         (void)xg::attention(q, q, q, {.offset = k, .window = k});
     }},
    {"cross_entropy, label",
     [](auto& x, Index k) {
         (void)xg::cross_entropy(ones_of(x, {1, 3}), number(k));
     }},
    {"cross_entropy, ignored",
     [](auto& x, Index k) {
         (void)xg::cross_entropy(ones_of(x, {1, 3}), number(1), {.ignore_index = k});
     }},
    {"polygamma", [](auto& x, Index k) { (void)d::polygamma(double(k), x); }},
    {"kron of nothing",
     [](auto& x, Index k) {
         const Tensor n = xg::zeros({k, Index(0)}, x.dtype());
         (void)la::kron(n, n);
     }},
    {"concatenate of nothing",
     [](auto& x, Index k) {
         (void)xg::concatenate(std::vector<Tensor>(20, xg::zeros({k, Index(0)}, x.dtype())), 0);
     }},
    {"permutation",
     [](auto&, Index k) {
         xg::Rng rng(1);
         (void)xg::permutation(k, rng);
     }},
    {"randint",
     [](auto&, Index k) {
         xg::Rng rng(1);
         (void)xg::randint({2}, std::min<Index>(k, 0), std::max<Index>(k, 1), rng);
     }},
    {"randn",
     [](auto& x, Index k) {
         xg::Rng rng(1);
         (void)xg::randn({k}, x.dtype(), rng);
     }},
    {"uniform",
     [](auto& x, Index k) {
         xg::Rng rng(1);
         rng.set_position(std::uint64_t(k));
         (void)xg::uniform({2}, x.dtype(), rng);
     }},
    {"Linear",
     [](auto&, Index k) {
         xg::Rng rng(1);
         xg::nn::Linear layer(k, k, rng);
     }},
    {"MultiHeadAttention",
     [](auto&, Index k) {
         xg::Rng rng(1);
         xg::nn::MultiHeadAttention layer(4, rng, {.heads = k});
     }},
    {"windows", [](auto&, Index k) { (void)xg::data::windows(xg::zeros({5}, xg::i64), k); }},
    {"random_windows",
     [](auto&, Index k) {
         xg::Rng rng(1);
         (void)xg::data::random_windows(xg::zeros({5}, xg::i64), 2, k, rng);
     }},
    {"random_windows, count",
     [](auto&, Index k) {
         xg::Rng rng(1);
         (void)xg::data::random_windows(xg::zeros({5}, xg::i64), k, 2, rng);
     }},
    {"slice",
     [](auto& x, Index k) {
         (void)xg::data::slice({x, x}, k, k);
     }},
    {"batches, size",
     [](auto& x, Index k) {
         for (auto [a, b] : xg::data::batches({x, x}, {.size = k})) (void)a;
     }},
    {"batches, skip",
     [](auto& x, Index k) {
         for (auto [a, b] : xg::data::batches({x, x}, {.size = 2, .skip = k})) (void)a;
     }},
    {"cosine", [](auto&, Index k) { (void)xg::optim::cosine(k, {.peak = 1, .warmup = 10, .steps = 100}); }},
    {"warmup", [](auto&, Index k) { (void)xg::optim::warmup(k, 100), (void)xg::optim::warmup(3, k); }},
    {"constant", [](auto&, Index k) { (void)xg::optim::constant(5, {.peak = 1, .warmup = k, .steps = k}); }},
};

void call_all(const std::vector<Call>& calls) {
    for (const xg::Dtype dtype : {xg::f32, xg::f64})
        for (const xg::Shape& shape : {xg::Shape{2, 3}, xg::Shape{1, 1}, xg::Shape{0, 3}, xg::Shape{3, 0}})
            for (const auto& [name, f] : calls)
                for (const Index k : limits) {
                    INFO(std::string(name));
                    CAPTURE(k);
                    xg::Tape tape;
                    const Tensor x = xg::ones(shape, dtype), y = xg::square(x);
                    try {
                        f(x, k);
                    } catch (const xg::Error&) {
                    }
                    CHECK(xg::sum(tape.gradient(xg::sum(y), x)).item<double>() == 2 * double(x.size()));
                }
}

}  // namespace

TEST_CASE("axes at the limits of integers") { call_all(of_axes); }
TEST_CASE("extents, counts and indices at the limits of integers") { call_all(of_shapes); }
TEST_CASE("options at the limits of integers") { call_all(of_models); }
