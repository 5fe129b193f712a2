// All of xtgrad.
#pragma once
#include "gradcheck.hpp"
#include "nn.hpp"
#include "ops.hpp"
#include "random.hpp"
#include "runtime.hpp"
#include "tape.hpp"
#include "tensor.hpp"
#include "transforms.hpp"
#include "xtensor.hpp"
