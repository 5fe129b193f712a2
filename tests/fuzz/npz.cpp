// Any bytes are an archive of NumPy's or an IoError, and each of its members can be read or is one.
#include <zlib.h>

#include <cstring>
#include <string>
#include <vector>

#include <xtgrad/error.hpp>

#include "framed.hpp"
#include "io/npz.hpp"

namespace xg = xtgrad;

namespace {

struct Member {
    std::string name, contents;
};

/// What stands behind local headers, unpacked where it is packed.
std::vector<Member> members_of(const std::string& zip) {
    std::vector<Member> result;
    for (std::size_t at = 0; (at = zip.find("PK\3\4", at)) != zip.npos && zip.size() - at >= 30; ++at) {
        std::uint16_t method, name, extra;
        std::memcpy(&method, zip.data() + at + 8, 2);
        std::memcpy(&name, zip.data() + at + 26, 2);
        std::memcpy(&extra, zip.data() + at + 28, 2);
        const std::size_t begin = std::min(zip.size(), at + 30 + name + extra), end = std::min(zip.find("PK", begin), zip.size());
        Member member{zip.substr(at + 30, name), zip.substr(begin, end - begin)};
        if (method == Z_DEFLATED) {
            std::string unpacked(1 << 14, '\0');
            z_stream stream{};
            stream.next_in = reinterpret_cast<Bytef*>(member.contents.data());
            stream.avail_in = uInt(member.contents.size());
            stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
            stream.avail_out = uInt(unpacked.size());
            if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return result;
            inflate(&stream, Z_FINISH);
            inflateEnd(&stream);
            member.contents = unpacked.substr(0, stream.total_out);
        }
        result.push_back(std::move(member));
    }
    return result;
}

std::string packed(const std::string& contents) {
    std::string result(compressBound(contents.size()) + 64, '\0');
    z_stream stream{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(contents.data()));
    stream.avail_in = uInt(contents.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = uInt(result.size());
    if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) return contents;
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return result.substr(0, stream.total_out);
}

/// An archive with the right sizes and checksums.
std::string archive_of(const std::vector<Member>& members, bool compress) {
    std::string zip, directory;
    const auto append = [](std::string& to, auto... value) {
        (to.append(reinterpret_cast<const char*>(&value), sizeof value), ...);
    };
    const std::uint16_t none = 0, method = compress ? Z_DEFLATED : 0;
    for (const auto& [name, contents] : members) {
        const std::string bytes = compress ? packed(contents) : contents;
        const auto crc = std::uint32_t(crc32_z(0, reinterpret_cast<const Bytef*>(contents.data()), contents.size()));
        std::string shared;
        append(shared, std::uint16_t(20), none, method, none, none, crc, std::uint32_t(bytes.size()),
               std::uint32_t(contents.size()), std::uint16_t(name.size()), none);
        directory += "PK\1\2" + std::string(2, '\0') + shared;
        append(directory, none, none, none, std::uint32_t(0), std::uint32_t(zip.size()));
        directory += name;
        zip += "PK\3\4" + shared + name + bytes;
    }
    std::string end = "PK\5\6";
    append(end, none, none, std::uint16_t(members.size()), std::uint16_t(members.size()), std::uint32_t(directory.size()),
           std::uint32_t(zip.size()), none);
    return zip + directory + end;
}

}  // namespace

/// Every other time any mutation, else one of a member, in an archive that is made anew.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    std::vector<Member> members = members_of({reinterpret_cast<const char*>(data), size});
    if (seed % 2 == 0 || members.empty()) return LLVMFuzzerMutate(data, size, most);
    Member& member = members[seed / 4 % members.size()];
    std::string& part = seed / 64 % 8 == 0 ? member.name : member.contents;
    const std::size_t before = part.size();
    part.resize(before + 64);
    part.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(part.data()), before, part.size()));
    const std::string zip = archive_of(members, seed / 2 % 2);
    if (zip.size() > most) return LLVMFuzzerMutate(data, size, most);
    std::copy(zip.begin(), zip.end(), data);
    return zip.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const xg::detail::FileName name{"fuzz", "input"};
    try {
        const xg::detail::Archive archive(name, std::as_bytes(std::span(data, size)));
        for (const std::string& member : archive.names()) try {
                name.read([&] { return archive[member]; });
            } catch (const xg::IoError&) {
            }
    } catch (const xg::IoError&) {
    }
    return 0;
}
