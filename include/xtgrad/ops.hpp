// Every op.
#pragma once
#include "ops/arrangement.hpp"
#include "ops/creation.hpp"
#include "ops/diagonals.hpp"
#include "ops/elementwise.hpp"
#include "ops/indexing.hpp"
#include "ops/linear.hpp"
#include "ops/manipulation.hpp"
#include "ops/reduction.hpp"
#include "ops/rows.hpp"
#include "ops/scan.hpp"
#include "ops/sorting.hpp"
#include "ops/statistics.hpp"
