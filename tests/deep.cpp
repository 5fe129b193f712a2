// Records of ten million nodes on a stack of 8 MB, and what a node costs.
#include <doctest/doctest.h>

#include <pthread.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <vector>

#include <xtgrad/xtgrad.hpp>

#include "sanitized.hpp"

namespace xg = xtgrad;

namespace {

constexpr std::size_t node_count = sanitized ? 100'000 : 10'000'000;

/// Runs f on a thread whose stack has 8 MB, whatever the limits of this process are.
void on_a_small_stack(std::function<void()> f) {
    struct Job {
        std::function<void()> f;
        std::exception_ptr error;
    } job{std::move(f), {}};
    pthread_attr_t attributes;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstacksize(&attributes, std::size_t(8) << 20) == 0);
    pthread_t thread;
    const auto run = [](void* p) -> void* {
        auto& j = *static_cast<Job*>(p);
        try {
            j.f();
        } catch (...) {
            j.error = std::current_exception();
        }
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, run, &job) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    if (job.error) std::rethrow_exception(job.error);
}

/// Memory of this process that is in use now, in bytes; 0 where the system does not say.
std::size_t resident() {
    long total = 0, pages = 0;
    if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%ld %ld", &total, &pages) != 2) pages = 0;
        std::fclose(f);
    }
    return std::size_t(pages) * std::size_t(sysconf(_SC_PAGESIZE));
}

/// What a tensor of one element takes: its header, its shape, the element and the room behind it that vectors may read.
double bytes_of_one_tensor() {
    constexpr std::size_t n = sanitized ? 10'000 : 1'000'000;
    std::vector<xg::Tensor> kept(n);
    const std::size_t before = resident();
    for (xg::Tensor& t : kept) t = xg::zeros(xg::Shape{}, xg::f32);
    return double(resident() - before) / double(n);
}

/// x, then n ops: a third each keep their output (sin and tanh), keep both inputs (multiply), keep nothing (affine).
xg::Tensor chain(const xg::Tensor& x, std::size_t n) {
    xg::Tensor y = x;
    for (std::size_t i = 0; i < n; ++i) switch (i % 3) {
            case 0: y = xg::tanh(y); break;
            case 1: y = y * x; break;
            default: y = y * 1.001f + 0.5f; ++i;  // two nodes
        }
    return y;
}

}  // namespace

// First, so that no memory of another test is waiting to be used again: then growth is what a node takes.
TEST_CASE("a node takes at most 250 bytes beyond the tensors that live, also while it is walked") {
    if (sanitized) return;  // their memory is not what programs pay
    on_a_small_stack([] {
        constexpr std::size_t n = 3'000'000;
        const double data = bytes_of_one_tensor();
        MESSAGE("a tensor of one element: " << data << " bytes");
        CHECK(data >= 64);
        CHECK(data <= 160);
        const xg::Tensor x = xg::full({}, 0.5, xg::f32);
        // No more memory than bytes_of_one_tensor's own may be waiting.
        const double waiting = 1e6 * data;
        const std::size_t before = resident();
        xg::Tape tape(xg::persistent);
        xg::Tensor y = x;
        for (std::size_t i = 0; i < n; ++i) y = xg::tanh(y);  // each keeps its output
        REQUIRE(tape.nodes() == n);
        const double recorded = (double(resident() - before) + waiting) / double(n) - data;
        MESSAGE("recorded: " << recorded << " bytes a node beyond the data");
        CHECK(recorded <= 250);
        CHECK(recorded >= 50);  // something was measured

        // What the tape says of itself: node, saved tensors with their headers.
        const double said = double(tape.bytes()) / double(n);
        MESSAGE("tape.bytes(): " << said << " bytes a node with the data");
        CHECK(said <= 250 + data);
        CHECK(said >= recorded);

        const xg::Tensor g = tape.gradient(y, x), t = tape.jvp(y, x, xg::ones_like(x));
        const double walked = (double(resident() - before) + waiting) / double(n) - data;
        MESSAGE("after walks both ways: " << walked << " bytes a node beyond the data");
        CHECK(walked <= 250);
        CHECK(g.item<float>() == doctest::Approx(t.item<float>()).epsilon(0.05));  // f32 products in two orders
    });
}

TEST_CASE("ten million nodes are recorded, walked backward and destroyed on a small stack") {
    on_a_small_stack([] {
        const xg::Tensor x = xg::full({1}, 0.5, xg::f32);
        xg::Tape tape;
        const xg::Tensor y = chain(x, node_count);
        CHECK(tape.nodes() >= node_count);
        const float g = tape.gradient(y, x).item<float>();
        CHECK(std::isfinite(g));
        CHECK(g != 0);
    });
}

