// The header of a safetensors file.
#pragma once
#include <xtgrad/io/tensors.hpp>

#include "elements.hpp"

namespace xtgrad::detail {

/// What a safetensors file holds; the tensors' bytes lie in the file, in the order of the vector and without gaps. Those that
/// cannot be read are among them.
struct SafetensorsIndex {
    std::vector<std::string> names;
    std::vector<StoredTensor> tensors;
    io::Metadata metadata;
};

/// Reads and checks everything but the elements. Throws IoError.
SafetensorsIndex parse_safetensors(const FileName&, Bytes file);

}  // namespace xtgrad::detail
