// Attention: forward and backward to q, k and v, two threads; beside it the forward alone, the JVP and a product with the
// Hessian. peer_attention.py does the same with PyTorch.
#include <string>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "harness.hpp"

namespace xg = xtgrad;
using Tensors = std::vector<xg::Tensor>;

/// sin(first), sin(first + 1), ...
xg::Tensor data(const xg::Shape& shape, xg::Dtype dtype, double first) {
    double size = 1;
    for (const xg::Index extent : shape) size *= double(extent);
    return xg::reshape(xg::astype(xg::sin(xg::arange(first, first + size)), dtype), shape);
}
double magnitude(const xg::Tensor& x) { return xg::sum(xg::abs(xg::astype(x, xg::f64))).item<double>(); }

struct Case {
    const char* name;
    xg::Index batch, heads, rows, width;
    bool causal;
    xg::Dtype dtype = xg::f32;
    bool mask = false, bias = false;  // every seventh key is hidden; a bias for each score
};

void add(const Case& c, bool derivatives) {
    const xg::Shape shape{c.batch, c.rows, c.heads * c.width};
    const Tensors x{data(shape, c.dtype, 0), data(shape, c.dtype, 1000), data(shape, c.dtype, 2000)};
    const xg::Tensor g = data(shape, c.dtype, 3000);
    xg::AttentionOptions options{.causal = c.causal, .heads = c.heads};
    if (c.mask) options.mask = xg::fmod(xg::arange(double(c.rows)), 7.) > 0.5;
    if (c.bias) options.bias = data({c.heads, c.rows, c.rows}, c.dtype, 4000);
    const auto f = [=] { return xg::attention(x[0], x[1], x[2], options); };
    add_case(
        c.name,
        [=] {
            xg::Tape tape;
            const xg::Tensor y = f();
            Tensors results = tape.vjp(y, g, x);
            results.push_back(y);
            return results;
        },
        &magnitude);
    if (!derivatives) return;
    add_case(
        std::string(c.name) + ", forward", [=] { return Tensors{f()}; }, &magnitude);
    add_case(
        std::string(c.name) + ", forward + JVP",
        [=] {
            xg::Tape tape;
            const xg::Tensor y = f();
            return Tensors{y, tape.jvp(y, x, Tensors{g, g, g})};
        },
        &magnitude);
    add_case(
        std::string(c.name) + ", HVP",
        [=] {
            xg::Tape outer;
            const Tensors first = [&] {
                xg::Tape tape;
                return tape.vjp(f(), g, x);
            }();
            return Tensors{outer.jvp(xg::concatenate(first), x, Tensors{g, g, g})};
        },
        &magnitude);
}

/// The next token of a sequence of `rows`, as a cache gives it: one query, forward.
void add_generation(const char* name, xg::Index batch, xg::Index heads, xg::Index rows, xg::Index width) {
    const xg::Tensor q = data({batch, 1, heads * width}, xg::f32, 0), k = data({batch, rows, heads * width}, xg::f32, 1000),
                     v = data({batch, rows, heads * width}, xg::f32, 2000);
    add_case(
        name, [=] { return Tensors{xg::attention(q, k, v, {.causal = true, .offset = rows - 1, .heads = heads})}; }, &magnitude);
}

void add_block() {
    const xg::Index n = 64, m = 256, p = 64;
    const Tensors x{data({n, p}, xg::f32, 0),    data({n, m}, xg::f32, 1000), data({n, n}, xg::f32, 2000),
                    data({n, n}, xg::f32, 3000), data({m, n}, xg::f32, 4000), xg::Tensor(0.01f)};
    const xg::Tensor g = data({p, p}, xg::f32, 5000);
    add_case(
        "attention_block",
        [=] {
            xg::Tape tape;
            const xg::Tensor y = xg::attention_block(x[0], x[1], x[2], x[3], x[4], x[5]);
            Tensors results = tape.vjp(y, g, x);
            results.push_back(y);
            return results;
        },
        &magnitude);
}

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    add({"B1 H8 T1024 D64 causal", 1, 8, 1024, 64, true}, true);
    add({"B1 H8 T1024 D64 full", 1, 8, 1024, 64, false}, true);
    add({"B1 H4 T4096 D64 causal", 1, 4, 4096, 64, true}, false);
    add({"B4 H8 T256 D64 causal", 4, 8, 256, 64, true}, false);
    add({"B12 H4 T64 D32 causal", 12, 4, 64, 32, true}, false);
    add({"B1 H1 T2048 D64 causal", 1, 1, 2048, 64, true}, false);
    add({"B1 H3 T1024 D128 full", 1, 3, 1024, 128, false}, false);
    add({"B1 H8 T1024 D64 full, f64", 1, 8, 1024, 64, false, xg::f64}, false);
    add({"B1 H8 T1024 D64 mask", 1, 8, 1024, 64, false, xg::f32, true, false}, false);
    add({"B1 H8 T1024 D64 causal, bias", 1, 8, 1024, 64, true, xg::f32, false, true}, false);
    add_generation("B1 H8 T1 S1024 D64, forward", 1, 8, 1024, 64);
    add_generation("B16 H8 T1 S512 D64, forward", 16, 8, 512, 64);
    add_block();
    return run_cases(argc, argv);
}
