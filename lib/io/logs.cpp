#include <xtgrad/io/logs.hpp>

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>

#include "events.hpp"
#include "file.hpp"

namespace xtgrad::io {

using namespace xtgrad::detail;

/// A file that grows; what is written is handed to the system at once.
class detail::LogFile {
public:
    LogFile(const FileName& name, const char* mode) : name_(name), file_(std::fopen(name.path.c_str(), mode)) {
        if (!file_) name_.fail_system("cannot be written");
    }
    ~LogFile() { std::fclose(file_); }
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    void write(std::string_view text) {
        if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fflush(file_) != 0)
            name_.fail_system("cannot be written");
    }
    const std::string& path() const noexcept { return name_.path; }

private:
    FileName name_;
    std::FILE* file_;
};

CsvLog::CsvLog(const std::string& path, std::vector<std::string> columns)
    : file_(std::make_unique<detail::LogFile>(FileName{"CsvLog", path}, "wb")), columns_(columns.size()) {
    std::string line;
    for (const std::string& column : columns) {
        if (column.find_first_of(",\"\r\n") != column.npos)
            fail<Error>("CsvLog", "a column ", in_quotes(column), "; use names without commas, quotes and line breaks");
        line += (line.empty() ? "" : ",") + column;
    }
    file_->write(line + '\n');
}
CsvLog::CsvLog(CsvLog&&) noexcept = default;
CsvLog& CsvLog::operator=(CsvLog&&) noexcept = default;
CsvLog::~CsvLog() = default;

void CsvLog::row(std::span<const double> values) {
    if (values.size() != columns_) fail<Error>("CsvLog", values.size(), " numbers for ", columns_, " columns; give one for each");
    std::string line;
    for (const double value : values) {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        if (!line.empty()) line += ',';
        line.append(digits, end);
    }
    file_->write(line + '\n');
}

namespace {

double wall_time() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// A name as TensorBoard's own writers give it, which no file has yet.
std::string event_path(const std::string& folder) {
    char host[256] = "localhost";
    gethostname(host, sizeof host - 1);
    const std::string stem = folder + "/events.out.tfevents." + std::to_string(std::int64_t(wall_time())) + '.' + host + '.' +
                             std::to_string(getpid()) + '.';
    int i = 0;
    while (std::filesystem::exists(stem + std::to_string(i))) ++i;
    return stem + std::to_string(i);
}

}  // namespace

TensorBoardLog::TensorBoardLog(const std::string& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) FileName{"TensorBoardLog", folder}.fail("the folder cannot be made: ", failed.message());
    file_ = std::make_unique<detail::LogFile>(FileName{"TensorBoardLog", event_path(folder)}, "wbx");
    file_->write(tf_record(version_event(wall_time())));
}
TensorBoardLog::TensorBoardLog(TensorBoardLog&&) noexcept = default;
TensorBoardLog& TensorBoardLog::operator=(TensorBoardLog&&) noexcept = default;
TensorBoardLog::~TensorBoardLog() = default;

void TensorBoardLog::scalar(std::string_view tag, double value, std::int64_t step) {
    file_->write(tf_record(scalar_event(wall_time(), step, tag, float(value))));
}
const std::string& TensorBoardLog::path() const noexcept { return file_->path(); }

}  // namespace xtgrad::io
