// Threads: of the program, which share tensors and have tapes of their own; of the library, which do not change a bit.
#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <xtensor/xarray.hpp>
#include <xtgrad/xtgrad.hpp>

#include "sanitized.hpp"

namespace xg = xtgrad;

namespace {

constexpr int rounds = sanitized ? 20 : 200;
constexpr std::size_t team = 4;

/// f(i) on `team` threads that begin at the same moment.
void together(const std::function<void(std::size_t)>& f) {
    std::barrier begin(team);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < team; ++i)
        threads.emplace_back([&, i] {
            begin.arrive_and_wait();
            f(i);
        });
    for (auto& t : threads) t.join();
}

/// The bytes of a tensor's elements in row-major order: equal means equal bits.
std::string bits(const xg::Tensor& x) {
    const xg::Tensor dense = xg::copy(x);
    const auto of = [&](auto z) {
        std::string s(dense.size() * sizeof z, '\0');
        if (!s.empty()) std::memcpy(s.data(), dense.data<decltype(z)>(), s.size());
        return s;
    };
    switch (x.dtype()) {
        case xg::f32: return of(float{});
        case xg::f64: return of(double{});
        case xg::i64: return of(std::int64_t{});
        default: return of(bool{});
    }
}

xg::Tensor numbers(const xg::Shape& shape, xg::Dtype dtype, std::uint64_t seed) {
    xg::Rng rng(seed);
    return xg::randn(shape, dtype, rng);
}

struct Parameters {
    xg::Tensor w = numbers({5, 7}, xg::f64, 1), b = numbers({7}, xg::f64, 2), v = numbers({7, 3}, xg::f64, 3);
};

xg::Tensor loss(const Parameters& p, const xg::Tensor& x) {
    return xg::mean(xg::square(xg::matmul(xg::tanh(xg::matmul(x, p.w) + p.b), p.v)));
}

}  // namespace

TEST_CASE("threads that differentiate with the same parameters get the gradients of one thread alone") {
    const Parameters p;
    std::vector<xg::Tensor> inputs;
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < team; ++i) {
        inputs.push_back(numbers({4, 5}, xg::f64, 10 + i));
        xg::Tape tape;
        expected.push_back(bits(tape.gradient(loss(p, inputs[i]), p.w)));
    }
    std::atomic<int> wrong{0};
    together([&](std::size_t i) {
        for (int round = 0; round < rounds; ++round) {
            const xg::Tensor mine = inputs[i];  // a reference more to a shared block
            xg::Tape tape(round % 2 ? xg::persistent : xg::check_finite);
            const xg::Tensor l = loss(p, mine);
            const auto [dw, db, dx] = tape.gradient(l, {p.w, p.b, mine});
            wrong += bits(dw) != expected[i];
        }
    });
    CHECK(wrong == 0);
}

TEST_CASE("second derivatives on several threads at once") {
    const Parameters p;
    const xg::Tensor x = numbers({4, 5}, xg::f64, 10), u = numbers({5, 7}, xg::f64, 11);
    const auto product = [&] {
        xg::Tape outer;
        const xg::Tensor g = [&] {
            xg::Tape inner;
            return inner.gradient(loss(p, x), p.w);
        }();
        return bits(outer.jvp(g, p.w, u));
    };
    const std::string expected = product();
    std::atomic<int> wrong{0};
    together([&](std::size_t) {
        for (int round = 0; round < rounds / 4; ++round) wrong += product() != expected;
    });
    CHECK(wrong == 0);
}

TEST_CASE("references to one tensor are counted right however many threads copy it") {
    xg::Tensor x = numbers({3}, xg::f32, 1);
    const xg::Tensor view = xg::view(x, 1);
    together([&](std::size_t) {
        for (int i = 0; i < rounds * 500; ++i) {
            const xg::Tensor copy = x, again = copy;
            const xg::Tensor other = view;
        }
    });
    CHECK(view.block()->references == 1);
    CHECK(x.block()->references == 2);  // x and the view
}

