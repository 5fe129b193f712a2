#include <doctest/doctest.h>

#include <xtgrad/xtgrad.hpp>

namespace xg = xtgrad;

TEST_CASE("a scalar") { CHECK(xg::Tensor(2.5).item<double>() == 2.5); }
