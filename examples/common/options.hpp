// The command line of an example.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
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
    ~Options();
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    /// T is std::int64_t, double, std::string, or bool for a flag.
    template <class T>
    void add(const std::string& flag, T& value, const std::string& help);
    void add_choice(const std::string& flag, std::string& value, const std::vector<std::string>& choices,
                    const std::string& help);
    /// Ends the program after --help and on an error.
    void parse(int argc, char** argv);

    std::string name, out, command;  ///< the folder for results; what was typed
    std::int64_t steps, seed = 1, threads = 0, stop = 0;
    bool resume = false, tensorboard = false, short_mode = false, check = false;

private:
    Lengths lengths_;
    std::unique_ptr<CLI::App> app_;
};

}  // namespace example
