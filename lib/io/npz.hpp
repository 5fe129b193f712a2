// NumPy's archives in memory.
#pragma once
#include <map>
#include <vector>

#include "file.hpp"

namespace xtgrad::detail {

/// What the directory of an archive says of a member.
struct ArchiveMember {
    std::string name;
    std::uint16_t flags, method;
    std::uint32_t crc;
    std::uint64_t packed, size, offset;  // offset: of its local header
    std::uint64_t end = 0;               // where the next one begins
    bool twice = false;                  // there is another of that name
};

/// A .zip file as far as NumPy uses it. Its directory is checked when it is opened, a member when it is read: one that is damaged
/// leaves the others.
class Archive {
public:
    /// Throws IoError. The bytes must outlive it.
    Archive(const FileName&, Bytes);

    /// In the order of the directory, without .npy; folders do not count.
    const std::vector<std::string>& names() const noexcept { return names_; }
    bool contains(std::string_view name) const noexcept { return members_.contains(name); }
    /// The array of that name. Throws IoError; NoTensor for a member that is whole and no array of ours.
    Tensor operator[](std::string_view name) const;

private:
    FileName file_;
    Bytes bytes_;
    std::vector<std::string> names_;
    std::map<std::string, ArchiveMember, std::less<>> members_;
};

}  // namespace xtgrad::detail
