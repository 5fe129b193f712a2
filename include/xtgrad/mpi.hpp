// Data-parallel training by the processes that mpirun starts: the component xtgrad::mpi, over MPI.
//
//     int main() {
//         return xg::mpi::run([](const xg::mpi::Communicator& world) {
//             ...                                       // the model, the data: the same on every rank
//             world.broadcast(model);
//             xg::mpi::DataParallel parallel(world);
//             for (const auto& batch : batches) {
//                 const auto [part, weight] = xg::mpi::shard(world, batch);
//                 xg::Tape tape;
//                 const Tensor loss = xg::cross_entropy(model(part.inputs), part.targets);
//                 optimizer.step(model, parallel.gradient(tape, loss, xg::nn::parameters(model), weight));
//             }
//             if (world.rank() == 0) xg::save(model, "model.safetensors");
//             return 0;
//         });
//     }
//
// Everything here is collective: all ranks call the same functions in the same order, each from one thread at a time. An MPI
// call that fails ends the job.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.hpp"
#include "nn/visit.hpp"
#include "tape.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] mpi {

/// The processes of a job, its ranks, which run calls its function with.
class Communicator {
public:
    int rank() const noexcept { return rank_; }  ///< 0, ..., size() - 1
    int size() const noexcept { return size_; }
    int local_size() const noexcept { return local_size_; }  ///< how many of them share this machine

    /// Gives all ranks the tensors of the root's model, parameters and buffers; tied fields stay tied. Throws Error, on every
    /// rank, when a rank has other names, shapes, dtypes or ties, IndexError when there is no such root.
    template <class M>
        requires nn::Field<M>
    void broadcast(M& model, int root = 0) const {
        broadcast_tensors(nn::detail::fields_of(model), root);
    }
    /// Replaces each value by its sum over the ranks, in the same bits on all of them.
    void sum(std::span<double> values) const;
    double sum(double value) const {
        sum({&value, 1});
        return value;
    }
    /// Returns when all ranks have called it.
    void barrier() const;

private:
    friend int run(const std::function<int(const Communicator&)>&);
    Communicator();
    void broadcast_tensors(std::span<const nn::detail::NamedField>, int root) const;

    int rank_, size_, local_size_;
};

/// Did mpirun (of Open MPI, MPICH, or a batch system through PMIx or PMI) start this program? Asks the environment, not MPI.
bool launched() noexcept;

/// Begins MPI, calls f, ends MPI; the exit status that f returned. What f throws is printed to the standard error stream with
/// the rank, and ends the job: mpirun kills the other ranks and fails. Without mpirun there is one rank. Throws Error when MPI
/// was begun before.
int run(const std::function<int(const Communicator&)>& f);

/// A rank's part of a batch; its share in the mean over the batch.
struct Shard {
    data::Batch batch;
    double weight;
};

/// The examples floor(rank n / size), ..., floor((rank + 1) n / size) - 1 of n, of which nothing is copied; the weight is their
/// number divided by n, so that the weighted sum of the ranks' means is the mean over the batch. A rank for which none is left
/// gets one with weight 0. Throws ShapeError when the batch has no example.
Shard shard(const Communicator&, const data::Batch&);

/// Gradients that are summed over the ranks in buckets, while the backward walk goes on.
///
/// A bucket sets out when its gradients are complete and those before it have set out. The gradients are assigned to buckets
/// in the order in which rank 0's first walk completed them, so all ranks sum the same things in the same order whatever
/// theirs is.
class DataParallel {
public:
    /// A bucket holds about so many bytes, at least one gradient. Throws Error for 0.
    explicit DataParallel(const Communicator&, std::size_t bucket_bytes = std::size_t(4) << 20);
    ~DataParallel();
    DataParallel(DataParallel&&) noexcept;
    DataParallel& operator=(DataParallel&&) noexcept;

    /// The sum over the ranks of weight * d loss / d x for each x, of its shape: with the weights of shard the gradient of the
    /// mean over the whole batch. The loss has one element. Constants to any outer tape. Consumes the tape as Tape::gradient
    /// does. Throws ShapeError, what Tape::gradient throws, and Error, on every rank, when the ranks have other shapes.
    std::vector<Tensor> gradient(Tape&, const Tensor& loss, const std::vector<Tensor>& xs, double weight);

    /// The buckets of the last walk, and how many of them set out before it had ended: none in the first.
    struct Overlap {
        std::size_t buckets = 0, during_walk = 0;
    };
    Overlap overlap() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mpi
}  // namespace xtgrad
