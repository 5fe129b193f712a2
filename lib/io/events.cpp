// Protocol buffers: https://protobuf.dev/programming-guides/encoding; the messages are event.proto and summary.proto of
// tensorflow/core.
#include "events.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace xtgrad::detail {

namespace {

constexpr std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> result{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t r = i;
        for (int bit = 0; bit < 8; ++bit) r = r >> 1 ^ (r & 1 ? 0x82F63B78u : 0u);
        result[i] = r;
    }
    return result;
}();

template <class T>
void append(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::uint32_t masked_crc(std::string_view bytes) noexcept { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

void append_varint(std::string& to, std::uint64_t value) {
    for (; value >= 128; value >>= 7) to += char(value | 128);
    to += char(value);
}

enum class Wire { varint, fixed64, bytes, fixed32 = 5 };
void append_key(std::string& to, int field, Wire wire) { append_varint(to, std::uint64_t(field << 3 | int(wire))); }

template <class T>
void append_fixed(std::string& to, int field, T value) {
    append_key(to, field, sizeof value == 8 ? Wire::fixed64 : Wire::fixed32);
    append(to, value);
}
void append_bytes(std::string& to, int field, std::string_view bytes) {
    append_key(to, field, Wire::bytes);
    append_varint(to, bytes.size());
    to += bytes;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) noexcept {
    std::uint32_t crc = ~0u;
    for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 255];
    return ~crc;
}

std::string tf_record(std::string_view contents) {
    std::string record;
    append(record, std::uint64_t(contents.size()));
    append(record, masked_crc(record));
    record += contents;
    append(record, masked_crc(contents));
    return record;
}

std::string version_event(double wall_time) {
    std::string event;
    append_fixed(event, 1, wall_time);
    append_bytes(event, 3, "brain.Event:2");
    return event;
}

std::string scalar_event(double wall_time, std::int64_t step, std::string_view tag, float value) {
    std::string entry, summary, event;
    append_bytes(entry, 1, tag);
    append_fixed(entry, 2, value);
    append_bytes(summary, 1, entry);
    append_fixed(event, 1, wall_time);
    if (step != 0) {
        append_key(event, 2, Wire::varint);
        append_varint(event, std::uint64_t(step));
    }
    append_bytes(event, 5, summary);
    return event;
}

}  // namespace xtgrad::detail
