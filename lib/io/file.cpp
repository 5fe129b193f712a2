#include "file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace xtgrad::detail {

void FileName::fail_system(std::string_view what) const {
    const int reason = errno;
    fail(what, ": ", std::strerror(reason));
}

std::string in_quotes(std::string_view name) {
    constexpr std::size_t shown = 80;
    std::string text = "'";
    for (const char c : name.substr(0, shown)) text += static_cast<unsigned char>(c) < ' ' ? '?' : c;
    return text + (name.size() > shown ? "...'" : "'");
}

MappedFile::MappedFile(const FileName& name) {
    const int file = open(name.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) name.fail_system("cannot be opened");
    struct stat status;
    const bool regular = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    const auto size = regular ? std::size_t(status.st_size) : 0;
    void* const begin = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : nullptr;
    close(file);
    if (!regular) name.fail("is not a regular file");
    if (begin == MAP_FAILED) name.fail_system("cannot be mapped into memory");
    bytes_ = {static_cast<const std::byte*>(begin), size};
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

namespace {

/// Where a path leads: symbolic links are followed, also to what does not exist.
std::string followed(const FileName& name) {
    std::filesystem::path path = name.path;
    constexpr int most = 40;  // as Linux has it
    for (int links = 0; links < most; ++links) {
        std::error_code no_link;
        const std::filesystem::path next = std::filesystem::read_symlink(path, no_link);
        if (no_link) return path.string();
        path = path.parent_path() / next;  // next, if it is absolute
    }
    errno = ELOOP;
    name.fail_system("cannot be written");
}

}  // namespace

ReplacedFile::ReplacedFile(const FileName& name) : name_(name), target_(followed(name)), partial_(target_ + ".partial") {
    struct stat old;
    const bool replaces = stat(target_.c_str(), &old) == 0;
    if (replaces && !S_ISREG(old.st_mode)) name_.fail("cannot be replaced: it is not a regular file");
    while (true) {
        const int file = open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, replaces ? 0600 : 0666);
        if (file < 0) name_.fail_system("cannot be written");
        if (flock(file, LOCK_EX | LOCK_NB) != 0) {
            close(file);
            name_.fail("is being written by somebody else; wait, or use another name");
        }
        // Whoever held the lock before may have renamed the file meanwhile.
        struct stat opened, named;
        const bool same = fstat(file, &opened) == 0 && stat(partial_.c_str(), &named) == 0 && opened.st_ino == named.st_ino;
        const bool ready = same && ftruncate(file, 0) == 0 && (!replaces || fchmod(file, old.st_mode & 0777) == 0);
        if (ready) file_ = fdopen(file, "wb");
        if (file_) return;
        const int reason = errno;
        if (same) unlink(partial_.c_str());
        close(file);
        errno = reason;
        if (same) name_.fail_system("cannot be written");
    }
}

ReplacedFile::~ReplacedFile() {
    if (!file_) return;
    unlink(partial_.c_str());
    std::fclose(file_);
}

void ReplacedFile::write(Bytes bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) name_.fail_system("cannot be written");
}

void ReplacedFile::commit() {
    const std::string parent = std::filesystem::path(target_).parent_path().string(), folder = parent.empty() ? "." : parent;
    if (std::fflush(file_) != 0 || fsync(fileno(file_)) != 0) name_.fail_system("cannot be written");
    if (std::rename(partial_.c_str(), target_.c_str()) != 0) name_.fail_system("cannot be replaced");
    std::fclose(std::exchange(file_, nullptr));
    if (const int entry = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); entry >= 0) {
        fsync(entry);  // the rename itself; some file systems cannot
        close(entry);
    }
}

}  // namespace xtgrad::detail
