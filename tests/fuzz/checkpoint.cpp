// Any bytes are a model and a run, or an IoError that changes nothing.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include <xtgrad/io/save.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/optim/optimizers.hpp>

#include "framed.hpp"

namespace xg = xtgrad;

namespace {

struct Model {
    xg::Tensor weight = xg::zeros({2}, xg::f32), bias = xg::zeros({1}), mask = xg::zeros({2}, xg::boolean), cache = {};
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
        field("mask", self.mask);
        field("cache", xg::nn::state(self.cache));
    }
};

/// A file in memory that has a path.
class Input {
public:
    Input() : file_(memfd_create("fuzz", 0)) {
        if (file_ < 0) std::abort();
    }
    void fill(const std::uint8_t* data, std::size_t size) {
        if (ftruncate(file_, 0) != 0 || pwrite(file_, data, size, 0) != ssize_t(size)) std::abort();
    }
    std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

private:
    int file_;
};

/// f(), which changes nothing of x where it fails, and shapes and dtypes of no parameter at all.
void check_unchanged(const Model& model, const auto& x, auto f) {
    const auto before = xg::nn::named_tensors(x);
    try {
        f();
    } catch (const xg::IoError&) {
        const auto after = xg::nn::named_tensors(x);
        if (!std::ranges::equal(before, after, [](const auto& a, const auto& b) {
                return a.first == b.first && a.second.block() == b.second.block();
            }))
            std::abort();
    }
    if (model.weight.shape() != xg::Shape{2} || model.weight.dtype() != xg::f32 || model.bias.dtype() != xg::f64 ||
        model.mask.dtype() != xg::boolean)
        std::abort();
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    return mutate_framed(data, size, most, seed, {.at = 0, .bytes = 8, .begin = 8});
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Input input;
    input.fill(data, size);
    Model model;
    xg::optim::AdamW optimizer;
    check_unchanged(model, model, [&] { xg::load(model, input.path()); });
    check_unchanged(model, optimizer, [&] { xg::load(optimizer, input.path()); });
    check_unchanged(model, model, [&] { xg::load_checkpoint(input.path(), model, optimizer); });
    return 0;
}
