// Tensors in files: safetensors, .npy and .npz.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../nn/visit.hpp"
#include "../tensor.hpp"

// Files are replaced as a whole: the new one is written beside the old one as NAME.partial, synced and renamed, so that a kill
// at any moment leaves the old or the new one. Readers take a file as hostile: every length and offset is checked, and what is
// wrong is an IoError that names the file. A file must not be changed in place while it is read.
//
// What a file stores otherwise is converted: f16 and bf16 to f32, integers to i64; an unsigned one above the range of i64 is an
// error. What no tensor holds, of another dtype or no array, takes nothing else with it: read_safetensors and read_npz leave it
// out, and asking for it is an error that says what it is. What is damaged is an error of them both; Safetensors and Npz still
// read the rest.

namespace xtgrad {
namespace [[gnu::visibility("default")]] io {

/// Tensors by name.
using TensorMap = nn::TensorMap;
/// What a file says about itself.
using Metadata = std::map<std::string, std::string, std::less<>>;

namespace detail {
struct SafetensorsFile;
struct NpzFile;
}  // namespace detail

/// A safetensors file, open: its header is read and checked, tensors are read from the mapped file when they are asked for.
/// The format: https://github.com/huggingface/safetensors.
class Safetensors {
public:
    /// Throws IoError.
    explicit Safetensors(const std::string& path);

    /// In the order of the file; those that cannot be read are among them.
    const std::vector<std::string>& names() const noexcept;
    const Metadata& metadata() const noexcept;
    bool contains(std::string_view name) const noexcept;
    /// Shape and dtype of a tensor, which is not read. Throws IoError when there is none of that name, or none of ours holds it.
    Shape shape(std::string_view name) const;
    Dtype dtype(std::string_view name) const;
    /// A copy of the tensor. Throws IoError when there is none of that name, or it cannot be read.
    Tensor operator[](std::string_view name) const;

private:
    std::shared_ptr<const detail::SafetensorsFile> file_;
};

/// All tensors of a safetensors file that ours can hold. Throws IoError.
TensorMap read_safetensors(const std::string& path);
/// Writes a safetensors file, byte for byte as the reference implementation does. Throws IoError, Error for an empty tensor.
void write_safetensors(const std::string& path, const TensorMap&, const Metadata& = {});

/// An array of NumPy's. Row-major and column-major, either byte order. Throws IoError.
Tensor read_npy(const std::string& path);
void write_npy(const std::string& path, const Tensor&);

/// NumPy's archive of arrays, stored or compressed, open: its directory is read and checked, members are read from the mapped
/// file when they are asked for.
class Npz {
public:
    /// Throws IoError.
    explicit Npz(const std::string& path);

    /// In the order of the file, without .npy; those that cannot be read are among them.
    const std::vector<std::string>& names() const noexcept;
    bool contains(std::string_view name) const noexcept;
    /// The array. Throws IoError when there is none of that name, it is no array, of a dtype that ours do not hold, or damaged.
    Tensor operator[](std::string_view name) const;

private:
    std::shared_ptr<const detail::NpzFile> file_;
};

/// All arrays of an archive that tensors can hold. Throws IoError.
TensorMap read_npz(const std::string& path);
/// Stored, as numpy.savez does: less than 4 GiB and 65535 arrays, whose names are UTF-8. Throws IoError.
void write_npz(const std::string& path, const TensorMap&);

}  // namespace io
}  // namespace xtgrad
