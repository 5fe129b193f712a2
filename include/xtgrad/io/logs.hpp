// Logs of a run: tables, and event files for TensorBoard.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xtgrad {
namespace [[gnu::visibility("default")]] io {

namespace detail {
class LogFile;
}

// A row or a value that cannot be written, on a full disk, is an error and leaves nothing: later ones may go on.

/// A table of numbers, a line for each row, written as it comes: CSV with a header, read by read_csv, spreadsheets, gnuplot.
class CsvLog {
public:
    /// Begins a new file. Throws Error for no columns, and names that are blank or have commas, quotes or line breaks; IoError.
    CsvLog(const std::string& path, std::vector<std::string> columns);
    CsvLog(CsvLog&&) noexcept;
    CsvLog& operator=(CsvLog&&) noexcept;
    ~CsvLog();

    /// A number for each column, in digits that read back as the same number. Throws Error when there are more or fewer;
    /// IoError.
    void row(std::span<const double>);
    void row(std::initializer_list<double> values) { row(std::span(values.begin(), values.size())); }

private:
    std::unique_ptr<detail::LogFile> file_;
    std::size_t columns_;
};

/// Scalars for TensorBoard: an event file in a folder, which is made. Framing: TFRecord with CRC-32C; contents: Event and Summary
/// of tensorflow/core. Each scalar is in the file when the call returns.
class TensorBoardLog {
public:
    /// Throws IoError.
    explicit TensorBoardLog(const std::string& folder);
    TensorBoardLog(TensorBoardLog&&) noexcept;
    TensorBoardLog& operator=(TensorBoardLog&&) noexcept;
    ~TensorBoardLog();

    /// A value, stored in f32, of a curve: "loss/train" at a step. Throws IoError.
    void scalar(std::string_view tag, double value, std::int64_t step);
    /// Of the event file.
    const std::string& path() const noexcept;

private:
    std::unique_ptr<detail::LogFile> file_;
};

}  // namespace io
}  // namespace xtgrad
