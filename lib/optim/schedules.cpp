#include <xtgrad/optim/schedules.hpp>

#include <cmath>
#include <numbers>

#include "../tensor/message.hpp"

namespace xtgrad::optim {

using namespace xtgrad::detail;

namespace {

void check_count(const char* op, const char* what, Index n, Index least = 0) {
    if (n < least) fail<Error>(op, what, " is ", n, "; it must be at least ", least);
}
void check_finite(const char* op, const char* what, double value) {
    if (!std::isfinite(value)) fail<Error>(op, what, " is ", value, "; it must be finite");
}
void check_step(const char* op, Index step, Index warmup) {
    check_count(op, "the step", step);
    check_count(op, "warmup", warmup);
}
void check(const char* op, Index step, const ScheduleOptions& o) {
    check_step(op, step, o.warmup);
    check_count(op, "steps", o.steps);
    check_finite(op, "peak", o.peak);
    check_finite(op, "floor", o.floor);
}

/// How much of the way from the end of the warm-up to the last step lies behind; at most 1.
double progress(Index step, const ScheduleOptions& o) {
    return o.steps <= o.warmup ? 1 : std::min(1., double(step - o.warmup) / double(o.steps - o.warmup));
}
/// From a to b on half a wave.
double half_wave(double a, double b, double t) { return b + (a - b) * (1 + std::cos(std::numbers::pi * t)) / 2; }

}  // namespace

double warmup(Index step, Index steps) {
    check_step("warmup", step, steps);
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
    check_count("one_cycle", "the step", step);
    check_count("one_cycle", "steps", o.steps, 1);
    check_finite("one_cycle", "peak", o.peak);
    check_finite("one_cycle", "start", o.start);
    check_finite("one_cycle", "end", o.end);
    if (!(o.rise >= 0 && o.rise <= 1)) fail<Error>("one_cycle", "rise is ", o.rise, "; it must be a share, in [0, 1]");
    const double top = o.rise * double(o.steps) - 1, last = double(o.steps) - 1, at = std::min(double(step), last);
    if (at <= top) return half_wave(o.peak * o.start, o.peak, top > 0 ? at / top : 1);
    return half_wave(o.peak, o.peak * o.end, last > top ? (at - top) / (last - top) : 1);
}

double step_decay(Index step, const StepDecayOptions& o) {
    check_step("step_decay", step, o.warmup);
    check_count("step_decay", "every", o.every, 1);
    check_finite("step_decay", "peak", o.peak);
    check_finite("step_decay", "factor", o.factor);
    if (o.factor < 0) fail<Error>("step_decay", "factor is ", o.factor, "; it must not be negative");
    const Index drops = step / o.every;
    return o.peak * warmup(step, o.warmup) * std::pow(o.factor, double(drops));
}

}  // namespace xtgrad::optim
