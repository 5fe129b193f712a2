// xtensor without xtgrad.
#include "expressions.hpp"

TEST_CASE("xtensor computes the same where xtgrad is not included") {
    expressions::each(expressions::Check());
    expressions::check_printing();
}
