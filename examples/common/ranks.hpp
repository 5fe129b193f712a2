// The processes that train together: those that mpirun started, else one. ranks_mpi.cpp where MPI is, else ranks_alone.cpp.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <xtgrad/data/dataset.hpp>
#include <xtgrad/tape.hpp>

namespace example {

/// The main function of an example: prints what f throws, which ends all processes. Only the first one prints to the standard
/// output.
int run_main(const char* name, const std::function<int()>& f);

/// Thrown to end the program with this status.
struct Ended {
    int status;
};

class Ranks {
public:
    Ranks();
    ~Ranks();
    bool first() const;
    int size() const;
    /// Those on this machine.
    int local_size() const;

    /// Gives all the first one's.
    void broadcast(std::vector<xtgrad::Tensor>&) const;
    /// Sums over all.
    void sum(std::span<double> values) const;
    /// This process's part of a batch, which until the next one has `weight` in means over all.
    xtgrad::data::Batch shard(const xtgrad::data::Batch&);
    double weight() const { return weight_; }
    /// The gradient of the mean of the losses.
    std::vector<xtgrad::Tensor> gradient(xtgrad::Tape&, const xtgrad::Tensor& loss, const std::vector<xtgrad::Tensor>& xs);

private:
    struct Parallel;
    std::unique_ptr<Parallel> parallel_;  // null: alone
    double weight_ = 1;
};

}  // namespace example
