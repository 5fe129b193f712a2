// NumPy's array format in memory.
#pragma once
#include "elements.hpp"

namespace xtgrad::detail {

/// The array that the bytes of a .npy file are. Throws IoError, with `what` before what is wrong; NoTensor for what is no array
/// or is of a dtype that none of ours holds.
Tensor parse_npy(const FileName&, const std::string& what, Bytes);
/// What stands before the elements of x in a .npy file.
std::string npy_header(const Tensor& x);

}  // namespace xtgrad::detail
