// Models.
#pragma once
#include "nn/visit.hpp"
