// Work that is worth threads, in every kernel that takes memory for it: values and gradients.
#include <doctest/doctest.h>

#include <xtgrad/vectorize.hpp>

#include <atomic>
#include <thread>

#include "kernels/one_thread.hpp"
#include "kernels/parallel.hpp"

#include "failing.hpp"

using namespace memory;

namespace {

constexpr int team = 4, kept_formulas = 8;

/// The library's threads, each with what OpenMP's runtime needs of memory for it, without which that ends the program.
void start_threads() {
    xg::set_num_threads(team);
    std::atomic<int> here{0};
    xg::kernels::parallel_tasks(team, [&](Index) {
        const xg::kernels::OneThread blas;
        ++here;
        while (here < team) std::this_thread::yield();
    });
}

Tensor numbers(const Shape& shape, xg::Dtype dtype = xg::f64) {
    xg::Rng rng(7);
    return xg::randn(shape, dtype, rng);
}
/// Positive definite matrices.
Tensor definite(const Shape& shape) {
    const Tensor a = numbers(shape);
    return xg::matmul(a, xg::transpose(a, {0, 2, 1})) + xg::eye(shape.back()) * 5.;
}

/// f's value, and the gradient of the sum of its squares.
void check(const std::string& name, const std::function<Tensor(const Tensors&)>& f, const Tensors& x,
           bool differentiable = true) {
    exhaust(
        name,
        [&] {
            if (!differentiable) return Tensors{f(x)};
            xg::Tape tape;
            const Tensor y = f(x);
            Tensors results = tape.gradient(xg::sum(xg::square(y)), x);
            results.push_back(y);
            return results;
        },
        x);
}

}  // namespace

TEST_CASE("products in every kernel") {
    start_threads();
    const auto product = [](const Tensors& x) { return xg::matmul(x[0], x[1]); };
    for (const xg::Dtype d : {xg::f32, xg::f64}) {
        check("one row", product, {numbers({1, 300}, d), numbers({300, 2000}, d)});
        check("few rows", product, {numbers({3, 300}, d), numbers({300, 900}, d)});
        check("one column", product, {numbers({700, 300}, d), numbers({300, 1}, d)});
        check("small ones", product, {numbers({20, 30, 40}, d), numbers({20, 40, 30}, d)});
        check("ours", product, {numbers({150, 140}, d), numbers({140, 160}, d)});
        check("ours, large", product, {numbers({200, 600}, d), numbers({600, 200}, d)});
        check("BLAS", product, {numbers({8, 600}, d), numbers({600, 600}, d)});
        check("with a bias", [](const Tensors& x) { return xg::linear(x[0], x[1], x[2]); },
              {numbers({100, 140}, d), numbers({130, 140}, d), numbers({130}, d)});
    }
    check("einsum",
          [](const Tensors& x) {
              return xg::einsum("bij,bjk,bk->bi", {x[0], x[1], x[2]});
          },
          {numbers({9, 20, 30}), numbers({9, 30, 40}), numbers({9, 40})});
}

TEST_CASE("rows, images, orders, sums") {
    start_threads();
    for (const xg::Dtype d : {xg::f32, xg::f64}) {
        check("conv2d",
              [](const Tensors& x) {
                  return xg::conv2d(x[0], x[1], x[2], {.stride = {2, 1}, .padding = {1, 1}, .groups = 2});
              },
              {numbers({5, 4, 17, 18}, d), numbers({6, 2, 3, 3}, d), numbers({6}, d)});
        check("max_pool2d", [](const Tensors& x) { return xg::max_pool2d(x[0], {3, 3}); }, {numbers({4, 4, 40, 60}, d)});
        check("sort", [](const Tensors& x) { return xg::sort(x[0], 0); }, {numbers({3000, 20}, d)});
        check("topk", [](const Tensors& x) { return xg::topk(x[0], 50).first; }, {numbers({30, 2000}, d)});
        check("sum of all", [](const Tensors& x) { return xg::sum(x[0]); }, {numbers({40, 50, 60}, d)});
        check("sums across", [](const Tensors& x) { return xg::sum(x[0], {0, 2}); }, {numbers({40, 50, 60}, d)});
        check("amax", [](const Tensors& x) { return xg::amax(x[0], 0); }, {numbers({300, 300}, d)});
        check("cumsum", [](const Tensors& x) { return xg::cumsum(x[0], 0); }, {numbers({300, 300}, d)});
        check("softmax of a transpose", [](const Tensors& x) { return xg::softmax(xg::transpose(x[0])); },
              {numbers({300, 200}, d)});
        check("layer_norm", [](const Tensors& x) { return xg::layer_norm(x[0], x[1], x[2]); },
              {numbers({300, 200}, d), numbers({200}, d), numbers({200}, d)});
        check("attention", [](const Tensors& x) { return xg::attention(x[0], x[1], x[2], {.causal = true, .heads = 4}); },
              {numbers({2, 70, 32}, d), numbers({2, 70, 32}, d), numbers({2, 70, 32}, d)});
    }
    const Tensor at = xg::astype(xg::floor(xg::abs(numbers({5000}))), xg::i64);
    check("take", [&](const Tensors& x) { return xg::take(x[0], at, 0); }, {numbers({20, 30})});
    check(
        "argmax", [](const Tensors& x) { return xg::argmax(x[0], 1); }, {numbers({300, 300})}, false);
    check(
        "randn", [](const Tensors&) { return numbers({70000}); }, {}, false);
    check("where, of many shapes", [](const Tensors& x) { return xg::where(x[0] > x[1], x[1], x[0]); },
          {numbers({300, 200}), numbers({200})});
}

