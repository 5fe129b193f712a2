// The IDX files of MNIST and Fashion-MNIST, gzipped or plain.
#pragma once
#include <zlib.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <xtgrad/xtgrad.hpp>

/// An IDX file of bytes as an i64 tensor. Throws std::runtime_error naming the file and what is wrong with it.
inline xtgrad::Tensor read_idx(const std::string& path) {
    const auto fail = [&](const std::string& what) { throw std::runtime_error(path + ": " + what); };
    gzFile file = gzopen(path.c_str(), "rb");  // reads plain files too
    if (!file) fail("cannot be opened");
    const auto read = [&](void* to, std::size_t bytes) {
        const int got = gzread(file, to, static_cast<unsigned>(bytes));
        if (got == static_cast<int>(bytes)) return;
        gzclose(file);
        fail("ends too early");
    };
    const auto big_endian = [&] {
        unsigned char b[4];
        read(b, 4);
        return std::size_t(b[0]) << 24 | std::size_t(b[1]) << 16 | std::size_t(b[2]) << 8 | b[3];
    };
    const std::size_t magic = big_endian();
    if (magic >> 8 != 8 || (magic & 255) > 4) {
        gzclose(file);
        fail("is not an IDX file of bytes");
    }
    std::vector<std::size_t> shape;
    std::size_t size = 1;
    for (std::size_t d = 0; d < (magic & 255); ++d) {
        shape.push_back(big_endian());
        size *= shape.back();
    }
    if (size > (std::size_t(1) << 30)) {
        gzclose(file);
        fail("is larger than 1 GiB");
    }
    xt::xarray<unsigned char> bytes(shape);
    read(bytes.data(), size);
    gzclose(file);
    return bytes;
}
