#include <xtgrad/optim/schedules.hpp>

#include <cmath>
#include <numbers>

namespace xtgrad::optim {

double warmup(Index step, Index steps) { return step < steps ? double(step + 1) / double(steps) : 1; }

namespace {

/// How much of the way from the end of the warm-up to the last step lies behind; at most 1.
double progress(Index step, const ScheduleOptions& o) {
    return o.steps <= o.warmup ? 1 : std::min(1., double(step - o.warmup) / double(o.steps - o.warmup));
}
/// From a to b on half a wave.
double half_wave(double a, double b, double t) { return b + (a - b) * (1 + std::cos(std::numbers::pi * t)) / 2; }

}  // namespace

double constant(Index step, const ScheduleOptions& o) { return o.peak * warmup(step, o.warmup); }

double linear(Index step, const ScheduleOptions& o) {
    if (step < o.warmup) return o.peak * warmup(step, o.warmup);
    return o.peak + (o.floor - o.peak) * progress(step, o);
}

double cosine(Index step, const ScheduleOptions& o) {
    if (step < o.warmup) return o.peak * warmup(step, o.warmup);
    return half_wave(o.peak, o.floor, progress(step, o));
}

double one_cycle(Index step, const OneCycleOptions& o) {
    const double top = o.rise * double(o.steps) - 1, last = double(o.steps) - 1, at = std::min(double(step), last);
    if (at <= top) return half_wave(o.peak * o.start, o.peak, top > 0 ? at / top : 1);
    return half_wave(o.peak, o.peak * o.end, last > top ? (at - top) / (last - top) : 1);
}

double step_decay(Index step, const StepDecayOptions& o) {
    const Index drops = step / o.every;
    return o.peak * warmup(step, o.warmup) * std::pow(o.factor, double(drops));
}

}  // namespace xtgrad::optim
