// A run of training: steps, progress, curves, checkpoints, Ctrl-C, the report at the end. Started by mpirun -n N, N processes
// train together: each takes its part of every batch, and the first one writes what there is to write.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <xtgrad/data/batches.hpp>
#include <xtgrad/io.hpp>
#include <xtgrad/nn/visit.hpp>
#include <xtgrad/ops.hpp>

#include "options.hpp"
#include "picture.hpp"
#include "ranks.hpp"
#include "report.hpp"

namespace example {

class Run {
public:
    /// Makes the folder; from here on Ctrl-C ends the training, not the program. `loss` is what the picture of the curves says
    /// of it.
    explicit Run(const Options&, std::string loss = "cross-entropy, nats");

    /// A file in the run's folder.
    std::string file(const std::string& name) const { return options_.out + '/' + name; }
    /// Steps done.
    std::int64_t step() const { return step_; }
    /// Is it time for what is done after the first step, each so many and the last?
    bool due(std::int64_t each) const { return step_ == 1 || step_ % each == 0 || step_ == options_.steps; }

    /// With --resume, goes on from the checkpoint: model, optimizer, generator, step and curves. All processes begin with the
    /// first one's model.
    template <class M, class O>
    void resume(M& model, O& optimizer, xtgrad::Rng& rng) {
        if (options_.resume) {
            const xtgrad::Checkpoint from = xtgrad::load_checkpoint(file(checkpoint_name), model, optimizer);
            rng = from.rng;
            resume_at(from.step);
        }
        std::vector<xtgrad::Tensor> tensors;
        xtgrad::nn::for_each_tensor(model, [&](auto, const xtgrad::Tensor& x, auto) { tensors.push_back(x); });
        ranks_.broadcast(tensors);
        auto next = tensors.begin();
        xtgrad::nn::for_each_tensor(model, [&](auto, xtgrad::Tensor& x, auto) { x = *next++; });
    }

    /// Full batches in random order, made ahead, from the present step to the last one. The data must fill one.
    xtgrad::data::Batches::Iterator batches(const xtgrad::data::Dataset&, std::int64_t size, xtgrad::Rng& order) const;
    /// This process's part of a batch.
    xtgrad::data::Batch shard(const xtgrad::data::Batch& batch) { return ranks_.shard(batch); }
    /// The gradients of the loss by the parameters, over the parts of all processes.
    template <class M>
    std::vector<xtgrad::Tensor> gradient(xtgrad::Tape& tape, const xtgrad::Tensor& loss, const M& model) {
        return ranks_.gradient(tape, loss, xtgrad::nn::parameters(model));
    }
    /// The mean over the parts of all processes.
    double mean(double value) const;

    /// Does steps, each f(number) gives its loss on this process's part, until the last or Ctrl-C; saves now and then and at the
    /// end. False: interrupted, and the run can be resumed; or finished, and the first process does the rest. Throws
    /// xtgrad::Error when the loss or the model is no longer finite; such a model is never saved.
    template <class M, class O>
    bool train(const M& model, const O& optimizer, const xtgrad::Rng& rng, auto&& f) {
        const auto save = [&] {
            xtgrad::nn::for_each_tensor(model, [&](std::string_view name, const xtgrad::Tensor& x, auto) {
                if (!xtgrad::all(xtgrad::isfinite(x)).item<bool>()) fail_not_finite(std::string(name), optimizer.options.lr);
            });
            saved_step_ = step_;
            if (!ranks_.first()) return;
            xtgrad::save_checkpoint(file(checkpoint_name), model, optimizer, {.step = step_, .rng = rng});
        };
        begin();
        while (more()) {
            const std::int64_t number = step_++;
            done(f(number), optimizer.options.lr);
            if (save_is_due()) save();
        }
        save();
        return end();
    }

    /// A value of a curve at this step.
    void record(const std::string& curve, double value);
    /// A result: a line on the terminal and in the report. With --check the program fails unless it is within what is promised.
    void at_least(const std::string& what, double value, double promised, const std::string& unit = "");
    void at_most(const std::string& what, double value, double promised, const std::string& unit = "");
    void result(const std::string& what, const std::string& value);
    void result(const std::string& what, double value, const std::string& unit = "");

    /// A section of the report.
    Report& report() { return report_; }
    /// Writes the report, with all of it and the summary of a model; the program's exit status.
    template <class M>
    int finish(const M& model) {
        return finish_with(xtgrad::nn::summary(model));
    }

private:
    static constexpr const char* checkpoint_name = "checkpoint.safetensors";
    using Clock = std::chrono::steady_clock;
    struct Recorded {
        Curve curve;
        xtgrad::io::CsvLog log;
    };

    void resume_at(std::int64_t step);
    void begin();
    bool more() const;
    void done(double loss, double rate);
    [[noreturn]] void fail_not_finite(const std::string& what, double rate) const;
    void show() const;
    bool save_is_due();
    bool end();
    Recorded& recorded(const std::string& curve);
    void keep_promise(const std::string& what, double value, bool kept, const std::string& promise, const std::string& unit);
    int finish_with(const std::string& summary);

    const Options& options_;
    std::string loss_;
    Ranks ranks_;
    bool interrupted_ = false;
    std::int64_t step_ = 0, first_ = 0, saved_step_ = 0;
    double smooth_ = 0;
    Clock::time_point begun_, shown_, saved_;
    std::vector<Recorded> curves_;
    std::optional<xtgrad::io::TensorBoardLog> tensorboard_;
    std::string results_;
    Report report_;
    bool promises_kept_ = true;
};

}  // namespace example
