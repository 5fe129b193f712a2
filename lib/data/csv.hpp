// Tables of numbers as text.
#pragma once
#include <xtgrad/data/files.hpp>

#include "../io/file.hpp"

namespace xtgrad::detail {

/// The table that a text is. Throws IoError, naming line and column.
data::Csv parse_csv(const FileName&, std::string_view text, const data::CsvOptions&);

}  // namespace xtgrad::detail
