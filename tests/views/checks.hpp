// What must hold for every case.
#pragma once
#include "cases.hpp"

namespace views {

/// Runs the case that the seed gives for an op; what is wrong with it, or nothing. `refused` counts cases that were errors, of
/// views and of dense copies alike.
std::string finding(const Op&, std::uint64_t seed, Index& refused);

}  // namespace views
