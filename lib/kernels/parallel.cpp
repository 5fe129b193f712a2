// A pool of our own and not OpenMP's, whose threads wait for each other by spinning: with another process on a core a loop
// of 50 us took 5 ms. Here the caller does what nobody has begun, waits only for those that are in the middle of a part, and
// who has nothing to do sleeps soon.
#include "parallel.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>

namespace xtgrad::kernels {
namespace {

int available() noexcept {
    static const int n = [] {
        const char* wanted = std::getenv("OMP_NUM_THREADS");  // as users set it for everything else
        const int given = wanted ? std::atoi(wanted) : 0;
        return given > 0 ? given : std::max(1, int(std::thread::hardware_concurrency()));
    }();
    return n;
}

std::atomic<int> wanted_threads{0};  // 0: as many as there are

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/// Waits until x is no longer `old`: a little while awake, since loops often follow each other and to wake up takes longer than
/// many of them, then asleep.
std::uint32_t await_change(const std::atomic<std::uint32_t>& x, std::uint32_t old) noexcept {
    using Clock = std::chrono::steady_clock;
    constexpr auto awake = std::chrono::microseconds(100);
    for (const auto begin = Clock::now(); Clock::now() - begin < awake;)
        for (int i = 0; i < 32; ++i) {
            if (const std::uint32_t now = x.load(std::memory_order_acquire); now != old) return now;
            pause();
        }
    for (;;) {
        x.wait(old, std::memory_order_acquire);
        if (const std::uint32_t now = x.load(std::memory_order_acquire); now != old) return now;
    }
}

// The one loop that runs at a time. Its workers are counted in `state`; they may join while it is open. Each thread has a range
// of the tasks, the same in each loop of as many, so that it finds in its cache what it wrote there; then it does what others
// have not begun.
constexpr std::uint32_t open = 1u << 31, one_place = 1u << 16, worker = 1, workers = one_place - 1;
constinit std::mutex in_use;
constinit std::atomic<std::uint32_t> epoch{0}, state{0};
constexpr Index most_ranges = 64;
struct alignas(64) Range {
    std::atomic<Index> next{0};
    Index end = 0;
};
constinit Range ranges[most_ranges];
constinit Index range_count = 0;
struct Loop {
    const FunctionRef<void(Index)>& task;
    std::atomic_flag failed{};
    std::exception_ptr error{};  // of the first task that failed
};
constinit Loop* loop = nullptr;
int started = 0;  // threads; guarded by in_use

thread_local bool inside = false;

/// `place`: 0 of who runs the loop, then the threads by their age.
void work(Index place) noexcept {
    try {
        for (Index r = 0; r < range_count; ++r) {
            Range& range = ranges[(place + r) % range_count];
            for (Index i; (i = range.next.fetch_add(1, std::memory_order_relaxed)) < range.end;) loop->task(i);
        }
    } catch (...) {
        if (!loop->failed.test_and_set(std::memory_order_relaxed)) loop->error = std::current_exception();
        for (Index r = 0; r < range_count; ++r) ranges[r].next.store(ranges[r].end, std::memory_order_relaxed);
    }
}

void serve(Index place) noexcept {
    inside = true;
    for (std::uint32_t seen = 0;;) {
        seen = await_change(epoch, seen);
        std::uint32_t now = state.load(std::memory_order_relaxed);
        bool joined = false;
        while (!joined && now & open && now & ~open & ~workers)
            joined =
                state.compare_exchange_weak(now, now - one_place + worker, std::memory_order_acquire, std::memory_order_relaxed);
        if (!joined) continue;
        work(place);
        const std::uint32_t before = state.fetch_sub(worker, std::memory_order_release);
        if (!(before & open) && (before & workers) == worker) state.notify_one();
    }
}

/// At most `team` threads, of which this is one.
void run(Index n, int team, const FunctionRef<void(Index)>& f) {
    try {
        for (; started < team - 1; ++started) std::thread(serve, started + 1).detach();
    } catch (const std::exception&) {  // no more threads, or no memory for one: then with those that there are
    }
    Loop here{f};
    loop = &here;
    range_count = std::min<Index>(team, most_ranges);
    for (Index r = 0; r < range_count; ++r) {
        ranges[r].next.store(r * n / range_count, std::memory_order_relaxed);
        ranges[r].end = (r + 1) * n / range_count;
    }
    state.store(open | std::uint32_t(team - 1) * one_place, std::memory_order_release);
    epoch.fetch_add(1, std::memory_order_release);
    epoch.notify_all();
    inside = true;
    work(0);
    inside = false;
    std::uint32_t now = state.fetch_and(workers, std::memory_order_acquire) & workers;
    while (now) now = await_change(state, now);
    if (here.error) std::rethrow_exception(here.error);
}

}  // namespace

void set_threads(int n) noexcept { wanted_threads.store(n, std::memory_order_relaxed); }

int threads() noexcept {
    const int n = wanted_threads.load(std::memory_order_relaxed);
    return n ? n : available();
}

void parallel_tasks(Index n, FunctionRef<void(Index)> f) {
    const int team = int(std::min<Index>({n, threads(), 1 << 14}));
    // Another thread's loop has the pool, or this one is a part of one: then alone.
    if (std::unique_lock lock(in_use, std::defer_lock); team > 1 && !inside && lock.try_lock()) return run(n, team, f);
    for (Index i = 0; i < n; ++i) f(i);
}

}  // namespace xtgrad::kernels