TEST_CASE("ten million nodes are recorded, walked forward and destroyed on a small stack") {
    on_a_small_stack([] {
        const xg::Tensor x = xg::full({1}, 0.5, xg::f32);
        float g = 0, t = 0;
        {
            xg::Tape tape;
            const xg::Tensor y = chain(x, node_count);
            t = tape.jvp(y, x, xg::ones_like(x)).item<float>();
        }
        {
            xg::Tape tape;  // the same function, shorter: the contraction forgets where it began
            const xg::Tensor y = chain(x, 3000);
            g = tape.gradient(y, x).item<float>();
        }
        CHECK(std::isfinite(t));
        CHECK(t == doctest::Approx(g).epsilon(1e-2));
    });
}

TEST_CASE("a long record that is never walked dies on a small stack, before and after its last tensor") {
    on_a_small_stack([] {
        const xg::Tensor x = xg::full({1}, 0.5, xg::f32);
        xg::Tensor kept;
        {
            xg::Tape tape;
            kept = chain(x, node_count);
        }
        CHECK(std::isfinite(kept.item<float>()));
        xg::Tape tape;
        chain(x, 1000);
        CHECK(tape.nodes() >= 1000);
    });
}

TEST_CASE("a linear function of exact numbers: ten million additions have slope ten million and one") {
    on_a_small_stack([] {
        const xg::Tensor x = xg::full({1}, 0x1p-20);
        xg::Tape tape(xg::persistent);
        xg::Tensor y = x;
        for (std::size_t i = 0; i < node_count; ++i) y = y + x;
        CHECK(tape.gradient(y, x).item<double>() == double(node_count + 1));
        CHECK(tape.jvp(y, x, xg::ones_like(x)).item<double>() == double(node_count + 1));
    });
}

TEST_CASE("views of views and reshapes by the hundred thousand do not nest") {
    on_a_small_stack([] {
        constexpr int n = sanitized ? 10'000 : 300'000;
        const xg::Tensor x = xg::tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}});
        xg::Tape tape(xg::persistent);
        xg::Tensor y = x;
        for (int i = 0; i < n; ++i) y = i % 2 ? xg::transpose(y) : xg::reshape(y, {3, 2});
        const xg::Tensor s = xg::sum(y * y);
        const xg::Tensor g = tape.gradient(s, x);
        for (std::int64_t i = 0; i < 2; ++i)
            for (std::int64_t j = 0; j < 3; ++j) CHECK(xg::view(g, i, j).item<float>() == 2 * xg::view(x, i, j).item<float>());
        CHECK(tape.jvp(s, x, x).item<float>() == 2 * 91);
    });
}

TEST_CASE("a node of twenty thousand inputs, and twenty thousand targets") {
    on_a_small_stack([] {
        constexpr std::size_t n = sanitized ? 2'000 : 20'000;
        std::vector<xg::Tensor> x;
        for (std::size_t i = 0; i < n; ++i) x.push_back(xg::full({1}, double(i % 7), xg::f32));
        xg::Tape tape;
        const xg::Tensor joined = xg::concatenate(x), y = xg::sum(joined * joined);
        const auto g = tape.gradient(y, x);
        bool right = true;
        for (std::size_t i = 0; i < n; ++i) right &= g[i].item<float>() == 2 * float(i % 7);
        CHECK(right);
    });
}

TEST_CASE("tape after tape, walked or not, needs the memory of one") {
    const xg::Tensor x = xg::full({1}, 0.5, xg::f32);
    const auto step = [&](int i) {
        xg::Tape outer(i % 3 ? xg::persistent : xg::TapeOption{0}), tape;
        const xg::Tensor y = chain(x, 1000);
        if (i % 2) tape.gradient(y, x);
        if (i % 5 == 0) outer.jvp(y, x, x);
    };
    for (int i = 0; i < 30; ++i) step(i);
    const std::size_t before = resident();
    for (int i = 0; i < (sanitized ? 30 : 1000); ++i) step(i);
    if (!sanitized) CHECK(resident() < before + (std::size_t(8) << 20));  // of more than 200 MB in all
}

TEST_CASE("without a tape a long computation holds nothing") {
    const xg::Tensor x = xg::full({1}, 0.5, xg::f32);
    chain(x, 1000);
    const std::size_t before = resident();
    chain(x, sanitized ? 10'000 : 1'000'000);
    if (!sanitized) CHECK(resident() < before + (std::size_t(8) << 20));
}
