// The first calls of a program and of a thread, when nothing is there yet; each in a process of its own. This file is the first.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include <xtgrad/vectorize.hpp>

#include "../sanitized.hpp"
#include "failing.hpp"

using namespace memory;

namespace {

/// What f() in another process returns; -1 when it ended otherwise.
int in_child(const std::function<int()>& f) {
    const pid_t child = fork();
    if (child == 0) _exit(f());
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum Outcome { passed, failed, wrong_value, wrong_exception };

Outcome outcome(const std::function<Tensors()>& f, long n, Failing failing) {
    Tensors got;
    bool threw = true, refused = false;
    {
        Window window(n, failing);
        try {
            got = f();
            threw = false;
        } catch (const std::bad_alloc&) {
        } catch (const xg::Error&) {
        } catch (...) {
            return wrong_exception;
        }
        window.close();
        refused = Window::failed();
    }
    const Tensors want = f();
    if (!threw && !same(got, want)) return wrong_value;
    if (!same(f(), want)) return wrong_value;
    return refused ? failed : passed;
}

void check(const std::string& name, const std::function<Tensors()>& f, bool on_thread = false) {
    for (const Failing failing : {Failing::one, Failing::all})
        for (long n = 1; n < 5000; n += whole() ? 1 : 1 + n / 8) {
            const int result = in_child([&] {
                int of_thread = passed;
                const auto body = [&] { of_thread = outcome(f, n, failing); };
                on_thread ? std::thread(body).join() : body();
                return of_thread;
            });
            if (result == passed) break;
            const std::string where = on_thread ? ", on a thread" : "",
                              after = failing == Failing::all ? " and all after it" : "";
            INFO(name << where << ", request " << n << after);
            CHECK(result == failed);
            if (result != failed) return;
        }
}

Tensor numbers(const Shape& shape, xg::Dtype dtype = xg::f32) {
    xg::Rng rng(1);
    return xg::randn(shape, dtype, rng);
}

}  // namespace

TEST_CASE("first calls") {
    for (const bool on_thread : {false, true}) {
        check(
            "a sum", [] { return Tensors{xg::ones({3}) + 1.}; }, on_thread);
        check(
            "a gradient",
            [] {
                const Tensor x = numbers({3, 4});
                xg::Tape tape;
                return Tensors{tape.gradient(xg::sum(xg::exp(x)), x)};
            },
            on_thread);
        check(
            "a product on threads",
            [] {
                xg::set_num_threads(3);
                return Tensors{xg::matmul(numbers({100, 150}), numbers({150, 90}))};
            },
            on_thread);
        check(
            "attention",
            [] {
                xg::set_num_threads(3);
                const Tensor q = numbers({1, 40, 16});
                return Tensors{xg::attention(q, q, q, {.heads = 2})};
            },
            on_thread);
        check(
            "a formula", [] { return Tensors{xg::vectorize([](auto x) { return x * x + 1.; })(numbers({7}))}; }, on_thread);
    }
}

TEST_CASE("without threads") {
    const auto without = [](const std::function<Tensors()>& f) {
        return in_child([&] {
            refuse_threads(true);
            const Tensors got = f();
            refuse_threads(false);
            return same(got, f()) ? passed : wrong_value;
        });
    };
    CHECK(without([] {
              xg::set_num_threads(3);
              return Tensors{xg::matmul(numbers({100, 150}), numbers({150, 90}))};
          }) == passed);
    CHECK(without([] {
              const xg::data::Dataset data{numbers({20, 3})};
              Tensors all;
              for (const auto& batch : xg::data::batches(data, {.size = 6, .prefetch = 2})) all.push_back(batch.inputs);
              return all;
          }) == passed);
}
