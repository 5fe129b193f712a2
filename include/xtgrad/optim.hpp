// Training.
#pragma once
#include "optim/gradients.hpp"
#include "optim/minimize.hpp"
#include "optim/optimizers.hpp"
#include "optim/schedules.hpp"
