#include "run.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <xtgrad/data/files.hpp>
#include <xtgrad/runtime.hpp>

namespace example {

namespace xg = xtgrad;

namespace {

volatile std::sig_atomic_t interrupted = 0;

/// The first Ctrl-C asks for an end, the second one takes it.
void end_on_interrupt() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

const std::string curve_prefix = "curve_";

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }

std::string time_text(double s) {
    char text[32];
    if (s < 60)
        std::snprintf(text, sizeof text, s < 9.95 ? "%.1f s" : "%.0f s", s);
    else
        std::snprintf(text, sizeof text, "%d min %02d s", int(s) / 60, int(s) % 60);
    return text;
}

std::string number_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

}  // namespace

Run::Run(const Options& options, std::string loss)
    : options_(options), loss_(std::move(loss)), begun_(Clock::now()), shown_(begun_), saved_(begun_) {
    if (options.threads > 0)
        xg::set_num_threads(int(options.threads));
    else if (ranks_.size() > 1)  // the cores, divided among the processes
        xg::set_num_threads(std::max(1, int(std::thread::hardware_concurrency()) / ranks_.local_size()));
    std::filesystem::create_directories(options.out);
    if (options.tensorboard && ranks_.first()) tensorboard_.emplace(file("tensorboard"));
    end_on_interrupt();
    const auto counted = [](std::int64_t n, const std::string& what) {
        return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s");
    };
    std::printf("%s: %s, %s, %s, seed %lld; results in %s\n", options.name.c_str(), counted(options.steps, "step").c_str(),
                counted(xg::num_threads(), "thread").c_str(), xg::instruction_set(), static_cast<long long>(options.seed),
                options.out.c_str());
    if (ranks_.size() > 1) std::printf("%d processes, each takes its part of every batch\n", ranks_.size());
}

double Run::mean(double value) const {
    value *= ranks_.weight();
    ranks_.sum({&value, 1});
    return value;
}

Run::Recorded& Run::recorded(const std::string& name) {
    for (Recorded& r : curves_)
        if (r.curve.name == name) return r;
    std::string stem = name;
    std::replace(stem.begin(), stem.end(), ' ', '_');
    const std::string path = file(curve_prefix + stem + ".csv");
    Curve curve{name, {}};
    if (first_ > 0 && std::filesystem::exists(path)) {  // what the interrupted run had recorded until its checkpoint
        const xg::Tensor old = xg::data::read_csv(path, {.allow_nan = true}).values;
        for (const double* p = old.data<double>(); p != old.data<double>() + old.size(); p += 2)
            if (p[0] <= double(first_)) curve.points.emplace_back(p[0], p[1]);
    }
    Recorded r{std::move(curve), xg::io::CsvLog(path, {"step", "value"})};
    for (const auto& [x, y] : r.curve.points) r.log.row({x, y});
    return curves_.emplace_back(std::move(r));
}

void Run::record(const std::string& curve, double value) {
    if (!ranks_.first()) return;
    Recorded& r = recorded(curve);
    r.curve.points.emplace_back(double(step_), value);
    r.log.row({double(step_), value});
    if (tensorboard_) tensorboard_->scalar(curve, value, step_);
}

void Run::resume_at(std::int64_t step) {
    step_ = first_ = saved_step_ = step;
    double of_all = double(step);
    ranks_.sum({&of_all, 1});
    if (of_all != double(step) * ranks_.size())
        throw xg::Error("--resume: the processes found different checkpoints; --out is to be a folder that all machines share");
    if (!ranks_.first()) return;
    for (const auto& entry : std::filesystem::directory_iterator(options_.out)) {
        std::string name = entry.path().stem().string();
        if (!name.starts_with(curve_prefix) || entry.path().extension() != ".csv") continue;
        name.erase(0, curve_prefix.size());
        std::replace(name.begin(), name.end(), '_', ' ');
        recorded(name);
    }
    std::printf("resumed after step %lld\n", static_cast<long long>(step));
}

xg::data::Batches::Iterator Run::batches(const xg::data::Dataset& data, std::int64_t size, xg::Rng& order) const {
    const xg::Index n = xg::data::size(data);
    return xg::data::batches(data, {.size = size,
                                    .shuffle = order,
                                    .drop_last = true,
                                    .prefetch = 2,
                                    .epochs = options_.steps / (n / size) + 1,
                                    .skip = step_})
        .begin();
}

