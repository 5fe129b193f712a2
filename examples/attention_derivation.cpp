// The attention block's Jacobian by its closed form, by the tape and by differences, side by side: at once.
//
// f(X, Y) = softmax(lambda X^T A^T B Y) C X with n 4, r 3, p 5, m 6; docs/attention.md derives the closed form, formulas (3) and
// (4).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include <xtgrad/xtgrad.hpp>

#include "common/options.hpp"
#include "common/ranks.hpp"

namespace xg = xtgrad;
using xg::Index, xg::Tensor;

namespace {

constexpr Index n = 4, r = 3, p = 5, m = 6;

struct Block {
    xg::Rng rng{2026};
    Tensor X = random(n, p), Y = random(n, m), A = random(r, n), B = random(r, n), C = random(m, n);
    double lambda = 0.5;

    Tensor random(Index rows, Index columns) { return xg::randn({rows, columns}, xg::f64, rng); }
    Tensor operator()(const Tensor& x, const Tensor& y) const { return xg::attention_block(x, y, A, B, C, lambda); }
};

Tensor row(const Tensor& x, Index i) { return xg::take(x, Tensor(std::int64_t(i)), 0); }
Tensor column(const Tensor& x, Index j) { return xg::take(x, Tensor(std::int64_t(j)), 1); }

/// The gradients of f_ik, by the closed form.
struct Closed {
    Tensor dX = xg::zeros({n, p}), dY;

    Closed(const Block& b, Index i, Index k) {
        const Tensor Q = xg::matmul(b.A, b.X), K = xg::matmul(b.B, b.Y), V = xg::matmul(b.C, b.X);
        const Tensor P = xg::softmax(b.lambda * xg::matmul(xg::transpose(Q), K));
        const Tensor s = row(P, i), moved = s * (column(V, k) - xg::dot(s, column(V, k)));  // (D_i - s_i s_i^T) C x_k
        dY = b.lambda * xg::outer(xg::matmul(xg::transpose(b.B), column(Q, i)), moved);
        dX = xg::set_view(dX, b.lambda * xg::matmul(xg::transpose(b.A), xg::matmul(K, moved)), xt::all(), int(i));
        dX = xg::set_view(dX, column(dX, k) + xg::matmul(xg::transpose(b.C), s), xt::all(), int(k));
    }
};

/// The gradient of f_ik by the tape, with respect to X or Y.
Tensor by_tape(const Block& b, Index i, Index k, const Tensor& with_respect_to) {
    xg::Tape tape;
    return tape.gradient(xg::view(b(b.X, b.Y), int(i), int(k)), with_respect_to);
}

/// By central differences.
Tensor by_differences(const Block& b, Index i, Index k, bool of_x) {
    constexpr double step = 1e-6;
    const Tensor& at = of_x ? b.X : b.Y;
    Tensor slopes = xg::zeros_like(at);
    for (Index l = 0; l < at.shape(0); ++l)
        for (Index j = 0; j < at.shape(1); ++j) {
            const auto moved = [&](double by) {
                Tensor to = at;
                to = xg::set_view(to, xg::view(at, int(l), int(j)) + by, int(l), int(j));
                return xg::view(of_x ? b(to, b.Y) : b(b.X, to), int(i), int(k)).item<double>();
            };
            slopes = xg::set_view(slopes, Tensor((moved(step) - moved(-step)) / (2 * step)), int(l), int(j));
        }
    return slopes;
}

double distance(const Tensor& a, const Tensor& b) { return xg::amax(xg::abs(a - b)).item<double>(); }

/// A column of each: df_ik / dx_j or dy_j.
void print(const char* name, Index j, const Tensor& closed, const Tensor& tape, const Tensor& differences) {
    for (Index l = 0; l < n; ++l) {
        const auto at = [&](const Tensor& x) { return xg::view(x, int(l), int(j)).item<double>(); };
        std::printf("  d%s%td[%td] %12.8f %12.8f %12.8f\n", name, j, l, at(closed), at(tape), at(differences));
    }
}

int attention_derivation(int argc, char** argv) {
    example::Options options("attention_derivation", "Derives the attention block by its closed form, the tape and differences.");
    options.parse(argc, argv);
    const Block b;
    double tape = 0, differences = 0;
    for (Index i = 0; i < p; ++i)
        for (Index k = 0; k < p; ++k) {
            const Closed closed(b, i, k);
            const Tensor dX = by_tape(b, i, k, b.X), dY = by_tape(b, i, k, b.Y);
            const Tensor nearX = by_differences(b, i, k, true), nearY = by_differences(b, i, k, false);
            tape = std::max({tape, distance(closed.dX, dX), distance(closed.dY, dY)});
            differences = std::max({differences, distance(closed.dX, nearX), distance(closed.dY, nearY)});
            if (i != 1 || (k != 1 && k != 2)) continue;
            std::printf("f[%td, %td]    closed form         tape  differences\n", i, k);
            print("x", 1, closed.dX, dX, nearX);  // the query: row 1 of the scores, and the value too when k is 1
            print("x", 2, closed.dX, dX, nearX);  // the value when k is 2, else nothing
            print("y", 3, closed.dY, dY, nearY);
        }
    std::printf(
        "All %td x %td entries of f: the closed form and the tape differ by at most %.1e,\n"
        "the closed form and central differences by at most %.1e.\n",
        p, p, tape, differences);
    return tape < 1e-13 && differences < 1e-8 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    return example::run_main("attention_derivation", [&] { return attention_derivation(argc, argv); });
}
