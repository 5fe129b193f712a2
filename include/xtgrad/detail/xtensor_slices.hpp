// xtensor's slices alone: xt::range, all, newaxis, ellipsis. See xtensor_headers.hpp.
#pragma once
#include "xtensor_cxx20.hpp"

#if __has_include(<xtensor/views/xslice.hpp>)
#include <xtensor/views/xslice.hpp>
#else
#include <xtensor/xslice.hpp>
#endif
