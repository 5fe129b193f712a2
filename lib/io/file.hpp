// Files: mapped for reading, replaced as a whole for writing.
#pragma once
#include <cstdio>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include "../tensor/message.hpp"

namespace xtgrad::detail {

using Bytes = std::span<const std::byte>;

/// A part of a file that may be whole, and that no tensor holds: of another dtype, or no array.
struct NoTensor : IoError {
    using IoError::IoError;
};

/// A file as messages name it: "[op] path: what is wrong".
struct FileName {
    const char* op;
    std::string path;

    template <class E = IoError, class... Part>
    [[noreturn, gnu::cold]] void fail(const Part&... what) const {
        detail::fail<E>(op, path, ": ", what...);
    }
    /// fail with the system's reason behind it.
    [[noreturn, gnu::cold]] void fail_system(std::string_view what) const;

    /// What f() reads. That there is no memory for it is an IoError of this file, as all that is wrong with it.
    auto read(auto f) const {
        try {
            return f();
        } catch (const IoError&) {
            throw;
        } catch (const Error& error) {  // of tensors
            fail(error.what());
        } catch (const std::bad_alloc&) {
            fail("there is not enough memory to read it");
        }
    }
};

/// A name from a file, in quotes, at most 80 bytes of it.
std::string in_quotes(std::string_view name);

/// The bytes of a regular file, mapped into memory. Throws IoError.
class MappedFile {
public:
    explicit MappedFile(const FileName&);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    Bytes bytes() const noexcept { return bytes_; }

private:
    Bytes bytes_;
};

/// Writes path.partial; commit() makes it path, in one step that a kill or a loss of power leaves done or not begun. Without
/// commit the old file stays. A symbolic link stays one: its target is replaced, or made. The new file has the mode of the old
/// one. Throws IoError, also when the old one is not a regular file.
class ReplacedFile {
public:
    explicit ReplacedFile(const FileName&);
    ~ReplacedFile();
    ReplacedFile(const ReplacedFile&) = delete;
    ReplacedFile& operator=(const ReplacedFile&) = delete;

    void write(Bytes);
    void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
    void commit();

private:
    FileName name_;
    std::string target_, partial_;
    std::FILE* file_ = nullptr;
};

}  // namespace xtgrad::detail
