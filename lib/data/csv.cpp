#include <xtgrad/data/files.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "../io/file.hpp"
#include "../tensor/storage.hpp"

namespace xtgrad::data {

using namespace xtgrad::detail;

namespace {

std::string_view trimmed(std::string_view field) {
    const std::size_t begin = field.find_first_not_of(" \t"), end = field.find_last_not_of(" \t");
    field = begin == field.npos ? field.substr(0, 0) : field.substr(begin, end - begin + 1);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    return field;
}

/// The fields of a line; a separator in quotes does not separate.
std::vector<std::string_view> fields_of(std::string_view line, char separator) {
    std::vector<std::string_view> fields;
    bool quote_open = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') quote_open = !quote_open;
        if (line[i] != separator || quote_open) continue;
        fields.push_back(trimmed(line.substr(begin, i - begin)));
        begin = i + 1;
    }
    fields.push_back(trimmed(line.substr(begin)));
    return fields;
}

bool is_number(std::string_view field) {
    double value;
    if (field.starts_with('+')) field.remove_prefix(1);
    const auto [reached, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    return error == std::errc() && reached == field.data() + field.size();
}

/// What may help where a field is no number.
const char* remedy(std::string_view field, bool first, const CsvOptions& options) {
    if (options.separator != ';' && field.find(';') != field.npos)
        return "; does a semicolon separate the fields? Give {.separator = ';'}";
    if (options.separator != '\t' && field.find('\t') != field.npos)
        return "; does a tab separate the fields? Give {.separator = '\\t'}";
    return first && !options.header ? "; does the file begin with names? Give {.header = true}" : "";
}

}  // namespace

Csv read_csv(const std::string& path, const CsvOptions& options) {
    const FileName file{"read_csv", path};
    const MappedFile mapped(file);
    std::string_view rest(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size());
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // a byte order mark
    Csv result;
    std::vector<double> values;
    std::size_t columns = 0, rows = 0;
    bool names_next = options.header;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (trimmed(line).empty()) continue;
        const auto fields = fields_of(line, options.separator);
        if (columns == 0) columns = fields.size();
        if (fields.size() != columns) file.fail("line ", number, " has ", fields.size(), " fields, the first one ", columns);
        if (std::exchange(names_next, false)) {
            if (std::ranges::all_of(fields, is_number))
                file.fail("line ", number,
                          " is all numbers, and would be the columns' names; if it is data give {.header = false}");
            result.columns.assign(fields.begin(), fields.end());
            continue;
        }
        ++rows;
        for (std::size_t column = 0; column < columns; ++column) {
            std::string_view field = fields[column];
            double value = NAN;
            if (field.starts_with('+')) field.remove_prefix(1);
            const auto [reached, error] = std::from_chars(field.data(), field.data() + field.size(), value);
            const bool number_read = error == std::errc() && reached == field.data() + field.size();
            if (!number_read && !field.empty())
                file.fail("line ", number, ", column ", column + 1, ": ", in_quotes(fields[column]), " is not a number",
                          remedy(fields[column], rows == 1, options));
            if (std::isnan(value) && !options.allow_nan)
                file.fail("line ", number, ", column ", column + 1, ": ", field.empty() ? "nothing" : "a NaN",
                          "; to read it as NaN give {.allow_nan = true}");
            values.push_back(value);
        }
    }
    result.values = allocate(f64, {Index(rows), Index(columns)}, file.op);
    std::ranges::copy(values, mutable_data<double>(result.values));
    return result;
}

std::string read_text(const std::string& path) {
    const MappedFile mapped(FileName{"read_text", path});
    return {reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()};
}

}  // namespace xtgrad::data
