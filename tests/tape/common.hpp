// What the tests of the tape share.
#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

using Numbers = std::vector<double>;

/// The elements in row-major order. Asks no op, so that no tape sees it.
inline Numbers numbers(const xg::Tensor& x) {
    if (x.dtype() == xg::f32) {
        const auto v = x.values<float>();
        return Numbers(v.begin(), v.end());
    }
    const auto v = x.values<double>();
    return Numbers(v.begin(), v.end());
}

/// f of each element.
Numbers map(const xg::Tensor& x, auto f) {
    Numbers v = numbers(x);
    for (double& e : v) e = f(e);
    return v;
}

inline bool near(const xg::Tensor& x, const Numbers& expected, double tolerance = 1e-13) {
    const Numbers v = numbers(x);
    if (v.size() != expected.size()) return false;
    for (std::size_t i = 0; i < v.size(); ++i)
        if (!(std::abs(v[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])))) return false;
    return true;
}
inline bool near(const xg::Tensor& x, const xg::Tensor& expected, double tolerance = 1e-13) {
    return x.dtype() == expected.dtype() && x.shape() == expected.shape() && near(x, numbers(expected), tolerance);
}

/// What f says when it throws E; "" when it throws nothing. Another exception goes on.
template <class E>
std::string message(auto f) {
    try {
        f();
    } catch (const E& e) {
        return e.what();
    }
    return "";
}
inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Runs f on a thread of its own.
void elsewhere(auto f) { std::thread(std::move(f)).join(); }

/// Does f return true in a process of its own? False when it is killed by a signal.
bool survives(auto f) {
    const pid_t child = fork();
    if (child == 0) {
        for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);
        bool good = false;
        try {
            good = f();
        } catch (...) {
        }
        _exit(good ? 0 : 1);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

inline xg::Tensor vector3() { return xg::tensor({0.5, -1.25, 2.}); }
inline xg::Tensor matrix23() { return xg::tensor({{0.5, -1.25, 2.}, {1.5, 0.75, -0.25}}); }

/// A tape that has just died gives no clue on the next one: is everything in order?
inline bool all_is_well() {
    const xg::Tensor x = vector3();
    xg::Tape tape;
    const xg::Tensor y = xg::sum(x * x * x);
    return near(tape.gradient(y, x), map(x, [](double v) { return 3 * v * v; }));
}
