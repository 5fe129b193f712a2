#include <xtgrad/optim/schedules.hpp>

#include <cmath>
#include <numbers>

#include "../tensor/option.hpp"

namespace xtgrad::optim {

using namespace xtgrad::detail;

namespace {

/// A number of steps, as an option; it is one that a double holds as long as it matters.
NumericOption count(const char* name, Index n, const Range& range = not_negative) { return {name, double(n), range}; }
void check(const char* op, Index step, const ScheduleOptions& o) {
    check_options(op, {count("step", step),
                       count("warmup", o.warmup),
                       count("steps", o.steps),
                       {"peak", o.peak, finite},
                       {"floor", o.floor, finite}});
}

/// How much of the way from the end of the warm-up to the last step lies behind; at most 1.
double progress(Index step, const ScheduleOptions& o) {
    return o.steps <= o.warmup ? 1 : std::min(1., double(step - o.warmup) / double(o.steps - o.warmup));
}
/// From a to b on half a wave.
double half_wave(double a, double b, double t) { return b + (a - b) * (1 + std::cos(std::numbers::pi * t)) / 2; }

}  // namespace

double warmup(Index step, Index steps) {
    check_options("warmup", {count("step", step), count("steps", steps)});
    return step < steps ? double(step + 1) / double(steps) : 1;
}

double constant(Index step, const ScheduleOptions& o) {
    check("constant", step, o);
    return o.peak * warmup(step, o.warmup);
}

double linear(Index step, const ScheduleOptions& o) {
    check("linear", step, o);
    if (step < o.warmup) return o.peak * warmup(step, o.warmup);
    return o.peak + (o.floor - o.peak) * progress(step, o);
}

double cosine(Index step, const ScheduleOptions& o) {
    check("cosine", step, o);
    if (step < o.warmup) return o.peak * warmup(step, o.warmup);
    return half_wave(o.peak, o.floor, progress(step, o));
}

double one_cycle(Index step, const OneCycleOptions& o) {
    check_options("one_cycle", {count("step", step),
                                count("steps", o.steps, at_least_one),
                                {"peak", o.peak, finite},
                                {"rise", o.rise, share},
                                {"start", o.start, finite},
                                {"end", o.end, finite}});
    const double top = o.rise * double(o.steps) - 1, last = double(o.steps) - 1, at = std::min(double(step), last);
    if (at <= top) return half_wave(o.peak * o.start, o.peak, top > 0 ? at / top : 1);
    return half_wave(o.peak, o.peak * o.end, last > top ? (at - top) / (last - top) : 1);
}

double step_decay(Index step, const StepDecayOptions& o) {
    check_options("step_decay", {count("step", step),
                                 count("every", o.every, at_least_one),
                                 count("warmup", o.warmup),
                                 {"peak", o.peak, finite},
                                 {"factor", o.factor, not_negative}});
    const Index drops = step / o.every;
    return o.peak * warmup(step, o.warmup) * std::pow(o.factor, double(drops));
}

}  // namespace xtgrad::optim
