#include "rules.hpp"

#include <array>

#include "symbol.hpp"

namespace xtgrad::formula {
namespace {

template <class R, int k>
constexpr SlopeRow slope_of() {
    if constexpr (k >= R::inputs)
        return {0, {}, nullptr};
    else if constexpr (constant_slope<R, k>())
        return {constant_slope<R, k>(), {}, nullptr};
    else
        return {{}, reads<R, k, Symbol>(), [](const Symbol& a, const Symbol& b, const Symbol& y, Numbers numbers) {
                    return Symbol(slope<R, k>(a, b, y, numbers));
                }};
}

constexpr auto rows = [] {
    std::array<RuleRow, rules::All::size> list{};
    std::size_t n = 0;
    rules::All::each([&]<class R> { list[n++] = {rules::All::place_of<R>(), {slope_of<R, 0>(), slope_of<R, 1>()}}; });
    return list;
}();

}  // namespace

const RuleRow& rule_row(int number) { return rows[std::size_t(number)]; }

}  // namespace xtgrad::formula
