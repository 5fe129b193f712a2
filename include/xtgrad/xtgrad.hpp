// All of xtgrad.
#pragma once
#include "gradcheck.hpp"
#include "nn.hpp"
#include "linalg.hpp"
#include "ops.hpp"
#include "optim.hpp"
#include "random.hpp"
#include "runtime.hpp"
#include "tape.hpp"
#include "tensor.hpp"
#include "transforms.hpp"
#include "vectorize.hpp"
#include "xtensor.hpp"
