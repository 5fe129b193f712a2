#include "option.hpp"

#include <charconv>
#include <cmath>

namespace xtgrad::detail {
namespace {

/// The fewest digits that say which double it is: 1 + 1e-12 is not "1".
std::string exact(double x) {
    if (std::isnan(x)) return "nan";  // without the sign that some have
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, x).ptr);
}

}  // namespace

void fail_option(const char* op, const char* name, double value, const Range& range) {
    fail<Error>(op, name, " is ", exact(value), "; it lies in ", range.open_low ? '(' : '[', exact(range.low), ", ",
                exact(range.high), range.open_high ? ')' : ']');
}

}  // namespace xtgrad::detail
