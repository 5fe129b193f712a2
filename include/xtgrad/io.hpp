// Files: tensors, models, checkpoints, logs.
#pragma once
#include "io/logs.hpp"
#include "io/save.hpp"
#include "io/tensors.hpp"
