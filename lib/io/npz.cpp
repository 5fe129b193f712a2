// The .zip format as far as NumPy uses it: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
#include "npz.hpp"

#include <zlib.h>

#include <xtgrad/io/tensors.hpp>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "../tensor/storage.hpp"
#include "npy.hpp"

namespace xtgrad {

using namespace detail;

namespace {

constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50, end_signature = 0x06054b50,
                        end64_signature = 0x06064b50, locator_signature = 0x07064b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, locator_size = 20;
constexpr std::uint64_t in_extra_field = 0xffffffff;

/// Little-endian integers at checked places.
class Reader {
public:
    Reader(const FileName& file, Bytes bytes) : file_(file), bytes_(bytes) {}

    Bytes at(std::uint64_t begin, std::uint64_t size) const {
        if (begin > bytes_.size() || size > bytes_.size() - begin) file_.fail("the archive is truncated or damaged");
        return bytes_.subspan(std::size_t(begin), std::size_t(size));
    }
    template <class T>
    T read(std::uint64_t begin) const {
        T value;
        std::memcpy(&value, at(begin, sizeof value).data(), sizeof value);
        return value;
    }
    Reader part(std::uint64_t begin, std::uint64_t size) const { return {file_, at(begin, size)}; }
    std::size_t size() const noexcept { return bytes_.size(); }

private:
    const FileName& file_;
    Bytes bytes_;
};

/// What stands in the extra field of zip64 for sizes that do not fit 32 bits.
void read_extra(const Reader& zip, std::uint64_t begin, std::uint64_t end, ArchiveMember& member) {
    while (begin + 4 <= end) {
        const auto id = zip.read<std::uint16_t>(begin), length = zip.read<std::uint16_t>(begin + 2);
        begin += 4;
        if (id == 1) {
            const Reader field = zip.part(begin, length);
            std::uint64_t at = 0;
            for (std::uint64_t* const value : {&member.size, &member.packed, &member.offset})
                if (*value == in_extra_field) *value = field.read<std::uint64_t>(std::exchange(at, at + 8));
        }
        begin += length;
    }
}

/// What the directory lists, in its order.
std::vector<ArchiveMember> directory(const FileName& file, const Reader& zip) {
    // The end record stands last, before a comment of at most 64 KiB.
    std::uint64_t end = zip.size();
    for (std::uint64_t back = end_size; back <= std::min<std::uint64_t>(zip.size(), end_size + 0xffff); ++back)
        if (zip.read<std::uint32_t>(zip.size() - back) == end_signature &&
            end_size + zip.read<std::uint16_t>(zip.size() - back + 20) <= back) {
            end = zip.size() - back;
            break;
        }
    if (end == zip.size()) file.fail("this is not an archive of NumPy's (.npz), or it is truncated");
    std::uint64_t at = zip.read<std::uint32_t>(end + 16), count = zip.read<std::uint16_t>(end + 10);
    // What does not fit that record stands in one of zip64, to which a locator before the end points.
    if (end >= locator_size && zip.read<std::uint32_t>(end - locator_size) == locator_signature) {
        const auto end64 = zip.read<std::uint64_t>(end - locator_size + 8);
        if (zip.read<std::uint32_t>(end64) != end64_signature) file.fail("the archive is damaged");
        count = zip.read<std::uint64_t>(end64 + 32);
        at = zip.read<std::uint64_t>(end64 + 48);
    }
    std::vector<ArchiveMember> result;
    const std::uint64_t begin = at;
    for (; count > 0; --count) {
        if (zip.read<std::uint32_t>(at) != central_signature) file.fail("the archive is damaged");
        const auto name = zip.read<std::uint16_t>(at + 28), extra = zip.read<std::uint16_t>(at + 30),
                   comment = zip.read<std::uint16_t>(at + 32);
        const Bytes text = zip.at(at + central_size, name);
        ArchiveMember member{{reinterpret_cast<const char*>(text.data()), text.size()},
                             zip.read<std::uint16_t>(at + 8),
                             zip.read<std::uint16_t>(at + 10),
                             zip.read<std::uint32_t>(at + 16),
                             zip.read<std::uint32_t>(at + 20),
                             zip.read<std::uint32_t>(at + 24),
                             zip.read<std::uint32_t>(at + 42)};
        read_extra(zip, at + central_size + name, at + central_size + name + extra, member);
        at += central_size + name + extra + comment;
        result.push_back(std::move(member));
    }
    if (zip.read<std::uint32_t>(at) == central_signature) file.fail("the archive has more members than it counts: it is damaged");
    std::vector<std::uint64_t> begins{begin};
    for (const ArchiveMember& member : result) begins.push_back(member.offset);
    std::ranges::sort(begins);
    for (ArchiveMember& member : result) {
        const auto [same, next] = std::equal_range(begins.begin(), begins.end(), member.offset);
        member.end = next - same > 1 ? member.offset : next == begins.end() ? zip.size() : *next;
    }
    return result;
}

std::vector<std::byte> inflated(const FileName& file, const std::string& what, std::uint64_t size, Bytes packed) {
    // Deflate packs at most 1032 to 1: no more is believed.
    if (size > 1040 * (packed.size() + 1)) file.fail(what, "claims ", size, " bytes of ", packed.size(), " packed ones");
    std::vector<std::byte> result(size);
    z_stream stream{};
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    int state = inflateInit2(&stream, -MAX_WBITS);
    const bool begun = state == Z_OK;
    while (state == Z_OK) {
        constexpr std::uint64_t most = 1 << 30;  // zlib counts in unsigned
        stream.avail_in = uInt(std::min(packed.size() - stream.total_in, most));
        stream.avail_out = uInt(std::min(size - stream.total_out, most));
        state = inflate(&stream, Z_NO_FLUSH);
    }
    if (begun) inflateEnd(&stream);
    if (state == Z_MEM_ERROR) throw std::bad_alloc();
    if (state != Z_STREAM_END || stream.total_out != size) file.fail(what, "its compressed data is damaged");
    return result;
}

std::uint32_t checksum(Bytes bytes, std::uint32_t before = 0) {
    return std::uint32_t(crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

Tensor read_member(const FileName& file, const Reader& zip, const ArchiveMember& member) {
    const std::string what = "member " + in_quotes(member.name) + ": ";
    constexpr std::uint16_t encrypted = 1;
    if (member.flags & encrypted) file.fail<NoTensor>(what, "it is encrypted");
    if (member.method != 0 && member.method != Z_DEFLATED)
        file.fail<NoTensor>(what, "compressed by method ", member.method, ", of which stored (0) and deflate (8) are known");
    if (zip.read<std::uint32_t>(member.offset) != local_signature) file.fail(what, "it is not where the directory says");
    const std::uint64_t begin =
        member.offset + local_size + zip.read<std::uint16_t>(member.offset + 26) + zip.read<std::uint16_t>(member.offset + 28);
    if (begin > member.end || member.packed > member.end - begin)
        file.fail(what, "it overlaps the next one: the file is damaged");
    const Bytes packed = zip.at(begin, member.packed);
    std::vector<std::byte> unpacked;
    if (member.method == Z_DEFLATED)
        unpacked = inflated(file, what, member.size, packed);
    else if (member.size != packed.size())
        file.fail(what, "stored, ", member.size, " bytes are ", packed.size(), ": the file is damaged");
    const Bytes bytes = member.method == Z_DEFLATED ? Bytes(unpacked) : packed;
    if (checksum(bytes) != member.crc) file.fail(what, "its checksum is wrong: the file is damaged");
    return parse_npy(file, what, bytes);
}

constexpr std::uint16_t utf8_flag = 1 << 11;

/// Is a name ASCII, which needs no flag? Throws IoError when it is not UTF-8.
bool check_name(const FileName& file, const std::string& name) {
    if (std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 128; })) return true;
    try {
        static_cast<void>(nlohmann::json(name).dump());
    } catch (const nlohmann::json::exception&) {
        file.fail("a name is not UTF-8");
    }
    return false;
}

template <class... Value>
void append(std::string& to, Value... values) {
    (to.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
}

}  // namespace

detail::Archive::Archive(const FileName& file, Bytes bytes) : file_(file), bytes_(bytes) {
    for (const ArchiveMember& member : directory(file_, {file_, bytes_})) {
        if (member.name.ends_with('/')) continue;  // a folder
        std::string name = member.name;
        if (name.ends_with(".npy")) name.resize(name.size() - 4);
        if (const auto [place, fresh] = members_.emplace(name, member); fresh)
            names_.push_back(std::move(name));
        else
            place->second.twice = true;
    }
}

Tensor detail::Archive::operator[](std::string_view name) const {
    const auto found = members_.find(name);
    if (found == members_.end()) file_.fail("there is no member ", in_quotes(name));
    if (found->second.twice) file_.fail("there are two members ", in_quotes(name));
    return read_member(file_, {file_, bytes_}, found->second);
}

struct io::detail::NpzFile {
    explicit NpzFile(const FileName& file) : name(file), mapped(name), archive(name, mapped.bytes()) {}

