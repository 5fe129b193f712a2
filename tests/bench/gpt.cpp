// A training step of a small GPT (4 layers, 4 heads, 128 channels, context 64, batch 12): forward, backward, clipping, AdamW.
// f32, two threads. peer_gpt.py does the same with PyTorch, compiled PyTorch and compiled JAX. Prints the peak memory too.
#include <sys/resource.h>

#include <memory>
#include <vector>

#include "../../examples/common/gpt.hpp"
#include "harness.hpp"

namespace xg = xtgrad;

namespace {

struct Training {
    xg::Rng rng{1};
    example::Gpt model{{.vocabulary = 65, .context = 64, .layers = 4, .heads = 4, .channels = 128}, rng};
    xg::optim::AdamW optimizer{{.lr = 1e-3, .betas = {0.9, 0.99}, .weight_decay = 0.1, .groups = example::no_decay()}};
    xg::Tensor tokens = xg::randint({12, 65}, 0, 65, rng);

    xg::Tensor step() {
        const xg::Tensor inputs = xg::view(tokens, xt::all(), xt::range(0, 64)),
                         targets = xg::view(tokens, xt::all(), xt::range(1, 65));
        xg::Tape tape;
        const xg::Tensor loss = xg::cross_entropy(model(inputs), targets);
        auto gradients = tape.gradient(loss, xg::nn::parameters(model));
        xg::optim::clip_norm(gradients, 1.0);
        optimizer.step(model, gradients);
        return loss;
    }
};

}  // namespace

int main(int argc, char** argv) {
    xg::set_num_threads(2);
    const auto training = std::make_shared<Training>();
    add_case(
        "GPT 4 x 128, context 64, batch 12", [=] { return std::vector{training->step()}; },
        +[](const xg::Tensor& loss) { return double(loss.item<float>()); });
    rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    const int code = run_cases(argc, argv);
    getrusage(RUSAGE_SELF, &after);
    std::fprintf(stderr, "peak memory %ld MB, of it %ld MB before the first step\n", after.ru_maxrss / 1024,
                 before.ru_maxrss / 1024);
    return code;
}
