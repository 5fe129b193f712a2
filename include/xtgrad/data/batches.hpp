// Batches of a dataset, in order or shuffled, made ahead on another thread if wanted.
#pragma once
#include <functional>
#include <iterator>
#include <memory>
#include <optional>

#include "dataset.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] data {

struct BatchOptions {
    Index size = 32;                                          ///< examples in a batch
    std::optional<std::reference_wrapper<Rng>> shuffle = {};  ///< each epoch in another order; drawn from once in each begin()
    bool drop_last = false;                                   ///< leave out a last batch that is smaller
    std::function<Batch(Batch)> transform = {};               ///< what each batch goes through, in order
    Index prefetch = 0;                                       ///< batches made ahead, with their transform, on another thread
    Index epochs = 1;                                         ///< how many times through the data
    /// Batches at the beginning that are not made, nor transformed: to go on after so many steps with the same generator.
    Index skip = 0;
};

namespace detail {
class BatchSource;
}

/// A range of batches: for (auto [inputs, targets] : batches(train, {.size = 64, .shuffle = rng})). Each begin() goes through the
/// data anew. The same batches come for any prefetch and any number of threads. A transform that draws random numbers needs
/// a generator of its own, rng.split(), when it prefetches, and one made from the number of the batch to go on after `skip`. What
/// it throws comes out of the loop.
class Batches {
public:
    Batches(Dataset, BatchOptions);

    class Iterator {
    public:
        using value_type = Batch;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(std::shared_ptr<detail::BatchSource>);
        const Batch& operator*() const noexcept { return batch_; }
        const Batch* operator->() const noexcept { return &batch_; }
        /// Throws Error at the end.
        Iterator& operator++();
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const noexcept { return source_ == nullptr; }

    private:
        std::shared_ptr<detail::BatchSource> source_;
        Batch batch_;
    };

    Iterator begin() const;
    std::default_sentinel_t end() const noexcept { return {}; }
    /// How many batches there are in all epochs, without those that are skipped.
    Index size() const noexcept;

private:
    Dataset data_;
    BatchOptions options_;
};

/// The batches of a dataset. Throws ShapeError when inputs and targets do not fit, Error for a size below 1, epochs, prefetch or
/// skip below 0.
inline Batches batches(Dataset data, BatchOptions options = {}) { return {std::move(data), std::move(options)}; }

}  // namespace data
}  // namespace xtgrad
