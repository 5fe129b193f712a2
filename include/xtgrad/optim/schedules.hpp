// Learning rates as functions of the step, which counts from 0. They throw Error for a step or a number of steps below 0, and for
// rates that are not finite.
#pragma once
#include "../shape.hpp"

namespace xtgrad {
namespace [[gnu::visibility("default")]] optim {

struct ScheduleOptions {
    double peak = 1e-3;
    double floor = 0;  ///< what is reached at `steps`, and stays
    Index warmup = 0;  ///< so many steps rise linearly: step s has peak (s + 1) / warmup
    Index steps = 1;   ///< how many there are in all, with the warm-up
};

/// The peak, after the warm-up.
double constant(Index step, const ScheduleOptions&);
/// After the warm-up on a line from the peak to the floor.
double linear(Index step, const ScheduleOptions&);
/// After the warm-up on half a wave from the peak to the floor (Loshchilov and Hutter, arXiv:1608.03983).
double cosine(Index step, const ScheduleOptions&);

struct OneCycleOptions {
    double peak = 1e-3;
    Index steps = 1;         ///< at least 1
    double rise = 0.3;       ///< the share of the steps before the peak, in [0, 1]
    double start = 1. / 25;  ///< the first rate, as a share of the peak
    double end = 4e-6;       ///< the last
};
/// Half a wave up to the peak, half a wave down (Smith and Topin, arXiv:1708.07120); PyTorch's OneCycleLR.
double one_cycle(Index step, const OneCycleOptions&);

struct StepDecayOptions {
    double peak = 1e-3;
    Index every = 1;      ///< steps, at least 1
    double factor = 0.1;  ///< not negative
    Index warmup = 0;
};
/// The peak times factor^(step / every), rounded down.
double step_decay(Index step, const StepDecayOptions&);

/// The share of the peak in a step of the warm-up, (step + 1) / warmup; 1 afterwards. For schedules of your own.
double warmup(Index step, Index steps);

}  // namespace optim
}  // namespace xtgrad
