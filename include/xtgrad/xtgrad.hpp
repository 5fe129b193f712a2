// All of xtgrad.
#pragma once
#include "data.hpp"
#include "gradcheck.hpp"
#include "io.hpp"
#include "nn.hpp"
#include "ops.hpp"
#include "optim.hpp"
#include "random.hpp"
#include "runtime.hpp"
#include "tape.hpp"
#include "tensor.hpp"
#include "xtensor.hpp"
