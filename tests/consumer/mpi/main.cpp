#include <xtgrad/mpi.hpp>

int main() {
    return xtgrad::mpi::run([](const xtgrad::mpi::Communicator& world) { return world.rank() < world.size() ? 0 : 1; });
}