TEST_CASE("threads share views of one buffer, and the last to go frees it") {
    for (int round = 0; round < rounds; ++round) {
        xg::Tensor whole = numbers({6, 8}, xg::f64, std::uint64_t(round));
        const double sum = xg::sum(whole).item<double>();
        std::vector<xg::Tensor> views{xg::view(whole, xt::range(1, 5)), xg::transpose(whole), xg::reshape(whole, {8, 6}),
                                      xg::view(whole, 2)};
        const auto values = views[1].values<double>();  // keeps the memory as well
        whole = xg::Tensor();
        std::atomic<int> wrong{0};
        std::mutex mutex;
        together([&](std::size_t i) {
            xg::Tensor mine;
            {
                const std::lock_guard lock(mutex);
                mine = std::move(views[i]);
            }
            xg::Tape tape;
            const xg::Tensor y = xg::sum(mine * mine), g = tape.gradient(y, mine);
            const xg::Tensor other = xg::view(mine, 0) * 2.;
            wrong += bits(g) != bits(mine * 2.) || bits(other) != bits(xg::view(g, 0));
        });
        CHECK(wrong == 0);
        double again = 0;
        for (const double v : values) again += v;
        CHECK(again == doctest::Approx(sum));
    }
}

TEST_CASE("tensors made on one thread are freed on another, small and large ones") {
    std::mutex mutex;
    std::condition_variable arrived;
    std::deque<xg::Tensor> queue;
    std::atomic<int> wrong{0};
    together([&](std::size_t i) {
        for (int round = 0; round < rounds; ++round) {
            if (i % 2 == 0) {
                const xg::Index n = round % 10 == 0 ? 70'000 : 1 + round % 40;
                xg::Tensor t = xg::full({n}, double(n), round % 3 ? xg::f32 : xg::f64);
                const std::lock_guard lock(mutex);
                queue.push_back(std::move(t));
                arrived.notify_one();
            } else {
                xg::Tensor t;
                {
                    std::unique_lock lock(mutex);
                    arrived.wait(lock, [&] { return !queue.empty(); });
                    t = std::move(queue.front());
                    queue.pop_front();
                }
                const auto n = double(t.size());
                wrong += std::abs(xg::mean(t).item<double>() - n) > 1e-4 * n;
                t *= 2.;  // frees theirs, makes one of ours
                wrong += std::abs(xg::mean(t).item<double>() - 2 * n) > 1e-4 * n;
            }
        }
    });
    CHECK(wrong == 0);
    CHECK(queue.empty());
}

TEST_CASE("a thread may end while others use what it made, and what it recorded") {
    const Parameters p;
    const xg::Tensor x = numbers({4, 5}, xg::f64, 10);
    const double expected = loss(p, x).item<double>();
    for (int round = 0; round < rounds / 2; ++round) {
        std::vector<xg::Tensor> results(team);
        std::vector<std::unique_ptr<xg::Tape>> tapes(team);
        together([&](std::size_t i) {
            tapes[i] = std::make_unique<xg::Tape>(xg::persistent);
            const xg::Tensor l = loss(p, x);
            tapes[i]->gradient(l, p.w);
            results[i] = l;
            if (i % 2) tapes[i].reset();
        });
        std::atomic<int> wrong{0};
        together([&](std::size_t i) {
            const std::size_t other = (i + 1) % team;
            wrong += results[other].item<double>() != expected;
            xg::Tape tape;
            const xg::Tensor y = xg::square(results[other]);  // theirs is a leaf here
            wrong += tape.gradient(y, results[other]).item<double>() != 2 * expected;
            if (i == 0) tapes.clear();  // of threads that are long gone
        });
        CHECK(wrong == 0);
    }
}

TEST_CASE("a tape destroyed by another thread while its owner goes on recording") {
    const xg::Tensor x = numbers({3}, xg::f64, 5);
    const std::string expected = bits(x * 4.);
    std::atomic<int> wrong{0};
    for (int round = 0; round < rounds / 2; ++round) {
        auto tape = std::make_unique<xg::Tape>();
        const xg::Tensor y = xg::sum(x * x);
        std::atomic<bool> go{false};
        std::thread other([&] {
            while (!go) std::this_thread::yield();
            tape.reset();
        });
        xg::Tensor z = y;
        go = true;
        for (int i = 0; i < 50; ++i) {
            z = z + y;
            if (i % 10 == 0) {
                xg::Tape own;
                const xg::Tensor u = xg::sum(x * x) * 2.;
                wrong += bits(own.gradient(u, x)) != expected;
            }
        }
        other.join();
        wrong += z.item<double>() <= y.item<double>();
    }
    CHECK(wrong == 0);
    xg::Tape tape;
    const xg::Tensor y = xg::sum(x * x);
    CHECK(bits(tape.gradient(y, x)) == bits(x * 2.));
}

