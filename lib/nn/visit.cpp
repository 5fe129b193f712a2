#include <xtgrad/nn/visit.hpp>

#include <algorithm>

#include "../tensor/message.hpp"

namespace xtgrad::nn {

void detail::check_distinct(std::vector<std::string_view> names) {
    std::ranges::sort(names);
    if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
        xtgrad::detail::fail<Error>("visit", "two fields have the name '", *twice, "'; give each a name of its own");
}

}  // namespace xtgrad::nn
