// Any bytes are a table of numbers or an IoError; the first one says how it is read.
#include <cmath>
#include <cstdlib>

#include <xtgrad/error.hpp>

#include "data/csv.hpp"

namespace xg = xtgrad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const xg::detail::FileName name{"fuzz", "input"};
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const xg::data::CsvOptions options{
        .separator = ",;\t "[data[0] & 3], .header = bool(data[0] & 4), .allow_nan = bool(data[0] & 8)};
    try {
        const xg::data::Csv table = name.read([&] { return xg::detail::parse_csv(name, text, options); });
        const double* values = table.values.data<double>();
        const bool nan = std::any_of(values, values + table.values.size(), [](double x) { return std::isnan(x); });
        const std::size_t names = options.header ? std::size_t(table.values.shape(1)) : 0;
        if (table.columns.size() != names || (nan && !options.allow_nan)) std::abort();
    } catch (const xg::IoError&) {
    }
    return 0;
}
