#include "elements.hpp"

#include <bit>
#include <cmath>
#include <cstring>

#include "../tensor/storage.hpp"

namespace xtgrad::detail {

static_assert(std::endian::native == std::endian::little, "files are read and written for little-endian machines");

namespace {

/// The value of IEEE 754 binary16.
float half_to_float(std::uint16_t h) noexcept {
    const std::uint32_t sign = std::uint32_t(h >> 15) << 31, exponent = h >> 10 & 31u, fraction = h & 1023u;
    if (exponent == 0) {
        const float magnitude = std::ldexp(float(fraction), -24);
        return sign ? -magnitude : magnitude;
    }
    return std::bit_cast<float>(sign | (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13);
}

template <class To, class From>
void convert(const Tensor& to, Bytes bytes, bool swap, auto value) {
    To* out = mutable_data<To>(to);
    for (std::size_t i = 0; i < bytes.size() / sizeof(From); ++i) {
        std::byte b[sizeof(From)];
        std::memcpy(b, bytes.data() + i * sizeof(From), sizeof(From));
        if (swap) std::reverse(b, b + sizeof(From));
        out[i] = value(std::bit_cast<From>(b));
    }
}

}  // namespace

std::optional<std::size_t> bytes_of(const Shape& shape, std::size_t size) noexcept {
    std::size_t n = 1;
    bool overflow = false, empty = false;
    for (const Index d : shape) {
        overflow |= d < 0 || __builtin_mul_overflow(n, std::size_t(std::max<Index>(d, 1)), &n);
        empty |= d == 0;
    }
    if (overflow || n > std::size_t(1) << 56) return {};  // no tensor is as large, nor one whose other extents are
    return empty ? 0 : n * size;
}

void check_readable(const FileName& file, const StoredTensor& x) {
    if (!x.why_not.empty()) file.fail<NoTensor>(x.what, x.why_not);
}

Tensor decoded(const FileName& file, const StoredTensor& x) {
    check_readable(file, x);
    Tensor result = allocate(loaded_as(x.kind), x.shape, file.op);
    const auto as = [&]<class To, class From>(To, From) {
        if constexpr (std::same_as<To, From>)
            if (!x.big_endian) {
                if (!x.bytes.empty()) std::memcpy(mutable_data<To>(result), x.bytes.data(), x.bytes.size());
                return;
            }
        convert<To, From>(result, x.bytes, x.big_endian, [](From v) { return To(v); });
    };
    using Integer = std::int64_t;
    switch (x.kind) {
        case Stored::boolean:
            convert<bool, std::uint8_t>(result, x.bytes, false, [&](std::uint8_t v) {
                if (v > 1) file.fail(x.what, " holds a boolean ", int(v), ", which is neither 0 nor 1");
                return v == 1;
            });
            break;
        case Stored::u8: as(Integer{}, std::uint8_t{}); break;
        case Stored::i8: as(Integer{}, std::int8_t{}); break;
        case Stored::u16: as(Integer{}, std::uint16_t{}); break;
        case Stored::i16: as(Integer{}, std::int16_t{}); break;
        case Stored::u32: as(Integer{}, std::uint32_t{}); break;
        case Stored::i32: as(Integer{}, std::int32_t{}); break;
        case Stored::i64: as(Integer{}, Integer{}); break;
        case Stored::u64:
            convert<Integer, std::uint64_t>(result, x.bytes, x.big_endian, [&](std::uint64_t v) {
                if (!std::in_range<Integer>(v)) file.fail(x.what, " holds ", v, ", which is above the range of i64");
                return Integer(v);
            });
            break;
        case Stored::f16: convert<float, std::uint16_t>(result, x.bytes, x.big_endian, half_to_float); break;
        case Stored::bf16:
            convert<float, std::uint16_t>(result, x.bytes, x.big_endian,
                                          [](std::uint16_t v) { return std::bit_cast<float>(std::uint32_t(v) << 16); });
            break;
        case Stored::f32: as(float{}, float{}); break;
        case Stored::f64: as(double{}, double{}); break;
    }
    return result;
}

Bytes bytes_of(const Tensor& dense) {
    return {dense.block()->data, std::size_t(element_count(dense)) * xtgrad::size_of(dense.dtype())};
}

void check_no_nan(const FileName& file, const std::string& what, const Tensor& x) {
    if (!is_floating(x.dtype())) return;
    with_floating(x.dtype(), [&](auto zero) {
        const auto* p = x.data<decltype(zero)>();
        const Index n = element_count(x);
        const Index i = std::find_if(p, p + n, [](auto v) { return std::isnan(v); }) - p;
        if (i < n)
            file.fail(what, ' ', x.shape(), " holds a NaN, element ", i, " in memory: the run that wrote it had diverged; ",
                      "to load it all the same give {.allow_nan = true}");
    });
}

}  // namespace xtgrad::detail
