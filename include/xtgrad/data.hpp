// Data to train on.
#pragma once
#include "data/batches.hpp"
#include "data/dataset.hpp"
#include "data/files.hpp"
#include "data/generated.hpp"
#include "data/text.hpp"
