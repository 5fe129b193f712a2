// Checkpoints: everything that a run needs, whole after a kill at any moment.
#include <signal.h>
#include <sys/wait.h>
#include <xtgrad/io/save.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include <xtgrad/ops/creation.hpp>

#include "files.hpp"

namespace xg = xtgrad;

namespace {

struct Model {
    xg::Tensor weight, bias;
    static void visit(auto& self, auto&& field) {
        field("weight", self.weight);
        field("bias", self.bias);
    }
};

/// As optimizers keep their state: by the names of the parameters, and empty before the first step.
struct Optimizer {
    xg::Tensor steps;
    xg::io::TensorMap mean;
    static void visit(auto& self, auto&& field) {
        field("steps", self.steps);
        field("mean", self.mean);
    }
};

Model model_of(double value) { return {xg::full({100, 30}, value, xg::f32), xg::full({7}, value)}; }
Optimizer optimizer_of(std::int64_t value) {
    return {xg::Tensor(value), {{"weight", xg::full({100, 30}, double(value), xg::f32)}, {"bias", xg::full({7}, double(value))}}};
}

/// Without the bias.
struct Other {
    xg::Tensor weight = xg::zeros({1});
    static void visit(auto& self, auto&& field) { field("weight", self.weight); }
};

template <class T>
bool filled(const xg::Tensor& x, T value) {
    const auto all = elements<T>(x);
    return std::ranges::all_of(all, [&](T e) { return e == value; });
}

bool is(const Model& model, double value) { return filled(model.weight, float(value)) && filled(model.bias, value); }

}  // namespace

TEST_CASE("a checkpoint comes back") {
    const TemporaryFolder folder;
    const std::string path = folder / "run.checkpoint";
    xg::Rng rng(std::numeric_limits<std::uint64_t>::max());
    rng.set_position(std::uint64_t(1) << 63);
    xg::save_checkpoint(path, model_of(3), optimizer_of(4),
                        {.step = 1234567890123, .rng = rng, .metadata = {{"alphabet", "aé\n\"\\"}}});
    Model model = model_of(0);
    Optimizer optimizer{xg::Tensor(std::int64_t(0)), {}};
    const auto [step, generator, metadata] = xg::load_checkpoint(path, model, optimizer);
    CHECK(step == 1234567890123);
    CHECK(generator.seed() == rng.seed());
    CHECK(generator.position() == rng.position());
    CHECK(metadata == xg::io::Metadata{{"alphabet", "aé\n\"\\"}});
    CHECK(is(model, 3));
    CHECK(optimizer.steps.item<int>() == 4);
    CHECK(filled(optimizer.mean.at("weight"), 4.f));
    CHECK(xg::io::Safetensors(path).contains("model.weight"));
    CHECK(xg::io::Safetensors(path).contains("optimizer.mean.bias"));

    Optimizer none{xg::Tensor(std::int64_t(0)), {}};
    xg::save(model, folder / "model");
    CHECK(contains(message([&] { xg::load_checkpoint(folder / "model", model, none); }), "this is not a checkpoint"));
    CHECK(contains(message([&] { xg::load(model, path); }), "is a checkpoint; give load_checkpoint"));
    Other other;
    CHECK(contains(message([&] { xg::load_checkpoint(path, other, none); }), "'model.bias' is in the file and unknown"));
    CHECK(none.mean.empty());
    CHECK(contains(message<xg::Error>([&] {
                       xg::save_checkpoint(path, model, none, {.metadata = {{"xtgrad.step", "1"}}});
                   }),
                   "are taken"));
    CHECK(contains(message([&] { xg::save(model, folder.path); }), "cannot be replaced"));
}

TEST_CASE("a writer that is killed leaves a whole checkpoint, 100 times") {
    const TemporaryFolder folder;
    const std::string path = folder / "run.checkpoint";
    xg::save_checkpoint(path, model_of(0), optimizer_of(0), {.step = 0});
    std::int64_t step = 0;
    int caught_writing = 0, advanced = 0;
    for (int kill_number = 0; kill_number < 100; ++kill_number) {
        const pid_t writer = fork();
        REQUIRE(writer >= 0);
        if (writer == 0) {
            for (std::int64_t next = step + 1;; ++next)
                xg::save_checkpoint(path, model_of(double(next)), optimizer_of(next),
                                    {.step = next, .rng = xg::Rng(std::uint64_t(next))});
        }
        std::this_thread::sleep_for(std::chrono::microseconds(500 + 97 * kill_number));
        kill(writer, SIGKILL);
        int status;
        waitpid(writer, &status, 0);
        REQUIRE(WIFSIGNALED(status));
        caught_writing += std::filesystem::exists(path + ".partial");

        Model model = model_of(-1);
        Optimizer optimizer{xg::Tensor(std::int64_t(-1)), {}};
        const xg::Checkpoint run = xg::load_checkpoint(path, model, optimizer);
        REQUIRE(run.step >= step);
        advanced += run.step > step;
        step = run.step;
        REQUIRE(is(model, double(step)));
        REQUIRE(optimizer.steps.item<std::int64_t>() == step);
        REQUIRE(filled(optimizer.mean.at("weight"), float(step)));
        REQUIRE(run.rng.seed() == std::uint64_t(step));
    }
    MESSAGE("killed within a write " << caught_writing << " times, after a new checkpoint " << advanced << " times");
    CHECK(caught_writing > 0);
    CHECK(advanced > 0);
}
