// A training that ends badly, for crash.sh.
// usage: mpi_crash FOLDER endless        trains until it is killed; rank r writes its process id to FOLDER/pid.r
//        mpi_crash FOLDER throw          the last rank throws after 20 steps
//        mpi_crash FOLDER check          the checkpoint is whole: what one process has after as many steps
#include <unistd.h>

#include <cstdio>
#include <string>

#include <xtgrad/io/save.hpp>
#include <xtgrad/mpi.hpp>
#include <xtgrad/nn/layers.hpp>
#include <xtgrad/nn/losses.hpp>
#include <xtgrad/ops.hpp>
#include <xtgrad/optim.hpp>

namespace xg = xtgrad;
using xg::Tensor;

namespace {

struct Training {
    const xg::mpi::Communicator& world;
    xg::Rng rng{4};
    xg::nn::Linear model{60, 50, rng};
    xg::optim::AdamW optimizer{{.lr = 1e-3}};
    xg::mpi::DataParallel parallel{world, 1000};

    void step() {
        const Tensor inputs = xg::randn({7, 60}, xg::f32, rng);
        const auto [part, weight] = xg::mpi::shard(world, {inputs, xg::view(inputs, xt::all(), xt::range(0, 50))});
        xg::Tape tape;
        const Tensor loss = xg::nn::mse(model(part.inputs), part.targets);
        optimizer.step(model, parallel.gradient(tape, loss, xg::nn::parameters(model), weight));
    }
};

int train(const xg::mpi::Communicator& world, const std::string& folder, bool throws) {
    Training training{world};
    std::FILE* const pid = std::fopen((folder + "/pid." + std::to_string(world.rank())).c_str(), "w");
    std::fprintf(pid, "%d\n", int(getpid()));
    std::fclose(pid);
    for (std::int64_t step = 1;; ++step) {
        training.step();
        if (throws && step == 20 && world.rank() == world.size() - 1) throw xg::Error("out of luck");
        if (world.rank() == 0)
            xg::save_checkpoint(folder + "/checkpoint.safetensors", training.model, training.optimizer,
                                {.step = step, .rng = training.rng});
    }
}

int check(const xg::mpi::Communicator& world, const std::string& folder) {
    Training read{world}, alone{world};
    const std::int64_t steps = xg::load_checkpoint(folder + "/checkpoint.safetensors", read.model, read.optimizer).step;
    for (std::int64_t i = 0; i < steps; ++i) alone.step();
    const double difference = xg::amax(xg::abs(read.model.weight - alone.model.weight)).item<double>();
    std::printf("%lld steps, the weights differ by %g\n", static_cast<long long>(steps), difference);
    return steps > 0 && difference < 1e-4 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::string folder = argv[1], what = argv[2];
    return xg::mpi::run(
        [&](const auto& world) { return what == "check" ? check(world, folder) : train(world, folder, what == "throw"); });
}
