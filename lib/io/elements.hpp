// Elements as files store them.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "file.hpp"

namespace xtgrad::detail {

enum class Stored : std::uint8_t { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64 };

constexpr std::size_t size_of(Stored s) noexcept {
    constexpr std::size_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};
    return sizes[int(s)];
}
/// The dtype that holds it: f16 and bf16 become f32, integers i64.
constexpr Dtype loaded_as(Stored s) noexcept {
    if (s == Stored::boolean) return Dtype::boolean;
    if (s == Stored::f64) return Dtype::f64;
    return s >= Stored::f16 ? Dtype::f32 : Dtype::i64;
}
constexpr Stored stored_as(Dtype d) noexcept {
    constexpr Stored kinds[] = {Stored::f32, Stored::f64, Stored::i64, Stored::boolean};
    return kinds[int(d)];
}

/// shape's number of elements times `size`, nothing when there are more than any tensor has or an extent is negative.
std::optional<std::size_t> bytes_of(const Shape&, std::size_t size) noexcept;

/// What a stored tensor is; messages say `what` of the file.
struct StoredTensor {
    std::string what;
    Stored kind = Stored::u8;
    Shape shape = {};
    Bytes bytes = {};  // exactly as many as kind and shape need
    bool big_endian = false;
    std::string why_not = {};  // no tensor holds it, as messages say it; else empty
};

/// Throws NoTensor where no tensor holds it.
void check_readable(const FileName&, const StoredTensor&);

/// Its elements. Throws IoError for a boolean that is neither 0 nor 1, an integer above the range of i64; NoTensor.
Tensor decoded(const FileName&, const StoredTensor&);

/// The elements of a dense tensor.
Bytes bytes_of(const Tensor& dense);

/// The tensors of a file by their names, without what no tensor holds.
auto all_tensors(const auto& file) {
    std::map<std::string, Tensor, std::less<>> result;
    for (const std::string& name : file.names()) try {
            result.emplace(name, file[name]);
        } catch (const NoTensor&) {
        }
    return result;
}

/// Throws IoError when x holds a NaN.
void check_no_nan(const FileName&, const std::string& what, const Tensor& x);

}  // namespace xtgrad::detail
