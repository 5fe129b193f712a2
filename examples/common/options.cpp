#include "options.hpp"

#include <cmath>
#include <cstdlib>
#include <string_view>

#include <CLI/CLI.hpp>

#include "ranks.hpp"

namespace example {

namespace {

CLI::Validator within(const Bounds& b) {
    const auto check = [b](const std::string& text) -> std::string {
        double x;
        if (!CLI::detail::lexical_cast(text, x) || !std::isfinite(x)) return text + " is not a number to use here";
        const auto refuse = [&](const char* too, const char* bound, double of) {
            return text + " is too " + too + "; use a number " + bound + ' ' + CLI::detail::to_string(of);
        };
        if (x < b.least) return refuse("small", "of at least", b.least);
        if (x <= b.above) return refuse("small", "above", b.above);
        if (x > b.most) return refuse("large", "of at most", b.most);
        if (x >= b.below) return refuse("large", "below", b.below);
        return {};
    };
    return CLI::Validator(check, "");
}

/// As a shell reads it as one word.
std::string word(const std::string& text) {
    const bool plain =
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=./,:+@%") == std::string::npos &&
        !text.empty();
    if (plain) return text;
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
    return result + '\'';
}

}  // namespace

std::string runs_folder() {
    const char* folder = std::getenv("XTGRAD_RUNS");  // examples/run says it, which may be called from anywhere
    return folder ? folder : "build/runs";
}

std::string command_of(const std::string& example, const std::string& program) {
    const char* run = std::getenv("XTGRAD_RUN");
    if (run) return word(run) + ' ' + example;
    const std::size_t folder = program.rfind('/') + 1;
    return word(program.substr(0, folder) + example);
}

Options::Options(const std::string& n, const std::string& about)
    : name(n), out(runs_folder() + '/' + n), app_(std::make_unique<CLI::App>(about, n)) {
    app_->get_formatter()->column_width(34);
}

Options::Options(const std::string& n, const std::string& about, Lengths lengths) : Options(n, about) {
    steps = lengths.steps;
    add("--steps", steps, "steps of training", {.least = 1}, lengths.in_short);
    add("--seed", seed, "of all random numbers", {});
    add("--threads", threads, "0: one for each core", {.least = 0, .most = 1024});
    add("--out", out, "the folder for the model, the curves and the report");
    add("--resume", resume, "go on from the checkpoint in that folder, to the same bits as without a break");
    add("--stop", stop, "stop after so many steps, as Ctrl-C does; 0: do not", {.least = 0});
    add("--tensorboard", tensorboard, "write the curves for TensorBoard too");
    add("--check", check, "fail when the result is below what is promised");
    add("--short", short_mode, "a small run for tests, with a check");
}

Options::~Options() = default;

template <class T>
void Options::add(const std::string& flag, T& value, const std::string& help, const Bounds& bounds,
                  std::optional<std::type_identity_t<T>> in_short) {
    CLI::Option* const option = app_->add_option(flag, value, help)->capture_default_str()->check(within(bounds));
    if (in_short)
        shorten_.push_back([&value, option, in_short] {
            if (option->count() == 0) value = *in_short;
        });
}
template void Options::add(const std::string&, double&, const std::string&, const Bounds&, std::optional<double>);
template void Options::add(const std::string&, std::int64_t&, const std::string&, const Bounds&, std::optional<std::int64_t>);

void Options::add(const std::string& flag, bool& value, const std::string& help) { app_->add_flag(flag, value, help); }

void Options::add(const std::string& flag, std::string& value, const std::string& help) {
    app_->add_option(flag, value, help)->capture_default_str();
}

void Options::add_choice(const std::string& flag, std::string& value, const std::vector<std::string>& choices,
                         const std::string& help) {
    app_->add_option(flag, value, help)->capture_default_str()->check(CLI::IsMember(choices));
}

void Options::parse(int argc, char** argv) {
    command = go_on = command_of(name, argv[0]);
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const bool stops = argument == "--stop";  // its number is the next argument
        command += ' ' + word(argv[i]);
        if (stops && i + 1 < argc) command += ' ' + word(argv[++i]);
        if (!stops && !argument.starts_with("--stop=") && argument != "--resume") go_on += ' ' + word(argv[i]);
    }
    go_on += " --resume";
    try {
        app_->parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        throw Ended{app_->exit(error)};
    }
    check |= short_mode;
    if (short_mode)
        for (const auto& shorten : shorten_) shorten();
}

bool Options::given(const std::string& flag) const { return app_->count(flag) > 0; }

}  // namespace example
