#include "idx.hpp"

#include <zlib.h>

#include <xtgrad/data/files.hpp>

#include <filesystem>
#include <memory>

#include "../tensor/storage.hpp"

namespace xtgrad {

using namespace detail;

namespace {

std::optional<Stored> kind_of(std::byte code) {
    switch (int(code)) {
        case 0x08: return Stored::u8;
        case 0x09: return Stored::i8;
        case 0x0B: return Stored::i16;
        case 0x0C: return Stored::i32;
        case 0x0D: return Stored::f32;
        case 0x0E: return Stored::f64;
        default: return {};
    }
}

Idx read_file(const FileName& name) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(name.path.c_str(), "rb"), gzclose);  // reads plain files too
    if (!file) name.fail_system("cannot be opened");
    gzbuffer(file.get(), 1 << 17);
    return parse_idx(name, [&](std::byte* to, std::size_t n) {
        constexpr std::size_t most = std::size_t(1) << 30;  // gzread counts in int
        std::size_t all = 0;
        for (int got = 1; got > 0 && all < n; all += std::size_t(got)) {
            got = gzread(file.get(), to + all, unsigned(std::min(n - all, most)));
            int state = Z_OK;
            if (got == 0) static_cast<void>(gzerror(file.get(), &state));  // an end without gzip's trailer is no error to gzread
            if (got < 0 || state == Z_BUF_ERROR) name.fail("cannot be read, or its gzip data is truncated or damaged");
        }
        return all;
    });
}

/// The file of that name in a folder, or with .gz.
FileName found(const char* op, const std::string& folder, const std::string& name) {
    const std::string path = folder + '/' + name;
    for (const char* ending : {"", ".gz"}) {
        std::error_code error;
        const auto type = std::filesystem::status(path + ending, error).type();
        if (type == std::filesystem::file_type::none) FileName{op, path + ending}.fail("cannot be opened: ", error.message());
        if (type != std::filesystem::file_type::not_found) return {op, path + ending};
    }
    FileName{op, path}.fail("is not there, nor with .gz; give the folder that holds the four files of the data set");
}

data::Dataset digits(const char* op, const std::string& folder, const std::string& part) {
    constexpr Index side = 28;
    constexpr std::byte classes{10};
    if (part != "train" && part != "test") fail<Error>(op, "there is no part ", in_quotes(part), R"(; use "train" or "test")");
    const std::string prefix = part == "train" ? "train" : "t10k";
    const FileName image_file = found(op, folder, prefix + "-images-idx3-ubyte"),
                   label_file = found(op, folder, prefix + "-labels-idx1-ubyte");
    const auto read = [](const FileName& file) { return file.read([&] { return read_file(file); }); };
    const Idx images = read(image_file), labels = read(label_file);
    if (images.kind != Stored::u8 || images.shape.size() != 3 || images.shape[1] != side || images.shape[2] != side)
        image_file.fail("holds ", images.shape, ", not bytes (n, 28, 28)");
    if (labels.kind != Stored::u8 || labels.shape != Shape{images.shape[0]})
        label_file.fail("holds ", labels.shape, ", not a byte for each of ", images.shape[0], " images");
    if (std::ranges::any_of(labels.bytes, [](std::byte b) { return b >= classes; })) label_file.fail("holds a label above 9");
    const Tensor inputs = image_file.read([&] { return allocate(f32, {images.shape[0], side * side}, op); });
    std::ranges::transform(images.bytes, mutable_data<float>(inputs), [](std::byte b) { return float(b) / 255; });
    return {inputs, label_file.read([&] { return decoded(label_file, {"the file", labels.kind, labels.shape, labels.bytes}); })};
}

}  // namespace

Idx detail::parse_idx(const FileName& file, const Source& source) {
    const auto read = [&](std::byte* to, std::size_t n) {
        if (source(to, n) != n) file.fail("is truncated");
    };
    std::byte magic[4];
    read(magic, 4);
    const auto kind = kind_of(magic[2]);
    const auto rank = int(magic[3]);
    if (magic[0] != std::byte{0} || magic[1] != std::byte{0} || !kind || rank > max_rank) file.fail("is not an IDX file");
    Idx idx{*kind, {}, {}};
    for (int d = 0; d < rank; ++d) {
        std::byte b[4];
        read(b, 4);
        idx.shape.push_back(int(b[0]) * (Index(1) << 24) + (int(b[1]) << 16 | int(b[2]) << 8 | int(b[3])));
    }
    const auto needed = bytes_of(idx.shape, size_of(idx.kind));
    if (!needed) file.fail("claims a shape ", idx.shape, ", whose size overflows");
    constexpr std::size_t first = 1 << 16;
    while (idx.bytes.size() < *needed) {
        const std::size_t before = idx.bytes.size(), n = std::min(std::max(first, before), *needed - before);
        idx.bytes.resize(before + n);
        if (const std::size_t got = source(idx.bytes.data() + before, n); got != n)
            file.fail("is truncated: ", idx.shape, " needs ", *needed, " bytes, there are ", before + got);
    }
    if (std::byte more; source(&more, 1) != 0) file.fail("has more bytes than its shape ", idx.shape, " needs");
    return idx;
}

namespace data {

Tensor read_idx(const std::string& path) {
    const FileName name{"read_idx", path};
    return name.read([&] {
        const Idx idx = read_file(name);
        return decoded(name, {"the file", idx.kind, idx.shape, idx.bytes, true});
    });
}

Dataset mnist(const std::string& folder, const std::string& part) { return digits("mnist", folder, part); }
Dataset fashion_mnist(const std::string& folder, const std::string& part) { return digits("fashion_mnist", folder, part); }

const std::vector<std::string>& fashion_mnist_classes() {
    static const std::vector<std::string> names{"T-shirt", "trouser", "pullover", "dress", "coat",
                                                "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
    return names;
}

}  // namespace data
}  // namespace xtgrad
