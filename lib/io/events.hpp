// What stands in TensorBoard's event files.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace xtgrad::detail {

/// CRC-32C, the polynomial of Castagnoli (RFC 3720, B.4).
std::uint32_t crc32c(std::string_view) noexcept;
/// A TFRecord: length, its masked checksum, the contents, their masked checksum.
std::string tf_record(std::string_view contents);
/// The Event that begins a file.
std::string version_event(double wall_time);
/// An Event with a Summary of one simple value.
std::string scalar_event(double wall_time, std::int64_t step, std::string_view tag, float value);

}  // namespace xtgrad::detail