TEST_CASE("many short-lived threads, each with a tape") {
    const xg::Tensor x = numbers({3, 5}, xg::f64, 5);
    const std::string expected = bits(x * 2.);
    std::atomic<int> wrong{0};
    for (int round = 0; round < rounds / 4; ++round)
        together([&](std::size_t) {
            xg::Tape tape;
            const xg::Tensor y = xg::sum(x * x);
            wrong += bits(tape.gradient(y, x)) != expected;
        });
    CHECK(wrong == 0);
}

TEST_CASE("an optimizer's step on one thread changes nothing that another one sees") {
    xg::Tensor w = numbers({5, 7}, xg::f64, 1);
    const xg::Tensor before = w;
    const std::string expected = bits(before);
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::thread reader([&] {
        while (!done) {
            const xg::Tensor seen = before;
            wrong += bits(seen) != expected;
        }
    });
    for (int round = 0; round < rounds; ++round) {
        xg::Tape tape;
        const xg::Tensor y = xg::sum(w * w);
        w -= tape.gradient(y, w) * 0.01;
    }
    done = true;
    reader.join();
    CHECK(wrong == 0);
    CHECK(bits(before) == expected);
}

TEST_CASE("settings may be changed while others compute") {
    const int threads = xg::num_threads();
    const xg::Tensor x = numbers({300, 200}, xg::f32, 4);
    const std::string expected = bits(xg::exp(x));
    std::atomic<int> wrong{0};
    together([&](std::size_t i) {
        for (int round = 0; round < rounds / 10; ++round) {
            if (i == 0) {
                xg::set_num_threads(1 + round % 3);
                xg::set_pool_limit(std::size_t(round % 2) << 24);
            }
            static_cast<void>(xg::pool_bytes());
            wrong += bits(xg::exp(x)) != expected;
        }
    });
    CHECK(wrong == 0);
    xg::set_pool_limit(std::size_t(1) << 30);
    xg::set_num_threads(threads);
}

// ---- the same bits for any number of threads

