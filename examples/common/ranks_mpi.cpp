#include <cstdio>
#include <exception>

#include <xtgrad/mpi.hpp>

#include "ranks.hpp"

namespace example {

namespace mpi = xtgrad::mpi;

namespace {

const mpi::Communicator* world = nullptr;  // null: not started by mpirun

/// The status of f, which may have Ended.
int status_of(const std::function<int()>& f) {
    try {
        return f();
    } catch (const Ended& ended) {
        return ended.status;
    }
}

}  // namespace

int run_main(const char* name, const std::function<int()>& f) {
    if (mpi::launched())
        return mpi::run([&](const mpi::Communicator& communicator) {
            world = &communicator;
            if (world->rank() > 0 && !std::freopen("/dev/null", "w", stdout)) return 1;
            return status_of(f);
        });
    try {
        return status_of(f);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", name, error.what());
        return 1;
    }
}

struct Ranks::Parallel {
    mpi::DataParallel gradients{*world};
};

Ranks::Ranks() : parallel_(world && world->size() > 1 ? new Parallel : nullptr) {}
Ranks::~Ranks() = default;
bool Ranks::first() const { return !parallel_ || world->rank() == 0; }
int Ranks::size() const { return parallel_ ? world->size() : 1; }
int Ranks::local_size() const { return parallel_ ? world->local_size() : 1; }
void Ranks::broadcast(std::vector<xtgrad::Tensor>& tensors) const {
    if (parallel_) world->broadcast(tensors);
}
void Ranks::sum(std::span<double> values) const {
    if (parallel_) world->sum(values);
}
xtgrad::data::Batch Ranks::shard(const xtgrad::data::Batch& batch) {
    if (!parallel_) return batch;
    auto [part, weight] = mpi::shard(*world, batch);
    weight_ = weight;
    return part;
}
std::vector<xtgrad::Tensor> Ranks::gradient(xtgrad::Tape& tape, const xtgrad::Tensor& loss,
                                            const std::vector<xtgrad::Tensor>& xs) {
    return parallel_ ? parallel_->gradients.gradient(tape, loss, xs, weight_) : tape.gradient(loss, xs);
}

}  // namespace example
