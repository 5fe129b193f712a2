// xtgrad before xtensor. Links no library, so that any version of xtensor may stand beside it.
#include <xtgrad/xtensor.hpp>

#include "expressions.hpp"

TEST_CASE("xtensor computes the same with xtgrad included before it") {
    expressions::each(expressions::Check());
    expressions::check_printing();
}
