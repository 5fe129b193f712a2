// What the ops cost on data that counts: forward + backward to every input, new tensors each time; two threads.
// peer_ops.py does the same with PyTorch; a case is one line there and one here, under one name.
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "harness.hpp"

namespace xg = xtgrad;
using Inputs = std::vector<xg::Tensor>;

/// sin(0), sin(1), ...
xg::Tensor data(const xg::Shape& shape) {
    double size = 1;
    for (const xg::Index extent : shape) size *= double(extent);
    return xg::reshape(xg::astype(xg::sin(xg::arange(size)), xg::f32), shape);
}

double magnitude(const xg::Tensor& x) { return xg::sum(xg::abs(x)).item<double>(); }

template <class F>
void add(const char* name, const std::vector<xg::Shape>& shapes, F f) {
    Inputs in;
    for (const xg::Shape& shape : shapes) in.push_back(data(shape));
    const xg::Tensor g = data(f(in).shape());
    add_case(
        name,
        [=] {
            xg::Tape tape;
            const xg::Tensor y = f(in);
            Inputs results = tape.vjp(y, g, in);
            results.push_back(y);
            return results;
        },
        magnitude);
}

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    const xg::Index n = 1024;
    const xg::Tensor rows = xt::xarray<std::int64_t>(xt::arange<std::int64_t>(n) * 37 % n);
    using In = const Inputs&;

    add("exp", {{n, n}}, [](In x) { return xg::exp(x[0]); });
    add("tanh", {{n, n}}, [](In x) { return xg::tanh(x[0]); });
    add("gelu", {{n, n}}, [](In x) { return xg::gelu(x[0]); });
    add("multiply", {{n, n}, {n, n}}, [](In x) { return x[0] * x[1]; });
    add("add a column", {{n, n}, {n, 1}}, [](In x) { return x[0] + x[1]; });
    add("add a bias", {{n, n}, {n}}, [](In x) { return x[0] + x[1]; });
    add("sum over axis 0", {{n, n}}, [](In x) { return xg::sum(x[0], 0); });
    add("sum over axis 1", {{n, n}}, [](In x) { return xg::sum(x[0], 1); });
    add("sum over all", {{n, n}}, [](In x) { return xg::sum(x[0]); });
    add("mean over axis 0", {{n, n}}, [](In x) { return xg::mean(x[0], 0); });
    add("mean over axis 1", {{n, n}}, [](In x) { return xg::mean(x[0], 1); });
    add("variance over axis 0", {{n, n}}, [](In x) { return xg::variance(x[0], {0}); });
    add("variance over axis 1", {{n, n}}, [](In x) { return xg::variance(x[0], {1}); });
    const xg::Index m = 4096;
    add("sum over axis 0, 4096", {{m, m}}, [](In x) { return xg::sum(x[0], 0); });
    add("sum over axis 1, 4096", {{m, m}}, [](In x) { return xg::sum(x[0], 1); });
    add("mean over axis 0, 4096", {{m, m}}, [](In x) { return xg::mean(x[0], 0); });
    add("mean over axis 1, 4096", {{m, m}}, [](In x) { return xg::mean(x[0], 1); });
    add("variance over axis 0, 4096", {{m, m}}, [](In x) { return xg::variance(x[0], {0}); });
    add("variance over axis 1, 4096", {{m, m}}, [](In x) { return xg::variance(x[0], {1}); });
    add("softmax", {{n, n}}, [](In x) { return xg::softmax(x[0]); });
    add("layer_norm", {{n, n}}, [](In x) { return xg::layer_norm(x[0]); });
    add("transposed copy", {{n, n}}, [](In x) { return xg::copy(xg::transpose(x[0])); });
    add("take rows", {{n, n}}, [=](In x) { return xg::take(x[0], rows); });
    add("matmul", {{n, n}, {n, n}}, [](In x) { return xg::matmul(x[0], x[1]); });
    add("matmul, 64 of 64 x 64", {{64, 64, 64}, {64, 64, 64}}, [](In x) { return xg::matmul(x[0], x[1]); });
    add("3072 x 768 times vector", {{3072, 768}, {768}}, [](In x) { return xg::matmul(x[0], x[1]); });
    add("linear of 1 row, 768-3072", {{1, 768}, {3072, 768}}, [](In x) { return xg::linear(x[0], x[1]); });
    add("linear of 4 rows, 768-3072", {{4, 768}, {3072, 768}}, [](In x) { return xg::linear(x[0], x[1]); });
    return run_cases(argc, argv);
}
