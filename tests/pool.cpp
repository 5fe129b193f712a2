#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <xtgrad/xtgrad.hpp>

#include "tensor/pool.hpp"

namespace xg = xtgrad;
using xg::Tensor;

namespace {

constexpr std::size_t mebibyte = std::size_t(1) << 20, first_limit = std::size_t(1) << 30;

/// A limit for a scope.
struct Limit {
    explicit Limit(std::size_t bytes) { xg::set_pool_limit(bytes); }
    ~Limit() { xg::set_pool_limit(first_limit); }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
};

Tensor mebibytes(int n) { return xg::ones({n, 1 << 17}); }

#ifdef XTGRAD_NO_POOL
constexpr bool pool_is_on = false;
#else
constexpr bool pool_is_on = true;
#endif

bool all_equal(const Tensor& x, double value) {
    const double* p = x.data<double>();
    return std::all_of(p, p + x.size(), [=](double v) { return v == value; });
}

using xg::detail::pool::slab_bytes;

/// f on a thread of its own, until it ends.
void on_thread(auto f) { std::thread(f).join(); }

}  // namespace

TEST_CASE("large freed memory is kept for the next tensor") {
    Tensor x = mebibytes(9);
    const double* data = x.data<double>();
    const std::size_t before = xg::pool_bytes();
    x = Tensor();
    if (!pool_is_on) {
        CHECK(xg::pool_bytes() == 0);
        return;
    }
    CHECK(xg::pool_bytes() >= before + 9 * mebibyte);
    CHECK(xg::pool_bytes() < before + 2 * 9 * mebibyte);
    x = mebibytes(9);
    CHECK(xg::pool_bytes() == before);
    CHECK(x.data<double>() == data);
}

TEST_CASE("a view keeps the memory from being freed") {
    Tensor x = mebibytes(9);
    const std::size_t before = xg::pool_bytes();
    Tensor row = xg::view(x, 3);
    x = Tensor();
    CHECK(xg::pool_bytes() == before);
    CHECK(all_equal(row, 1));
    row = Tensor();
    CHECK((xg::pool_bytes() > before) == pool_is_on);
}

TEST_CASE("no more is kept than the limit") {
    std::vector<Tensor> list;
    for (int i = 0; i < 5; ++i) list.push_back(mebibytes(11));
    const std::size_t before = xg::pool_bytes(), most = before + 40 * mebibyte;
    const Limit limit(most);
    list.clear();
    CHECK(xg::pool_bytes() <= most);
    CHECK((xg::pool_bytes() >= before + 22 * mebibyte) == pool_is_on);
    for (int i = 0; i < 20; ++i) {
        for (int n = 1; n < 8; ++n) list.push_back(mebibytes(n));
        list.clear();
        CHECK(xg::pool_bytes() <= most);
    }
}

TEST_CASE("under a limit of 0 nothing is kept") {
    Tensor x = mebibytes(9), y = xg::ones({3});
    const std::size_t before = xg::pool_bytes();
    const Limit limit(0);
    x = Tensor();
    CHECK(xg::pool_bytes() <= before);
    y = Tensor();
    CHECK(all_equal(xg::ones({3}), 1));
}

TEST_CASE("a smaller limit takes effect as tensors are freed") {
    {
        std::vector<Tensor> list;
        for (int i = 0; i < 3; ++i) list.push_back(mebibytes(7));
        list.push_back(mebibytes(2));
    }
    Tensor x = mebibytes(1);
    const Limit limit(5 * mebibyte);
    x = Tensor();
    CHECK(xg::pool_bytes() <= 5 * mebibyte);
}

TEST_CASE("tensors may be freed on another thread, and what it keeps goes when it ends") {
    std::vector<Tensor> list;
    for (int i = 0; i < 100; ++i) list.push_back(xg::full({i % 7 + 1}, double(i)));
    for (int i = 0; i < 3; ++i) list.push_back(mebibytes(5));
    const std::size_t before = xg::pool_bytes();
    std::size_t during = 0;
    on_thread([&] {
        list.clear();
        during = xg::pool_bytes();
        for (int i = 0; i < 200; ++i) list.push_back(xg::full({i % 7 + 1}, double(i)));
    });
    CHECK((during >= before + 15 * mebibyte) == pool_is_on);
    CHECK(xg::pool_bytes() == before);
    for (int i = 0; i < 200; ++i) CHECK(all_equal(list[std::size_t(i)], i));
}

