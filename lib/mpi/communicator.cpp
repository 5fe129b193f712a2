#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <xtgrad/mpi.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tensor/message.hpp"
#include "../tensor/text.hpp"
#include "messages.hpp"

namespace xtgrad::mpi {

using namespace xtgrad::detail;

Communicator::Communicator() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm local;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
    MPI_Comm_size(local, &local_size_);
    MPI_Comm_free(&local);
}

bool launched() noexcept {
    const auto names = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
    return std::any_of(names.begin(), names.end(), [](const char* name) { return std::getenv(name) != nullptr; });
}

int run(const std::function<int(const Communicator&)>& f) {
    int begun, threads;
    MPI_Initialized(&begun);
    if (begun) fail<Error>("mpi", "was begun before; call run once, and do everything in its function");
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &threads);
    const Communicator world;
    int status = EXIT_FAILURE;
    try {
        status = f(world);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rank %d: %s\n", world.rank(), error.what());
        if (world.size() > 1) MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    } catch (...) {
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
    }
    MPI_Finalize();
    return status;
}

void check_agreement(const char* op, const std::string& lines, int root) {
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    std::uint64_t size = lines.size();
    broadcast_bytes(&size, sizeof size, root);
    std::string wanted = lines;
    wanted.resize(size);
    broadcast_bytes(wanted.data(), size, root);
    int stranger = wanted == lines ? -1 : rank;
    MPI_Allreduce(MPI_IN_PLACE, &stranger, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (stranger < 0) return;
    const char* const remedy = "; make the same model, from the same options, on all ranks";
    if (wanted == lines) fail<Error>(op, "rank ", stranger, " has other tensors than rank ", root, remedy);
    const auto begin_of_line = [](const std::string& text, std::size_t at) {
        return at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    };
    const auto line = [&](const std::string& text, std::size_t at) {
        const std::size_t begin = begin_of_line(text, std::min(at, text.size()));
        const std::string found = text.substr(begin, text.find('\n', begin) - begin);
        return found.empty() ? "none" : found;
    };
    const std::size_t n = std::min(lines.size(), wanted.size());
    const auto at =
        std::size_t(std::mismatch(lines.begin(), lines.begin() + std::ptrdiff_t(n), wanted.begin()).first - lines.begin());
    fail<Error>(op, "rank ", rank, " has the tensor ", line(lines, at), " where rank ", root, " has ", line(wanted, at), remedy);
}

void Communicator::broadcast_tensors(std::span<const nn::detail::NamedField> fields, int root) const {
    if (root < 0 || root >= size_) fail<IndexError>("broadcast", "there is no rank ", root, "; use 0 to ", size_ - 1);
    const auto places = nn::detail::tied_places(fields);
    Text lines;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto& [name, x, role] = fields[i];
        lines << name << ' ' << x->dtype() << ' ' << x->shape();
        if (places[i] != i) lines << " tied to " << fields[places[i]].name;
        lines << '\n';
    }
    check_agreement("broadcast", lines.str(), root);
    const no_record paused;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        Tensor& x = *fields[i].tensor;
        const std::size_t bytes = x.size() * size_of(x.dtype());
        if (places[i] != i) {
            x = *fields[places[i]].tensor;
        } else if (rank_ == root) {
            broadcast_bytes(reshape(x, {-1}).block()->data, bytes, root);
        } else {
            Tensor received = uninitialized(x.dtype(), x.shape());
            broadcast_bytes(received.block()->data, bytes, root);
            x = std::move(received);
        }
    }
}

void Communicator::sum(std::span<double> values) const {
    for_pieces(values.size(), [&](std::size_t at, int count) {
        MPI_Allreduce(MPI_IN_PLACE, values.data() + at, count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    });
}

void Communicator::barrier() const { MPI_Barrier(MPI_COMM_WORLD); }

Shard shard(const Communicator& world, const data::Batch& batch) {
    const Index n = data::size(batch), rank = world.rank(), size = world.size();
    if (n == 0) fail<ShapeError>("shard", "the batch has no example");
    if (size == 1) return {batch, 1};
    const Index begin = rank * n / size, end = (rank + 1) * n / size;
    return {data::slice(batch, begin, std::max(end, begin + 1)), double(end - begin) / double(n)};
}

}  // namespace xtgrad::mpi
