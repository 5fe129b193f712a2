// What a chain of 64 layers needs beyond its weights, forward and backward: all stored, and in checkpoints of several sizes,
// also nested. Prints MB.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

double peak() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return double(usage.ru_maxrss) / 1024;
}

constexpr int layers = 64;
std::vector<xg::Tensor> weights;

xg::Tensor layer(const xg::Tensor& x, int i) { return xg::tanh(xg::matmul(x, weights[std::size_t(i)])); }
/// Layers [begin, end), in checkpoints of `length` layers, and those in checkpoints of a tenth.
xg::Tensor chain(xg::Tensor x, int begin, int end, int length) {
    if (length <= 1) {
        for (int i = begin; i < end; ++i) x = layer(x, i);
        return x;
    }
    for (int i = begin; i < end; i += length)
        x = xg::checkpoint([=](const xg::Tensor& t) { return chain(t, i, std::min(i + length, end), length / 10); }, x);
    return x;
}

int main(int argc, char** argv) {
    const int length = argc > 1 ? std::atoi(argv[1]) : 0;  // of a segment; 0: all is stored
    xg::set_num_threads(1);
    xg::Rng rng(1);
    for (int i = 0; i < layers; ++i) weights.push_back(xg::randn({64, 64}, xg::f32, rng) * 0.1);
    const xg::Tensor x = xg::randn({16384, 64}, xg::f32, rng);  // 4 MB
    const double before = peak();
    xg::Tape tape;
    const auto gradients = tape.gradient(xg::sum(chain(x, 0, layers, length)), weights);
    std::printf("%.0f\n", peak() - before);
    return gradients.size() == 0;
}
