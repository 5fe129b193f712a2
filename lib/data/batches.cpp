#include <xtgrad/data/batches.hpp>

#include <condition_variable>
#include <exception>
#include <limits>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>

#include "../tensor/message.hpp"

namespace xtgrad::data {

using namespace xtgrad::detail;

namespace {

Index batches_in_epoch(const Dataset& data, const BatchOptions& options) {
    const Index n = size(data);
    return n / options.size + (n % options.size != 0 && !options.drop_last);
}

/// In all epochs; as many as can be counted when there are more.
Index batches_in_all(Index in_epoch, Index epochs) {
    Index all;
    return __builtin_mul_overflow(in_epoch, epochs, &all) ? std::numeric_limits<Index>::max() : all;
}

/// Makes one batch after the other.
class Maker {
public:
    Maker(Dataset data, BatchOptions options)
        : data_(std::move(data)),
          options_(std::move(options)),
          order_rng_(options_.shuffle ? options_.shuffle->get().split() : Rng(0)),
          in_epoch_(batches_in_epoch(data_, options_)),
          all_(batches_in_all(in_epoch_, options_.epochs)),
          next_(options_.skip) {}

    /// On an exception the next call makes the same one.
    std::optional<Batch> operator()() {
        if (next_ >= all_) return {};
        const Index n = data::size(data_), epoch = next_ / in_epoch_, begin = next_ % in_epoch_ * options_.size,
                    end = begin + std::min(options_.size, n - begin);
        if (options_.shuffle)
            for (; shuffled_ <= epoch; ++shuffled_) order_.inputs = permutation(n, order_rng_);
        Batch batch = options_.shuffle ? take(data_, slice(order_, begin, end).inputs) : slice(data_, begin, end);
        if (options_.transform) batch = options_.transform(std::move(batch));
        ++next_;
        return batch;
    }

private:
    Dataset data_;
    BatchOptions options_;
    Rng order_rng_;
    Index in_epoch_, all_, next_, shuffled_ = 0;
    Dataset order_;
};

}  // namespace

/// Hands out batches in order; with prefetch a thread makes them ahead, until making one fails. Without it, also where no thread
/// can be started, they are made as they are asked for.
class detail::BatchSource {
public:
    BatchSource(const Dataset& data, const BatchOptions& options) : make_(data, options), ahead_(std::size_t(options.prefetch)) {
        if (ahead_ == 0) return;
        try {
            worker_ = std::thread([this] { work(); });
        } catch (const std::system_error&) {
        }
    }
    ~BatchSource() {
        if (!worker_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_all();
        worker_.join();
    }
    BatchSource(const BatchSource&) = delete;
    BatchSource& operator=(const BatchSource&) = delete;

    /// The next batch, none at the end.
    std::optional<Batch> next() {
        if (!worker_.joinable()) return make_();
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !ready_.empty() || finished_; });
        if (ready_.empty()) {
            if (!failure_) return {};
            lock.unlock();
            worker_.join();
            std::rethrow_exception(std::exchange(failure_, nullptr));
        }
        Batch batch = std::move(ready_.front());
        ready_.pop_front();
        lock.unlock();
        changed_.notify_all();
        return batch;
    }

private:
    void work() {
        std::exception_ptr failure;
        try {
            for (;;) {
                std::list<Batch> next(1);  // room for it first: what was made is not lost
                std::optional<Batch> batch = make_();
                if (!batch) break;
                next.front() = std::move(*batch);
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return ready_.size() < ahead_ || stopped_; });
                if (stopped_) return;
                ready_.splice(ready_.end(), next);
                lock.unlock();
                changed_.notify_all();
            }
        } catch (...) {
            failure = std::current_exception();
        }
        {
            const std::lock_guard lock(mutex_);
            failure_ = failure;
            finished_ = true;
        }
        changed_.notify_all();
    }

    Maker make_;
    std::size_t ahead_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::list<Batch> ready_;
    bool stopped_ = false, finished_ = false;
    std::exception_ptr failure_;
    std::thread worker_;
};

Batches::Batches(Dataset data, BatchOptions options) : data_(std::move(data)), options_(std::move(options)) {
    data::size(data_);
    if (options_.size < 1) fail<Error>("batches", "a size of ", options_.size, "; use at least 1");
    if (std::min({options_.epochs, options_.prefetch, options_.skip}) < 0)
        fail<Error>("batches", options_.epochs, " epochs, ", options_.prefetch, " ahead, ", options_.skip,
                    " skipped; use at least 0");
}

Batches::Iterator Batches::begin() const {
    const Rng before = options_.shuffle ? options_.shuffle->get() : Rng(0);
    try {
        return Iterator(std::make_shared<detail::BatchSource>(data_, options_));
    } catch (...) {
        if (options_.shuffle) options_.shuffle->get() = before;
        throw;
    }
}
Index Batches::size() const noexcept {
    return std::max<Index>(0, batches_in_all(batches_in_epoch(data_, options_), options_.epochs) - options_.skip);
}

Batches::Iterator::Iterator(std::shared_ptr<detail::BatchSource> source) : source_(std::move(source)) { ++*this; }
Batches::Iterator& Batches::Iterator::operator++() {
    if (!source_) fail<Error>("batches", "there is no batch after the last one; compare with end() first");
    std::optional<Batch> batch = source_->next();
    if (batch)
        batch_ = std::move(*batch);
    else
        *this = Iterator();
    return *this;
}

}  // namespace xtgrad::data
