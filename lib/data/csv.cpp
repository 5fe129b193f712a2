#include "csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <locale>
#include <optional>
#include <sstream>

#include "../tensor/storage.hpp"

namespace xtgrad {

using namespace detail;

namespace {

/// Without blanks around it.
std::string_view trimmed(std::string_view field) {
    const std::size_t begin = field.find_first_not_of(" \t"), end = field.find_last_not_of(" \t");
    return begin == field.npos ? field.substr(0, 0) : field.substr(begin, end - begin + 1);
}

/// Without the quotes around it.
std::string_view unquoted(std::string_view field) {
    return field.size() >= 2 && field.front() == '"' && field.back() == '"' ? field.substr(1, field.size() - 2) : field;
}

/// What a field of the header says: in quotes, "" is a quote.
std::string column_name(std::string_view field) {
    const std::string_view inside = unquoted(field);
    std::string name;
    for (std::size_t i = 0; i < inside.size(); ++i) {
        name += inside[i];
        i += inside.size() != field.size() && inside.substr(i).starts_with("\"\"");
    }
    return name;
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

/// What may help where a field is no number.
const char* remedy(std::string_view field, bool first, const data::CsvOptions& options) {
    if (options.separator != ';' && field.find(';') != field.npos)
        return "; does a semicolon separate the fields? Give {.separator = ';'}";
    if (options.separator != '\t' && field.find('\t') != field.npos)
        return "; does a tab separate the fields? Give {.separator = '\\t'}";
    return first && !options.header ? "; does the file begin with names? Give {.header = true}" : "";
}

/// The first line of a text, which is taken from it; it ends as on Unix, Windows or an old Macintosh.
std::string_view taken_line(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = text.substr(0, end), rest = text.substr(end);
    text.remove_prefix(end + std::min<std::size_t>(rest.starts_with("\r\n") ? 2 : 1, rest.size()));
    return line;
}

struct Number {
    double value;
    bool too_large = false;
};

/// The number that a text is as a whole. One that is too small is 0.
std::optional<Number> number_of(std::string_view text) {
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    double value;
    const auto [reached, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (reached != text.data() + text.size() || error == std::errc::invalid_argument) return {};
    if (error == std::errc()) return Number{value};
    std::istringstream digits{std::string(text)};  // from_chars does not say whether it is too small or too large
    digits.imbue(std::locale::classic());
    digits >> value;
    return Number{value, digits.fail()};
}

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

data::Csv detail::parse_csv(const FileName& file, std::string_view rest, const data::CsvOptions& options) {
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // a byte order mark
    data::Csv result;
    std::vector<double> values;
    std::size_t columns = 0, rows = 0;
    bool names_next = options.header;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::string_view line = taken_line(rest);
        if (trimmed(line).empty() && line.find(options.separator) == line.npos) continue;
        const auto fields = fields_of(line, options.separator);
        if (columns == 0) columns = fields.size();
        if (fields.size() != columns) file.fail("line ", number, " has ", fields.size(), " fields, the first one ", columns);
        if (std::exchange(names_next, false)) {
            if (std::ranges::all_of(fields, [](std::string_view field) { return number_of(field).has_value(); }))
                file.fail("line ", number,
                          " is all numbers, and would be the columns' names; if it is data give {.header = false}");
            std::ranges::transform(fields, std::back_inserter(result.columns), column_name);
            continue;
        }
        ++rows;
        for (std::size_t column = 0; column < columns; ++column) {
            const std::string_view field = trimmed(unquoted(fields[column]));
            const std::optional<Number> read = field.empty() ? Number{NAN} : number_of(field);
            const auto fail = [&](const auto&... what) { file.fail("line ", number, ", column ", column + 1, ": ", what...); };
            if (!read) fail(in_quotes(field), " is not a number", remedy(field, rows == 1, options));
            if (read->too_large) fail(in_quotes(field), " is out of the range of f64, which ends at 1.8e308; infinity is inf");
            if (std::isnan(read->value) && !options.allow_nan)
                fail(field.empty() ? "nothing" : "a NaN", "; to read it as NaN give {.allow_nan = true}");
            values.push_back(read->value);
        }
    }
    result.values = allocate(f64, {Index(rows), Index(columns)}, file.op);
    std::ranges::copy(values, mutable_data<double>(result.values));
    return result;
}

namespace data {

Csv read_csv(const std::string& path, const CsvOptions& options) {
    const FileName file{"read_csv", path};
    const MappedFile mapped(file);
    return file.read([&] { return parse_csv(file, text_of(mapped.bytes()), options); });
}

std::string read_text(const std::string& path) {
    const FileName file{"read_text", path};
    const MappedFile mapped(file);
    return file.read([&] { return std::string(text_of(mapped.bytes())); });
}

}  // namespace data
}  // namespace xtgrad
