#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <xtgrad/error.hpp>

#include "ranks.hpp"

namespace example {

namespace {

/// N processes of a launcher, each alone, would write the same files N times.
void check_not_launched() {
    for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
        if (const char* size = std::getenv(variable); size && std::atoi(size) > 1)
            throw xtgrad::Error(
                "one of " + std::string(size) +
                " processes of mpirun, but this build has no MPI. Install it (Debian: libopenmpi-dev openmpi-bin) "
                "and build again, or start the program without mpirun");
}

}  // namespace

int run_main(const char* name, const std::function<int()>& f) {
    try {
        check_not_launched();
        return f();
    } catch (const Ended& ended) {
        return ended.status;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", name, error.what());
        return 1;
    }
}

struct Ranks::Parallel {};
Ranks::Ranks() = default;
Ranks::~Ranks() = default;
bool Ranks::first() const { return true; }
int Ranks::size() const { return 1; }
int Ranks::local_size() const { return 1; }
void Ranks::broadcast(std::vector<xtgrad::Tensor>&) const {}
void Ranks::sum(std::span<double>) const {}
xtgrad::data::Batch Ranks::shard(const xtgrad::data::Batch& batch) { return batch; }
std::vector<xtgrad::Tensor> Ranks::gradient(xtgrad::Tape& tape, const xtgrad::Tensor& loss,
                                            const std::vector<xtgrad::Tensor>& xs) {
    return tape.gradient(loss, xs);
}

}  // namespace example
