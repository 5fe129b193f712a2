// The comparisons and logical operations there are.
#pragma once

namespace xtgrad::detail {

enum class Comparison { less, less_equal, greater, greater_equal, equal, not_equal };
enum class Logic { conjunction, disjunction, exclusive };

}  // namespace xtgrad::detail