TEST_CASE("matrices in batches") {
    start_threads();
    const Tensor a = numbers({40, 10, 10}) + xg::eye(10) * 6., b = numbers({40, 10, 3}), tall = numbers({40, 12, 8});
    namespace la = xg::linalg;
    check("solve", [](const Tensors& x) { return la::solve(x[0], x[1]); }, {a, b});
    check("inv", [](const Tensors& x) { return la::inv(x[0]); }, {a});
    check("det", [](const Tensors& x) { return la::det(x[0]); }, {a * 0.2});
    check("cholesky", [](const Tensors& x) { return la::cholesky(x[0]); }, {definite({40, 10, 10})});
    check("qr", [](const Tensors& x) { return la::qr(x[0]).r; }, {tall});
    check("svd", [](const Tensors& x) { return la::svd(x[0]).s; }, {tall});
    check("eigh", [](const Tensors& x) { return la::eigh(x[0]).values; }, {definite({40, 10, 10})});
    check("lstsq", [](const Tensors& x) { return la::lstsq(x[0], x[1]).solution; }, {tall, numbers({40, 12, 2})});
    check("pinv", [](const Tensors& x) { return la::pinv(x[0]); }, {tall});
    check("expm", [](const Tensors& x) { return la::expm(x[0]); }, {a * 0.1});
}

TEST_CASE("formulas") {
    start_threads();
    const auto traced = xg::vectorize([](auto x, auto y) {
        using std::exp, std::sin;
        return sin(x) * exp(-y * y);
    });
    check("vectorize", [&](const Tensors& x) { return traced(x[0], x[1]); }, {numbers({50000}), numbers({50000})});
    // A number that it has captured makes it a new one: its trace, graph and code are made anew.
    double number = 1000;
    const auto fresh = [&](const Tensors& x) {
        return xg::vectorize([most = ++number](auto s, auto t) {
            using std::exp, std::sin;
            return s > most ? sin(s) * t : exp(-s * s) * t;
        })(x[0], x[1]);
    };
    const Tensors pair{numbers({50}), numbers({50})};
    for (int i = 0; i < kept_formulas; ++i) fresh(pair);
    check("a new formula", fresh, pair);
    // Too many paths to be traced.
    const auto by_numbers = xg::vectorize([](auto x) {
        auto y = x;
        for (int i = 0; i < 60 && y < 40.; ++i) y = y > 0. ? y * 1.1 + x : y * y + 0.1;
        return y;
    });
    check("by numbers", [&](const Tensors& x) { return by_numbers(x[0]); }, {xg::abs(numbers({40000}))});
}

TEST_CASE("a derivative of a formula that failed once, and is asked for again") {
    const Tensor at = numbers({50});
    double number = 1000;
    const auto once_more = [&] {
        const auto f = xg::vectorize([most = ++number](auto s) {
            using std::cos, std::exp, std::log, std::sin, std::tanh;
            return sin(s) * exp(s) + s * tanh(s) + log(s * s + 1.) * (s > most ? s : cos(s));
        });
        const auto derivative = [&] { return Tensors{xg::grad([&](const Tensor& t) { return xg::sum(f(t)); })(at)}; };
        f(at);
        try {
            return derivative();
        } catch (const std::bad_alloc&) {
            return derivative();
        }
    };
    for (int i = 0; i < kept_formulas; ++i) once_more();
    exhaust("once more", once_more, {at});
}