TEST_CASE("tensors outlive the thread that made them") {
    std::vector<Tensor> list;
    for (int round = 0; round < 20; ++round) {
        on_thread([&] {
            const Tensor gone = xg::full({5}, -1.);
            for (int i = 0; i < 50; ++i) list.push_back(xg::full({i % 13 + 1, 3}, 50. * round + i));
            list.push_back(xg::transpose(xg::full({300, 500}, double(round))));
        });
        // The memory that the thread left is used again while its tensors live.
        std::vector<Tensor> others;
        for (int i = 0; i < 200; ++i) others.push_back(xg::full({i % 13 + 1, 3}, -2.));
    }
    std::size_t n = 0;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 50; ++i) CHECK(all_equal(list[n++], 50. * round + i));
        CHECK(all_equal(list[n++], round));
    }
}

TEST_CASE("threads that come and go use the same memory") {
    std::set<const void*> seen;
    for (int i = 0; i < 50; ++i) on_thread([&] { seen.insert(xg::ones({5}).data<double>()); });
    if (pool_is_on) CHECK(seen.size() < 10);
}

namespace {

thread_local Tensor destroyed_last, large_destroyed_last;

}  // namespace

TEST_CASE("a thread-local tensor may be destroyed after all else of its thread") {
    const std::size_t before = xg::pool_bytes();
    for (int i = 0; i < 5; ++i)
        on_thread([] {
            // Touched before the first allocation, so that they go after what the pool has for this thread.
            CHECK_FALSE(destroyed_last.defined());
            CHECK_FALSE(large_destroyed_last.defined());
            destroyed_last = xg::view(xg::full({3, 4}, 2.5), 1);
            large_destroyed_last = mebibytes(3);
        });
    CHECK(xg::pool_bytes() == before);
    CHECK(all_equal(xg::ones({4}), 1));
}

namespace {

/// Allocates and frees when its thread has given the pool's memory back.
struct AllocatesLast {
    bool touched = false;
    ~AllocatesLast() {
        const Tensor x = xg::full({3, 4}, 1.5), y = xg::ones({300});
        if (!all_equal(xg::view(x, 1), 1.5) || !all_equal(y, 1)) std::abort();
    }
};
thread_local AllocatesLast allocates_last;

}  // namespace

TEST_CASE("threads that allocate at their very end leave no memory behind") {
    const std::size_t before = xg::pool_bytes();
    const auto end_threads = [](int n) {
        for (int i = 0; i < n; ++i)
            on_thread([] {
                allocates_last.touched = true;
                xg::ones({2});
            });
    };
    end_threads(20);
    const std::size_t slabs = slab_bytes();
    end_threads(4000);
    CHECK(slab_bytes() == slabs);
    CHECK(xg::pool_bytes() == before);
}

TEST_CASE_TEMPLATE("memory that is used again leaks no old values into zeros", T, float, double, std::int64_t, bool) {
    const xg::Dtype d = xg::dtype_of<T>;
    bool used_again = false;
    for (const int n : {1, 7, 8, 63, 64, 100, 1000, 5000, 100'003, 3'000'000}) {
        CAPTURE(n);
        const void* old = nullptr;
        {
            const Tensor x = xg::ones({n}, d);
            old = x.data<T>();
        }
        const Tensor zero = xg::zeros({n}, d);
        used_again |= zero.data<T>() == old;
        CHECK(std::count(zero.data<T>(), zero.data<T>() + n, T(0)) == n);
        const Tensor like = xg::zeros_like(zero);
        CHECK(std::count(like.data<T>(), like.data<T>() + n, T(0)) == n);
    }
    if (pool_is_on) CHECK(used_again);
}

TEST_CASE("threads may hand tensors to each other all the time") {
    constexpr int threads = 4, slots = 8, rounds = 3000;
    std::mutex mutex;
    std::vector<Tensor> shared(slots, xg::zeros({1}));
    std::vector<int> wrong(threads, 0);
    std::vector<std::thread> list;
    for (int t = 0; t < threads; ++t)
        list.emplace_back([&, t] {
            for (int i = 0; i < rounds; ++i) {
                const int n = i % 50 == 0 ? 5000 + t : i % 40 + 1;
                Tensor mine = xg::full({n}, double(n));
                {
                    const std::lock_guard lock(mutex);
                    std::swap(mine, shared[std::size_t(i * (t + 1) % slots)]);
                }
                const double expected = mine.size() == 1 ? mine.item<double>() : double(mine.size());
                wrong[std::size_t(t)] += !all_equal(mine, expected);
            }
        });
    for (std::thread& t : list) t.join();
    CHECK(wrong == std::vector<int>(threads, 0));
}

namespace {

/// n tensors, made by `make` on one thread and freed on this one, with `ahead` of them at most waiting between. Returns the most
/// that the pool kept.
std::size_t pass_on(int n, std::size_t ahead, auto make) {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Tensor> ready;
    std::thread maker([&] {
        for (int i = 0; i < n; ++i) {
            Tensor x = make(i);
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return ready.size() < ahead; });
            ready.push_back(std::move(x));
            changed.notify_all();
        }
    });
    std::size_t most = 0;
    for (int i = 0; i < n; ++i) {
        Tensor x;
        {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return !ready.empty(); });
            x = std::move(ready.front());
            ready.pop_front();
            changed.notify_all();
        }
        x = Tensor();
        most = std::max(most, xg::pool_bytes());
    }
    maker.join();
    return most;
}

}  // namespace

