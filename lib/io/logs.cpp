#include <xtgrad/io/logs.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>

#include "events.hpp"
#include "file.hpp"

namespace xtgrad::io {

using namespace xtgrad::detail;

/// A file that grows by whole records, which are handed to the system at once.
class detail::LogFile {
public:
    LogFile(const FileName& name, int how)
        : name_(name), file_(open(name.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666)) {
        if (file_ < 0) name_.fail_system("cannot be written");
    }
    ~LogFile() { close(file_); }
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    void write(std::string_view record) {
        for (std::size_t done = 0; done < record.size();) {
            const ssize_t n = ::write(file_, record.data() + done, record.size() - done);
            if (n >= 0)
                done += std::size_t(n);
            else if (errno != EINTR)
                take_back(Index(done));
        }
    }
    const std::string& path() const noexcept { return name_.path; }

private:
    /// Fails, without the part of a record that is written: the next one begins where this one did.
    [[noreturn]] void take_back(Index written) const {
        const int reason = errno;
        if (const off_t end = lseek(file_, -written, SEEK_CUR); end >= 0) static_cast<void>(ftruncate(file_, end) == 0);
        errno = reason;
        name_.fail_system("cannot be written");
    }

    FileName name_;
    int file_;
};

namespace {

std::string header(const std::vector<std::string>& columns) {
    if (columns.empty()) fail<Error>("CsvLog", "there are no columns; name at least one");
    std::string line;
    for (const std::string& column : columns) {
        if (column.find_first_not_of(" \t") == column.npos || column.find_first_of(",\"\r\n") != column.npos)
            fail<Error>("CsvLog", "a column ", in_quotes(column), "; use names, without commas, quotes and line breaks");
        line += (line.empty() ? "" : ",") + column;
    }
    return line + '\n';
}

}  // namespace

CsvLog::CsvLog(const std::string& path, std::vector<std::string> columns) : columns_(columns.size()) {
    const std::string line = header(columns);  // before the file that may be there is emptied
    file_ = std::make_unique<detail::LogFile>(FileName{"CsvLog", path}, O_TRUNC);
    file_->write(line);
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
    std::error_code unknown;  // opening it will tell
    while (std::filesystem::exists(stem + std::to_string(i), unknown)) ++i;
    return stem + std::to_string(i);
}

}  // namespace

TensorBoardLog::TensorBoardLog(const std::string& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) FileName{"TensorBoardLog", folder}.fail("the folder cannot be made: ", failed.message());
    file_ = std::make_unique<detail::LogFile>(FileName{"TensorBoardLog", event_path(folder)}, O_EXCL);
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
