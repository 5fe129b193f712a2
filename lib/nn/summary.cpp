// summary(model), as text.
#include <xtgrad/nn/visit.hpp>

#include <algorithm>
#include <iomanip>

#include "../tensor/text.hpp"

namespace xtgrad::nn::detail {
namespace {

using xtgrad::detail::Text;
using Line = std::array<std::string, 4>;

template <class T>
std::string text(const T& value) {
    Text os;
    os << value;
    return os.str();
}

}  // namespace

std::string summary(const std::vector<SummaryRow>& rows) {
    std::vector<Line> lines{{"name", "shape", "dtype", "count"}};
    Index parameters = 0, buffers = 0;
    std::map<const xtgrad::detail::Block*, const std::string*> first;
    for (const auto& [name, x, role] : rows) {
        const Index n = Index(x.size());
        Line line{name, text(x.shape()), text(x.dtype()), std::to_string(n)};
        if (role != Role::parameter) {
            buffers += n;
            line.back() += " (buffer)";
        } else if (const auto [at, is_first] = first.try_emplace(x.block(), &name); is_first) {
            parameters += n;
        } else {
            line.back() += " (tied to " + *at->second + ")";
        }
        lines.push_back(std::move(line));
    }
    std::array<std::size_t, 4> width{};
    for (const Line& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i) width[i] = std::max(width[i], line[i].size());
    Text os;
    for (const auto& [name, shape, dtype, n] : lines)
        os << std::left << std::setw(int(width[0]) + 2) << name << std::setw(int(width[1]) + 2) << shape
           << std::setw(int(width[2]) + 2) << dtype << n << '\n';
    os << std::to_string(parameters) << " parameters";  // no grouped digits: a program may read them
    if (buffers) os << ", " << std::to_string(buffers) << " in buffers";
    os << '\n';
    return os.str();
}

}  // namespace xtgrad::nn::detail
