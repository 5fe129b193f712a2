// The command line of an example.
#pragma once
#include <cstdint>
#include <functional>
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

/// What every example can be told; it adds its own.
class Options {
public:
    Options(const std::string& name, const std::string& about, Lengths);
    /// Of a program that does not train.
    Options(const std::string& name, const std::string& about);
    ~Options();
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    /// T is std::int64_t, double, std::string, or bool for a flag. In the short mode the value is another if one is given here.
    template <class T>
    void add(const std::string& flag, T& value, const std::string& help, std::optional<std::type_identity_t<T>> in_short = {});
    /// A number that must be at least 1.
    void add_count(const std::string& flag, std::int64_t& value, const std::string& help,
                   std::optional<std::int64_t> in_short = {});
    void add_choice(const std::string& flag, std::string& value, const std::vector<std::string>& choices,
                    const std::string& help);
    /// Throws Ended after --help and on an error.
    void parse(int argc, char** argv);

    std::string name, out, command;  ///< the folder for results; what was typed
    std::int64_t steps = 0, seed = 1, threads = 0, stop = 0;
    bool resume = false, tensorboard = false, short_mode = false, check = false;

private:
    std::vector<std::function<void()>> shorten_;
    std::unique_ptr<CLI::App> app_;
};

}  // namespace example
