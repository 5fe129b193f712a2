// The one place that knows where xtensor keeps its headers: in folders since 0.26, in one heap before.
#pragma once
#include "xtensor_cxx20.hpp"

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#endif
