// Functions in, functions out; ops with derivatives of one's own.
#pragma once
#include "transforms/checkpoint.hpp"
#include "transforms/custom.hpp"
#include "transforms/derivatives.hpp"
