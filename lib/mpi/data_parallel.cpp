#include <algorithm>
#include <cstring>
#include <list>

#include <xtgrad/mpi.hpp>
#include <xtgrad/ops/creation.hpp>
#include <xtgrad/ops/indexing.hpp>
#include <xtgrad/ops/manipulation.hpp>

#include "../tensor/message.hpp"
#include "../tensor/text.hpp"
#include "messages.hpp"

namespace xtgrad::mpi {

using namespace xtgrad::detail;

namespace {

/// Where in the buckets the gradients lie.
struct Layout {
    struct Bucket {
        Dtype dtype;
        Index elements = 0;
        std::size_t gradients = 0;
    };
    struct Place {
        std::size_t bucket;
        Index offset;
    };
    std::string described;  // the targets that it is made for
    std::vector<std::uint64_t> order;
    std::vector<Bucket> buckets;
    std::vector<Place> places;

    /// `order`: in which the gradients are complete.
    Layout(std::string what, const std::vector<Tensor>& xs, std::vector<std::uint64_t> completed, std::size_t bucket_bytes)
        : described(std::move(what)), order(std::move(completed)), places(xs.size()) {
        for (const std::uint64_t i : order) {
            const Tensor& x = xs[i];
            const std::size_t bytes = x.size() * size_of(x.dtype());
            const bool fits = !buckets.empty() && buckets.back().dtype == x.dtype() &&
                              std::size_t(buckets.back().elements) * size_of(x.dtype()) + bytes <= bucket_bytes;
            if (!fits) buckets.push_back({x.dtype()});
            Bucket& bucket = buckets.back();
            places[i] = {buckets.size() - 1, bucket.elements};
            bucket.elements += Index(x.size());
            ++bucket.gradients;
        }
    }
};

/// The sums of one walk.
class Sums {
public:
    explicit Sums(const Layout& layout) : layout_(layout), missing_(layout.buckets.size()), put_(layout.places.size()) {
        for (std::size_t b = 0; b < missing_.size(); ++b) {
            buckets_.push_back(uninitialized(layout.buckets[b].dtype, {layout.buckets[b].elements}));
            missing_[b] = layout.buckets[b].gradients;
        }
    }
    ~Sums() {
        // Left by an exception: MPI goes on writing until the job is ended. A node of a list moves without memory.
        static std::list<std::vector<Tensor>> kept;
        if (!requests_.empty()) kept.splice(kept.end(), own_);
    }
    Sums(const Sums&) = delete;
    Sums& operator=(const Sums&) = delete;

    void put(std::size_t i, const Tensor& gradient) {
        if (put_[i]) return;
        put_[i] = true;
        const no_record constant;
        const auto [b, offset] = layout_.places[i];
        const std::size_t element = size_of(gradient.dtype());
        const Tensor dense = reshape(gradient, {-1});
        if (dense.size() > 0)
            std::memcpy(buckets_[b].block()->data + std::size_t(offset) * element, dense.block()->data, dense.size() * element);
        --missing_[b];
        while (started_ < missing_.size() && missing_[started_] == 0) start(started_++);
        // Without a thread of its own MPI moves data only while it is called.
        int done;
        MPI_Testall(int(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE);
    }
    std::size_t started() const noexcept { return started_; }

    /// Waits; the gradients, which share the memory of their bucket.
    std::vector<Tensor> take(const std::vector<Tensor>& xs) {
        MPI_Waitall(int(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
        requests_.clear();
        const no_record constant;
        std::vector<Tensor> result;
        for (std::size_t i = 0; i < xs.size(); ++i) {
            const auto [b, offset] = layout_.places[i];
            const Index end = offset + Index(xs[i].size());
            result.push_back(reshape(sliced(buckets_[b], {Slice::range(offset, end)}), xs[i].shape()));
        }
        return result;
    }

private:
    void start(std::size_t b) {
        const Layout::Bucket& bucket = layout_.buckets[b];
        MPI_Datatype type = bucket.dtype == Dtype::f32 ? MPI_FLOAT : MPI_DOUBLE;
        for_pieces(std::size_t(bucket.elements), [&](std::size_t at, int count) {
            MPI_Iallreduce(MPI_IN_PLACE, buckets_[b].block()->data + at * size_of(bucket.dtype), count, type, MPI_SUM,
                           MPI_COMM_WORLD, &requests_.emplace_back());
        });
    }

    const Layout& layout_;
    std::list<std::vector<Tensor>> own_{1};
    std::vector<Tensor>& buckets_ = own_.front();
    std::vector<std::size_t> missing_;  // gradients that a bucket waits for
    std::vector<bool> put_;
    std::vector<MPI_Request> requests_;
    std::size_t started_ = 0;
};

std::string described(const std::vector<Tensor>& xs) {
    Text lines;
    for (const Tensor& x : xs) {
        check_floating("gradient", x);
        lines << x.dtype() << ' ' << x.shape() << '\n';
    }
    return lines.str();
}

}  // namespace

struct DataParallel::State {
    Communicator world;
    std::size_t bucket_bytes;
    std::unique_ptr<const Layout> layout;
    Overlap overlap;
};

DataParallel::DataParallel(const Communicator& world, std::size_t bucket_bytes)
    : state_(new State{world, bucket_bytes, nullptr, {}}) {
    if (bucket_bytes == 0) fail<Error>("DataParallel", "buckets of 0 bytes; use some MiB, as 4 << 20");
}
DataParallel::~DataParallel() = default;
DataParallel::DataParallel(DataParallel&&) noexcept = default;
DataParallel& DataParallel::operator=(DataParallel&&) noexcept = default;

DataParallel::Overlap DataParallel::overlap() const noexcept { return state_->overlap; }

std::vector<Tensor> DataParallel::gradient(Tape& tape, const Tensor& loss, const std::vector<Tensor>& xs, double weight) {
    check_floating("gradient", loss);
    if (loss.size() != 1)
        fail<ShapeError>("gradient", "the loss has shape ", loss.shape(), "; reduce it to one element, as mean does");
    const Tensor seed = full_like(loss, weight);
    State& state = *state_;
    if (state.world.size() == 1) return tape.vjp(loss, seed, xs);

    const std::string what = described(xs);
    std::vector<std::uint64_t> order;
    std::vector<Tensor> own;
    if (!state.layout || state.layout->described != what) {
        own = tape.vjp(loss, seed, xs, on_ready([&](std::size_t i, const Tensor&) { order.push_back(i); }));
        check_agreement("gradient", what, 0);
        broadcast_bytes(order.data(), order.size() * sizeof order[0], 0);
        state.layout = std::make_unique<Layout>(what, xs, std::move(order), state.bucket_bytes);
    }
    Sums sums(*state.layout);
    if (own.empty()) own = tape.vjp(loss, seed, xs, on_ready([&](std::size_t i, const Tensor& g) { sums.put(i, g); }));
    state.overlap = {state.layout->buckets.size(), sums.started()};
    for (const std::uint64_t i : state.layout->order) sums.put(i, own[i]);
    return sums.take(xs);
}

}  // namespace xtgrad::mpi
