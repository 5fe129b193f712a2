// How much memory attention of a long row needs beyond its inputs and results: forward, backward, and a product with the
// Hessian, f32, one head of 64 columns, causal. Prints MB.
#include <sys/resource.h>

#include <cstdio>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

double peak() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_maxrss) / 1024;
}

int main() {
    xg::set_num_threads(2);
    const xg::Index rows = 16384, width = 64;
    xg::Rng rng(1);
    std::vector<xg::Tensor> t;
    for (int i = 0; i < 7; ++i) t.push_back(xg::randn({rows, width}, xg::f32, rng));
    const double before = peak(), results = 2 * 3 * double(rows * width * 4) / (1 << 20);  // gradients, products
    xg::Tape outer;
    const auto first = [&] {
        xg::Tape tape;
        return tape.vjp(xg::attention(t[0], t[1], t[2], {.causal = true}), t[3], std::vector{t[0], t[1], t[2]});
    }();
    const xg::Tensor product = outer.jvp(xg::concatenate(first), std::vector{t[0], t[1], t[2]}, std::vector{t[4], t[5], t[6]});
    std::printf("%.1f\n", peak() - before - results);
    return product.size() == 0;
}
