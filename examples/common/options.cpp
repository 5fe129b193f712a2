#include "options.hpp"

#include <cstdlib>

#include <CLI/CLI.hpp>

#include "ranks.hpp"

namespace example {

namespace {

/// What is wrong with a number, for CLI11.
std::function<std::string(std::string)> at_least(std::int64_t least) {
    return [=](const std::string& text) {
        return std::atoll(text.c_str()) < least ? "must be at least " + std::to_string(least) : std::string();
    };
}

}  // namespace

Options::Options(const std::string& n, const std::string& about)
    : name(n), out("build/runs/" + n), app_(std::make_unique<CLI::App>(about, n)) {
    app_->get_formatter()->column_width(34);
}

Options::Options(const std::string& n, const std::string& about, Lengths lengths) : Options(n, about) {
    steps = lengths.steps;
    add("--steps", steps, "steps of training", lengths.in_short);
    app_->get_option("--steps")->check(at_least(0));
    add("--seed", seed, "of all random numbers");
    add("--threads", threads, "0: one for each core");
    add("--out", out, "the folder for the model, the curves and the report");
    add("--resume", resume, "go on from the checkpoint in that folder, to the same bits as without a break");
    add("--stop", stop, "stop after so many steps, as Ctrl-C does");
    add("--tensorboard", tensorboard, "write the curves for TensorBoard too");
    add("--check", check, "fail when the result is below what is promised");
    add("--short", short_mode, "a small run for tests, with a check");
}

Options::~Options() = default;

template <class T>
void Options::add(const std::string& flag, T& value, const std::string& help, std::optional<std::type_identity_t<T>> in_short) {
    CLI::Option* option;
    if constexpr (std::same_as<T, bool>)
        option = app_->add_flag(flag, value, help);
    else
        option = app_->add_option(flag, value, help)->capture_default_str();
    if (in_short)
        shorten_.push_back([&value, option, in_short] {
            if (option->count() == 0) value = *in_short;
        });
}
template void Options::add(const std::string&, bool&, const std::string&, std::optional<bool>);
template void Options::add(const std::string&, double&, const std::string&, std::optional<double>);
template void Options::add(const std::string&, std::int64_t&, const std::string&, std::optional<std::int64_t>);
template void Options::add(const std::string&, std::string&, const std::string&, std::optional<std::string>);

void Options::add_count(const std::string& flag, std::int64_t& value, const std::string& help,
                        std::optional<std::int64_t> in_short) {
    add(flag, value, help, in_short);
    app_->get_option(flag)->check(at_least(1));
}

void Options::add_choice(const std::string& flag, std::string& value, const std::vector<std::string>& choices,
                         const std::string& help) {
    app_->add_option(flag, value, help)->capture_default_str()->check(CLI::IsMember(choices));
}

void Options::parse(int argc, char** argv) {
    for (int i = 0; i < argc; ++i) command += (i ? " " : "") + std::string(i ? argv[i] : "examples/run " + name);
    try {
        app_->parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        throw Ended{app_->exit(error)};
    }
    check |= short_mode;
    if (short_mode)
        for (const auto& shorten : shorten_) shorten();
}

}  // namespace example
