// A tape and its thread.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <sstream>
#include <thread>

#include "common.hpp"

TEST_CASE("a tape belongs to its thread; a call from another is an error and consumes nothing") {
    const xg::Tensor x = vector3();
    xg::Tape tape;
    const xg::Tensor y = xg::sum(x * x);
    for (const bool busy : {false, true})
        elsewhere([&] {
            std::optional<xg::Tape> own;
            if (busy) own.emplace();
            const xg::Tensor mine = xg::sum(x * x * x);
            std::ostringstream os;
            for (const std::string& text :
                 {message<xg::TapeError>([&] { tape.gradient(y, x); }),
                  message<xg::TapeError>([&] { tape.vjp(y, xg::Tensor(1.), x); }),
                  message<xg::TapeError>([&] { tape.jvp(y, x, x); }), message<xg::TapeError>([&] { tape.gradient(mine, x); }),
                  message<xg::TapeError>([&] { static_cast<void>(tape.nodes()); }),
                  message<xg::TapeError>([&] { static_cast<void>(tape.bytes()); }),
                  message<xg::TapeError>([&] { tape.dot(os); })})
                CHECK(has(text, "another thread"));
            if (busy) CHECK(near(own->gradient(mine, x), map(x, [](double v) { return 3 * v * v; })));
        });
    CHECK(tape.nodes() == 2);
    CHECK(near(tape.gradient(y, x), map(x, [](double v) { return 2 * v; })));
}

TEST_CASE("what another thread computes is not recorded, and a no_record there pauses nobody here") {
    const xg::Tensor x = vector3();
    xg::Tape tape;
    xg::Tensor theirs;
    elsewhere([&] {
        const xg::no_record pause;
        theirs = x * x;
    });
    CHECK(tape.nodes() == 0);
    const xg::Tensor y = xg::sum(x * theirs);
    CHECK(tape.nodes() == 2);
    CHECK(near(tape.gradient(y, x), theirs));
}

TEST_CASE("a tape may die on another thread than its own") {
    const xg::Tensor x = vector3();
    for (int round = 0; round < 20; ++round) {
        auto doomed = std::make_unique<xg::Tape>(round % 3 ? xg::persistent : xg::check_finite);
        std::optional<xg::Tape> other;
        if (round % 2) other.emplace();
        const xg::Tensor y = xg::sum(x * x);
        if (round % 5 == 1) doomed->gradient(y, x);
        elsewhere([t = std::move(doomed)]() mutable { t.reset(); });
        const xg::Tensor z = y * 2.;
        if (other) CHECK(near(other->gradient(z, x), map(x, [](double v) { return 4 * v; })));
        CHECK(all_is_well());
        const xg::no_record pause;
        CHECK(all_is_well());
    }
}

TEST_CASE("a tape whose thread has ended can be asked, in vain, and destroyed") {
    const xg::Tensor x = vector3();
    std::vector<std::unique_ptr<xg::Tape>> orphans;
    xg::Tensor y;
    for (int i = 0; i < 4; ++i)
        elsewhere([&] {
            orphans.push_back(std::make_unique<xg::Tape>());
            y = xg::sum(x * x);
        });
    for (const auto& tape : orphans) CHECK_THROWS_AS(tape->gradient(y, x), xg::TapeError);
    {
        xg::Tape mine;
        for (const auto& tape : orphans) CHECK_THROWS_AS(tape->gradient(y, x), xg::TapeError);
        orphans.pop_back();
        const xg::Tensor z = xg::sum(y * x);
        CHECK(near(mine.gradient(z, x), Numbers(3, y.item<double>())));
    }
    elsewhere([&] { orphans.clear(); });
    CHECK(all_is_well());
}

TEST_CASE("tapes and tensors may be thread_local, made in either order") {
    const xg::Tensor x = vector3();
    elsewhere([&] {
        thread_local std::optional<xg::Tape> tape;  // dies after the record
        thread_local xg::Tensor kept;
        tape.emplace();
        kept = x * x;
    });
    elsewhere([&] {
        const xg::Tensor first = x * x;
        { xg::Tape early; }
        thread_local xg::Tensor kept;
        thread_local std::optional<xg::Tape> tape;  // dies before the record
        tape.emplace();
        kept = xg::sum(x * x * x);
    });
    bool good = false;
    elsewhere([&] {
        struct Late {  // uses the library while the thread ends
            xg::Tensor x;
            bool* good;
            ~Late() {
                *good = numbers(x * x + xg::ones({1000, 3}))[0] == 1.25;
                message<xg::TapeError>([&] { xg::Tape tape; });
            }
        };
        thread_local Late late{x, &good};
        xg::Tape tape;
        const xg::Tensor y = xg::sum(late.x * late.x);
        CHECK(near(tape.gradient(y, late.x), map(x, [](double v) { return 2 * v; })));
    });
    CHECK(good);
    CHECK(all_is_well());
}

TEST_CASE("threads differentiate with the same parameters at once") {
    const xg::Tensor w = matrix23(), b = xg::tensor({0.25, -0.5});
    std::vector<std::thread> threads;
    std::vector<std::vector<xg::Tensor>> results(4);
    std::vector<std::size_t> held(4);
    for (std::size_t i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            const xg::Tensor x = vector3() * double(i + 1);
            for (int round = 0; round < 50; ++round) {
                xg::Tape tape;
                const xg::Tensor y = xg::sum(xg::square(xg::matmul(w, x) + b));
                held[i] = tape.nodes();
                const auto [dw, db] = tape.gradient(y, {w, b});
                results[i] = {dw, db};
            }
        });
    for (auto& t : threads) t.join();
    const Numbers m = numbers(w), x = numbers(vector3());
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(held[i] == held[0]);
        for (std::size_t r = 0; r < 2; ++r) {
            double sum = numbers(b)[r];
            for (std::size_t k = 0; k < 3; ++k) sum += m[r * 3 + k] * x[k] * double(i + 1);
            CHECK(numbers(results[i][1])[r] == doctest::Approx(2 * sum));
            for (std::size_t k = 0; k < 3; ++k)
                CHECK(numbers(results[i][0])[r * 3 + k] == doctest::Approx(2 * sum * x[k] * double(i + 1)));
        }
    }
}