    FileName name;
    MappedFile mapped;
    Archive archive;
};

namespace io {

Npz::Npz(const std::string& path) {
    const FileName name{"read_npz", path};
    file_ = name.read([&] { return std::make_shared<const detail::NpzFile>(name); });
}
const std::vector<std::string>& Npz::names() const noexcept { return file_->archive.names(); }
bool Npz::contains(std::string_view name) const noexcept { return file_->archive.contains(name); }
Tensor Npz::operator[](std::string_view name) const {
    return file_->name.read([&] { return file_->archive[name]; });
}

TensorMap read_npz(const std::string& path) { return all_tensors(Npz(path)); }

void write_npz(const std::string& path, const TensorMap& tensors) {
    const FileName name{"write_npz", path};
    const std::uint16_t version = 20, stored = 0, time = 0, date = 0x21, no_extra = 0,
                        no_comment = 0;  // 1980, as zips begin
    ReplacedFile file(name);
    std::string directory;
    std::uint64_t offset = 0;
    const auto check = [&](std::uint64_t value, std::uint64_t limit) {
        if (value >= limit) name.fail("this is too much for an archive of less than 4 GiB and 65535 members; use safetensors");
    };
    check(tensors.size(), 0xffff);
    for (const auto& [key, tensor] : tensors) {
        check_defined(name.op, tensor);
        const Tensor dense = contiguous(tensor);
        const std::string member = key + ".npy", header = npy_header(dense);
        const std::uint16_t flags = check_name(name, key) ? 0 : utf8_flag;
        const Bytes bytes = bytes_of(dense);
        const std::uint64_t end = offset + local_size + member.size() + header.size() + bytes.size();
        check(member.size(), 0xffff);
        check(end + directory.size() + central_size + member.size() + end_size, in_extra_field);
        const auto size = std::uint32_t(header.size() + bytes.size());
        const auto crc = checksum(bytes, checksum(std::as_bytes(std::span(header))));
        std::string shared;  // what the local header and the directory both hold
        append(shared, version, flags, stored, time, date, crc, size, size, std::uint16_t(member.size()), no_extra);
        std::string local;
        append(local, local_signature);
        for (const std::string& part : {local, shared, member, header}) file.write(part);
        file.write(bytes);
        append(directory, central_signature, version);
        directory += shared;
        append(directory, no_comment, std::uint16_t(0), std::uint16_t(0), std::uint32_t(0), std::uint32_t(offset));
        directory += member;
        offset = end;
    }
    const auto count = std::uint16_t(tensors.size());
    std::string end;
    append(end, end_signature, std::uint16_t(0), std::uint16_t(0), count, count, std::uint32_t(directory.size()),
           std::uint32_t(offset), no_comment);
    file.write(directory + end);
    file.commit();
}

}  // namespace io
}  // namespace xtgrad