TEST_CASE("small tensors made on one thread and freed on another use the same memory again") {
    const auto make = [](int i) { return xg::full({i % 60 + 1}, double(i)); };
    pass_on(20'000, 4, make);
    const std::size_t before = slab_bytes();
    pass_on(100'000, 4, make);
    CHECK(slab_bytes() <= before + mebibyte / 2);
}

TEST_CASE("large tensors made on one thread and freed on another use the same memory again") {
    for (const int kibibytes : {2, 7, 30, 100, 1000}) {
        CAPTURE(kibibytes);
        const std::size_t before = xg::pool_bytes(), size = std::size_t(kibibytes) << 10;
        const std::size_t most = pass_on(2000, 4, [=](int) { return xg::ones({kibibytes, 128}); });
        CHECK(most <= before + 10 * size + 4 * (std::size_t(32) << 10));  // ten of them, and two full magazines of each thread
    }
}

TEST_CASE("what one thread freed is there for another, and for a smaller limit") {
    std::size_t taken = 0;
    const auto free_three = [] {
        std::vector<Tensor> list;
        for (int i = 0; i < 3; ++i) list.push_back(mebibytes(13));
    };
    free_three();
    const std::size_t before = xg::pool_bytes();
    on_thread([&] {
        const Tensor x = mebibytes(13), y = mebibytes(13);
        taken = before - xg::pool_bytes();
    });
    if (pool_is_on) CHECK(taken >= 2 * 13 * mebibyte);

    free_three();
    on_thread([] {
        const Limit limit(2 * mebibyte);
        mebibytes(1);
        CHECK(xg::pool_bytes() <= 2 * mebibyte);
    });
}

TEST_CASE("loops over batches made ahead cost no memory, finished or abandoned") {
    xg::Rng rng(1);
    const xg::data::Dataset data{xg::ones({100, 10})};
    const auto loops = [&](int n) {
        for (int i = 0; i < n; ++i)
            for (const auto& batch : xg::data::batches(data, {.size = 3, .shuffle = rng, .prefetch = 4})) {
                CHECK(batch.inputs.shape(1) == 10);
                if (i % 2) break;
            }
    };
    loops(50);
    const std::size_t slabs = slab_bytes(), kept = xg::pool_bytes();
    loops(300);
    CHECK(slab_bytes() <= slabs + mebibyte / 4);
    CHECK(xg::pool_bytes() <= kept + mebibyte / 4);
}

TEST_CASE("of batches made ahead no more than a few are kept") {
    xg::Rng rng(1);
    const xg::data::Dataset data{xg::ones({1000, 2000}), xg::zeros({1000}, xg::i64)};
    {
        const Limit limit(mebibyte);  // so that no room is there from before
        mebibytes(1);
    }
    const std::size_t before = xg::pool_bytes(), batch = 100 * 2000 * sizeof(double);
    std::size_t most = 0;
    for (const auto& b : xg::data::batches(data, {.size = 100, .shuffle = rng, .prefetch = 2, .epochs = 20})) {
        CHECK(b.inputs.shape(0) == 100);
        most = std::max(most, xg::pool_bytes());
    }
    CHECK(most <= before + 8 * batch);
}
