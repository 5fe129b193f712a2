// The command line of an example.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace CLI {
class App;
}

namespace example {

/// How long an example trains, and in its short mode, which is for tests.
struct Lengths {
    std::int64_t steps, in_short;
};

/// Where results lie if --out says nothing else.
std::string runs_folder();
/// What to type to start an example, when this is the program that runs.
std::string command_of(const std::string& example, const std::string& program);

/// What a number on the command line may be: finite, and within these.
struct Bounds {
    static constexpr double infinity = std::numeric_limits<double>::infinity();
    double least = -infinity, above = -infinity, most = infinity, below = infinity;
};

/// What every example can be told; it adds its own.
class Options {
public:
    Options(const std::string& name, const std::string& about, Lengths);
    /// Of a program that does not train.
    Options(const std::string& name, const std::string& about);
    ~Options();
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    /// A number, T is std::int64_t or double. In the short mode it is another if one is given here.
    template <class T>
    void add(const std::string& flag, T& value, const std::string& help, const Bounds&,
             std::optional<std::type_identity_t<T>> in_short = {});
    void add(const std::string& flag, bool& value, const std::string& help);
    void add(const std::string& flag, std::string& value, const std::string& help);
    void add_choice(const std::string& flag, std::string& value, const std::vector<std::string>& choices,
                    const std::string& help);
    /// Throws Ended after --help and on an error.
    void parse(int argc, char** argv);
    /// Was it typed?
    bool given(const std::string& flag) const;

    std::string name, out;       ///< the folder for results
    std::string command, go_on;  ///< what was typed, and what goes on from its checkpoint
    std::int64_t steps = 0, seed = 1, threads = 0, stop = 0;
    bool resume = false, tensorboard = false, short_mode = false, check = false;

private:
    std::vector<std::function<void()>> shorten_;
    std::unique_ptr<CLI::App> app_;
};

}  // namespace example
