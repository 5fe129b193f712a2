// Models.
#pragma once
#include "nn/attention.hpp"
#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "nn/transformer.hpp"
#include "nn/visit.hpp"