namespace {

struct Computation {
    const char* name;
    std::function<std::vector<xg::Tensor>(xg::Dtype)> results;
};

/// y = f(x...), and the gradients of sum(y * c) for a fixed c.
template <class... X>
std::vector<xg::Tensor> with_gradients(auto f, const X&... x) {
    xg::Tape tape;
    const xg::Tensor y = f(x...);
    std::vector<xg::Tensor> all{y};
    for (const xg::Tensor& g : tape.vjp(y, numbers(y.shape(), y.dtype(), 99), std::vector<xg::Tensor>{x...})) all.push_back(g);
    return all;
}

xg::Tensor indices(xg::Index n, std::int64_t extent) {
    xg::Rng rng(7);
    return xg::randint({n}, -extent, extent, rng);
}

const std::vector<Computation> computations{
    {"matmul",
     [](xg::Dtype d) {
         return with_gradients([](auto& a, auto& b) { return xg::matmul(a, b); }, numbers({300, 500}, d, 1),
                               numbers({500, 700}, d, 2));
     }},
    {"matmul, extents below and across a block",
     [](xg::Dtype d) {
         std::vector<xg::Tensor> all;
         for (const auto& [m, k, n] : std::vector<std::array<xg::Index, 3>>{
                  {255, 129, 257}, {1, 900, 1100}, {1100, 900, 1}, {3, 5000, 70}, {513, 31, 512}, {2000, 3, 5}})
             for (const xg::Tensor& t :
                  with_gradients([](auto& a, auto& b) { return xg::matmul(a, b); }, numbers({m, k}, d, 1), numbers({k, n}, d, 2)))
                 all.push_back(t);
         return all;
     }},
    {"matmul of transposed and strided operands",
     [](xg::Dtype d) {
         return with_gradients(
             [](auto& a, auto& b) { return xg::matmul(xg::transpose(a), xg::view(b, xt::all(), xt::range(0, 600, 2))); },
             numbers({400, 310}, d, 1), numbers({400, 600}, d, 2));
     }},
    {"matmul of a batch",
     [](xg::Dtype d) {
         return with_gradients([](auto& a, auto& b) { return xg::matmul(a, b); }, numbers({6, 1, 70, 90}, d, 1),
                               numbers({5, 90, 110}, d, 2));
     }},
    {"matmul of a batch and a matrix",
     [](xg::Dtype d) {
         return with_gradients([](auto& a, auto& b) { return xg::matmul(a, b); }, numbers({6, 130, 200}, d, 1),
                               numbers({200, 90}, d, 2));
     }},
    {"matmul of a matrix and a vector",
     [](xg::Dtype d) {
         return with_gradients([](auto& a, auto& b) { return xg::matmul(a, b); }, numbers({1300, 700}, d, 1),
                               numbers({700}, d, 2));
     }},
    {"sums",
     [](xg::Dtype d) {
         const xg::Tensor x = numbers({70, 110, 130}, d, 1), line = numbers({1'000'003}, d, 2);
         return std::vector{xg::sum(x),
                            xg::sum(x, 0),
                            xg::sum(x, 1),
                            xg::sum(x, 2),
                            xg::sum(x, {0, 2}),
                            xg::sum(xg::transpose(x), {0, 1}),
                            xg::sum(line),
                            xg::mean(xg::view(line, xt::range(0, 1'000'003, 3))),
                            xg::sum(xg::transpose(x)),
                            xg::sum(xg::broadcast_to(x, {3, 70, 110, 130}), {0, 1})};
     }},
    {"sums of i64 and booleans",
     [](xg::Dtype d) {
         const xg::Tensor i = indices(200'001, 1000), x = numbers({300, 401}, d, 1) > 0.25;
         return std::vector{xg::sum(i), xg::sum(x, 0), xg::sum(x, 1), xg::any(x, 0), xg::all(x, 1)};
     }},
    {"extrema",
     [](xg::Dtype d) {
         const xg::Tensor x = numbers({300, 410}, d, 1);
         std::vector<xg::Tensor> all{xg::argmax(x), xg::argmax(x, 0), xg::argmax(x, 1)};
         for (const xg::Tensor& t : with_gradients([](auto& t) { return xg::amax(t, 0) + xg::amin(t); }, x)) all.push_back(t);
         return all;
     }},
    {"logsumexp",
     [](xg::Dtype d) {
         return with_gradients([](auto& x) { return xg::logsumexp(x, 0) + xg::logsumexp(x); }, numbers({300, 410}, d, 1));
     }},
    {"softmax",
     [](xg::Dtype d) {
         return with_gradients([](auto& x) { return xg::softmax(x); }, numbers({300, 413}, d, 1));
     }},
    {"softmax of columns, of long and of short rows",
     [](xg::Dtype d) {
         std::vector<xg::Tensor> all;
         for (const xg::Shape& shape : {xg::Shape{413, 300}, xg::Shape{3, 50'001}, xg::Shape{50'001, 3}})
             for (const int axis : {0, 1})
                 for (const xg::Tensor& t :
                      with_gradients([axis](auto& x) { return xg::softmax(x, axis); }, numbers(shape, d, 1)))
                     all.push_back(t);
         return all;
     }},
    {"log_softmax and cross_entropy",
     [](xg::Dtype d) {
         xg::Rng rng(8);
         const xg::Tensor labels = xg::randint({300}, 0, 413, rng);
         return with_gradients([&](auto& x) { return xg::log_softmax(x) * xg::cross_entropy(x, labels); },
                               numbers({300, 413}, d, 1));
     }},
    {"layer_norm",
     [](xg::Dtype d) {
         return with_gradients([](auto& x, auto& w, auto& b) { return xg::layer_norm(x, w, b); }, numbers({300, 413}, d, 1),
                               numbers({413}, d, 2), numbers({413}, d, 3));
     }},
    {"elementwise",
     [](xg::Dtype d) {
         return with_gradients(
             [](auto& a, auto& b, auto& c) {
                 return xg::tanh(a * b + c) / (xg::exp(a) + 1.) - xg::gelu(xg::sin(b)) * xg::sigmoid(c) +
                        xg::pow(xg::abs(a) + 0.5, b) + xg::erf(a) * 2. / (1. + a * a);
             },
             numbers({310, 417}, d, 1), numbers({417}, d, 2), numbers({310, 1}, d, 3));
     }},
    {"elementwise on strided operands",
     [](xg::Dtype d) {
         return with_gradients(
             [](auto& a, auto& b) {
                 return xg::exp(xg::transpose(a)) * xg::view(b, xt::range(0, 834, 2)) -
                        xg::view(xg::sin(b), xt::range(833, 0, -2));
             },
             numbers({310, 417}, d, 1), numbers({834, 310}, d, 2));
     }},
    {"selection",
     [](xg::Dtype d) {
         return with_gradients(
             [](auto& a, auto& b) { return xg::where(a > b, a, b * 2.) + xg::clip(a, -0.5, 0.5) + xg::maximum(a, b); },
             numbers({310, 417}, d, 1), numbers({310, 1}, d, 2));
     }},
    {"take",
     [](xg::Dtype d) {
         return with_gradients([](auto& x) { return xg::take(x, indices(900, 150)); }, numbers({150, 130}, d, 1));
     }},
    {"take of the last axis",
     [](xg::Dtype d) {
         return with_gradients([](auto& x) { return xg::take(x, indices(900, 150), -1); }, numbers({130, 150}, d, 1));
     }},
    {"index_add",
     [](xg::Dtype d) {
         return with_gradients([](auto& x, auto& v) { return xg::index_add(x, indices(900, 15), v); }, numbers({15, 2130}, d, 1),
                               numbers({900, 2130}, d, 2));
     }},
    {"index_add of numbers",
     [](xg::Dtype d) {
         return with_gradients([](auto& x, auto& v) { return xg::index_add(x, indices(90'000, 15), v); }, numbers({15}, d, 1),
                               numbers({90'000}, d, 2));
     }},
    {"copies",
     [](xg::Dtype d) {
         const xg::Tensor x = numbers({310, 417}, d, 1);
         return std::vector{xg::copy(xg::transpose(x)),
                            xg::concatenate({x, xg::transpose(xg::reshape(x, {417, 310}))}, 1),
                            xg::set_view(x, 3., xt::range(1, 300, 2)),
                            xg::astype(x, xg::i64),
                            xg::astype(x, d == xg::f32 ? xg::f64 : xg::f32),
                            xg::stack({x, x}, 2)};
     }},
    {"random numbers",
     [](xg::Dtype d) {
         xg::Rng rng(3);
         return std::vector{xg::randn({310, 417}, d, rng), xg::uniform({310, 419}, d, rng, -1, 3),
                            xg::randint({70'001}, -5, 1000, rng), xg::permutation(70'001, rng), xg::full({310, 417}, 0.1, d)};
     }},
    {"a second derivative",
     [](xg::Dtype d) {
         const xg::Tensor x = numbers({130, 210}, d, 1), w = numbers({210, 310}, d, 2);
         xg::Tape outer;
         const xg::Tensor g = [&] {
             xg::Tape inner;
             return inner.gradient(xg::sum(xg::softmax(xg::tanh(xg::matmul(x, w))) * xg::matmul(x, w)), w);
         }();
         return std::vector{outer.jvp(g, w, w)};
     }},
};

}  // namespace

TEST_CASE("every result has the same bits for one, two and three threads, in f32 and f64") {
    const int before = xg::num_threads();
    for (const Computation& c : computations)
        for (const xg::Dtype d : {xg::f32, xg::f64}) {
            CAPTURE(c.name);
            CAPTURE(xg::name_of(d));
            std::vector<std::string> expected;
            for (const int threads : {1, 2, 3}) {
                xg::set_num_threads(threads);
                CHECK(xg::num_threads() == threads);
                const auto results = c.results(d);
                expected.resize(results.size());
                for (std::size_t i = 0; i < results.size(); ++i) {
                    CAPTURE(i);
                    CAPTURE(threads);
                    std::string now = bits(results[i]);
                    if (threads == 1)
                        expected[i] = std::move(now);
                    else
                        CHECK((now == expected[i]));
                }
            }
        }
    xg::set_num_threads(before);
}

TEST_CASE("every result has the same bits on threads of the program that compute at once") {
    const int before = xg::num_threads();
    for (const int threads : {1, 2}) {
        xg::set_num_threads(threads);
        for (const std::size_t which : {0u, 3u, 6u, 10u, 13u, 14u}) {
            const Computation& c = computations[which];
            CAPTURE(c.name);
            std::vector<std::string> expected;
            for (const xg::Tensor& t : c.results(xg::f32)) expected.push_back(bits(t));
            std::atomic<int> wrong{0};
            together([&](std::size_t) {
                const auto results = c.results(xg::f32);
                for (std::size_t i = 0; i < results.size(); ++i) wrong += bits(results[i]) != expected[i];
            });
            CHECK(wrong == 0);
        }
    }
    xg::set_num_threads(before);
}