void Run::begin() {
    begun_ = shown_ = saved_ = Clock::now();
    if (!ranks_.first()) return;
    const auto& points = recorded("loss").curve.points;
    smooth_ = points.empty() ? 0 : points.back().second;
}

bool Run::more() const {
    return step_ < options_.steps && !interrupted_ && !(options_.stop > 0 && step_ - first_ >= options_.stop);
}

void Run::fail_not_finite(const std::string& what, double rate) const {
    std::string text = what + " is not finite after step " + std::to_string(step_) + ", at a learning rate of " +
                       number_text(rate) + "; try a smaller --lr. ";
    if (saved_step_ > 0)
        text += "The checkpoint after step " + std::to_string(saved_step_) + " is kept: --resume goes on from it";
    else
        text += "Nothing was saved yet";
    throw xg::Error(text);
}

void Run::done(double loss, double rate) {
    double agreed[] = {loss * ranks_.weight(), double(interrupted)};  // all stop after the same step
    ranks_.sum(agreed);
    loss = agreed[0];
    if (!std::isfinite(loss)) fail_not_finite("the loss, " + number_text(loss) + ',', rate);
    interrupted_ = agreed[1] > 0;
    smooth_ = step_ == 1 ? loss : smooth_ + std::max(0.02, 1. / double(step_)) * (loss - smooth_);
    record("loss", loss);
    const bool terminal = isatty(STDOUT_FILENO);
    const double since = seconds(Clock::now() - shown_);
    if (since < (terminal ? 0.2 : 10) && more()) return;
    shown_ = Clock::now();
    show();
}

void Run::show() const {
    const double elapsed = seconds(Clock::now() - begun_), rate = double(step_ - first_) / elapsed;
    const bool terminal = isatty(STDOUT_FILENO);
    std::printf("%sstep %lld/%lld  loss %.4f  %.1f steps/s  %s left%s", terminal ? "\r" : "", static_cast<long long>(step_),
                static_cast<long long>(options_.steps), smooth_, rate, time_text(double(options_.steps - step_) / rate).c_str(),
                terminal ? "   " : "\n");
    std::fflush(stdout);
}

bool Run::save_is_due() {
    constexpr double every = 30;
    if (seconds(Clock::now() - saved_) < every) return false;
    saved_ = Clock::now();
    return true;
}

bool Run::end() {
    if (isatty(STDOUT_FILENO)) std::printf("\n");
    const bool finished = step_ >= options_.steps;
    if (!ranks_.first()) return false;
    if (finished)
        result("time", time_text(seconds(Clock::now() - begun_)));
    else
        std::printf("stopped after step %lld, saved; go on with: %s\n", static_cast<long long>(step_), options_.go_on.c_str());
    return finished;
}

void Run::result(const std::string& what, const std::string& value) {
    const std::string line = what + ": " + value + '\n';
    std::fputs(line.c_str(), stdout);
    results_ += line;
}

void Run::result(const std::string& what, double value, const std::string& unit) { result(what, number_text(value) + unit); }

void Run::keep_promise(const std::string& what, double value, bool kept, const std::string& promise, const std::string& unit) {
    result(what, number_text(value) + unit + (options_.check ? ", promised " + promise + unit + (kept ? "" : ": MISSED") : ""));
    promises_kept_ &= kept;
}
void Run::at_least(const std::string& what, double value, double promised, const std::string& unit) {
    keep_promise(what, value, value >= promised, "at least " + number_text(promised), unit);
}
void Run::at_most(const std::string& what, double value, double promised, const std::string& unit) {
    keep_promise(what, value, value <= promised, "at most " + number_text(promised), unit);
}

int Run::finish_with(const std::string& summary) {
    std::vector<Curve> curves;
    for (Recorded& r : curves_) curves.push_back(r.curve);
    Report page;
    page.add("Command", options_.command);
    page.add("Results", results_);
    page.add(draw_curves(file("curves"), "Loss", {"step", loss_}, curves));
    page.append(report_);
    page.add("Model", summary);
    page.write(file("report.html"), options_.name);
    std::printf("report: %s\n", file("report.html").c_str());
    return options_.check && !promises_kept_ ? 1 : 0;
}

}  // namespace example
