// Element types.
#pragma once
#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <type_traits>

namespace [[gnu::visibility("default")]] xtgrad {

/// f32 and f64 are differentiable; i64 holds indices and labels, boolean holds masks.
enum class Dtype : std::uint8_t { f32, f64, i64, boolean };
using enum Dtype;

template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> || std::same_as<T, bool>;

template <class T>
concept Arithmetic = std::is_arithmetic_v<T>;

/// The dtype of an Element; of any other arithmetic type, the one that holds it: integers i64, long double f64.
template <Arithmetic T>
inline constexpr Dtype dtype_of = std::same_as<T, bool>    ? Dtype::boolean
                                  : std::integral<T>       ? Dtype::i64
                                  : std::same_as<T, float> ? Dtype::f32
                                                           : Dtype::f64;

/// The C++ type of an element.
template <Dtype d>
using element_of =
    std::conditional_t<d == Dtype::f32, float,
                       std::conditional_t<d == Dtype::f64, double, std::conditional_t<d == Dtype::i64, std::int64_t, bool>>>;

constexpr bool is_floating(Dtype d) noexcept { return d == Dtype::f32 || d == Dtype::f64; }

/// Bytes of one element.
constexpr std::size_t size_of(Dtype d) noexcept { return d == Dtype::f32 ? 4 : d == Dtype::boolean ? 1 : 8; }

/// "f32", "f64", "i64" or "boolean".
const char* name_of(Dtype) noexcept;
std::ostream& operator<<(std::ostream&, Dtype);

}  // namespace xtgrad
